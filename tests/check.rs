//! `joblines check`: every mistake of a file together, each with its place and its remedy.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;

use harness::{Ended, joblines, run_to_end};

/// What `check` says about this `jobs.toml`.
fn check(config: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jobs.toml"), config).unwrap();
    run_to_end(joblines(["check"]).current_dir(folder.path()))
}

/// Everything that `check` says against this `jobs.toml`.
fn mistakes(config: &str) -> String {
    let ended = check(config);
    assert_eq!(ended.code, Some(1), "{config}\n{}{}", ended.text(), ended.stderr);
    ended.stderr
}

#[test]
fn a_good_file_ends_with_0_and_no_complaint() {
    let ended = check("[jobs.hi]\ncommand = 'echo hi'\n");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn every_key_of_this_version_is_taken() {
    let ended = check(
        r#"
        [server]
        listen = ["127.0.0.1:8080", "[::1]:0", "localhost:0", "unix:/run/joblines.sock"]
        state_dir = "state"
        hosts = ["jobs.example.org"]
        base_path = "/joblines"
        keep_runs = 200
        keep_for = "30d"
        keep_bytes = "10GiB"

        [jobs.backup]
        description = "Back up the database"
        group = "Nightly"
        command = ["./backup.sh", "{target}", "--count={count}", "--", "{branch}"]
        params.target = { choices = ["daily", "full"], default = "daily", description = "What to save" }
        params.count = { type = "int", min = 1, max = 9, default = 1 }
        params.branch = { choices_from = ["git", "branch", "--format=%(refname:short)"] }
        params.note = { pattern = "^[\\w ]{0,80}$", default = "" }
        params.dry = { type = "bool", default = false }
        params.token = { type = "secret" }
        overlap = "attach"
        env = { LANG = "C.UTF-8" }
        inherit_env = ["PATH", "HOME"]
        cwd = "."
        pty = false
        merge_stderr = true
        timeout = "30m"
        idle_timeout = "90s"
        grace = "10s"
        drain = "2s"
        on_disconnect = "cancel"
        success_codes = [0, 3]
        max_output = "1GiB"
        methods = ["POST"]

        [jobs."with.dots_and-more9"]
        command = "make -j2 2>&1 | ts"
        inherit_env = false
        pty = true
        stdin = "none"
        overlap = "refuse"
        on_disconnect = "continue"
        methods = ["GET", "POST"]

        [jobs.filter]
        command = ["sort"]
        stdin = "body"
        max_body = "1GiB"
        overlap = "queue"
        "#,
    );
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

const FEEDS: &str = r#"
[feeds.nginx]
description = "Who asked for what"
file = "/var/log/nginx/access.log"
keep_bytes = "1GiB"

[feeds.app]
directory = "logs"
follow_symlinks = true
hidden = false
allow = ["**/*.log"]
deny = ["*.gz"]
paths = "flask"

[feeds.hermey]
redis = "redis://app@127.0.0.1:6379/1"
channel = ["my:channel", "logs:*"]
list = "my:list"
password_env = "SECRET_OF_HERMEY"

[feeds.python]
python_logging = { tcp = "127.0.0.1:9020", udp = "0.0.0.0:9021", unix = "py.sock", http = true, from = ["10.0.0.0/8"], max_frame = "16MiB" }

[feeds.sys]
syslog = { udp = "127.0.0.1:5514", tcp = "127.0.0.1:5514", unix = "sys.sock" }

[feeds.ci]
push = true

[feeds.all]
merge = ["python", "hermey", "sys"]
"#;

/// What `check` says about [`FEEDS`] with this change, the password in the environment.
fn check_feeds(from: &str, to: &str) -> Ended {
    assert!(FEEDS.contains(from));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jobs.toml"), FEEDS.replacen(from, to, 1)).unwrap();
    run_to_end(joblines(["check"]).current_dir(folder.path()).env("SECRET_OF_HERMEY", "hunter2"))
}

#[test]
fn every_source_of_a_feed_is_taken() {
    let ended = check_feeds("", "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.text(), "jobs.toml: 0 jobs, 7 feeds, no mistakes\n");
    let missing = mistakes(FEEDS);
    assert!(missing.contains("the variable `SECRET_OF_HERMEY` is not set"), "{missing}");
}

#[test]
fn a_feed_that_cannot_be_meant_is_refused_with_its_remedy() {
    for (from, to, remedy) in [
        ("push = true", "pusch = true", "did you mean `push`?"),
        ("push = true", "push = true\nfile = 'x'", "a feed has one source"),
        (", from = [\"10.0.0.0/8\"]", "", "`from = [\"10.0.0.0/8\"]`, or `from = [\"0.0.0.0/0\"]` for everybody"),
        ("tcp = \"127.0.0.1:5514\"", "tcp = \"127.0.0.1:9020\"", "feed `python` listens on"),
        ("\"hermey\", \"sys\"", "\"app\"", "`app` is a folder"),
        ("\"hermey\", \"sys\"", "\"all\"", "cannot merge itself"),
        ("\"hermey\", \"sys\"", "\"hermes\"", "did you mean `hermey`?"),
        ("*.gz", "[", "is not a pattern"),
        ("keep_bytes = \"1GiB\"", "keep_bytes = \"1KiB\"", "at least `\"1MiB\"`"),
        ("app@127", "app:hunter3@127", "take it out of the URL"),
    ] {
        let ended = check_feeds(from, to);
        assert_eq!(ended.code, Some(1), "{to}");
        assert!(ended.stderr.contains("jobs.toml:") && ended.stderr.contains(remedy), "{to}: {}", ended.stderr);
        assert!(!ended.stderr.contains("hunter"), "{to}: {}", ended.stderr);
        assert_eq!(ended.stderr.matches("error: ").count(), 1, "{to}: {}", ended.stderr);
    }
}

#[test]
fn all_mistakes_are_reported_together_each_with_its_place() {
    let said = mistakes(
        "[server]\nlisten = ['nonsense']\n\n[jobs.one]\ncomand = 'echo'\ntimeout = 'soon'\n\n\
         [jobs.two]\ncommand = 'echo'\nmax_output = '1 elephant'\npty = 'yes'\non_disconnect = 'stop'\n\n[jobs.'a b']\ncommand = 'x'\n",
    );
    for place in ["2:11", "5:1", "6:11", "10:14", "11:7", "12:17", "14:7"] {
        assert!(said.contains(&format!("jobs.toml:{place}")), "no mistake at {place}:\n{said}");
    }
    assert!(said.matches('^').count() >= 7, "{said}");
}

#[test]
fn a_misspelt_key_is_recognised() {
    for (config, said_so) in [
        ("[jobs.a]\ncomand = 'x'\n", "did you mean `command`?"),
        ("[jobs.a]\ncommand = 'x'\ntimout = '1s'\n", "did you mean `timeout`?"),
        ("[server]\nlisen = []\n[jobs.a]\ncommand = 'x'\n", "did you mean `listen`?"),
        ("[job.a]\ncommand = 'x'\n", "did you mean `jobs`?"),
    ] {
        let said = mistakes(config);
        assert!(said.contains("unknown key") && said.contains(said_so), "{said}");
    }
}

#[test]
fn what_belongs_to_a_later_version_is_refused_and_never_ignored() {
    let said = mistakes("[jobs.a]\ncommand = 'x'\n[auth]\n");
    assert!(said.contains("not supported yet"), "{said}");
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    for (line, value) in [
        ("command = []", ""),
        ("command = ''", ""),
        ("command = 7", ""),
        ("command = ['echo', 7]", ""),
        ("command = 'x'\ntimeout = '-1s'", "-1s"),
        ("command = 'x'\ntimeout = 30", ""),
        ("command = 'x'\ngrace = '10 parsecs'", "parsecs"),
        ("command = 'x'\nsuccess_codes = []", ""),
        ("command = 'x'\nsuccess_codes = [256]", "256"),
        ("command = 'x'\nmethods = []", ""),
        ("command = 'x'\nmethods = ['PUT']", "PUT"),
        ("command = 'x'\nenv = { 'A=B' = 'c' }", "A=B"),
        ("command = \"a\\u0000b\"", ""),
    ] {
        let said = mistakes(&format!("[jobs.a]\n{line}\n"));
        assert!(said.contains("jobs.toml:") && said.contains(value), "{line}: {said}");
    }
    let said = mistakes("[jobs.a]\ndescription = 'no command'\n");
    assert!(said.contains("command"), "{said}");
}

#[test]
fn a_parameter_that_cannot_be_meant_is_refused_with_its_remedy() {
    for (params, remedy) in [
        ("params.token = { type = 'secret', default = 'hunter2' }", "env_file"),
        ("params.count = { type = 'int', min = 3, max = 2 }", "`min` is the least"),
        ("params.note = { pattern = '[' }", "single quotes"),
        ("params.target = { choices = ['daily'], default = 'full' }", "one of daily"),
        ("params.wait = {}", "another name"),
        ("params.targett = {}", "did you mean `{targett}`?"),
    ] {
        let said = mistakes(&format!("[jobs.a]\ncommand = ['x', '{{target}}']\n{params}\n"));
        assert!(said.contains("jobs.toml:") && said.contains(remedy), "{params}: {said}");
    }
    let said = mistakes("[jobs.a]\ncommand = 'echo {target}'\nparams.target = {}\n");
    assert!(said.contains("\"$PARAM_TARGET\""), "{said}");
}

#[test]
fn names_of_jobs_are_bounded() {
    let longest = "a".repeat(64);
    assert_eq!(check(&format!("[jobs.{longest}]\ncommand = 'x'\n")).code, Some(0));
    for name in [format!("{longest}a"), "'.hidden'".to_owned(), "'a/b'".to_owned(), "''".to_owned(), "'é'".to_owned()]
    {
        mistakes(&format!("[jobs.{name}]\ncommand = 'x'\n"));
    }
}

#[test]
fn a_file_that_is_not_toml_is_shown_with_the_place() {
    let said = mistakes("[jobs.a]\ncommand = 'x\n");
    assert!(said.contains("jobs.toml:2:"), "{said}");
    assert_eq!(check("").code, Some(0), "a file without jobs is a beginning");
}

#[test]
fn a_file_that_cannot_be_read_is_one_clear_line() {
    let ended = run_to_end(&mut joblines(["check", "--config", "/no/such/jobs.toml"]));
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().contains("/no/such/jobs.toml"), "{}", ended.stderr);
}

#[test]
fn an_env_file_that_cannot_be_read_is_a_mistake_with_its_place() {
    let said = mistakes("[jobs.a]\ncommand = 'x'\nenv_file = 'missing.env'\n");
    assert!(said.contains("jobs.toml:3:") && said.contains("missing.env"), "{said}");
}

#[test]
fn what_cannot_be_told_is_no_reason_to_panic() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("jobs.toml");
    fs::write(&config, "[jobs.hi]\ncommand = 'echo hi'\n").unwrap();
    let check = || {
        let mut command = joblines(["check"]);
        command.current_dir(folder.path());
        command
    };
    let ended = Ended::from(check().stdout(full()).output().unwrap());
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().starts_with("joblines: cannot write what was found: No space left"), "{}", ended.stderr);
    let (reader, nobody) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(check().stdout(nobody.try_clone().unwrap()).output().unwrap().status.code(), Some(0));
    fs::write(&config, "comand = 'x'\n").unwrap();
    assert_eq!(check().stderr(full()).status().unwrap().code(), Some(1));
    assert_eq!(check().stderr(nobody).status().unwrap().code(), Some(1));
}

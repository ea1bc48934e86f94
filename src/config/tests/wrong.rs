//! Wrong files: what is said about them, and where.

use proptest::prelude::*;

use super::*;
use crate::parameters::Offers;
use crate::sources::process::Command;

/// Everything that is said about a file.
fn shown(text: &str) -> String {
    parsed(text).expect_err("a file with mistakes").to_string()
}

/// Each mistake as `line:column problem; remedy`.
fn summary(text: &str) -> Vec<String> {
    let rendered = shown(text);
    let mut found = Vec::new();
    for report in rendered.split("error: ").skip(1) {
        let mut lines = report.lines();
        let problem = lines.next().expect("a whole report");
        let place = lines.next().expect("a whole report").split_once("jobs.toml:").expect("a whole report").1;
        let remedy = report.split_once("= help: ").map_or("", |(_, remedy)| remedy.trim_end());
        found.push(format!("{place} {problem}; {remedy}"));
    }
    found
}

/// What is said about a job with these keys beside its command.
fn summary_of_job(keys: &str) -> Vec<String> {
    summary(&format!("[jobs.x]\ncommand = 'x'\n{keys}"))
}

fn summary_of_server(keys: &str) -> Vec<String> {
    summary(&format!("[server]\n{keys}"))
}

#[test]
fn all_mistakes_of_a_file_come_together_in_its_order() {
    let text = r#"
[server]
listen = ["0.0.0.0:80"]
[jobs.a]
comand = "true"
timeout = 90
[jobs."b c"]
command = []
pty = True
[jobs.empty]
[jobs.d]
command = "x"
success_codes = [0, 256]
overlap = "alow"
max_output = "64M"
"#;
    assert_eq!(
        summary(text),
        [
            "3:11 listening on 0.0.0.0:80 would let anyone on the network run these jobs; [auth] is not supported yet, so \
             listen on a loopback address or a unix socket and put an authenticating proxy in front",
            "5:1 unknown key `comand`; did you mean `command`?",
            "6:11 `timeout` must be a string, not a whole number; write `timeout = \"90s\"`",
            "7:7 a job cannot be named `b c`; a name is 1 to 64 of the characters a-z, A-Z, 0-9, `_`, `.` and `-`, the first \
             a letter or a digit",
            "8:11 `command` is empty; write `command = [\"./program\", \"argument\"]`",
            "9:7 this is not TOML: invalid boolean, expected `true`; write `true` or `false` in lower case; put text in quotes",
            "13:21 `success_codes` cannot be 256; it may be 0 to 255",
            "14:11 `overlap` cannot be `alow`; it may be `\"allow\"`, `\"attach\"`, `\"queue\"`, `\"refuse\"`, `\"replace\"`",
            "15:14 `64M` has an unknown unit, `M`; write `MiB` for steps of 1024, or `MB` for steps of 1000",
        ]
    );
    assert_eq!(parsed(text).map_err(|mistakes| mistakes.len()), Err(9));
}

#[test]
fn a_mistake_is_shown_with_its_line_and_a_caret() {
    assert_eq!(
        shown("jobs.\"größe\" = { command = 'x' } # é\r\n"),
        "\
error: a job cannot be named `größe`
 --> jobs.toml:1:6
  |
1 | jobs.\"größe\" = { command = 'x' } # é
  |      ^^^^^^^
  |
  = help: a name is 1 to 64 of the characters a-z, A-Z, 0-9, `_`, `.` and `-`, the first a letter or a digit"
    );
    assert_eq!(
        shown(
            "[jobs.x]\ncommand = 'x'\n\tenv.A = '''\nmuch''' # é\n\ttimeuot = '1s'\r\n[server]\nhosts = ['''\nx y''']\n"
        ),
        "\
error: unknown key `timeuot`
 --> jobs.toml:5:2
  |
5 |     timeuot = '1s'
  |     ^^^^^^^
  |
  = help: did you mean `timeout`?

error: `x y` is not a host name
 --> jobs.toml:7:10
  |
7 | hosts = ['''
  |          ^^^
  |
  = help: write one such as `\"jobs.example.org\"` or `\"192.0.2.7\"`"
    );
}

#[test]
fn colours_are_for_terminals_only() {
    let mistakes = parsed("x = 1").expect_err("an unknown key");
    assert!(!mistakes.to_string().contains('\u{1b}'));
    assert!(mistakes.render_coloured().contains('\u{1b}'));
    let hostile =
        parsed("\"\\u001b[2J\" = 1\n[jobs.a]\ncommand = 'x'\ncwd = \"~/\\u001b[2J\"").expect_err("two mistakes");
    assert!(!hostile.to_string().contains('\u{1b}'));
}

#[test]
fn an_unknown_key_without_a_likeness_is_told_what_is_allowed() {
    assert_eq!(
        summary_of_server("xyzzy = 1"),
        ["2:1 unknown key `xyzzy`; [server] may have `listen`, `state_dir`, `hosts`, `base_path`, `max_running`, \
          `max_queued`, `max_connections`, `keep_runs`, `keep_for`, `keep_bytes`"]
    );
    assert_eq!(summary_of_job("Merge-Stderr = true"), ["3:1 unknown key `Merge-Stderr`; did you mean `merge_stderr`?"]);
}

#[test]
fn keys_in_the_wrong_table_are_told_where_they_belong() {
    assert_eq!(summary("listen = []"), ["1:1 unknown key `listen`; move `listen` below a `[server]` line"]);
    assert_eq!(summary("pty = true"), ["1:1 unknown key `pty`; move `pty` below the `[jobs.NAME]` line of its job"]);
    assert_eq!(
        summary("[backup]\ncommand = 'x'"),
        ["1:2 unknown key `backup`; a job is a table under `jobs`: write `[jobs.backup]`"]
    );
    assert_eq!(
        summary("[jobs.app.v2]\ncommand = 'x'"),
        ["1:11 unknown key `v2`; a job's name that has a dot is written in quotes: `[jobs.\"app.v2\"]`"]
    );
    assert_eq!(summary("[job.x]\ncommand = 'x'"), ["1:2 unknown key `job`; did you mean `jobs`?"]);
}

#[test]
fn what_comes_later_is_refused_and_checked_all_the_same() {
    let remedy = "take it out; this version would not act on it";
    assert_eq!(
        summary("[auth]\n[feeds.a]\n[feeds.b]\n"),
        [
            format!("1:2 `[auth]` is not supported yet; {remedy}"),
            format!("2:8 `[feeds.a]` is not supported yet; {remedy}"),
            format!("3:8 `[feeds.b]` is not supported yet; {remedy}"),
        ]
    );
    assert_eq!(summary("[feeds]\na = 1").len(), 1);
}

#[test]
fn a_wrong_type_says_what_was_found_and_what_to_write() {
    for (keys, said) in [
        ("max_output = 1024", "3:14 `max_output` must be a string, not a whole number; write `max_output = \"1024B\"`"),
        ("timeout = 1.5", "3:11 `timeout` must be a string, not a number with a fraction; write `timeout = \"30m\"`"),
        ("pty = 'true'", "3:7 `pty` must be true or false, not a string; write `pty = true`"),
        ("env.PORT = 8080", "3:12 `PORT` must be a string, not a whole number; write `PORT = \"8080\"`"),
        ("env.D = true", "3:9 `D` must be a string, not true or false; write `D = \"true\"`"),
        ("methods = 'GET'", "3:11 `methods` must be a list, not a string; write `methods = [\"GET\"]`"),
        (
            "success_codes = ['0']",
            "3:18 `success_codes` has a string in its list where it must have a whole number; write `0`",
        ),
        (
            "env = 'A=1'",
            "3:7 `env` must be a table, not a string; write `[jobs.x.env]` on a line of its own and its keys below it",
        ),
        (
            "inherit_env = 'HOME'",
            "3:15 `inherit_env` must be true, false or a list, not a string; write `inherit_env = [\"HOME\", \"LANG\"]`",
        ),
        (
            "params.target = 'daily'",
            "3:17 `target` must be a table, not a string; write `[jobs.x.params.target]` on a line of its own and its keys \
             below it",
        ),
        ("stdin = true", "3:9 `stdin` must be a string, not true or false; write `stdin = \"none\"`"),
    ] {
        assert_eq!(summary_of_job(keys), [said]);
    }
}

#[test]
fn values_out_of_bounds_are_refused_at_their_place() {
    for (keys, place) in [
        ("timeout = '0s'", "3:11"),
        ("idle_timeout = '1y'", "3:16"),
        ("success_codes = []", "3:17"),
        ("success_codes = [-1]", "3:18"),
        ("methods = []", "3:11"),
        ("methods = ['GET', 'GET']", "3:19"),
        ("methods = ['get']", "3:12"),
        ("cwd = ''", "3:7"),
        ("cwd = '~/x'", "3:7"),
        ("env = { 'A=B' = 'x' }", "3:9"),
        ("env = { '' = 'x' }", "3:9"),
        ("env = { A = \"\\u0000\" }", "3:13"),
        ("max_output = '0B'", "3:14"),
        ("on_disconnect = 'stop'", "3:17"),
        ("inherit_env = ['']", "3:16"),
        ("group = ''", "3:9"),
        ("group = \"a\\nb\"", "3:9"),
        ("stdin = 'x'", "3:9"),
        ("stdin = 'x'\nmax_body = '1MiB'", "3:9"),
        ("stdin = 'body'\nmax_body = '0B'", "4:12"),
        ("overlap = 'x'", "3:11"),
    ] {
        let found = summary_of_job(keys);
        assert!(matches!(found.as_slice(), [one] if one.starts_with(&format!("{place} "))), "{keys}: {found:?}");
    }
    for command in ["[]", "['']", "' '", "\"a\\u0000\"", "['a', \"\\u0000\"]", "5"] {
        assert_eq!(summary(&format!("[jobs.x]\ncommand = {command}")).len(), 1, "{command}");
    }
    for server in [
        "max_running = 0",
        "max_connections = 1000001",
        "max_queued = -1",
        "listen = []",
        "base_path = 'x/'",
        "keep_runs = 0",
        "keep_for = '0s'",
        "keep_bytes = '0B'",
    ] {
        assert_eq!(summary_of_server(server).len(), 1, "{server}");
    }
    let twice = summary_of_server("listen = ['127.0.0.1:80', '127.0.0.1:80']");
    assert_eq!(twice, ["2:27 `127.0.0.1:80` is listed twice; take one of the two out"]);
}

/// What is said about a parameter `p` with these keys.
fn summary_of_parameter(keys: &str) -> Vec<String> {
    summary_of_job(&format!("params.p = {{ {keys} }}"))
}

#[test]
fn what_a_parameter_cannot_be_is_told_with_its_remedy() {
    for (keys, said) in [
        ("typ = 'int'", "3:14 unknown key `typ`; did you mean `type`?"),
        (
            "type = 'number', min = 1",
            "3:21 `type` cannot be `number`; it may be `\"text\"`, `\"int\"`, `\"bool\"`, `\"secret\"`",
        ),
        ("choices = []", "3:24 `choices` is empty; write `choices = [\"daily\", \"full\"]`"),
        ("choices = ['a', 'b', 'a']", "3:35 `a` is listed twice; take one of the two out"),
        ("choices = [1]", "3:25 `choices` has a whole number in its list where it must have a string; write `\"1\"`"),
        ("type = 'int', choices = [1, 'x']", "3:42 `x` is not a whole number; write one such as `1`"),
        ("type = 'int', choices = [1, '01']", "3:42 `01` is not a whole number; write one such as `1`"),
        ("type = 'int', choices = [1, '1']", "3:42 `1` is listed twice; take one of the two out"),
        ("choices_from = []", "3:29 `choices_from` is empty; write `choices_from = [\"./program\", \"argument\"]`"),
        ("choices_from = 'ls'", "3:29 `choices_from` must be a list, not a string; write `choices_from = [\"ls\"]`"),
        (
            "choices = ['a'], choices_from = ['b']",
            "3:31 a parameter with `choices` has no `choices_from`; give one of the two",
        ),
        ("type = 'int', min = 3, max = 2", "3:43 no number is from 3 to 2; `min` is the least and `max` the greatest"),
        ("type = 'int', min = '3'", "3:34 `min` must be a whole number, not a string; write `min = 3`"),
        (
            "type = 'int', max = 9223372036854775808",
            "3:34 `max` cannot be 9223372036854775808; it may be -9223372036854775808 to 9223372036854775807",
        ),
        ("max = 3", "3:14 a text has no `max`; write `type = \"int\"` as well"),
        ("type = 'int', pattern = 'x'", "3:28 a whole number has no `pattern`; write `min` and `max`"),
        ("type = 'bool', choices = ['x']", "3:29 a bool has no `choices`; take it out"),
        (
            "choices = ['x'], pattern = 'x'",
            "3:31 a parameter with `choices` has no `pattern`; it is one of them and nothing else: take it out",
        ),
        (
            "type = 'secret', default = 'x'",
            "3:31 a secret has no `default`; its value would stand in this file: put it into an `env_file`, or take this \
             out and it is asked for",
        ),
        (
            "type = 'secret', choices = ['x']",
            "3:31 a secret has no `choices`; whoever may choose it sees it: take this or `type` out",
        ),
        (
            "pattern = '(a'",
            "3:24 `pattern` is refused: unclosed group; write it as https://docs.rs/regex/latest/regex/#syntax says, best in \
             single quotes: '[a-z]+'",
        ),
        (
            "type = 'bool', default = 1",
            "3:39 `default` must be true or false, not a whole number; write `default = true`",
        ),
        ("type = 'bool', default = 'yes'", "3:39 the default of `p` cannot be `yes`; it may be true or false"),
        ("default = 5", "3:24 `default` must be a string, not a whole number; write `default = \"5\"`"),
        (
            "type = 'int', default = 1.5",
            "3:38 `default` must be a whole number, not a number with a fraction; write `default = 1`",
        ),
        (
            "type = 'int', min = 1, max = 9, default = 10",
            "3:56 the default of `p` cannot be `10`; it may be a whole number from 1 to 9",
        ),
        (
            "pattern = '[a-z]+', default = ''",
            "3:44 the default of `p` cannot be empty; it may be text that matches [a-z]+",
        ),
        ("choices = ['a'], default = 'b'", "3:41 the default of `p` cannot be `b`; it may be one of a"),
    ] {
        assert_eq!(summary_of_parameter(keys), [said], "{keys}");
    }
}

#[test]
fn a_parameter_has_a_name_of_its_own() {
    for (params, said) in [
        (
            "a-b = {}",
            "4:1 a parameter cannot be named `a-b`; a name is 1 to 64 of the characters a-z, A-Z, 0-9 and `_`, the first a \
             letter",
        ),
        (
            "wait = {}",
            "4:1 a parameter cannot be named `wait`: the job's URL has that word already; take another name, such as `wait_`",
        ),
        (
            "Target = {}\ntarget = {}",
            "5:1 `Target` and `target` would both be the variable PARAM_TARGET; give one of them another name",
        ),
    ] {
        assert_eq!(summary_of_job(&format!("[jobs.x.params]\n{params}")), [said]);
    }
    for word in QUERY_WORDS {
        assert_eq!(summary_of_job(&format!("params.{word} = {{}}")).len(), 1, "{word}");
    }
}

#[test]
fn a_placeholder_that_cannot_be_meant_is_told_at_its_argument() {
    for (command, said) in [
        (
            "['{target}', 'x']",
            "2:12 the program depends on `{target}`; write the program itself: a parameter fills arguments only",
        ),
        ("['./x', '--to={tagret}']", "2:19 `{tagret}` is no parameter of the job; did you mean `{target}`?"),
        ("['./x', '{Target}']", "2:19 `{Target}` is no parameter of the job; did you mean `{target}`?"),
        (
            "['sudo', '/bin/bash', '-ec', 'echo {target}']",
            "2:40 `bash` would read the value of `{target}` as a part of its script; take it from the environment instead, \
             where it is PARAM_TARGET",
        ),
        (
            "['python3', '-c', 'print(\"{target}\")']",
            "2:29 `python3` would read the value of `{target}` as a part of its script; take it from the environment \
             instead, where it is PARAM_TARGET",
        ),
        (
            "'echo {target}'",
            "2:11 `{target}` is not filled in a command that is a string; write \"$PARAM_TARGET\", with the quotes: no \
             shell reads what it contains",
        ),
    ] {
        let found = summary(&format!("[jobs.x]\ncommand = {command}\nparams.target = {{}}"));
        assert_eq!(found, [said], "{command}");
    }
    let default = "[jobs.x]\ncommand = ['rm', '{p}']\nparams.p.default = '-r'";
    assert_eq!(
        summary(default),
        [
            "3:20 the default of `p` cannot be `-r`: it would be an option of the command; it may be any text, not beginning \
          with -"
        ]
    );
    // a parameter that is wrong is one all the same
    assert_eq!(summary("[jobs.x]\ncommand = ['x', '{p}']\nparams.p.choices = []").len(), 1);
    assert_eq!(summary("[jobs.x]\ncommand = ['x', '{target}']\nparams.target = 1").len(), 1);
}

#[test]
fn an_input_needs_a_run_of_its_own() {
    for (keys, said) in [
        (
            "stdin = 'body'\npty = true",
            "3:9 the input of a job on a terminal is the terminal, not a request's body; take `stdin` or `pty` out",
        ),
        (
            "overlap = 'attach'\nstdin = 'body'",
            "3:11 whoever joins a run cannot give it another input; with `stdin = \"body\"` it may be `\"allow\"`, \
             `\"queue\"`, `\"refuse\"`, `\"replace\"`",
        ),
        (
            "max_body = '1MiB'",
            "3:1 `max_body` is the most that a request's body may have, which this job does not read; write \
             `stdin = \"body\"` as well, or take it out",
        ),
    ] {
        assert_eq!(summary_of_job(keys), [said]);
    }
}

#[test]
fn a_job_without_a_command_is_told_at_its_header() {
    assert_eq!(
        summary("[server]\n[jobs.x]\npty = true"),
        ["2:7 job `x` has no `command`; write `command = [\"./program\", \"argument\"]`, or a string for the shell"]
    );
    let elsewhere = summary("[jobs.x]\nenv.command = 'y'");
    assert_eq!(elsewhere.len(), 1, "a variable of that name is no command: {elsewhere:?}");
}

#[test]
fn what_follows_from_broken_syntax_is_not_told() {
    assert_eq!(
        summary("[jobs.a]\ncommand =\n[jobs.b]\ncommand 'x'\n[jobs.c]\n"),
        [
            "2:10 this is not TOML: string values must be quoted, expected literal string; put text in quotes: `\"text\"`",
            "4:9 this is not TOML: key with no value, expected `=`; write `key = value`",
        ]
    );
    assert_eq!(
        summary("[jobs.a]\ncommand = [\n  'x',\npty = true\n[jobs.b]\ncommand = 'x'\n"),
        ["4:1 this is not TOML: a list that begins before this is not closed; end it with `]`"]
    );
}

#[test]
fn a_mistake_in_an_env_file_names_it_and_never_shows_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.env"), "A=1\nhunter2\nB='geheim\n").expect("a file");
    let text =
        "[jobs.x]\nenv_file = ['a.env', '.', 'none']\ncommand = 5\n[jobs.y]\ncommand = 'y'\nenv_file = 'a.env'\n";
    let rendered = parse(text, Path::new("jobs.toml"), folder.path()).expect_err("mistakes").to_string();
    let folder = folder.path().display();
    for part in [
        format!("error: `{folder}` is not a file\n --> jobs.toml:2:22\n"),
        format!("error: cannot read `{folder}/none`: No such file or directory (os error 2)\n --> jobs.toml:2:27\n"),
        format!("error: this line is not NAME=VALUE\n--> {folder}/a.env:2:1\n"),
        format!("error: this quote is not closed on its line\n--> {folder}/a.env:3:3\n"),
    ] {
        assert_eq!(rendered.matches(&part).count(), 1, "{part}\n{rendered}");
    }
    assert!(!rendered.contains("hunter2") && !rendered.contains("geheim"));
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("jobs.toml");
    assert_eq!(
        load(&missing).map_err(|mistakes| (mistakes.to_string(), mistakes.len())),
        Err((
            format!(
                "error: cannot read `{}`: No such file or directory (os error 2); create one, or name another with --config",
                missing.display()
            ),
            1
        ))
    );
    std::fs::write(&missing, b"[jobs.x]\n  \xc3\xa9\xff").expect("a file");
    let path = missing.display();
    assert_eq!(
        load(&missing).map_err(|mistakes| mistakes.to_string()),
        Err(format!("error: `{path}` is not UTF-8\n--> {path}:2:4\n = help: save it as UTF-8"))
    );
}

#[test]
fn the_lists_of_keys_are_those_that_are_read() {
    for key in job::KEYS {
        assert!(
            !summary_of_job(&format!("{key} = 1979-05-27")).iter().any(|said| said.contains("unknown key")),
            "{key}"
        );
    }
    for key in parameter::KEYS {
        let found = summary_of_job(&format!("params.p.{key} = 1979-05-27"));
        assert!(!found.iter().any(|said| said.contains("unknown key")), "{key}");
    }
    for key in server::KEYS {
        assert!(
            !summary_of_server(&format!("{key} = 1979-05-27")).iter().any(|said| said.contains("unknown key")),
            "{key}"
        );
    }
}

/// Pieces that files are made of, so that random texts reach beyond the TOML parser.
fn piece() -> impl Strategy<Value = String> {
    let words = "server|jobs|jobs\\.a|feeds\\.b|auth|listen|hosts|command|env|params|params\\.p|choices|type|default|\\{p\\}|timeout|env_file|methods|pty|\\[|\\]|\\[\\[|\\]\\]\
                 |\\{|\\}|=|,|\\.|\n|\r\n|\"|'|\"\"\"|'''|#|\\\\|\\\\u0000|true|-1|0xff|1e9|1979-05-27|90s|é|\u{feff}|\u{85}| ";
    prop_oneof![8 => words, 1 => "\\PC{0,8}", 1 => any::<char>().prop_map(String::from)]
}

/// A line of the table of a parameter.
fn key_of_parameter() -> impl Strategy<Value = String> {
    let value =
        "1|-1|true|'on'|'-x'|'a'|''|'int'|'bool'|'secret'|'text'|\\['a', '-x'\\]|\\[1, 2\\]|\\[\\]|'[a-z]\\*'|'\\('";
    (prop::sample::select(parameter::KEYS.to_vec()), value).prop_map(|(key, value)| format!("{key} = {value}"))
}

proptest! {
    #[test]
    fn no_text_makes_the_reading_or_the_showing_panic(pieces in prop::collection::vec(piece(), 0..60)) {
        let found = parsed(&pieces.concat());
        if let Ok(config) = &found {
            let empty = Command::List(Vec::new());
            prop_assert!(config.jobs.iter().all(|job| job.process.command != empty && (job.get || job.post)));
        }
        if let Err(mistakes) = found {
            prop_assert!(!mistakes.is_empty());
            prop_assert_eq!(mistakes.to_string().matches("error: ").count() >= mistakes.len(), true);
            mistakes.render_coloured();
        }
    }

    #[test]
    fn no_value_makes_the_reading_or_the_showing_panic(
        key in prop::sample::select(job::KEYS.to_vec()),
        value in prop::collection::vec(piece(), 0..12),
    ) {
        for text in [format!("[jobs.a]\n{key} = {}", value.concat()), format!("[server]\n{key}={}\n[jobs.a", value.concat())] {
            if let Err(mistakes) = parsed(&text) {
                mistakes.to_string();
            }
        }
    }

    #[test]
    fn a_parameter_is_told_wrong_or_takes_its_own_default(keys in prop::collection::vec(key_of_parameter(), 0..5)) {
        let text = format!("[jobs.a]\ncommand = ['x', '{{p}}']\n[jobs.a.params.p]\n{}", keys.join("\n"));
        match parsed(&text) {
            Err(mistakes) => prop_assert!(!mistakes.to_string().is_empty()),
            Ok(config) => {
                let parameter = &config.jobs[0].parameters[0];
                let mut offers = Offers::default();
                offers.insert("p", parameter.default.iter().cloned().collect());
                if let Some(default) = &parameter.default {
                    prop_assert_eq!(parameter.check(default, &offers), Ok(default.clone()));
                }
                prop_assert!(parameter.default.is_none() || !parameter.is_secret());
            }
        }
    }
}

//! Keys that nothing reads, that stand elsewhere, or that are missing.

use super::*;

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
    assert_eq!(
        summary("channel = 'x'"),
        ["1:1 unknown key `channel`; move `channel` below the `[feeds.NAME]` line of its feed"]
    );
    assert_eq!(
        summary("[nginx]\nfile = 'x'"),
        ["1:2 unknown key `nginx`; a feed is a table under `feeds`: write `[feeds.nginx]`"]
    );
    assert_eq!(
        summary("[feeds.app.v2]\nfile = 'x'"),
        ["1:12 unknown key `v2`; a feed's name that has a dot is written in quotes: `[feeds.\"app.v2\"]`"]
    );
    assert_eq!(summary("[feed.x]\nfile = 'x'"), ["1:2 unknown key `feed`; did you mean `feeds`?"]);
}

#[test]
fn what_comes_later_is_refused_and_checked_all_the_same() {
    let remedy = "take it out; this version would not act on it";
    assert_eq!(summary("[auth]\n[feeds.a]\npush = true\n"), [format!("1:2 `[auth]` is not supported yet; {remedy}")]);
    assert_eq!(summary("auth = 1").len(), 1);
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
    for key in feed::KEYS {
        let found = summary_of_feed(&format!("{key} = 1979-05-27"));
        assert!(!found.iter().any(|said| said.contains("unknown key")), "{key}");
    }
    for (receiver, keys) in [("python_logging", &feed::PYTHON_KEYS[..]), ("syslog", &feed::SYSLOG_KEYS)] {
        for key in keys {
            let found = summary_of_feed(&format!("{receiver}.{key} = 1979-05-27"));
            assert!(!found.iter().any(|said| said.contains("unknown key")), "{receiver} {key}");
        }
    }
    for key in server::KEYS {
        assert!(
            !summary_of_server(&format!("{key} = 1979-05-27")).iter().any(|said| said.contains("unknown key")),
            "{key}"
        );
    }
}

//! Values of the wrong type, out of bounds, or at odds with another.

use super::*;

#[test]
fn a_wrong_type_says_what_was_found_and_what_to_write() {
    for (keys, said) in [
        ("max_output = 1024", "3:14 `max_output` must be a string, not a whole number; write `max_output = \"1024B\"`"),
        ("timeout = 1.5", "3:11 `timeout` must be a string, not a number with a fraction; write `timeout = \"30m\"`"),
        ("grace = -1", "3:9 `grace` must be a string, not a whole number; write `grace = \"10s\"`"),
        ("grace = 0", "3:9 `grace` must be a string, not a whole number; write `grace = \"0s\"`"),
        ("timeout = 0", "3:11 `timeout` must be a string, not a whole number; write `timeout = \"30m\"`"),
        ("max_output = -5", "3:14 `max_output` must be a string, not a whole number; write `max_output = \"1GiB\"`"),
        ("env.OFFSET = -5", "3:14 `OFFSET` must be a string, not a whole number; write `OFFSET = \"-5\"`"),
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

#[test]
fn an_input_needs_a_run_of_its_own() {
    for (keys, said) in [
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

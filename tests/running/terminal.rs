//! `pty = true`: a command on a terminal of its own.

use crate::harness::{processes, wait_for};
use crate::{end, objects, server_with};

#[test]
fn a_command_on_a_terminal_sees_one_of_80_by_24() {
    let server =
        server_with("command = 'stty size </dev/tty; test -t 1 && test -t 2 && echo terminal; tty <&1'\npty = true");
    let text = server.get("/jobs/job").text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[..2], ["24 80", "terminal"]);
    assert!(lines[2].starts_with("/dev/pts/"), "{text:?}");
}

#[test]
fn lines_of_a_terminal_end_in_crlf_and_are_one_stream() {
    let server = server_with("command = 'echo out; echo err >&2'\npty = true");
    assert_eq!(server.get("/jobs/job").text(), "out\r\nerr\r\n");
    let objects = objects(&server);
    assert!(objects.iter().all(|object| object["type"] != "line" || object["stream"] == "stdout"));
}

#[test]
fn a_command_on_a_terminal_leads_its_own_session() {
    let server = server_with("command = 'cut -d \" \" -f 6 /proc/$$/stat; echo $$'\npty = true");
    let text = server.get("/jobs/job").text();
    let pids: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(pids[0], pids[1], "{text:?}");
}

#[test]
fn everything_that_was_printed_on_a_terminal_arrives_with_the_exit_code() {
    let server = server_with("command = 'seq 1 20000; exit 3'\npty = true");
    let wanted: String = (1..=20_000).map(|n| format!("{n}\r\n")).collect();
    assert_eq!(server.get("/jobs/job").text(), wanted);
    assert_eq!(end(&server)["exit_code"], 3);
}

#[test]
fn a_command_on_a_terminal_is_cancelled_with_its_group() {
    let server = server_with("command = 'sleep 1000 & echo $!; wait'\npty = true");
    let mut text = server.get("/jobs/job");
    let pid = text.line().trim().parse().unwrap();
    server.post(&format!("/runs/{}/cancel", text.run())).expect(202);
    assert_eq!(server.ended(&text.run())["state"], "cancelled");
    wait_for("the sleeper to be gone", || !processes::is_alive(pid));
}

#[test]
fn a_program_that_holds_output_back_shows_it_at_once_on_a_terminal() {
    // sed's output is line buffered on a terminal only
    let server = server_with("command = '(echo 1; read _ < gate; echo 2) | sed s/x/y/'\npty = true");
    let gate = server.gate("gate");
    let mut text = server.get("/jobs/job");
    assert_eq!(text.line(), "1\r");
    gate.pass();
    assert_eq!(text.text(), "2\r\n");
}

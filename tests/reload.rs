//! `jobs.toml` changed under a running server: what takes it over and when, and what a mistake in it does not do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;
use std::os::unix::fs::symlink;

use harness::{Gate, Server, wait_for};
use rustix::process::Signal;

const ONE: &str = "[jobs.one]\ncommand = 'echo one'\n";

/// Writes the whole of a new `jobs.toml`; `[server]` stays as the harness made it.
fn save(server: &Server, jobs: &str) {
    fs::write(server.path("jobs.toml"), with_server(server, jobs)).unwrap();
}

/// The `[server]` table as it stands in the file, with these jobs behind it.
fn with_server(server: &Server, jobs: &str) -> String {
    let written = fs::read_to_string(server.path("jobs.toml")).unwrap();
    let head: Vec<_> = written.lines().take_while(|line| !line.starts_with("[jobs")).collect();
    format!("{}\n{jobs}", head.join("\n"))
}

fn problem(server: &Server) -> Option<String> {
    server.json("/?format=json")["problem"].as_str().map(str::to_owned)
}

fn wait_for_job(server: &Server, job: &str) {
    wait_for("the job to be known", || server.get(&format!("/jobs/{job}/form")).status == 200);
}

#[test]
fn a_saved_file_is_in_use_without_a_restart() {
    let server = Server::start(ONE);
    save(&server, "[jobs.two]\ncommand = 'echo two'\n");
    wait_for_job(&server, "two");
    assert_eq!(server.get("/jobs/two").text(), "two\n");
    assert_eq!(server.get("/jobs/one").status, 404, "a job that is not in the file is not there");
    assert_eq!(problem(&server), None);
}

#[test]
fn a_file_that_is_replaced_is_another_file_and_seen_all_the_same() {
    let server = Server::start(ONE);
    fs::write(server.path("jobs.new"), with_server(&server, "[jobs.two]\ncommand = 'echo two'\n")).unwrap();
    fs::rename(server.path("jobs.new"), server.path("jobs.toml")).unwrap();
    wait_for_job(&server, "two");
}

#[test]
fn a_link_that_is_turned_is_seen() {
    let server = Server::start(ONE);
    fs::write(server.path("next.toml"), with_server(&server, "[jobs.two]\ncommand = 'echo two'\n")).unwrap();
    symlink("next.toml", server.path("link")).unwrap();
    fs::rename(server.path("link"), server.path("jobs.toml")).unwrap();
    wait_for_job(&server, "two");
    fs::write(server.path("third.toml"), with_server(&server, "[jobs.three]\ncommand = 'echo three'\n")).unwrap();
    symlink("third.toml", server.path("link")).unwrap();
    fs::rename(server.path("link"), server.path("jobs.toml")).unwrap();
    wait_for_job(&server, "three");
}

#[test]
fn sighup_loads_what_no_save_told_of() {
    let server = Server::with("[jobs.env]\ncommand = 'echo $WHO'\nenv_file = 'who.env'\n")
        .file("who.env", "WHO=old\n", 0o600)
        .start();
    fs::write(server.path("who.env"), "WHO=new\n").unwrap();
    assert_eq!(server.get("/jobs/env").text(), "old\n", "nothing was said yet");
    server.signal(Signal::HUP);
    wait_for("the new value", || server.get("/jobs/env").text() == "new\n");
}

#[test]
fn a_run_goes_on_as_it_began() {
    let server = Server::start("[jobs.job]\ncommand = 'read word < gate; echo old'\n");
    let gate: Gate = server.gate("gate");
    let run = server.detach("job");
    server.wait_for_state(&run, "running");
    save(&server, "[jobs.job]\ncommand = 'echo new'\n[jobs.two]\ncommand = 'echo two'\n");
    wait_for_job(&server, "two");
    assert_eq!(server.get("/jobs/job").text(), "new\n");
    gate.pass();
    assert_eq!(server.ended(&run)["state"], "succeeded");
    assert_eq!(server.get(&format!("/runs/{run}")).text(), "old\n");
}

#[test]
fn a_broken_file_changes_nothing_and_every_page_says_so() {
    let server = Server::start(ONE);
    let run = server.get("/jobs/one").expect(200).run();
    save(&server, "[jobs.one]\ncomand = 'echo other'\nenv = { TOKEN = 'of nobody else' }\n");
    wait_for("the mistake to be told", || problem(&server).is_some());
    let said = problem(&server).unwrap();
    assert!(said.contains("`comand`") && said.contains("line "), "{said}");
    assert!(!said.contains("of nobody else"), "the text of the file is not told: {said}");
    for page in ["/", "/jobs/one/form", "/runs", &format!("/runs/{run}"), "/nowhere"] {
        let page = server.visit(page).text();
        assert!(page.contains("class=\"banner\"") && page.contains("comand"), "{page}");
    }
    assert!(server.log().contains("comand"), "the log has it with its line: {}", server.log());
    assert_eq!(server.get("/jobs/one").text(), "one\n", "the file before is in use");
    save(&server, "[jobs.one]\ncommand = 'echo better'\n");
    wait_for("the mistake to be mended", || problem(&server).is_none());
    assert_eq!(server.get("/jobs/one").text(), "better\n");
    assert!(!server.visit("/").text().contains("class=\"banner\""));
}

#[test]
fn a_file_that_is_gone_leaves_the_server_as_it_was() {
    let server = Server::start(ONE);
    fs::remove_file(server.path("jobs.toml")).unwrap();
    wait_for("its absence to be told", || problem(&server).is_some());
    assert_eq!(server.get("/jobs/one").text(), "one\n");
}

#[test]
fn what_only_a_restart_takes_over_is_said_and_the_rest_is_taken_over() {
    let server = Server::start(ONE);
    let written = with_server(&server, "[jobs.two]\ncommand = 'echo two'\n");
    fs::write(server.path("jobs.toml"), written.replacen("[server]", "[server]\nmax_connections = 17", 1)).unwrap();
    wait_for_job(&server, "two");
    let said = problem(&server).unwrap();
    assert!(said.contains("max_connections") && said.contains("restart"), "{said}");
}

#[test]
fn more_turns_are_given_at_once() {
    let server = Server::with("[jobs.job]\ncommand = 'read word < gate'\n").server("max_running = 1").start();
    let gate = server.gate("gate");
    let (first, second) = (server.detach("job"), server.detach("job"));
    server.wait_for_state(&first, "running");
    server.wait_for_state(&second, "queued");
    let written = fs::read_to_string(server.path("jobs.toml")).unwrap();
    fs::write(server.path("jobs.toml"), written.replace("max_running = 1", "max_running = 2")).unwrap();
    server.wait_for_state(&second, "running");
    gate.pass_many(2);
    assert_eq!(
        (server.ended(&first)["state"].as_str(), server.ended(&second)["state"].as_str()),
        (Some("succeeded"), Some("succeeded"))
    );
}

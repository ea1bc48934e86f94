//! `joblines serve` from outside: how it starts, where it listens, what it leaves on disk.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use harness::server::files_beneath;
use harness::{Address, Ended, Server, joblines, run_to_end, wait_for};

const HI: &str = "[jobs.hi]\ncommand = 'echo hi'\n";

/// What `serve` with these arguments says when it cannot start, run in a folder with this `jobs.toml`.
fn fails_to_serve(folder: &Path, config: &str, args: &[&str]) -> Ended {
    fs::write(folder.join("jobs.toml"), config).unwrap();
    let ended = run_to_end(joblines(["serve"]).args(args).current_dir(folder));
    assert_eq!(ended.text(), "", "stdout has nothing but the line about listening");
    ended
}

#[test]
fn one_line_on_stdout_says_where_it_listens() {
    let mut server = Server::start(HI);
    assert_eq!(server.announced(), format!("joblines: listening on {}", server.url("")));
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.wait(), (Some(0), vec![]));
}

#[test]
fn it_is_up_when_it_says_so_and_answers_healthz() {
    let server = Server::start(HI);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.request("HEAD", "/healthz").send().status, 200);
    assert_eq!(server.get("/healthz?from=a-balancer").status, 200, "it alone takes any parameter");
    assert_eq!(server.get("/metrics?from=a-balancer").status, 400);
}

#[test]
fn a_port_in_use_is_one_clear_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let ended = fails_to_serve(folder.path(), "[server]\nstate_dir = 'state'\n", &["--listen", &address]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().contains(&address), "{}", ended.stderr);
}

#[test]
fn a_state_dir_that_another_server_holds_is_refused_and_left_as_it_is() {
    let server = Server::start(HI);
    let run = server.get("/jobs/hi").expect(200).run();
    server.ended(&run);
    let before = files_beneath(&server.path("state"));
    let folder = tempfile::tempdir().unwrap();
    let state = server.path("state").display().to_string();
    let args = ["--listen", "127.0.0.1:0", "--state-dir", &state];
    let ended = fails_to_serve(folder.path(), HI, &args);
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().contains(&state), "{}", ended.stderr);
    assert_eq!(files_beneath(&server.path("state")), before);
    assert_eq!(server.ended(&run)["state"], "succeeded");
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");
}

#[test]
fn a_state_dir_is_free_again_after_its_server_was_killed() {
    let mut server = Server::start(HI);
    server.kill();
    server.restart();
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");
}

#[test]
fn a_state_dir_that_cannot_be_made_is_one_clear_line_and_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("taken"), "a file").unwrap();
    let ended = fails_to_serve(folder.path(), HI, &["--listen", "127.0.0.1:0", "--state-dir", "taken"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().contains("taken"), "{}", ended.stderr);
    assert_eq!(fs::read(folder.path().join("taken")).unwrap(), b"a file");
}

#[test]
fn an_unreadable_configuration_is_one_clear_line_and_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder.toml")).unwrap();
    for file in ["missing.toml", "folder.toml"] {
        let ended = fails_to_serve(folder.path(), HI, &["--listen", "127.0.0.1:0", "--config", file]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.one_line().contains(file), "{}", ended.stderr);
    }
}

#[test]
fn mistakes_in_the_configuration_end_it_with_1_and_are_shown_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let ended = fails_to_serve(folder.path(), "[jobs.a]\ncomand = 'x'\n", &["--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("jobs.toml:2:1"), "{}", ended.stderr);
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [&["--nonsense"][..], &["nonsense"], &["serve", "--listen"], &["serve", "more"], &["check", "--listen"]]
    {
        let ended = run_to_end(&mut joblines(args));
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_go_to_stdout_and_end_with_0() {
    let help = run_to_end(&mut joblines(["--help"]));
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    assert!(["serve", "check", "run"].iter().all(|verb| help.text().contains(verb)), "{}", help.text());
    let version = run_to_end(&mut joblines(["--version"]));
    assert_eq!((version.code, version.text()), (Some(0), format!("joblines {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn an_address_that_others_can_reach_is_refused_as_long_as_nobody_has_to_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let ended = fails_to_serve(folder.path(), HI, &["--listen", "0.0.0.0:0", "--state-dir", "state"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().contains("0.0.0.0"), "{}", ended.stderr);
}

#[test]
fn it_listens_on_a_unix_socket_and_takes_the_place_of_a_dead_one() {
    let builder = Server::with(HI);
    let socket = builder.path("http.sock");
    let listen = format!("unix:{}", socket.display());
    let mut server = builder.args(&["serve", "--listen", &listen]).start();
    assert_eq!(server.announced(), format!("joblines: listening on {listen}"));
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");
    server.kill();
    assert!(socket.exists());
    server.restart();
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_unix_socket_that_is_in_use_and_a_file_in_its_place_are_left_alone() {
    let builder = Server::with(HI);
    let listen = format!("unix:{}", builder.path("http.sock").display());
    let server = builder.args(&["serve", "--listen", &listen]).start();
    let folder = tempfile::tempdir().unwrap();
    let ended = fails_to_serve(folder.path(), HI, &["--listen", &listen, "--state-dir", "state"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().contains("http.sock"), "{}", ended.stderr);
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");

    fs::write(folder.path().join("file"), "precious").unwrap();
    let ended = fails_to_serve(folder.path(), HI, &["--listen", "unix:file", "--state-dir", "state"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.one_line().contains("file"), "{}", ended.stderr);
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"precious");
}

#[test]
fn it_listens_in_several_places_and_says_so_in_one_line() {
    let builder = Server::with(HI);
    let socket = builder.path("http.sock");
    let mut server =
        builder.arg("--listen").arg("127.0.0.1:0").arg("--listen").arg(&format!("unix:{}", socket.display())).start();
    assert_eq!(server.addresses().len(), 3, "{}", server.announced());
    assert_eq!(server.addresses()[2], Address::Unix(socket));
    for address in server.addresses() {
        assert_eq!(address.request("GET", "/jobs/hi").send().text(), "hi\n");
    }
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.wait(), (Some(0), vec![]));
}

#[test]
fn no_arguments_mean_serve_with_jobs_toml_and_listen_as_it_says() {
    let server = Server::with(HI).server("listen = ['127.0.0.1:0']").args(&[]).start();
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");
    assert!(server.path("state").is_dir());
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let full = ["sh", "-c", "exec \"$0\" \"$@\" 2>/dev/full"];
    let mut server = Server::with(HI).wrapper(&full).start();
    let run = server.get("/jobs/hi").expect(200).run();
    assert_eq!(server.ended(&run)["state"], "succeeded");
    server.signal(rustix::process::Signal::HUP);
    assert_eq!(server.get("/jobs/hi").text(), "hi\n");
    assert_eq!(server.runs("hi").len(), 2);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_state_dir_on_the_command_line_wins() {
    let server = Server::with(HI).arg("--state-dir").arg("elsewhere").start();
    server.get("/jobs/hi").text();
    assert!(server.path("elsewhere").is_dir());
    assert!(!server.path("state").exists());
}

#[test]
fn without_a_word_about_it_the_state_is_kept_where_the_system_says() {
    for (name, folder) in
        [("STATE_DIRECTORY", "here"), ("XDG_STATE_HOME", "here/joblines"), ("HOME", "here/.local/state/joblines")]
    {
        let builder = Server::with(HI);
        let here = builder.path("here").display().to_string();
        fs::create_dir(builder.path("here")).unwrap();
        let builder =
            builder.file("other.toml", HI, 0o600).without_env("STATE_DIRECTORY").without_env("XDG_STATE_HOME");
        let args = ["serve", "--config", "other.toml", "--listen", "127.0.0.1:0"];
        let server = builder.env(name, &here).args(&args).start();
        server.get("/jobs/hi").text();
        assert!(files_beneath(&server.path(folder)).len() > 1, "{name}: {:?}", files_beneath(&server.path("here")));
    }
}

#[test]
fn nobody_else_may_look_into_the_state_dir() {
    let feeds = "[feeds.app]\npush = true\n[feeds.logs]\ndirectory = '.'\n[feeds.all]\nfiles = ['*.log']\n";
    let mut server = Server::with(&format!("{HI}{feeds}")).file("a.log", "one\n", 0o600).start();
    server.get("/jobs/hi").text();
    assert_eq!(server.get("/feeds/logs/a.log?follow=0").text(), "one\n");
    wait_for("the patterns", || server.path("state/feeds/all/positions/patterns").exists());
    let live = server.state_files();
    let check = |files: Vec<std::path::PathBuf>| {
        assert!(files.len() > 10, "{files:?}");
        for path in files {
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(metadata.permissions().mode() & 0o777, wanted, "{}", path.display());
        }
    };
    check(live);
    server.stop();
    check(server.state_files());
}

#[test]
fn a_state_dir_that_others_could_look_into_is_closed_to_them() {
    let builder = Server::with(HI);
    fs::create_dir(builder.path("state")).unwrap();
    fs::set_permissions(builder.path("state"), fs::Permissions::from_mode(0o755)).unwrap();
    let server = builder.start();
    assert_eq!(fs::metadata(server.path("state")).unwrap().permissions().mode() & 0o777, 0o700);
}

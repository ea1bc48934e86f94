//! What is left of a run: nothing of its group when it was ended, and what it left behind on purpose when it ended itself.

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Server, processes, wait_for};
use crate::{objects, server_with, system_lines};

/// The pids that a run printed, one a line.
fn pids(objects: &[Value]) -> Vec<u32> {
    let lines = objects.iter().filter(|object| object["stream"] == "stdout");
    lines.map(|line| line["text"].as_str().unwrap().trim().parse().unwrap()).collect()
}

#[test]
fn a_process_left_behind_that_holds_the_output_open_is_named_and_left_alone() {
    for left_behind in ["sleep 1060", "setsid sleep 1060"] {
        let server = server_with(&format!("command = '{left_behind} & echo $!'\ndrain = '200ms'"));
        let objects = objects(&server);
        assert_eq!(objects.last().unwrap()["state"], "succeeded");
        let pid = pids(&objects)[0];
        let said = system_lines(&objects).join("\n");
        assert!(said.contains(&pid.to_string()) && said.contains("sleep 1060"), "{left_behind}: {said:?}");
        assert!(processes::is_alive(pid), "{left_behind} is left alone");
        processes::send(pid, Signal::KILL);
        wait_for("the server to bury what it inherited", || {
            processes::see(pid).is_none_or(|seen| seen.parent != server.pid())
        });
    }
}

#[test]
fn what_a_process_left_behind_prints_within_drain_is_kept() {
    let server = server_with("command = '(read _ < gate; echo late) & echo early'\ndrain = '1m'");
    let gate = server.gate("gate");
    let mut text = server.get("/jobs/job");
    assert_eq!(text.line(), "early");
    gate.pass();
    assert_eq!(text.text(), "late\n");
}

#[test]
fn a_process_left_behind_with_closed_output_does_not_hold_up_the_end() {
    let server = server_with("command = 'sleep 1000 >/dev/null 2>&1 & echo $!'\ndrain = '1h'");
    let objects = objects(&server);
    assert!(system_lines(&objects).is_empty(), "nothing holds the output: {:?}", system_lines(&objects));
    assert!(processes::is_alive(pids(&objects)[0]));
}

#[test]
fn cancel_ends_the_whole_group_and_leaves_none() {
    let server = server_with(
        "command = 'sleep 1000 & echo $!; sh -c \"trap : TERM; sleep 1000 & echo \\$!; echo \\$\\$; while :; do sleep 0.05; done\" & wait'\n\
         grace = '200ms'",
    );
    let mut text = server.get("/jobs/job");
    let pids: Vec<u32> = (0..3).map(|_| text.line().trim().parse().unwrap()).collect();
    let leader = processes::see(pids[0]).unwrap().group;
    assert_eq!(server.post(&format!("/runs/{}/cancel", text.run())).status, 202);
    assert_eq!(server.ended(&text.run())["state"], "cancelled");
    assert!(pids.iter().all(|pid| !processes::is_alive(*pid)), "{pids:?}");
    assert!(processes::group(leader).is_empty());
}

#[test]
fn cancel_is_gentle_first() {
    let server =
        Server::with_job("exec 2>/dev/null; trap \"echo bye; exit 7\" TERM; echo ready; while :; do sleep 0.05; done");
    let mut text = server.get("/jobs/job");
    text.line();
    server.post(&format!("/runs/{}/cancel", text.run())).expect(202);
    let run = text.run();
    assert_eq!(text.text(), "bye\n");
    let record = server.ended(&run);
    assert_eq!((&record["state"], &record["exit_code"]), (&"cancelled".into(), &7.into()));
}

#[test]
fn no_zombie_stays_of_a_run_or_of_what_it_left_behind() {
    let server = Server::with_job("(read _ < gate) >/dev/null 2>&1 & echo $!");
    let gate = server.gate("gate");
    let mut left_behind = Vec::new();
    for _ in 0..10 {
        left_behind.extend(pids(&objects(&server)));
    }
    assert!(left_behind.iter().all(|pid| processes::is_alive(*pid)));
    gate.pass_many(10);
    wait_for("those left behind to end", || left_behind.iter().all(|pid| !processes::is_alive(*pid)));
    wait_for("the server to have no zombies", || processes::zombies_of(server.pid()).is_empty());
}

#[test]
fn every_command_leads_a_group_of_its_own() {
    let server = Server::with_job("echo $$; read _ < gate");
    let gate = server.gate("gate");
    let mut text = server.get("/jobs/job");
    let pid: u32 = text.line().parse().unwrap();
    let seen = processes::see(pid).unwrap();
    assert_eq!((seen.group, seen.parent), (pid, server.pid()));
    gate.pass();
}

#[test]
fn standard_input_is_at_its_end() {
    let server = Server::with_job("cat; readlink /proc/self/fd/0; echo end");
    assert_eq!(server.get("/jobs/job").text(), "/dev/null\nend\n");
}

#[test]
fn no_descriptor_of_the_server_is_inherited() {
    let job = "[jobs.job]\ncommand = ['ls', '/proc/self/fd']\n";
    let server = Server::with(job).wrapper(&["sh", "-c", "exec 7</dev/null 9>/dev/null \"$@\"", "sh"]).start();
    // the fourth is the folder that ls reads
    assert_eq!(server.get("/jobs/job").text(), "0\n1\n2\n3\n");
}

#[test]
fn signals_that_the_server_ignores_or_blocks_reach_the_command_as_usual() {
    let job = "[jobs.job]\ncommand = 'grep -E \"^Sig(Blk|Ign)\" /proc/self/status'\n";
    let server = Server::with(job).wrapper(&["sh", "-c", "trap '' HUP QUIT USR1; exec \"$@\"", "sh"]).start();
    server.signal(Signal::QUIT);
    let text = server.get("/jobs/job").text();
    let masks = text.split_whitespace().filter(|word| !word.starts_with("Sig"));
    // the C library keeps the signals from 32 on for itself
    let ordinary: Vec<u64> = masks.map(|mask| u64::from_str_radix(mask, 16).unwrap() & 0x7fff_ffff).collect();
    assert_eq!(ordinary, [0, 0], "{text}");
}

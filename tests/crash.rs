//! What a crash, a damaged file or a full disk leave: every line that somebody has seen, and a word about the rest.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Builder, Server, cannot, processes, run_to_end, wait_for};
use serde_json::Value;

#[test]
fn every_line_that_a_viewer_received_is_there_after_kill_9() {
    let mut server = Server::with_job("i=0; while :; do i=$((i+1)); echo line $i; done");
    for lines in [1, 1000, 30_000] {
        let mut text = server.get("/jobs/job");
        let run = text.run();
        let mut objects = server.get(&format!("/runs/{run}?format=ndjson"));
        let mut seen: String = (0..lines).map(|_| text.line() + "\n").collect();
        let mut seen_objects: Vec<String> = (0..=lines).map(|_| objects.line()).collect();
        server.kill();
        seen += &String::from_utf8(text.rest()).unwrap();
        assert!(text.is_broken_off(), "a crash is no proper end");
        seen_objects.extend(std::iter::from_fn(|| objects.next_line()));
        if seen_objects.last().is_some_and(|last| !last.ends_with('}')) {
            seen_objects.pop(); // half a line
        }
        server.restart();

        let kept = server.get(&format!("/runs/{run}")).text();
        assert!(kept.starts_with(&seen), "{} bytes were seen, {} are kept", seen.len(), kept.len());
        let wanted: String = (1..=kept.lines().count()).map(|i| format!("line {i}\n")).collect();
        assert!(wanted.starts_with(&kept), "what is kept is what was printed");
        let kept_objects = server.get(&format!("/runs/{run}?format=ndjson")).text();
        let mut kept_lines = kept_objects.lines().skip(1);
        assert!(seen_objects[1..].iter().all(|seen| kept_lines.next() == Some(seen)), "the same objects again");
        assert_eq!(server.json(&format!("/runs/{run}"))["state"], "lost");
        assert_eq!(server.runs("job")[0]["state"], "lost");
    }
}

#[test]
fn a_lost_run_ends_in_every_format_and_cannot_be_cancelled() {
    let mut server = Server::with_job("echo one; sleep 1000");
    let mut text = server.get("/jobs/job");
    text.line();
    server.kill();
    server.restart();
    let run = format!("/runs/{}", text.run());
    let page = server.visit(&run).text();
    harness::html::assert_whole(&page);
    assert_eq!(harness::html::attribute_of(&page, "end", "class").as_deref(), Some("lost"));
    let end = server.ndjson(&run).pop().unwrap();
    assert_eq!((&end["state"], &end["lines"]), (&"lost".into(), &1.into()));
    assert!(end["exit_code"].is_null() && end["signal"].is_null(), "{end}");
    assert!(server.get(&format!("{run}?format=sse")).text().contains("\"state\":\"lost\""));
    assert_eq!(server.post(&format!("{run}/cancel")).status, 409);
}

#[test]
fn the_processes_of_a_killed_server_are_ended_by_the_next() {
    let job = "[jobs.job]\ncommand = \"sleep 1000 & echo $!; trap '' TERM PIPE; echo $$; while :; do sleep 0.05; done\"\n\
               grace = '200ms'\n";
    let mut server = Server::start(job);
    let mut text = server.get("/jobs/job");
    let pids: Vec<u32> = (0..2).map(|_| text.line().parse().unwrap()).collect();
    server.kill();
    assert!(pids.iter().all(|pid| processes::is_alive(*pid)), "they outlive the server");
    server.restart();
    wait_for("both to be ended", || processes::group(pids[1]).is_empty());
    assert_eq!(server.json(&format!("/runs/{}", text.run()))["state"], "lost");
}

/// Kills a server in a run that printed `seq 1 5000`, does `damage` to the run's files `name`, and starts it again.
fn after_damage(name: &str, damage: impl Fn(&Path)) -> String {
    let mut server = Server::with_job("seq 1 5000; sleep 1000");
    let mut text = server.get("/jobs/job");
    text.until("\n5000\n");
    let run = text.run();
    server.kill();
    damage(server.journal_files(&run, name).last().unwrap());
    server.restart();
    let kept = server.get(&format!("/runs/{run}")).text();
    let record = server.json(&format!("/runs/{run}"));
    assert_eq!((&record["state"], &record["lines"]), (&"lost".into(), &kept.lines().count().into()), "{name}");
    let objects = server.ndjson(&format!("/runs/{run}"));
    let seqs = objects.iter().filter(|object| object["stream"] == "stdout").map(|line| line["seq"].as_u64().unwrap());
    assert!(seqs.eq(1..=kept.lines().count() as u64), "{name}: gapless");
    assert_eq!(server.post("/jobs/job?detach").status, 202, "the server works on");
    kept
}

fn wanted() -> String {
    (1..=5000).map(|n| format!("{n}\n")).collect()
}

#[test]
fn garbage_at_the_end_of_a_journal_is_cut_off() {
    for name in ["output", "index"] {
        for garbage in [&b"x"[..], &[0xff; 17], &[0; 4096], &[0x5a; 100_000]] {
            let kept = after_damage(name, |path| {
                OpenOptions::new().append(true).open(path).unwrap().write_all(garbage).unwrap();
            });
            assert!(kept == wanted(), "{name} with {} bytes more: {} bytes kept", garbage.len(), kept.len());
        }
    }
}

#[test]
fn a_journal_that_was_cut_short_is_read_as_far_as_it_is_whole() {
    for (name, missing) in [("output", 1), ("output", 1000), ("index", 1), ("index", 20)] {
        let kept = after_damage(name, |path| {
            let length = fs::metadata(path).unwrap().len();
            OpenOptions::new().write(true).open(path).unwrap().set_len(length - missing).unwrap();
        });
        assert!(wanted().starts_with(&kept), "{name} without {missing} bytes: {kept:?}");
    }
}

#[test]
fn a_run_that_was_acknowledged_is_found_after_kill_9_and_its_processes_are_ended() {
    let mut server = Server::start("[jobs.job]\ncommand = ['sleep', '1000']\n");
    for _ in 0..4 {
        let address = server.address();
        let begin = || (0..10).map(|_| address.request("POST", "/jobs/job?detach").send().expect(202).run());
        let acknowledged: Vec<String> = std::thread::scope(|scope| {
            let some: Vec<_> = (0..4).map(|_| scope.spawn(|| begin().collect::<Vec<_>>())).collect();
            some.into_iter().flat_map(|some| some.join().unwrap()).collect()
        });
        server.kill();
        server.restart();
        for run in acknowledged {
            assert_eq!(server.json(&format!("/runs/{run}"))["state"], "lost", "{run}");
        }
        let folder = server.path("");
        wait_for("every process to be ended", || processes::around(&folder).iter().all(|pid| *pid == server.pid()));
    }
}

/// Changes the byte of a file at `at`.
fn flip(path: &Path, at: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[usize::try_from(at).unwrap()] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_run_whose_index_cannot_be_read_is_lost_and_its_output_is_left_alone() {
    let damages: [fn(&Path); 3] = [
        |index| flip(index, 200),
        |index| fs::remove_file(index).unwrap(),
        |index| {
            fs::remove_file(index).unwrap();
            fs::create_dir(index).unwrap();
        },
    ];
    for damage in damages {
        let mut server = Server::with_job("echo $$; seq 1 5; while :; do sleep 0.05; done");
        let mut text = server.get("/jobs/job");
        let pid: u32 = text.line().parse().unwrap();
        text.until("5\n");
        let run = text.run();
        wait_for("the history to know it", || server.log().contains("run started"));
        server.kill();
        let output = server.journal_files(&run, "output").remove(0);
        damage(&server.journal_files(&run, "index")[0]);
        server.restart();
        assert_eq!(fs::read_to_string(&output).unwrap(), format!("{pid}\n1\n2\n3\n4\n5\n"));
        assert_eq!(server.json(&format!("/runs/{run}"))["state"], "lost");
        assert_eq!(server.post(&format!("/runs/{run}/cancel")).status, 409);
        let refused = server.get(&format!("/runs/{run}")).expect(500).text();
        assert!(refused.contains("cannot be read") && !refused.contains("/state/"), "{refused}");
        wait_for("its processes to be ended", || processes::group(pid).is_empty());
    }
}

#[test]
fn a_journal_of_which_a_part_is_missing_is_shown_as_far_as_it_goes_and_broken_off() {
    let mut server = Server::with_job("for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done");
    let run = server.get("/jobs/job?wait").expect(200).run();
    // from its files, and no more from memory
    server.stop();
    server.restart();
    let index = server.journal_files(&run, "index").remove(0);
    let whole = fs::read(&index).unwrap();
    let damages: [fn(&mut Vec<u8>); 3] = [
        |index| index.truncate(256 + 64 * 3),
        |index| {
            let last_chunk = index.len() - 128;
            index[last_chunk + 20] ^= 1;
        },
        |index| index[256 + 64 * 2 + 20] ^= 1,
    ];
    for damage in damages {
        let mut damaged = whole.clone();
        damage(&mut damaged);
        fs::write(&index, damaged).unwrap();
        let mut text = server.get(&format!("/runs/{run}")).expect(200);
        let rest = String::from_utf8(text.rest()).unwrap();
        assert!(rest.starts_with("line 1\nline 2\n") && rest.lines().count() < 5, "{rest}");
        assert!(text.is_broken_off(), "what is missing is no success: {rest}");
        let mut page = server.request("GET", &format!("/runs/{run}")).accept("text/html").send().expect(200);
        let page = String::from_utf8(page.rest()).unwrap();
        assert!(page.contains("the rest cannot be read") && !page.contains("finished"), "{page}");
    }
}

#[test]
fn a_run_whose_files_are_gone_does_not_stop_the_server() {
    let mut server = Server::with_job("echo one");
    let run = server.get("/jobs/job").expect(200).run();
    server.ended(&run);
    server.stop();
    for name in ["output", "index"] {
        server.journal_files(&run, name).iter().for_each(|path| fs::remove_file(path).unwrap());
    }
    server.restart();
    assert_eq!(server.runs("job")[0]["state"], "succeeded", "the history knows it still");
    let response = server.get(&format!("/runs/{run}"));
    assert!([404, 410, 500].contains(&response.status), "{response:?}");
    assert_eq!(server.get("/jobs/job").text(), "one\n");
}

/// A job that prints 16 MB on stdout, then its pid on stderr.
const LOUD: &str =
    "[jobs.loud]\ncommand = 'yes 1234567 | head -c 16000000; echo last >&2'\n[jobs.quiet]\ncommand = 'echo hi'\n";

/// Runs `loud`, of which not everything can be kept, and checks that it is said how much.
fn loses_but_tells(server: &Server) {
    let objects = server.ndjson("/jobs/loud");
    let end = objects.last().unwrap();
    assert_eq!((&end["type"], &end["state"]), (&"end".into(), &"succeeded".into()), "the job goes on: {end}");
    let run = objects[0]["run"].as_str().unwrap();
    let text = server.get(&format!("/runs/{run}")).expect(200).whole();
    let not_kept = end["bytes_not_kept"].as_u64().unwrap();
    assert!(not_kept > 0, "{end}");
    assert_eq!(text.len() as u64 + not_kept, 16_000_000 + 5);
    let said = objects.iter().filter(|object| object["stream"] == "system").map(|line| line["text"].to_string());
    let said: Vec<String> = said.collect();
    assert!(said.iter().any(|line| line.contains(&not_kept.to_string())), "nothing about {not_kept}: {said:?}");
    assert_eq!(server.ended(run)["bytes_not_kept"], Value::from(not_kept));
    let page = server.visit(&format!("/runs/{run}")).text();
    assert!(page.contains("not kept"), "the page says it too: {}", page.split_once("</pre>").unwrap().1);
}

/// Starts a server whose state directory is a disk of 8 MB that nobody else sees; `None` where that is not permitted.
fn on_a_small_disk(jobs: &str) -> Option<Server> {
    let unshare = ["-m", "-rm"].into_iter().find(|flags| {
        let mount = ["sh", "-c", "mount -t tmpfs none /mnt"];
        run_to_end(Command::new("unshare").arg(flags).args(mount)).code == Some(0)
    });
    let Some(flags) = unshare else {
        cannot("a small disk cannot be mounted here (not even in a namespace of its own)");
        return None;
    };
    let builder: Builder = Server::with(jobs);
    let state = builder.path("state").display().to_string();
    fs::create_dir(builder.path("state")).unwrap();
    let mount = format!("mount -t tmpfs -o size=8m,mode=700 none '{state}' && exec \"$@\"");
    Some(builder.wrapper(&["unshare", flags, "sh", "-c", &mount, "sh"]).start())
}

#[test]
fn on_a_full_disk_the_job_goes_on_and_what_was_not_kept_is_counted() {
    let Some(server) = on_a_small_disk(LOUD) else { return };
    let state =
        PathBuf::from(format!("/proc/{}/root", server.pid())).join(server.path("state").strip_prefix("/").unwrap());
    let filler = state.join("filler");
    fs::write(&filler, vec![0; 4 << 20]).unwrap();
    loses_but_tells(&server);
    fs::remove_file(filler).unwrap();
    assert_eq!(server.get("/jobs/quiet").text(), "hi\n", "once there is room again, everything is kept again");
    let last = server.runs("quiet").remove(0);
    assert_eq!((&last["state"], &last["bytes_not_kept"]), (&"succeeded".into(), &0.into()));
}

#[test]
fn what_is_written_to_a_log_file_while_the_disk_is_full_comes_once_there_is_room() {
    let Some(server) = on_a_small_disk("[feeds.app]\nfile = 'app.log'\n") else { return };
    let line = |number: usize| format!("line {number} {}\n", "x".repeat(1000));
    let write = |numbers: std::ops::Range<usize>| {
        let mut file = OpenOptions::new().create(true).append(true).open(server.path("app.log")).unwrap();
        numbers.for_each(|number| file.write_all(line(number).as_bytes()).unwrap());
    };
    let text = || server.get("/feeds/app?follow=0&from=1&stream=stdout").text();
    write(0..10);
    wait_for("the first lines", || text().lines().count() == 10);
    let state =
        PathBuf::from(format!("/proc/{}/root", server.pid())).join(server.path("state").strip_prefix("/").unwrap());
    let filler = state.join("filler");
    fs::write(&filler, vec![0; 6 << 20]).unwrap();
    write(10..3000);
    wait_for("the disk to be full", || server.log().contains("the journal cannot be written"));
    fs::rename(server.path("app.log"), server.path("app.log.1")).unwrap();
    write(3000..4000);
    let kept = text();
    assert!(kept.lines().count() < 3000, "what is not kept is not shown");
    fs::remove_file(filler).unwrap();
    wait_for("the last line", || text().ends_with(&line(3999)));
    assert!(text() == (0..4000).map(line).collect::<String>(), "each line once, in order");
    let said = server.get("/feeds/app?follow=0&from=1&stream=system").text();
    assert!(said.contains("lines waited for room: No space left on device") && !said.contains("not kept"), "{said}");
}

#[test]
fn where_a_file_may_not_grow_the_job_goes_on_and_what_was_not_kept_is_counted() {
    let limit = "trap '' XFSZ; ulimit -f 4096; exec \"$@\"";
    let server = Server::with(LOUD).wrapper(&["sh", "-c", limit, "sh"]).start();
    loses_but_tells(&server);
    assert_eq!(server.get("/jobs/quiet").text(), "hi\n");
}

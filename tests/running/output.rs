//! Everything that a command prints arrives, whatever it is and however it comes.

use crate::harness::Server;
use crate::{end, objects, server_with, system_lines};

/// What the server may grow by while something large goes through it.
const SMALL: u64 = 32 << 20;

#[test]
fn much_on_stderr_before_the_first_byte_on_stdout_does_not_block() {
    let server = Server::with_job("head -c 200000 /dev/zero | tr '\\0' e >&2; echo >&2; echo out");
    let text = server.get("/jobs/job").text();
    assert_eq!(text.len(), 200_000 + 1 + 4);
    assert!(text.contains("out\n") && text.matches('e').count() == 200_000);
    let objects = objects(&server);
    let of = |stream: &str| -> String {
        let lines = objects.iter().filter(|object| object["stream"] == stream);
        lines.map(|line| line["text"].as_str().unwrap()).collect()
    };
    assert_eq!((of("stderr").len(), of("stdout").as_str()), (200_000, "out"));
}

#[test]
fn a_line_of_64_mib_goes_through_in_little_memory() {
    let server = Server::with_job("head -c 67108864 /dev/zero | tr '\\0' x");
    server.get("/healthz").text();
    let mut run = String::new();
    let growth = server.growth_during(|| {
        let response = server.get("/jobs/job").expect(200);
        run = response.run();
        let (count, _) = response.digest();
        assert_eq!(count, 64 << 20);
    });
    assert!(growth < SMALL, "live, as text: grew by {growth} bytes");
    assert_eq!(server.ended(&run)["lines"], 1);
    for format in ["text", "ndjson", "sse", "html"] {
        let growth = server.growth_during(|| {
            let (count, _) = server.get(&format!("/runs/{run}?format={format}&all")).expect(200).digest();
            assert!(count >= 64 << 20, "{format}: {count}");
        });
        assert!(growth < SMALL, "replayed as {format}: grew by {growth} bytes");
    }
}

#[test]
fn a_prompt_without_newline_is_shown_while_the_command_waits() {
    let server = Server::with_job("printf 'name? '; read _ < gate; echo Ann; read _ < gate");
    let gate = server.gate("gate");
    let mut text = server.get("/jobs/job");
    assert_eq!(text.until("name? "), "name? ");
    let run = text.run();
    let mut page = server.visit(&format!("/runs/{run}"));
    page.until("name? ");
    let mut objects = server.get(&format!("/runs/{run}?format=ndjson"));
    let piece = objects.until("name? ") + &objects.line();
    assert!(piece.contains("\"partial\":true") && piece.contains("\"seq\":1,"), "{piece}");
    let mut events = server.get(&format!("/runs/{run}?format=sse"));
    events.until("name? ");
    gate.pass();
    assert_eq!(text.line(), "Ann");
    page.until("Ann");
    assert!(objects.until("Ann").contains("\"seq\":1,"));
    events.until("Ann");
    gate.pass();
    assert_eq!(server.ended(&run)["lines"], 1);
    assert_eq!(server.get(&format!("/runs/{run}")).text(), "name? Ann\n");
}

#[test]
fn a_last_line_without_newline_is_kept_as_it_came() {
    let server = Server::with_job("printf 'one\\ntwo'");
    assert_eq!(server.get("/jobs/job").text(), "one\ntwo");
    assert_eq!(end(&server)["lines"], 2);
}

#[test]
fn a_command_that_prints_nothing_has_an_empty_text() {
    let server = Server::with_job("true");
    assert_eq!(server.get("/jobs/job").text(), "");
    let end = end(&server);
    assert_eq!((&end["lines"], &end["bytes"]), (&0.into(), &0.into()));
}

#[test]
fn merged_streams_keep_their_exact_order() {
    let server = server_with(
        "command = 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo o$i; echo e$i >&2; done'\nmerge_stderr = true",
    );
    let wanted: String = (1..=1000).map(|i| format!("o{i}\ne{i}\n")).collect();
    assert_eq!(server.get("/jobs/job").text(), wanted);
    let objects = objects(&server);
    assert!(objects.iter().all(|object| object["type"] != "line" || object["stream"] == "stdout"));
}

#[test]
fn output_beyond_max_output_is_drained_and_counted() {
    let server =
        server_with("command = 'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo 123456789; done'\nmax_output = '1KiB'");
    let objects = objects(&server);
    let end = objects.last().unwrap();
    assert_eq!(end["state"], "succeeded");
    let run = objects[0]["run"].as_str().unwrap();
    let kept = server.get(&format!("/runs/{run}")).text().len() as u64;
    assert!(kept <= 1024 && kept > 0, "{kept} bytes were kept");
    let not_kept = end["bytes_not_kept"].as_u64().unwrap();
    assert_eq!(kept + not_kept, 50_000);
    assert_eq!(server.ended(run)["bytes_not_kept"], not_kept);
    let said = system_lines(&objects).join("\n");
    assert!(said.contains(&not_kept.to_string()), "how many bytes were not kept is said: {said:?}");
}

#[test]
fn a_run_that_nobody_watches_is_drained_all_the_same() {
    let server = Server::with_job("seq 1 300000");
    let run = server.detach("job");
    assert_eq!(server.ended(&run)["lines"], 300_000);
}

#[test]
fn the_streams_are_told_apart() {
    let server = Server::with_job("echo out; read _ < gate; echo err >&2");
    let gate = server.gate("gate");
    let mut response = server.get("/jobs/job?format=ndjson");
    response.until("\"out\"");
    gate.pass();
    let rest = response.text();
    assert!(rest.contains("\"stream\":\"stderr\"") && rest.contains("\"err\""), "{rest}");
}

//! `/runs`, `/jobs/{job}/last` and the record of a run.

use serde_json::Value;

use crate::OUTCOMES;
use crate::harness::Server;

/// The ids of a page of the history.
fn ids(page: &Value) -> Vec<String> {
    page["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_record_tells_everything_about_a_run_and_null_what_nobody_knows() {
    let server = Server::start(OUTCOMES);
    let gate = server.gate("gate");
    let mut text = server.get("/jobs/waits");
    text.line();
    let running = server.json(&format!("/runs/{}", text.run()));
    let fields = [
        "run",
        "job",
        "state",
        "started",
        "ended",
        "exit_code",
        "signal",
        "signal_name",
        "duration_ms",
        "cpu_user_ms",
        "cpu_system_ms",
        "max_rss_bytes",
        "lines",
        "bytes",
        "bytes_not_kept",
        "params",
        "trigger",
    ];
    for field in fields {
        assert!(running.get(field).is_some(), "no {field} in {running}");
    }
    assert_eq!((&running["state"], &running["job"]), (&"running".into(), &"waits".into()));
    for unknown in ["ended", "exit_code", "signal", "signal_name", "cpu_user_ms", "cpu_system_ms", "max_rss_bytes"] {
        assert!(running[unknown].is_null(), "{unknown} in {running}");
    }
    gate.pass();
    let record = server.ended(&text.run());
    assert_eq!(
        (&record["state"], &record["exit_code"], &record["signal"]),
        (&"succeeded".into(), &0.into(), &Value::Null)
    );
    assert_eq!((&record["lines"], &record["bytes"], &record["bytes_not_kept"]), (&2.into(), &9.into(), &0.into()));
    for known in ["ended", "duration_ms", "cpu_user_ms", "cpu_system_ms"] {
        assert!(!record[known].is_null(), "{known} in {record}");
    }
    for time in ["started", "ended"] {
        record[time].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    }
}

#[test]
fn the_history_is_newest_first_and_filtered_by_job_and_state() {
    let server = Server::start(OUTCOMES);
    let run = |job: &str| server.get(&format!("/jobs/{job}?wait")).run();
    let (first, second, third) = (run("good"), run("bad"), run("good"));
    assert_eq!(ids(&server.json("/runs")), [third.clone(), second.clone(), first.clone()]);
    assert_eq!(ids(&server.json("/runs?job=good")), [third.clone(), first.clone()]);
    assert_eq!(ids(&server.json("/runs?state=failed")), [second]);
    assert_eq!(ids(&server.json("/runs?job=good&state=succeeded&limit=1")), [third]);
    assert_eq!(ids(&server.json("/runs?job=good&state=failed")), [""; 0]);
}

#[test]
fn the_history_is_read_page_by_page() {
    let server = Server::start(OUTCOMES);
    let mut runs: Vec<String> = (0..7).map(|_| server.get("/jobs/good?wait").run()).collect();
    runs.reverse();
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("/runs?limit=3{before}"));
        assert!(ids(&page).len() <= 3);
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(seen, runs);
    assert_eq!(ids(&server.json(&format!("/runs?before={}", runs[4]))), runs[5..]);
}

#[test]
fn the_pages_of_the_history_lead_to_each_other() {
    let server = Server::start(OUTCOMES);
    let mut runs: Vec<String> = (0..7).map(|_| server.get("/jobs/good?wait").run()).collect();
    server.get("/jobs/bad?wait");
    runs.reverse();
    let mut target = "/runs?job=good&limit=3".to_owned();
    let mut way = Vec::new();
    for link in ["Older", "Older", "Newer", "Newer", ""] {
        let page = server.visit(&target).expect(200).text();
        way.push(runs.iter().position(|run| page.contains(&format!("/runs/{run}"))).unwrap());
        let before = page.split(&format!("\">{link}</a>")).next().unwrap();
        target = before.rsplit("href=\"").next().unwrap().replace("&#38;", "&");
    }
    assert_eq!(way, [0, 3, 6, 3, 0], "the newest run on each page");
    let first = server.visit("/runs?job=good&limit=3").text();
    assert!(!first.contains(">Newer</a>") && !first.contains(">Newest</a>"), "{first}");
}

#[test]
fn the_history_is_a_page_for_browsers_and_plain_for_curl() {
    let server = Server::start(OUTCOMES);
    let run = server.get("/jobs/bad?wait").run();
    let page = server.visit("/runs").expect(200).text();
    crate::harness::html::assert_whole(&page);
    assert!(page.contains(&run) && page.contains("failed"), "{page}");
    let text = server.get("/runs").expect(200).text();
    assert!(text.lines().any(|line| line.contains(&run) && line.contains("bad")), "{text}");
}

#[test]
fn what_the_history_cannot_filter_by_is_400() {
    let server = Server::start(OUTCOMES);
    for (query, named) in [
        ("state=asleep", "asleep"),
        ("limit=x", "limit"),
        ("before=x", "before"),
        ("color=red", "color"),
        ("limit=-1", "limit"),
    ] {
        let response = server.get(&format!("/runs?{query}"));
        assert_eq!(response.status, 400, "{query}");
        assert!(response.text().contains(named), "{query}");
    }
}

#[test]
fn last_is_the_newest_run_of_its_job() {
    let server = Server::start(OUTCOMES);
    assert_eq!(server.get("/jobs/good/last").status, 404, "before the first run");
    server.get("/jobs/good?wait");
    let newest = server.get("/jobs/good?wait").run();
    server.get("/jobs/bad?wait");
    let last = server.get("/jobs/good/last").expect(200);
    assert_eq!(last.run(), newest);
    assert_eq!(last.header("content-location"), Some(format!("/runs/{newest}").as_str()));
    assert_eq!(server.json("/jobs/good/last")["run"], newest.as_str());
    assert_eq!(server.get("/jobs/good/last?tail=1").text().lines().count(), 1);
    assert_eq!(server.get("/jobs/bad/last?wait").status, 500);
    assert_eq!(server.runs("good").len(), 2, "and nothing was started");
}

#[test]
fn last_follows_a_run_that_is_running() {
    let server = Server::start(OUTCOMES);
    let gate = server.gate("gate");
    let mut starter = server.get("/jobs/waits");
    starter.line();
    let mut last = server.get("/jobs/waits/last");
    assert_eq!(last.line(), "out");
    gate.pass();
    assert_eq!(last.text(), "more\n");
}

//! The pages say what they are given, escaped.

use super::*;

fn run(state: State, outcome: Outcome) -> RunRow {
    RunRow {
        id: "019a5b00-0000-7000-8000-000000000001".parse().unwrap(),
        job: "backup".to_owned(),
        state,
        outcome,
        started: "2026-11-02T12:00:00Z".parse().unwrap(),
        duration: Some(Duration::from_millis(3200)),
        lines: Some(1234),
        bytes: Some(2048),
        bytes_not_kept: 0,
    }
}

fn now() -> Timestamp {
    "2026-11-02T12:03:10Z".parse().unwrap()
}

#[test]
fn the_first_page_lists_jobs_with_their_last_run() {
    let html = index(&Index {
        base_path: "/base".to_owned(),
        now: now(),
        jobs: vec![
            JobRow {
                name: "backup".to_owned(),
                description: "Back up <everything>".to_owned(),
                last: Some(run(State::Failed, Outcome::Exited(3))),
            },
            JobRow { name: "idle".to_owned(), description: String::new(), last: None },
        ],
        runs: vec![run(State::Succeeded, Outcome::Exited(0))],
    });
    for part in [
        "<a href=\"/base/jobs/backup/form\">backup</a>",
        "Back up &#60;everything&#62;",
        "failed, exit code 3",
        "title=\"2026-11-02 12:00:00 UTC\">3 min ago</time>, <span class=\"took\">took 3.2 s</span>",
        "<form method=\"post\" action=\"/base/jobs/idle\">",
        "never run",
        "1,234",
        "2.0 KiB",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn a_form_teaches_the_lines_for_a_script() {
    let mut page = JobPage {
        base_path: String::new(),
        origin: "http://127.0.0.1:8080".to_owned(),
        now: now(),
        name: "backup".to_owned(),
        description: "Back up".to_owned(),
        command: "./backup.sh 'a b'".to_owned(),
        runs_on_get: true,
        runs: Vec::new(),
    };
    let html = form(&page);
    assert!(html.contains("curl -sN http://127.0.0.1:8080/jobs/backup</pre>"), "{html}");
    assert!(html.contains("It has not run yet."));
    page.runs_on_get = false;
    page.runs = vec![run(State::Failed, Outcome::Signalled(9))];
    let html = form(&page);
    assert!(html.contains("curl -sN -X POST http://127.0.0.1:8080/jobs/backup"));
    assert!(html.contains("failed, SIGKILL"));
}

#[test]
fn the_history_keeps_its_filter_in_the_link_to_older_runs() {
    let html = runs(&RunsPage {
        base_path: String::new(),
        now: now(),
        jobs: vec!["backup".to_owned(), "idle".to_owned()],
        job: Some("backup".to_owned()),
        state: Some(State::TimedOut),
        runs: vec![RunRow { bytes_not_kept: 4096, ..run(State::TimedOut, Outcome::Signalled(15)) }],
        older: Some("019a5b00-0000-7000-8000-000000000001".parse().unwrap()),
    });
    for part in [
        "<option selected>backup</option><option>idle</option>",
        "<option selected>timed_out</option>",
        "/runs?job=backup&#38;state=timed_out&#38;before=019a5b00-0000-7000-8000-000000000001",
        "4.0 KiB not kept",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn an_error_says_what_was_wrong_and_what_is_allowed() {
    let html = error(&ErrorPage {
        base_path: String::new(),
        status: 404,
        title: "Not found".to_owned(),
        wrong: "no job is called <x>".to_owned(),
        allowed: "jobs: backup, idle".to_owned(),
    });
    assert!(html.contains("<span class=\"status\">404</span> Not found</h1>"));
    assert!(html.contains("no job is called &#60;x&#62;") && html.contains("jobs: backup, idle"));
}

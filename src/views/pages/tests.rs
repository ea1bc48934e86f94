//! The pages say what they are given, escaped.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::record::{Outcome, State};

const WAYS: Ways = Ways { get: true, post: true, takes_input: false };

fn run(state: State, outcome: Outcome) -> RunRow {
    RunRow {
        id: "019a5b00-0000-7000-8000-000000000001".parse().unwrap(),
        job: "backup".to_owned(),
        params: Vec::new(),
        state,
        ahead: None,
        outcome,
        started: "2026-11-02T12:00:00Z".parse().unwrap(),
        duration: Some(Duration::from_millis(3200)),
        lines: Some(1234),
        bytes: Some(2048),
        bytes_not_kept: 0,
    }
}

fn running(state: State) -> RunRow {
    RunRow { duration: None, ..run(state, Outcome::Unknown) }
}

fn now() -> Timestamp {
    "2026-11-02T12:03:10Z".parse().unwrap()
}

fn job(name: &str) -> JobRow {
    let (name, description) = (name.to_owned(), String::new());
    JobRow { name, description, last: None, usual: None, ways: WAYS, form: JobForm::Here(Vec::new()) }
}

fn front() -> Index {
    Index {
        frame: Frame { base_path: "/base".to_owned(), banner: None },
        now: now(),
        filter: String::new(),
        jobs: 0,
        groups: Vec::new(),
        all_feeds: 0,
        feeds: Vec::new(),
        live: Vec::new(),
        ended: Vec::new(),
    }
}

fn job_page() -> JobPage {
    JobPage {
        frame: Frame::default(),
        origin: "http://127.0.0.1:8080".to_owned(),
        now: now(),
        name: "backup".to_owned(),
        description: "Back up".to_owned(),
        group: None,
        command: "./backup.sh 'a b'".to_owned(),
        ways: WAYS,
        usual: None,
        fields: Vec::new(),
        problem: None,
        runs: Vec::new(),
    }
}

fn history() -> RunsPage {
    RunsPage {
        frame: Frame::default(),
        now: now(),
        jobs: vec!["backup".to_owned(), "idle".to_owned()],
        job: None,
        state: None,
        limit: None,
        runs: Vec::new(),
        newer: Newer::Nowhere,
        older: None,
    }
}

/// Asserts that `html` has each of `parts`, in their order.
#[track_caller]
fn assert_has(html: &str, parts: &[&str]) {
    let mut rest = html;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} (in its place) in {html}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn the_first_page_lists_jobs_with_their_last_run() {
    let backup = JobRow {
        description: "Back up <everything>".to_owned(),
        last: Some(run(State::Failed, Outcome::Exited(3))),
        usual: Some(Duration::from_millis(2900)),
        ..job("backup")
    };
    let groups = vec![Group { name: None, jobs: vec![backup, job("idle")] }];
    let html = index(&Index { jobs: 2, groups, ended: vec![run(State::Succeeded, Outcome::Exited(0))], ..front() });
    let parts = [
        "<h2><a href=\"/base/jobs/backup/form\">backup</a></h2>",
        "Back up &#60;everything&#62;",
        ">failed, exit code 3</a>",
        "title=\"2026-11-02 12:00:00 UTC\">3 min ago</time>, <span class=\"took\">took 3.2 s</span>",
        "usually 2.9 s",
        "never run",
        "<form class=\"start\" method=\"post\" action=\"/base/jobs/idle\">",
        "Recent runs",
        ">succeeded</a>",
        "1,234",
        "2.0 KiB",
    ];
    assert_has(&html, &parts);
    assert!(!html.contains("Running now"));
}

#[test]
fn what_runs_stands_on_top_with_a_button_to_cancel_it() {
    let told = vec![("to".to_owned(), "<prod>\n".to_owned())];
    let live = vec![
        RunRow { params: told, ..running(State::Running) },
        RunRow { ahead: Some(2), ..running(State::Queued) },
        RunRow { ahead: Some(0), ..running(State::Queued) },
    ];
    let html =
        index(&Index { live, jobs: 1, groups: vec![Group { name: None, jobs: vec![job("backup")] }], ..front() });
    let parts = [
        "Running now",
        ">running</a>",
        "<li>to=&#60;prod&#62;␊</li>",
        ">3 min 10 s</time>",
        "action=\"/base/runs/019a5b00-0000-7000-8000-000000000001/cancel\"",
        "queued, 2 ahead",
        "queued, next",
        "<ul class=\"jobs\">",
    ];
    assert_has(&html, &parts);
}

#[test]
fn jobs_stand_under_their_headings() {
    let groups = vec![
        Group { name: None, jobs: vec![job("alone")] },
        Group { name: Some("Night & day".to_owned()), jobs: vec![job("backup")] },
    ];
    let html = index(&Index { jobs: 2, groups, ..front() });
    assert_has(
        &html,
        &["<h2><a href=\"/base/jobs/alone/form\">", "Night &#38; day</h2>", "<h3><a href=\"/base/jobs/backup"],
    );
}

#[test]
fn a_job_with_parameters_opens_its_form_in_its_place() {
    let with_field = JobRow { form: JobForm::Here(vec![field(Input::Text, "x")]), ..job("backup") };
    let html = index(&Index { jobs: 1, groups: vec![Group { name: None, jobs: vec![with_field] }], ..front() });
    assert_has(&html, &["<summary>Run<span class=\"unseen\"> backup</span>", "id=\"field:backup-what\"", "</details>"]);
}

#[test]
fn a_job_whose_choices_a_command_prints_has_its_form_on_its_page() {
    let elsewhere = JobRow { form: JobForm::OnItsPage, ..job("backup") };
    let html = index(&Index { jobs: 1, groups: vec![Group { name: None, jobs: vec![elsewhere] }], ..front() });
    assert_has(&html, &["href=\"/base/jobs/backup/form\">Run<span class=\"unseen\"> backup</span>…</a>"]);
    assert!(!html.contains("<summary>"));
}

#[test]
fn a_filter_says_how_many_it_found() {
    let groups = vec![Group { name: None, jobs: vec![job("backup")] }];
    let html = index(&Index { jobs: 14, groups, filter: "<b>".to_owned(), ..front() });
    assert_has(&html, &["value=\"&#60;b&#62;\"", "1 of 14 jobs with <q>&#60;b&#62;</q>", "href=\"/base/\">Show all"]);
    let html = index(&Index { jobs: 14, filter: "nothing".to_owned(), ..front() });
    assert_has(&html, &["None of 14 jobs with"]);
}

#[test]
fn without_jobs_the_first_page_teaches_to_write_one() {
    assert_has(&index(&front()), &["No job is configured yet", "[jobs.hello]"]);
}

#[test]
fn a_form_teaches_the_lines_for_a_script() {
    let html = form(&job_page());
    assert_has(
        &html,
        &["<h1>backup</h1>", "never run", "curl -sN http://127.0.0.1:8080/jobs/backup</pre>", "It has not run yet."],
    );
    let html = form(&JobPage {
        ways: Ways { get: false, ..WAYS },
        group: Some("Night".to_owned()),
        usual: Some(Duration::from_secs(90)),
        runs: vec![run(State::Failed, Outcome::Signalled(9))],
        ..job_page()
    });
    let parts = [
        "Night</p>",
        "failed, SIGKILL",
        "usually takes 1 min 30 s",
        "POST alone",
        "curl -sN -X POST http://127.0.0.1:8080/jobs/backup",
    ];
    assert_has(&html, &parts);
}

#[test]
fn a_form_uses_a_method_that_the_job_has() {
    let start = |ways, fields| form(&JobPage { ways, fields, ..job_page() });
    assert_has(&start(WAYS, Vec::new()), &["<form class=\"start\" method=\"post\" action=\"/jobs/backup\">"]);
    assert_has(&start(Ways { post: false, ..WAYS }, Vec::new()), &["<form class=\"start\" method=\"get\""]);
    let input = Ways { takes_input: true, ..WAYS };
    assert_has(&start(input, vec![field(Input::Text, "x")]), &["<form class=\"start\" method=\"get\""]);
    let post_input = Ways { get: false, ..input };
    assert_has(&start(post_input, Vec::new()), &["<form class=\"start\" method=\"post\""]);
    let html = start(post_input, vec![field(Input::Text, "x")]);
    assert_has(&html, &["start it from a script"]);
    assert!(!html.contains("<form"), "its fields would be the command's input");
}

#[test]
fn what_is_wrong_beside_the_fields_stands_above_them() {
    let problem = Some("the job has no parameter `<x>`".to_owned());
    assert_has(
        &form(&JobPage { problem, ..job_page() }),
        &["role=\"alert\">the job has no parameter `&#60;x&#62;`</p>", "<form"],
    );
}

#[test]
fn the_history_keeps_its_filter_in_the_links_to_other_runs() {
    let html = runs(&RunsPage {
        job: Some("backup".to_owned()),
        state: Some(State::TimedOut),
        limit: Some(100),
        runs: vec![RunRow { bytes_not_kept: 4096, ..run(State::TimedOut, Outcome::Signalled(15)) }],
        newer: Newer::First,
        older: Some("019a5b00-0000-7000-8000-000000000001".parse().unwrap()),
        ..history()
    });
    let parts = [
        "<option selected>backup</option><option>idle</option>",
        "<option value=\"timed_out\" selected>timed out</option>",
        "<option selected>100</option>",
        "4.0 KiB not kept",
        "href=\"/runs?job=backup&#38;state=timed_out&#38;limit=100\">Newer",
        "/runs?job=backup&#38;state=timed_out&#38;limit=100&#38;before=019a5b00-0000-7000-8000-000000000001\">Older",
    ];
    assert_has(&html, &parts);
}

#[test]
fn from_a_later_page_one_goes_back_by_one_or_to_the_first() {
    let newer = "019a5b00-0000-7000-8000-000000000002".parse().unwrap();
    let html = runs(&RunsPage { newer: Newer::Before(newer), runs: vec![running(State::Running)], ..history() });
    assert_has(&html, &["href=\"/runs\">Newest", &format!("href=\"/runs?before={newer}\">Newer")]);
    assert!(!html.contains("Older"));
}

#[test]
fn an_empty_history_says_why_it_is_empty() {
    assert_has(&runs(&history()), &["Nothing has run yet."]);
    assert_has(&runs(&RunsPage { state: Some(State::Lost), ..history() }), &["No run like that is kept."]);
}

#[test]
fn long_parameters_are_cut_and_many_are_counted() {
    let params = (0..9).map(|number| (format!("p{number}"), "x".repeat(100))).collect();
    let html = runs(&RunsPage { runs: vec![RunRow { params, ..running(State::Running) }], ..history() });
    assert_has(&html, &[&format!("<li>p5={}…</li><li>3 more</li>", "x".repeat(48)), "3 min 10 s so far"]);
}

#[test]
fn an_error_says_what_was_wrong_and_what_is_allowed() {
    let html = error(&ErrorPage {
        frame: Frame { base_path: String::new(), banner: Some("jobs.toml has <mistakes>".to_owned()) },
        status: 404,
        title: "Not found".to_owned(),
        wrong: "no job is called <x>\u{1b}".to_owned(),
        allowed: "jobs: backup, idle".to_owned(),
        run: Some("/base/runs/1".to_owned()),
    });
    let parts = [
        "jobs.toml has &#60;mistakes&#62;",
        "<span class=\"status\">404</span> Not found</h1>",
        "no job is called &#60;x&#62;␛",
        "jobs: backup, idle",
        "<a href=\"/base/runs/1\">",
    ];
    assert_has(&html, &parts);
}

fn field(input: Input, value: &str) -> Field {
    Field {
        name: "what".to_owned(),
        description: String::new(),
        input,
        value: value.to_owned(),
        problem: None,
        allowed: String::new(),
        required: false,
    }
}

fn shown(field: &Field) -> String {
    field.of("job").to_string()
}

#[test]
fn every_kind_of_field_is_an_element_of_its_own() {
    let choices = || Input::Choice(vec!["a".to_owned(), "<b>".to_owned()]);
    for (input, value, element) in [
        (
            Input::Text,
            "\"x\"",
            "<input id=\"field:job-what\" name=\"what\" type=\"text\" autocomplete=\"off\" value=\"&#34;x&#34;\">",
        ),
        (Input::Text, "\na\nb", "<textarea id=\"field:job-what\" name=\"what\" rows=\"4\">\n\na\nb</textarea>"),
        (
            Input::Int { min: Some(-1), max: None },
            "3",
            "<input id=\"field:job-what\" name=\"what\" type=\"number\" step=\"1\" min=\"-1\" value=\"3\">",
        ),
        (Input::Int { min: None, max: Some(9) }, "", "type=\"number\" step=\"1\" max=\"9\" value=\"\">"),
        (Input::Int { min: None, max: Some(9) }, "ten", "type=\"text\" autocomplete=\"off\" value=\"ten\">"),
        (Input::Secret, "hidden", "<input id=\"field:job-what\" name=\"what\" type=\"password\" autocomplete=\"off\">"),
        (Input::Bool, "true", "<input type=\"radio\" name=\"what\" value=\"true\" checked> true</label>"),
        (Input::Bool, "true", "<input type=\"radio\" name=\"what\" value=\"false\"> false</label>"),
        (choices(), "<b>", "<option value=\"&#60;b&#62;\" selected>&#60;b&#62;</option>"),
        (choices(), "c", "<select id=\"field:job-what\" name=\"what\">\n<option value=\"\">choose one</option>"),
    ] {
        let html = shown(&field(input, value));
        assert!(html.contains(element), "{element} in {html}");
        assert!(!html.contains("hidden"), "{html}");
    }
}

#[test]
fn a_field_is_tied_to_what_is_said_about_it() {
    let html = shown(&Field {
        description: "How <many>".to_owned(),
        problem: Some("`what` cannot be `12`".to_owned()),
        allowed: "a whole number up to 9".to_owned(),
        required: true,
        ..field(Input::Int { min: None, max: Some(9) }, "12")
    });
    for part in [
        "<label for=\"field:job-what\">what</label>",
        " aria-describedby=\"about:job-what allowed:job-what problem:job-what\" aria-invalid=\"true\" required>",
        "id=\"about:job-what\">How &#60;many&#62;</p>",
        "id=\"allowed:job-what\">a whole number up to 9</p>",
        "id=\"problem:job-what\">`what` cannot be `12`</p>",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

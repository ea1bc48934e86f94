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
        frame: Frame { base_path: "/base".to_owned(), banner: None },
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
        frame: Frame::default(),
        origin: "http://127.0.0.1:8080".to_owned(),
        now: now(),
        name: "backup".to_owned(),
        description: "Back up".to_owned(),
        command: "./backup.sh 'a b'".to_owned(),
        runs_on_get: true,
        fields: Vec::new(),
        problem: None,
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
        frame: Frame::default(),
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
        frame: Frame::default(),
        status: 404,
        title: "Not found".to_owned(),
        wrong: "no job is called <x>".to_owned(),
        allowed: "jobs: backup, idle".to_owned(),
    });
    assert!(html.contains("<span class=\"status\">404</span> Not found</h1>"));
    assert!(html.contains("no job is called &#60;x&#62;") && html.contains("jobs: backup, idle"));
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

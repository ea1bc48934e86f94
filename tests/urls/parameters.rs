//! What a request tells a job: query, forms and JSON objects; that no value becomes syntax; and every way of being wrong.

use std::process::Command;

use serde_json::json;

use crate::harness::{Request, Server, html, run_to_end};

/// Jobs that print what they were told, exactly.
const JOBS: &str = r#"
[jobs.list]
command = ["printf", "<%s>\n", "{target}", "n={count}.", "{loud}", "{note}"]
params.target = { choices = ["daily", "full"], default = "daily", description = "What to save" }
params.count = { type = "int", min = 1, max = 9, default = 1 }
params.loud = { type = "bool", default = false }
params.note = { default = "" }

[jobs.text]
command = ["printf", "<%s>", "x{text}"]
params.text = {}

[jobs.leads]
command = ["printf", "<%s>", "{text}"]
params.text = {}

[jobs.shell]
command = 'printf "<%s>" "$PARAM_TEXT"'
params.text = {}

[jobs.must]
command = ["true"]
params.target = { choices = ["daily", "full"] }
params.count = { type = "int", min = 1, max = 9 }
params.key = { type = "secret" }

[jobs.offers]
command = ["printf", "<%s>", "{branch}"]
params.branch = { choices_from = ["cat", "branches"] }

[jobs.plain]
command = "echo plain"
"#;

const FORM: &str = "application/x-www-form-urlencoded";

/// The text of the answer to a request that has to start a run.
fn ran(request: &Request) -> String {
    request.send().expect(200).text()
}

fn assert_nothing_ran(server: &Server) {
    assert_eq!(server.json("/runs")["runs"], json!([]));
}

/// `text` as a value of a query or a form.
fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_query_a_form_and_a_json_object_say_the_same() {
    let server = Server::start(JOBS);
    let expected = "<full>\n<n=3.>\n<true>\n<a b>\n";
    let pairs = "target=full&count=3&loud=on&note=a+b";
    let object = json!({ "target": "full", "count": 3, "loud": true, "note": "a b" }).to_string();
    for request in [
        server.request("GET", &format!("/jobs/list?{pairs}")),
        server.request("POST", &format!("/jobs/list?{pairs}")),
        server.request("POST", "/jobs/list").body(FORM, pairs),
        server.request("POST", "/jobs/list").body("application/x-www-form-urlencoded; charset=UTF-8", pairs),
        server.request("POST", "/jobs/list").body("application/json", object.clone()),
        server.request("POST", "/jobs/list?target=full&count=3").body(FORM, "loud=true&note=a%20b"),
        server
            .request("POST", "/jobs/list?note=a%20b&loud=true")
            .body("Application/JSON", r#"{"target":"full","count":3}"#),
    ] {
        assert_eq!(ran(&request), expected);
    }
    assert_eq!(ran(&server.request("GET", "/jobs/list")), "<daily>\n<n=1.>\n<false>\n<>\n");
    assert_eq!(
        ran(&server.request("POST", "/jobs/list").body("application/json", "{}")),
        "<daily>\n<n=1.>\n<false>\n<>\n"
    );
    let params = &server.runs("list")[2]["params"];
    assert_eq!(*params, json!({ "target": "full", "count": "3", "loud": "true", "note": "a b" }));
}

#[test]
fn numbers_reach_the_command_as_they_were_written() {
    let server = Server::start(JOBS);
    for number in ["1.50", "123456789012345678901234567890", "1e3", "-0"] {
        let request = server.request("POST", "/jobs/text").body("application/json", format!("{{\"text\": {number}}}"));
        assert_eq!(ran(&request), format!("<x{number}>"));
    }
}

#[test]
fn no_value_becomes_syntax() {
    let server = Server::start(JOBS);
    for text in [
        "$(touch owned)",
        "`touch owned`",
        "; touch owned;",
        "\" ; touch owned; \"",
        "' ; touch owned; '",
        "a\ntouch owned\n",
        "a\r\nb",
        "| touch owned",
        "&& touch owned #",
        "> owned",
        "*",
        "~",
        "\\",
        "%s%n",
        "{text}",
        "{}",
        "$PARAM_TEXT",
        "--help",
        "",
        " ",
        "ä€😀\u{202e}",
    ] {
        for job in ["text", "shell"] {
            let expected = if job == "text" { format!("<x{text}>") } else { format!("<{text}>") };
            for request in [
                server.request("GET", &format!("/jobs/{job}?text={}", encode(text))),
                server.request("POST", &format!("/jobs/{job}")).body(FORM, format!("text={}", encode(text))),
                server
                    .request("POST", &format!("/jobs/{job}"))
                    .body("application/json", json!({ "text": text }).to_string()),
            ] {
                assert_eq!(ran(&request), expected, "{job}: {text:?}");
            }
        }
    }
    assert!(!server.path("owned").exists());
}

#[test]
fn a_value_that_would_be_an_option_is_refused() {
    let server = Server::start(JOBS);
    for text in ["-v", "--help", "-"] {
        let response = server.get(&format!("/jobs/leads?text={text}")).expect(400);
        let line = response.text();
        assert!(line.contains("`text`") && line.contains(text) && line.contains("option"), "{line}");
    }
    assert_nothing_ran(&server);
    assert_eq!(ran(&server.request("GET", "/jobs/leads?text=a-b")), "<a-b>");
}

#[test]
fn a_nul_and_what_is_no_text_are_refused_wherever_they_come_from() {
    let server = Server::start(JOBS);
    for request in [
        server.request("GET", "/jobs/text?text=a%00b"),
        server.request("GET", "/jobs/text?text=%00"),
        server.request("GET", "/jobs/text?text=%ff"),
        server.request("GET", "/jobs/text?text=%C3"),
        server.request("GET", "/jobs/text?text=%4"),
        server.request("POST", "/jobs/text").body(FORM, "text=a%00b"),
        server.request("POST", "/jobs/text").body(FORM, b"text=a\0b".to_vec()),
        server.request("POST", "/jobs/text").body(FORM, b"text=\xff".to_vec()),
        server.request("POST", "/jobs/text").body("application/json", r#"{"text":"a\u0000b"}"#),
        server.request("POST", "/jobs/text").body("application/json", b"{\"text\":\"\xff\"}".to_vec()),
        server.request("POST", "/jobs/text").body("application/json", r#"{"text":"\ud800"}"#),
    ] {
        let line = request.send().expect(400).text();
        assert!(line.lines().count() == 1 && !line.contains('\0'), "{line:?}");
    }
    assert_nothing_ran(&server);
}

/// Requests with wrong parameters: how they are sent, and what has to be named.
fn wrong(server: &Server) -> Vec<(Request, &'static [&'static str])> {
    let form = |job: &str, body: &str| server.request("POST", &format!("/jobs/{job}")).body(FORM, body);
    let object = |job: &str, body: &str| server.request("POST", &format!("/jobs/{job}")).body("application/json", body);
    vec![
        (server.request("GET", "/jobs/list?targt=full"), &["targt", "target, count, loud, note"]),
        (server.request("GET", "/jobs/list?target=weekly"), &["`target`", "weekly", "daily", "full"]),
        (server.request("GET", "/jobs/list?count=12&loud=maybe"), &["`count`", "12", "from 1 to 9", "`loud`", "maybe"]),
        (server.request("GET", "/jobs/plain?z=1"), &["`z`"]),
        (server.request("GET", "/jobs/must"), &["`target` is missing", "`count` is missing", "`key` is missing"]),
        (form("list", "count=1.5"), &["`count`", "1.5"]),
        (form("list", "count=1&count=2"), &["`count`", "more than once"]),
        (form("plain", "z=1"), &["`z`"]),
        (object("list", r#"{"count": null}"#), &["`count`", "null"]),
        (object("list", r#"{"note": ["a"]}"#), &["`note`", "array"]),
        (object("list", r#"{"note": {"a": 1}}"#), &["`note`", "object"]),
        (object("list", r#"{"count": 1, "count": 2}"#), &["`count`", "more than once"]),
        (
            server.request("POST", "/jobs/list?count=1").body(FORM, "count=1&note=x"),
            &["`count`", "in the query and in the body"],
        ),
    ]
}

#[test]
fn what_is_wrong_is_one_line_of_text_for_curl() {
    let server = Server::start(JOBS);
    for (request, named) in wrong(&server) {
        let response = request.send().expect(400);
        assert!(response.header("content-type").unwrap().starts_with("text/plain"));
        let line = response.text();
        assert_eq!(line.lines().count(), 1, "{line}");
        named.iter().for_each(|part| assert!(line.contains(part), "no {part} in {line}"));
    }
    assert_nothing_ran(&server);
}

#[test]
fn what_is_wrong_is_a_problem_with_its_errors_for_programs() {
    let server = Server::start(JOBS);
    for (request, named) in wrong(&server) {
        let response = request.accept("application/json").send().expect(400);
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
        let problem = response.json();
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors in {problem}"));
        let told = errors.iter().map(ToString::to_string).collect::<String>();
        named.iter().for_each(|part| assert!(told.contains(part), "no {part} in {told}"));
        for error in errors {
            let text = |member: &str| error[member].as_str().is_some_and(|text| !text.is_empty());
            assert!(text("parameter") && text("problem") && text("allowed"), "{error}");
        }
    }
    let problem = server.request("GET", "/jobs/list?count=12").accept("application/json").send().json();
    let error = &problem["errors"][0];
    assert_eq!((&error["parameter"], &error["value"]), (&"count".into(), &"12".into()));
    assert_eq!(error["allowed"], "a whole number from 1 to 9");
    assert_nothing_ran(&server);
}

#[test]
fn what_is_wrong_is_the_form_again_for_browsers() {
    let server = Server::start(JOBS);
    for (request, named) in wrong(&server) {
        let browser = request.accept("text/html").header("Sec-Fetch-Site", "same-origin");
        let response = browser.header("Sec-Fetch-Mode", "navigate").send().expect(400);
        assert!(response.header("content-type").unwrap().starts_with("text/html"));
        let page = response.text();
        html::assert_whole(&page);
        // a name given twice in a query is wrong before there is a job
        assert!(page.contains("<form") && page.contains("action=\"/jobs/"), "{page}");
        let text = page.replace("&#60;", "<").replace("&#39;", "'").replace("&#34;", "\"");
        named.iter().for_each(|part| assert!(text.contains(part), "no {part} in {page}"));
    }
    assert_nothing_ran(&server);
}

#[test]
fn the_form_again_is_filled_in_with_what_was_given_but_for_secrets() {
    let server = Server::start(JOBS);
    let request = server.navigation("POST", "/jobs/must").header("Sec-Fetch-Site", "same-origin");
    let page = request.body(FORM, "target=full&count=12&key=hunter2").send().expect(400).text();
    assert!(page.contains("<option value=\"full\" selected>"), "{page}");
    assert!(page.contains("value=\"12\"") && page.contains("`count` cannot be `12`"), "{page}");
    assert!(!page.contains("hunter2") && !page.contains("`key`"), "{page}");
}

#[test]
fn a_secret_is_not_repeated_in_an_answer_that_refuses_it() {
    let server = Server::start(JOBS);
    for request in [
        server.request("GET", "/jobs/must?target=full&count=1&key=hunter2%00"),
        server.request("GET", "/jobs/must?target=full&count=1&key=hunter2&key=hunter2"),
        server.request("GET", "/jobs/must?target=full&count=1&key=hunter2%ff"),
        server.request("POST", "/jobs/must").body(FORM, "target=full&count=1&key=hunter2&key=hunter2"),
        server.request("POST", "/jobs/must").body("application/json", r#"{"key":["hunter2"]}"#),
        server.request("POST", "/jobs/must?key=hunter2").body("application/json", r#"{"key":"hunter2"}"#),
    ] {
        for accepted in ["*/*", "application/json", "text/html"] {
            let text = request.clone().accept(accepted).send().expect(400).text();
            assert!(text.contains("key") && !text.contains("hunter2"), "{accepted}: {text}");
        }
    }
    assert!(!server.log().contains("hunter2"));
    assert_nothing_ran(&server);
}

#[test]
fn a_body_that_holds_no_parameters_is_refused() {
    let server = Server::start(JOBS);
    for (content_type, body, status, named) in [
        ("text/plain", "target=full", 415, "text/plain"),
        ("multipart/form-data; boundary=x", "--x--", 415, "application/json"),
        ("", "target=full", 415, "application/x-www-form-urlencoded"),
        ("application/json", "[1]", 400, "not an object"),
        ("application/json", "\"daily\"", 400, "not an object"),
        ("application/json", "{\"target\":", 400, "not JSON"),
        ("application/json", "target=full", 400, "not JSON"),
        (FORM, &format!("note={}", "a".repeat(1 << 20)), 413, "1048576"),
        ("application/json", &format!("{{\"note\":\"{}\"}}", "a".repeat(1 << 20)), 413, "1048576"),
    ] {
        let line = server.request("POST", "/jobs/list").body(content_type, body).send().expect(status).text();
        assert!(line.lines().count() == 1 && line.contains(named), "{line}");
    }
    let line = server.request("GET", "/jobs/list").header("Content-Length", "11").body(FORM, "target=full").send();
    assert!(line.expect(400).text().contains("POST"));
    assert_nothing_ran(&server);
    let large = "a".repeat((1 << 20) - 100);
    let fits = server.request("POST", "/jobs/plain").body(FORM, format!("note={large}")).send().expect(400).text();
    assert!(fits.contains("`note`"), "{fits}");
}

#[test]
fn choices_come_from_a_command_each_time_they_are_needed() {
    let server = Server::with(JOBS).file("branches", "main\nfeature x\n", 0o600).start();
    assert_eq!(ran(&server.request("GET", "/jobs/offers?branch=feature%20x")), "<feature x>");
    let line = server.get("/jobs/offers?branch=other").expect(400).text();
    assert!(line.contains("other") && line.contains("main, feature x"), "{line}");
    let page = server.visit("/jobs/offers/form?branch=main").expect(200).text();
    assert!(page.contains("<option value=\"main\" selected>") && page.contains("feature x"), "{page}");
    std::fs::write(server.path("branches"), "other\n").unwrap();
    assert_eq!(ran(&server.request("GET", "/jobs/offers?branch=other")), "<other>");
}

#[test]
fn choices_that_cannot_be_told_are_503_with_the_command_and_why() {
    let server = Server::start(JOBS);
    for request in [
        server.request("GET", "/jobs/offers?branch=main"),
        server.request("GET", "/jobs/offers"),
        server.request("GET", "/jobs/offers/form"),
    ] {
        let response = request.send().expect(503);
        assert!(response.header("retry-after").is_some());
        let line = response.text();
        assert!(line.contains("cat branches") && line.contains("`branch`") && line.contains("No such file"), "{line}");
        assert_eq!(request.clone().accept("text/html").send().expect(503).status, 503);
    }
    assert_nothing_ran(&server);
    assert_eq!(server.request("HEAD", "/jobs/offers/form").send().status, 200, "HEAD runs no command");
}

#[test]
fn curl_sends_parameters_in_every_way_it_has() {
    let server = Server::start(JOBS);
    let url = server.url("/jobs/text");
    for args in [
        vec!["-d", "text=a b"],
        vec!["--data-urlencode", "text=a b"],
        vec!["--get", "--data-urlencode", "text=a b"],
        vec!["--json", "{\"text\":\"a b\"}", "-H", "Accept: text/plain"],
    ] {
        let ended = run_to_end(Command::new("curl").arg("-sS").args(&args).arg(&url));
        assert_eq!(ended.text(), "<xa b>", "{args:?}");
    }
}

//! `/jobs/{job}/form` for people and for programs, where visits lead to it, and how a run is started again.

use serde_json::json;

use crate::harness::http::Request;
use crate::harness::{Server, html};

const JOBS: &str = r#"
[jobs.save]
description = "Saves it"
command = ["printf", "%s %s\n", "{target}", "x{note}"]
methods = ["POST"]
params.target = { choices = ["daily", "full"], default = "daily", description = "What to save" }
params.note = { pattern = "[^#]*", default = "" }

[jobs.all]
command = ["true"]
stdin = "body"
max_body = "1KiB"
overlap = "queue"
params.count = { type = "int", min = 1, max = 9 }
params.loud = { type = "bool", default = true }
params.branch = { choices_from = ["printf", "main\nnext\n"] }
params.key = { type = "secret", pattern = "[a-z]+" }
params.free = {}

[jobs.bare]
command = "echo bare"
"#;

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_form_is_filled_in_by_its_query() {
    let server = Server::start(JOBS);
    for target in ["/jobs/save/form?target=full&note=a%22%3Cb", "/jobs/save?target=full&note=a%22%3Cb&wait"] {
        let page = server.visit(target).expect(200).text();
        html::assert_whole(&page);
        assert!(page.contains("<option value=\"full\" selected>"), "{page}");
        assert!(page.contains("value=\"a&#34;&#60;b\""), "{page}");
    }
    assert!(server.runs("save").is_empty());
    assert_eq!(server.get("/jobs/save?target=full").status, 405, "curl gets no form");
}

#[test]
fn a_link_from_another_site_leads_to_the_form_filled_in() {
    let server = Server::start(JOBS);
    for job in ["save", "bare"] {
        let query = if job == "save" { "?target=full" } else { "" };
        let link = server.navigation("GET", &format!("/jobs/{job}{query}")).header("Sec-Fetch-Site", "cross-site");
        let page = link.send().expect(200).text();
        assert!(
            page.contains("<form") && (job == "bare" || page.contains("<option value=\"full\" selected>")),
            "{page}"
        );
    }
    assert_eq!(server.json("/runs")["runs"], json!([]));
}

#[test]
fn what_does_not_fit_in_a_form_is_400_and_what_is_missing_is_not() {
    let server = Server::start(JOBS);
    let page = server.visit("/jobs/save/form?target=weekly").expect(400).text();
    assert!(page.contains("`target` cannot be `weekly`"), "{page}");
    let page = server.visit("/jobs/save/form?targt=full").expect(400).text();
    assert!(page.contains("targt"), "{page}");
    for target in ["/jobs/save/form?target=weekly", "/jobs/save/form?targt=full"] {
        for format in ["text", "json", "ndjson"] {
            assert_eq!(server.get(&format!("{target}&format={format}")).status, 400, "{target} {format}");
        }
    }
    let page = server.visit("/jobs/all/form").expect(200).text();
    assert!(!page.contains("is missing") && page.contains("main"), "{page}");
}

#[test]
fn a_form_tells_programs_everything_there_is_to_give() {
    let server = Server::start(JOBS);
    let job = server.json("/jobs/all/form");
    assert_eq!((&job["name"], &job["stdin"], &job["max_body"]), (&"all".into(), &"body".into(), &1024.into()));
    assert_eq!((&job["overlap"], &job["last"]), (&"queue".into(), &json!(null)));
    let parameters = job["parameters"].as_array().unwrap();
    assert_eq!(
        parameters[0],
        json!({
            "name": "count", "description": null, "type": "int", "required": true, "default": null,
            "allowed": "a whole number from 1 to 9", "pattern": null, "min": 1, "max": 9, "choices": null,
        })
    );
    let of = |at: usize, member: &str| parameters[at][member].clone();
    assert_eq!((of(1, "type"), of(1, "default"), of(1, "required")), ("bool".into(), "true".into(), false.into()));
    assert_eq!((of(2, "type"), of(2, "choices")), ("choice".into(), json!(["main", "next"])));
    assert_eq!((of(3, "type"), of(3, "pattern")), ("secret".into(), "[a-z]+".into()));
    assert_eq!((of(4, "type"), of(4, "allowed")), ("text".into(), "any text".into()));
    let lines = server.ndjson("/jobs/all/form");
    assert_eq!(lines, *parameters);
    let save = server.json("/jobs/save/form");
    assert_eq!((&save["stdin"], &save["methods"]), (&"none".into(), &json!(["POST"])));
    assert_eq!(save["parameters"][0]["description"], "What to save");
    let text = server.get("/jobs/save/form").expect(200).text();
    assert!(text.starts_with("save: Saves it\ntarget: one of daily, full; default: \"daily\""), "{text}");
}

#[test]
fn every_resource_has_its_formats_and_refuses_the_others_with_those() {
    let server = Server::start(JOBS);
    let run = server.get("/jobs/bare").expect(200).run();
    server.ended(&run);
    let single = format!("/runs/{run}");
    for target in ["/", "/jobs/bare/form", "/runs", "/jobs/bare/last", &single] {
        for (format, content_type) in [
            ("html", "text/html; charset=utf-8"),
            ("text", "text/plain; charset=utf-8"),
            ("json", "application/json"),
            ("ndjson", "application/x-ndjson"),
        ] {
            let response = server.get(&format!("{target}?format={format}")).expect(200);
            assert_eq!(response.header("content-type"), Some(content_type), "{target} {format}");
            let text = response.text();
            match format {
                "html" => html::assert_whole(&text),
                "json" => drop(serde_json::from_str::<serde_json::Value>(&text).unwrap()),
                "ndjson" => {
                    text.lines().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).unwrap()))
                }
                _ => {}
            }
        }
        let is_stream = target.ends_with("/last") || target == single;
        let sse = server.get(&format!("{target}?format=sse"));
        assert_eq!(sse.status, if is_stream { 200 } else { 400 }, "{target}");
        if !is_stream {
            assert!(sse.text().contains("text, ndjson, json"), "{target}");
        }
        let unknown = server.get(&format!("{target}?format=xml")).expect(400).text();
        assert!(unknown.contains("xml") && unknown.contains("html, text, ndjson, sse, json"), "{unknown}");
    }
}

#[test]
fn a_run_is_run_again_with_the_same_values() {
    let server = Server::start(JOBS);
    let told = "target=full&note=a%20%22b%22%0A%3Cc%3E";
    let response = server.request("POST", "/jobs/save").body(FORM, told).send().expect(200);
    let run = response.run();
    let text = response.text();
    server.ended(&run);
    let page = server.visit(&format!("/runs/{run}")).text();
    html::assert_whole(&page);
    let form = page.split("href=\"/jobs/save/form?").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let filled = server.visit(&format!("/jobs/save/form?{}", form.replace("&#38;", "&"))).expect(200).text();
    assert!(filled.contains("<option value=\"full\" selected>") && filled.contains("&#60;c&#62;"), "{filled}");
    for hidden in
        ["name=\"target\" value=\"full\"", "name=\"note\" value=\"a &#34;b&#34;\n&#60;c&#62;\"", "method=\"post\""]
    {
        assert!(page.contains(hidden), "no {hidden} in {page}");
    }
    // as a browser sends it: with the newlines of a form
    let again = server.navigation("POST", "/jobs/save?format=html").header("Sec-Fetch-Site", "same-origin");
    let again = again.body(FORM, told.replace("%0A", "%0D%0A")).send().expect(200);
    let second = again.run();
    drop(again.text());
    assert_eq!(server.get(&format!("/runs/{second}")).text(), text);
    assert_eq!(server.ended(&second)["params"], server.ended(&run)["params"]);
}

#[test]
fn a_job_without_parameters_is_run_again_by_a_button() {
    let server = Server::start(JOBS);
    let page = server.visit("/jobs/bare").expect(200).text();
    assert!(page.contains("<form class=\"again\" method=\"post\" action=\"/jobs/bare\">"), "{page}");
    let job = server.request("POST", "/jobs/all?count=1&branch=main&key=abc&free=x").body("", "input").send();
    let run = job.expect(200).run();
    server.ended(&run);
    let page = server.visit(&format!("/runs/{run}")).text();
    assert!(!page.contains("class=\"again\""), "its input and its secret are gone: {page}");
    assert!(page.contains("/jobs/all/form?count=1&#38;loud=true&#38;branch=main&#38;free=x\""), "{page}");
}

#[test]
fn a_form_brings_the_newlines_that_stood_in_it_and_curl_those_that_it_writes() {
    let job = "command = 'printf \"%s\" \"$PARAM_TEXT\"'\nparams.text = { default = \"a\\nb\" }\n";
    let server = Server::start(&format!("[jobs.post]\n{job}\n[jobs.get]\n{job}methods = ['GET']\n"));
    let text = |request: Request| {
        let answer = request.send().expect(200);
        let run = answer.run();
        drop(answer.text());
        server.get(&format!("/runs/{run}")).text()
    };
    let browser = |method, target: &str| server.navigation(method, target).header("Sec-Fetch-Site", "same-origin");
    let sent = "text=a%0D%0Ab";
    assert_eq!(text(browser("POST", "/jobs/post").body(FORM, sent)), "a\nb");
    assert_eq!(text(browser("GET", "/jobs/get?text=a%0D%0Ab")), "a\nb");
    let old_browser = server.request("POST", "/jobs/post").accept("text/html,*/*;q=0.8");
    assert_eq!(text(old_browser.body(FORM, sent)), "a\nb");
    let json = r#"{"text": "a\r\nb"}"#;
    for (number, as_written) in [
        server.request("POST", "/jobs/post").body(FORM, sent),
        server.request("POST", "/jobs/post?format=html").body(FORM, sent),
        server.request("GET", "/jobs/get?text=a%0D%0Ab"),
        server.request("GET", "/jobs/get?text=a%0D%0Ab&format=html"),
        browser("POST", "/jobs/post").body("application/json", json),
        server.request("POST", "/jobs/post").accept("text/html").header("Sec-Fetch-Mode", "cors").body(FORM, sent),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(text(as_written), "a\r\nb", "request {number}");
    }
}

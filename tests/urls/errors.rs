//! Refusals: a page for browsers, problem+json for JSON, else one plain line; each with the value and what is allowed.

use crate::OUTCOMES;
use crate::harness::{Server, html};

/// Requests that are refused: method, target, status, what is named.
const REFUSED: [(&str, &str, u16, &str); 9] = [
    ("GET", "/jobs/nosuchjob", 404, "nosuchjob"),
    ("POST", "/jobs/nosuchjob?detach", 404, "nosuchjob"),
    ("GET", "/jobs/nosuchjob/last", 404, "nosuchjob"),
    ("GET", "/runs/01890000-0000-7000-8000-000000000000", 404, "01890000-0000-7000-8000-000000000000"),
    ("GET", "/runs/not-an-id", 404, "not-an-id"),
    ("GET", "/nowhere", 404, "/nowhere"),
    ("GET", "/jobs/good?wiat", 400, "wiat"),
    ("GET", "/runs?colour=red", 400, "colour"),
    ("DELETE", "/jobs/good", 405, "DELETE"),
];

#[test]
fn for_curl_it_is_one_plain_line() {
    let server = Server::start(OUTCOMES);
    for (method, target, status, named) in REFUSED {
        let response = server.request(method, target).send();
        assert_eq!(response.status, status, "{method} {target}");
        assert!(response.header("content-type").unwrap().starts_with("text/plain"), "{response:?}");
        let text = response.text();
        assert!(text.lines().count() == 1 && text.ends_with('\n') && text.contains(named), "{target}: {text:?}");
    }
    assert!(server.json("/runs")["runs"].as_array().unwrap().is_empty());
}

#[test]
fn for_programs_it_is_problem_json() {
    let server = Server::start(OUTCOMES);
    for (method, target, status, named) in REFUSED {
        let response = server.request(method, target).accept("application/json").send();
        assert_eq!(response.status, status, "{method} {target}");
        assert_eq!(response.header("content-type"), Some("application/problem+json"), "{target}");
        let problem = response.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].as_str().unwrap().contains(named), "{problem}");
    }
}

#[test]
fn for_browsers_it_is_a_page() {
    let server = Server::start(OUTCOMES);
    for (method, target, status, named) in REFUSED {
        let response = server.navigation(method, target).header("Sec-Fetch-Site", "none").send();
        assert_eq!(response.status, status, "{method} {target}");
        assert!(response.header("content-type").unwrap().starts_with("text/html"), "{response:?}");
        let page = response.text();
        html::assert_whole(&page);
        assert!(page.contains(named), "{page}");
    }
}

#[test]
fn what_was_asked_for_is_escaped_in_a_page() {
    let server = Server::start(OUTCOMES);
    for target in
        ["/jobs/%3Cscript%3Ealert(1)%3C/script%3E", "/jobs/good?%3Cscript%3E=1", "/runs/%3Cb%3E", "/%3Cb%3E%22'%26"]
    {
        let page = server.visit(target).text();
        html::assert_whole(&page);
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
    }
}

#[test]
fn a_method_that_is_not_allowed_says_which_are() {
    let server = Server::start(OUTCOMES);
    for (method, target, allowed) in [
        ("DELETE", "/jobs/good", &["GET", "POST"][..]),
        ("PUT", "/runs", &["GET"]),
        ("POST", "/runs/01890000-0000-7000-8000-000000000000", &["GET"]),
        ("POST", "/", &["GET"]),
    ] {
        let response = server.request(method, target).send();
        assert_eq!(response.status, 405, "{method} {target}");
        let allow = response.header("allow").unwrap();
        assert!(allowed.iter().all(|method| allow.contains(method)), "{target}: {allow}");
        assert!(!allow.contains(method), "{target}: {allow}");
    }
}

#[test]
fn pages_may_run_no_scripts_or_styles_of_others() {
    let server = Server::start(OUTCOMES);
    for target in ["/", "/runs", "/jobs/good", "/nowhere"] {
        let response = server.visit(target);
        let policy =
            response.header("content-security-policy").unwrap_or_else(|| panic!("none for {target}")).to_owned();
        assert!(policy.contains("default-src 'none'") || policy.contains("default-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{policy}");
        let page = response.text();
        assert!(!page.contains(" style=") && !page.contains("<style") && !page.contains(" onclick="), "{page}");
    }
}

//! Who may start what: unknown hosts, other sites, looking ahead and HEAD start nothing.

use crate::OUTCOMES;
use crate::harness::{Request, Server};

const BUTTON: &str = "[jobs.job]\ncommand = 'echo ran'\nmethods = ['POST']\n";

/// Asserts that no run was started.
fn assert_nothing_started(server: &Server) {
    let runs = server.json("/runs");
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(0), "{runs}");
}

#[test]
fn an_unknown_host_is_421() {
    let server = Server::with(OUTCOMES).server("hosts = ['jobs.example.org']").start();
    for host in ["evil.example", "evil.example:80", "jobs.example.org.evil.example", "10.1.2.3", ""] {
        for target in ["/jobs/good", "/runs", "/"] {
            let response = server.request("GET", target).header("Host", host).send();
            assert!(matches!((host, response.status), ("", 400 | 421) | (_, 421)), "{host} {target}: {response:?}");
        }
    }
    assert_nothing_started(&server);
}

#[test]
fn the_names_of_this_machine_and_the_configured_ones_are_known() {
    let server = Server::with(OUTCOMES).server("hosts = ['jobs.example.org']").start();
    let address = server.address().host();
    let port = address.rsplit_once(':').unwrap().1;
    for host in [
        address.as_str(),
        &format!("localhost:{port}"),
        "localhost",
        "127.0.0.1",
        &format!("[::1]:{port}"),
        "jobs.example.org",
        "JOBS.Example.ORG:443",
    ] {
        let response = server.request("GET", "/jobs/bad").header("Host", host).send();
        assert_eq!(response.status, 200, "{host}");
    }
}

#[test]
fn head_starts_nothing() {
    let server = Server::start(OUTCOMES);
    for target in ["/jobs/good", "/jobs/good?wait", "/jobs/good?format=html", "/jobs/good?detach"] {
        let response = server.request("HEAD", target).send().expect(200);
        assert!(response.header("joblines-run").is_none(), "{response:?}");
    }
    assert_nothing_started(&server);
    assert_eq!(server.request("HEAD", "/jobs/nosuchjob").send().status, 404);
}

#[test]
fn looking_ahead_is_503_and_starts_nothing() {
    let server = Server::start(OUTCOMES);
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ] {
        let response =
            server.navigation("GET", "/jobs/good").header("Sec-Fetch-Site", "same-origin").header(name, value).send();
        assert_eq!(response.status, 503, "{name}: {value}");
    }
    assert_nothing_started(&server);
}

#[test]
fn a_link_on_another_site_leads_to_the_form() {
    let server = Server::start(OUTCOMES);
    let page = server.navigation("GET", "/jobs/good").header("Sec-Fetch-Site", "cross-site").send().expect(200).text();
    crate::harness::html::assert_whole(&page);
    assert!(page.contains("<form") && page.contains("<button"), "{page}");
    assert_nothing_started(&server);
    let frame = server.request("GET", "/jobs/good").accept("text/html").header("Sec-Fetch-Site", "cross-site");
    let frame = frame.header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "iframe").send();
    assert!(frame.header("joblines-run").is_none(), "{frame:?}");
    assert_nothing_started(&server);
}

#[test]
fn anything_else_from_another_site_is_403() {
    let server = Server::start(OUTCOMES);
    let get = || server.request("GET", "/jobs/good");
    let post = || server.request("POST", "/jobs/good");
    let refused: [Request; 8] = [
        get()
            .header("Sec-Fetch-Site", "cross-site")
            .header("Sec-Fetch-Mode", "no-cors")
            .header("Sec-Fetch-Dest", "image"),
        get().header("Sec-Fetch-Site", "cross-site").header("Sec-Fetch-Mode", "cors"),
        server.navigation("POST", "/jobs/good").header("Sec-Fetch-Site", "cross-site"),
        post().header("Sec-Fetch-Site", "cross-site"),
        post().header("Origin", "https://evil.example"),
        post().header("Origin", "null"),
        get().header("Origin", "https://evil.example"),
        post().header("Origin", "http://127.0.0.1:1"),
    ];
    for (number, request) in refused.into_iter().enumerate() {
        assert_eq!(request.send().status, 403, "number {number}");
    }
    assert_nothing_started(&server);
}

#[test]
fn another_site_cannot_cancel() {
    let server = Server::start(OUTCOMES);
    server.gate("gate");
    let mut text = server.get("/jobs/waits");
    text.line();
    let cancel = server.request("POST", &format!("/runs/{}/cancel", text.run()));
    assert_eq!(cancel.clone().header("Origin", "https://evil.example").send().status, 403);
    assert_eq!(cancel.header("Sec-Fetch-Site", "cross-site").send().status, 403);
    assert_eq!(server.json(&format!("/runs/{}", text.run()))["state"], "running");
}

#[test]
fn the_own_site_and_the_address_bar_may_start() {
    let server = Server::start(OUTCOMES);
    server.visit("/jobs/bad").expect(200).text();
    server.navigation("GET", "/jobs/bad").header("Sec-Fetch-Site", "same-origin").send().expect(200).text();
    let own =
        server.request("POST", "/jobs/bad").header("Origin", &server.url("")).header("Sec-Fetch-Site", "same-origin");
    own.send().expect(200).text();
    assert_eq!(server.runs("bad").len(), 3);
}

#[test]
fn a_job_behind_a_button_shows_the_form_when_visited_and_runs_when_posted() {
    let server = Server::start(BUTTON);
    let page = server.visit("/jobs/job").expect(200).text();
    assert!(page.contains("<form") && page.contains("method=\"post\""), "{page}");
    let refused = server.get("/jobs/job");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("POST")));
    assert_eq!(server.request("HEAD", "/jobs/job").send().status, 200);
    assert_nothing_started(&server);
    assert_eq!(server.post("/jobs/job").text(), "ran\n");
    let pressed = server.navigation("POST", "/jobs/job").header("Sec-Fetch-Site", "same-origin");
    let pressed = pressed.header("Origin", &server.url("")).body("application/x-www-form-urlencoded", "").send();
    assert!(pressed.expect(200).text().contains("ran"));
    assert_eq!(server.runs("job").len(), 2);
}

#[test]
fn a_job_may_be_started_by_get_alone() {
    let server = Server::start("[jobs.job]\ncommand = 'echo ran'\nmethods = ['GET']\n");
    let refused = server.post("/jobs/job");
    assert_eq!(refused.status, 405);
    assert!(
        refused.header("allow").is_some_and(|allow| allow.contains("GET") && !allow.contains("POST")),
        "{refused:?}"
    );
    assert_eq!(server.get("/jobs/job").text(), "ran\n");
}

#[test]
fn the_form_starts_nothing_by_itself() {
    let server = Server::start(OUTCOMES);
    let page = server.visit("/jobs/good/form").expect(200).text();
    crate::harness::html::assert_whole(&page);
    assert!(page.contains("<form") && page.contains("action=\"/jobs/good\""), "{page}");
    assert_nothing_started(&server);
}

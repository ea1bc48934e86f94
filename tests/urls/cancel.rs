//! `POST /runs/{id}/cancel`.

use crate::OUTCOMES;
use crate::harness::{Server, html};

#[test]
fn cancel_is_202_while_it_runs_and_409_when_it_has_ended() {
    let server = Server::start(OUTCOMES);
    server.gate("gate");
    let mut text = server.get("/jobs/waits");
    text.line();
    let cancel = format!("/runs/{}/cancel", text.run());
    assert_eq!(server.post(&cancel).status, 202);
    let record = server.ended(&text.run());
    assert_eq!((&record["state"], &record["signal"]), (&"cancelled".into(), &15.into()));
    let refused = server.post(&cancel);
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("cancelled"), "it says how the run had ended");
    assert_eq!(text.text(), "");
}

#[test]
fn a_browser_goes_back_to_the_run() {
    let server = Server::start(OUTCOMES);
    server.gate("gate");
    let mut page = server.visit("/jobs/waits");
    let mut whole = page.until("out");
    let run = format!("/runs/{}", page.run());
    let form = server.navigation("POST", &format!("{run}/cancel")).header("Sec-Fetch-Site", "same-origin");
    let form = form.header("Origin", &server.url("")).body("application/x-www-form-urlencoded", "").send();
    assert_eq!((form.status, form.header("location")), (303, Some(run.as_str())));
    whole += &page.text();
    html::assert_whole(&whole);
    assert_eq!(html::attribute_of(&whole, "end", "class").as_deref(), Some("cancelled"));
}

#[test]
fn cancel_of_an_unknown_run_is_404_and_by_get_405() {
    let server = Server::start(OUTCOMES);
    server.gate("gate");
    assert_eq!(server.post("/runs/01890000-0000-7000-8000-000000000000/cancel").status, 404);
    let mut text = server.get("/jobs/waits");
    text.line();
    let refused = server.get(&format!("/runs/{}/cancel", text.run()));
    assert_eq!((refused.status, refused.header("allow")), (405, Some("POST")));
    assert_eq!(server.json(&format!("/runs/{}", text.run()))["state"], "running");
}

#[test]
fn two_cancels_at_once_are_one() {
    let server = Server::start(
        "[jobs.job]\ncommand = \"exec 2>/dev/null; trap 'echo told' TERM; echo up; while :; do sleep 0.05; done\"\ngrace = '500ms'\n",
    );
    let mut text = server.get("/jobs/job");
    text.line();
    let cancel = format!("/runs/{}/cancel", text.run());
    assert_eq!(server.post(&cancel).status, 202);
    assert!([202, 409].contains(&server.post(&cancel).status));
    let run = text.run();
    assert_eq!(text.text(), "told\n");
    assert_eq!(server.ended(&run)["signal"], 9);
}

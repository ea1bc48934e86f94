//! Any feed as the events that Elva's page reads.

use serde_json::{Value, json};

use crate::harness::Server;
use crate::{APP, push};

/// The ids and objects of the events in `text`.
fn read(text: &str) -> Vec<(String, Value)> {
    let events = text.split("\n\n").filter(|event| !event.is_empty());
    let event = |event: &str| {
        let lines: Vec<_> = event.lines().collect();
        let [id, data] = lines[..] else { panic!("{event}") };
        let object = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        (id.strip_prefix("id: ").unwrap().to_owned(), object)
    };
    events.map(event).collect()
}

fn messages(server: &Server, query: &str) -> Vec<String> {
    let text = server.get(&format!("/feeds/app/events?follow=0&{query}")).expect(200).text();
    read(&text).into_iter().map(|(_, object)| object["msg"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_line_is_one_message_with_an_object_that_has_every_key() {
    let server = Server::start(APP);
    push(&server, "app", b"plain <b>\nWARNING:app.db:late\n");
    let answer = server.get("/feeds/app/events?follow=0").expect(200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
    let text = answer.text();
    assert!(!text.contains("event:"), "a page listens for `message`: {text}");
    let events = read(&text);
    let object = |level: &str, name: &str, msg: &str, time: &Value| {
        json!({
            "username": "", "args": [], "name": name, "level": level, "line_no": 0, "traceback": null, "filename": "",
            "time": time, "msg": msg, "funcname": "", "hostname": "",
        })
    };
    let time = &events[0].1["time"];
    let seconds = time.as_str().unwrap().split('.').next().unwrap().to_owned();
    assert!(seconds.len() == 19 && seconds.as_bytes()[10] == b'T', "{time}");
    assert_eq!(events[0].1, object("unknown", "app", "plain <b>", time));
    assert_eq!(events[1].1, object("warning", "app.db", "WARNING:app.db:late", &events[1].1["time"]));
}

#[test]
fn it_takes_what_the_feeds_own_address_takes_and_goes_on_where_it_was() {
    let server = Server::start(APP);
    push(&server, "app", b"INFO:a:one\nERROR:b:two\nINFO:a:three\nERROR:b:four\n");
    assert_eq!(messages(&server, "level=error"), ["ERROR:b:two", "ERROR:b:four"]);
    assert_eq!(messages(&server, "logger=a&q=three&rate=1000"), ["INFO:a:three"]);
    assert_eq!(messages(&server, "tail=1"), ["ERROR:b:four"]);
    let all = read(&server.get("/feeds/app/events?follow=0").text());
    let back = server.request("GET", "/feeds/app/events").header("Last-Event-ID", &all[2].0).send().expect(200);
    push(&server, "app", b"INFO:a:five\n");
    let mut back = back;
    let mut next = || {
        let event = back.until("\n\n");
        read(&event).remove(0)
    };
    assert_eq!(next(), all[3]);
    assert_eq!(next().1["msg"], "INFO:a:five");
    assert_eq!(server.get("/feeds/app/events?order=newest").status, 400);
    assert_eq!(server.get("/feeds/app/events?colour=red").status, 400);
    assert_eq!(server.get("/feeds/none/events").status, 404);
    assert_eq!(server.request("POST", "/feeds/app/events").send().status, 405);
}

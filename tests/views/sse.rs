//! Server-sent events: their names, their ids, and going on after a cut connection.

use serde_json::Value;

use crate::harness::{Response, Server};
use crate::run;

/// One event.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

/// The events of a text/event-stream; comments are left out.
pub(crate) fn events(stream: &str) -> Vec<Event> {
    stream.split("\n\n").filter_map(event).collect()
}

fn event(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = serde_json::from_str(field("data")?).unwrap();
    Some(Event { name: field("event").unwrap().to_owned(), id: field("id").map(str::to_owned), data })
}

/// The next event of an open stream.
fn next(response: &mut Response) -> Event {
    loop {
        if let Some(event) = event(&response.until("\n\n")) {
            return event;
        }
    }
}

/// The numbers of the lines among these.
fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().filter_map(|event| event.data["seq"].as_u64()).collect()
}

#[test]
fn ids_are_the_run_and_the_line() {
    let server = Server::with_job("echo one; echo two");
    let run = run(&server);
    let events = events(&server.get(&format!("{run}?format=sse")).text());
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["run", "line", "line", "end"]);
    let id = run.strip_prefix("/runs/").unwrap();
    let ids: Vec<&str> = events[..3].iter().map(|event| event.id.as_deref().unwrap()).collect();
    assert_eq!(ids, [format!("{id}/0"), format!("{id}/1"), format!("{id}/2")]);
    assert!(events[3].id.as_deref().unwrap().starts_with(id));
}

#[test]
fn a_cut_connection_goes_on_without_gap_or_repeat_and_starts_nothing() {
    let server = Server::with_job("seq 1 5; read _ < gate; seq 6 9");
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/job?format=sse");
    let mut seen: Vec<Event> = (0..4).map(|_| next(&mut first)).collect();
    let last = seen.last().unwrap().id.clone().unwrap();
    let run = first.run();
    drop(first);
    let mut second = server.request("GET", "/jobs/job?format=sse").header("Last-Event-ID", &last).send().expect(200);
    assert_eq!(second.run(), run);
    while !seqs(&seen).contains(&5) {
        seen.push(next(&mut second));
    }
    gate.pass();
    seen.extend(events(&second.text()));
    assert_eq!(seqs(&seen), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let end = seen.last().unwrap();
    assert_eq!(end.name, "end");
    for target in ["/jobs/job?format=sse".to_owned(), format!("/runs/{run}?format=sse")] {
        let done = server.request("GET", &target).header("Last-Event-ID", end.id.as_ref().unwrap()).send();
        assert_eq!(done.status, 204, "{target}");
    }
    assert_eq!(server.runs("job").len(), 1, "reconnecting starts no second run");
}

#[test]
fn a_connection_that_is_cut_again_before_a_line_came_goes_on_where_the_first_one_was() {
    let server = Server::with_job("seq 1 5; read _ < gate; seq 6 9");
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/job?format=sse");
    let last = (0..6).map(|_| next(&mut first)).last().unwrap().id.unwrap();
    drop(first);
    let again =
        |last: &str| server.request("GET", "/jobs/job?format=sse").header("Last-Event-ID", last).send().expect(200);
    let mut second = again(&last);
    let start = next(&mut second);
    assert_eq!((start.name.as_str(), start.id.as_ref()), ("run", Some(&last)));
    drop(second);
    gate.pass();
    assert_eq!(seqs(&events(&again(&start.id.unwrap()).text())), [6, 7, 8, 9]);
}

#[test]
fn who_reconnects_after_the_end_without_having_seen_it_gets_the_rest() {
    let server = Server::with_job("seq 1 9");
    let mut first = server.get("/jobs/job?format=sse");
    let seen: Vec<Event> = (0..4).map(|_| next(&mut first)).collect();
    let run = first.run();
    drop(first);
    server.ended(&run);
    let request = server.request("GET", "/jobs/job?format=sse").header("Last-Event-ID", seen[3].id.as_ref().unwrap());
    let rest = events(&request.send().expect(200).text());
    assert_eq!(seqs(&rest), [4, 5, 6, 7, 8, 9]);
    assert_eq!(rest.last().unwrap().name, "end");
    assert_eq!(server.runs("job").len(), 1);
}

#[test]
fn from_resumes_as_well() {
    let server = Server::with_job("seq 1 9");
    let run = run(&server);
    let events = events(&server.get(&format!("{run}?format=sse&from=7")).text());
    assert_eq!(seqs(&events), [7, 8, 9]);
}

#[test]
fn a_piece_of_a_line_has_no_id_until_the_line_is_whole() {
    let server = Server::with_job("printf 'name? '; read _ < gate; echo Ann");
    let gate = server.gate("gate");
    let mut stream = server.get("/jobs/job?format=sse");
    assert_eq!(next(&mut stream).name, "run");
    let piece = next(&mut stream);
    assert_eq!((&piece.data["text"], &piece.data["partial"], piece.id), (&"name? ".into(), &true.into(), None));
    gate.pass();
    let rest = next(&mut stream);
    assert_eq!((&rest.data["seq"], &rest.data["text"]), (&1.into(), &"Ann".into()));
    assert!(rest.id.unwrap().ends_with("/1"));
}

#[test]
fn an_id_that_is_none_of_ours_is_400_and_starts_nothing() {
    let server = Server::with_job("echo one");
    for id in ["nonsense", "01890000-0000-7000-8000-000000000000", "/", "01890000-0000-7000-8000-000000000000/x"] {
        let response = server.request("GET", "/jobs/job?format=sse").header("Last-Event-ID", id).send();
        assert!([204, 400, 404].contains(&response.status), "{id}: {response:?}");
    }
    let unknown = server.request("GET", "/jobs/job?format=sse");
    let unknown = unknown.header("Last-Event-ID", "01890000-0000-7000-8000-000000000000/3").send();
    assert!([204, 404].contains(&unknown.status), "a run that is forgotten: {unknown:?}");
    assert!(server.runs("job").is_empty());
}

#[test]
fn lines_with_carriage_returns_do_not_break_events() {
    let server = Server::with_job(r"printf 'a\rb\r\ndata: c\n\nd\n'");
    let run = run(&server);
    let events = events(&server.get(&format!("{run}?format=sse")).text());
    let texts: Vec<&str> = events.iter().filter_map(|event| event.data["text"].as_str()).collect();
    assert_eq!(texts, ["a\rb\r", "data: c", "", "d"]);
}

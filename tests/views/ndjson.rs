//! NDJSON: the first object, the lines, the last object.

use serde_json::Value;

use crate::harness::Server;

#[test]
fn it_is_one_object_a_line_from_run_to_end() {
    let server = Server::with_job("echo one; exit 3");
    let response = server.get("/jobs/job?format=ndjson").expect(200);
    let run = response.run();
    let objects = response.ndjson();
    assert_eq!(objects.len(), 3, "{objects:?}");
    let first = &objects[0];
    assert_eq!((&first["type"], &first["run"], &first["job"]), (&"run".into(), &run.into(), &"job".into()));
    assert!(matches!(first["state"].as_str(), Some("queued" | "running")), "{first}");
    let line = &objects[1];
    assert_eq!(
        (&line["type"], &line["seq"], &line["stream"], &line["text"]),
        (&"line".into(), &1.into(), &"stdout".into(), &"one".into())
    );
    assert!(line.get("base64").is_none() && line.get("partial").is_none(), "{line}");
    let end = &objects[2];
    assert_eq!((&end["type"], &end["state"], &end["exit_code"]), (&"end".into(), &"failed".into(), &3.into()));
    assert_eq!((&end["signal"], &end["lines"], &end["bytes"]), (&Value::Null, &1.into(), &4.into()));
    assert!(end["duration_ms"].is_u64(), "{end}");
}

#[test]
fn times_are_rfc_3339_with_microseconds_and_never_go_back() {
    let server = Server::with_job("echo one; sleep 0.01; echo two; sleep 0.01; echo three");
    let objects = server.ndjson("/jobs/job");
    let times: Vec<&str> = objects.iter().filter_map(|object| object["time"].as_str()).collect();
    assert_eq!(times.len(), 3);
    for time in &times {
        time.parse::<jiff::Timestamp>().unwrap();
        let fraction = time.split_once('.').unwrap_or_else(|| panic!("{time}")).1.trim_end_matches('Z');
        assert_eq!(fraction.len(), 6, "{time}");
    }
    assert!(times.is_sorted(), "{times:?}");
    assert!(objects[0]["started"].as_str().unwrap() <= times[0]);
}

#[test]
fn a_line_that_is_not_utf_8_adds_its_bytes() {
    let server = Server::with_job(r"printf 'a\377b\n'; echo fine");
    let objects = server.ndjson("/jobs/job");
    assert_eq!((&objects[1]["text"], &objects[1]["base64"]), (&"a\u{fffd}b".into(), &"Yf9i".into()));
    assert!(objects[2].get("base64").is_none(), "{}", objects[2]);
}

#[test]
fn carriage_returns_and_colours_are_kept() {
    let server = Server::with_job(r"printf 'one\r\n\033[31mtwo\033[0m\n'");
    let objects = server.ndjson("/jobs/job");
    assert_eq!((&objects[1]["text"], &objects[2]["text"]), (&"one\r".into(), &"\u{1b}[31mtwo\u{1b}[0m".into()));
}

#[test]
fn pieces_of_a_line_share_its_number_and_say_that_they_are_pieces() {
    let server = Server::with_job("head -c 200000 /dev/zero | tr '\\0' x; echo; echo next");
    let objects = server.ndjson("/jobs/job");
    let pieces: Vec<&Value> = objects.iter().filter(|object| object["seq"] == 1).collect();
    assert!(pieces.len() >= 2, "{} pieces", pieces.len());
    let text: String = pieces.iter().map(|piece| piece["text"].as_str().unwrap()).collect();
    assert_eq!(text.len(), 200_000);
    let (last, before) = pieces.split_last().unwrap();
    assert!(before.iter().all(|piece| piece["partial"] == true));
    assert!(last.get("partial").is_none(), "the last piece ends the line");
    assert_eq!(objects.iter().filter(|object| object["seq"] == 2).count(), 1);
    assert_eq!(objects.last().unwrap()["lines"], 2);
}

//! The same run in every format.

use crate::record::stamp;
use std::time::Duration;

use super::*;
use crate::record::{Outcome, RunId, State, Stream, Usage};

const RUN: &str = "019a5b00-0000-7000-8000-000000000001";

/// A chunk that came at noon.
pub(super) fn chunk(line: u64, stream: Stream, bytes: &[u8]) -> Chunk {
    let time = "2026-11-02T12:00:00.25Z".parse().unwrap();
    let open = !bytes.ends_with(b"\n");
    Chunk { line, time, stream, continues: false, open, bytes: Bytes::copy_from_slice(bytes) }
}

/// A chunk that goes on with a line.
pub(super) fn more(line: u64, stream: Stream, bytes: &[u8]) -> Chunk {
    Chunk { continues: true, ..chunk(line, stream, bytes) }
}

pub(super) fn start() -> Start {
    let started = "2026-11-02T12:00:00Z".parse().unwrap();
    Start { run: RUN.parse().unwrap(), job: "backup".to_owned(), state: State::Running, started }
}

pub(super) fn end() -> End {
    End {
        state: State::Failed,
        outcome: Outcome::Exited(3),
        ended: "2026-11-02T12:00:03.2Z".parse().unwrap(),
        duration: Duration::from_millis(3200),
        usage: Some(Usage {
            cpu_user: Duration::from_millis(1200),
            cpu_system: Duration::from_millis(40),
            max_rss: Some(9 << 20),
        }),
        lines: 4,
        bytes: 44,
        bytes_not_kept: 0,
    }
}

pub(super) fn taken(out: &mut Frames) -> String {
    String::from_utf8(out.take().as_slice().concat()).unwrap()
}

/// The whole of a small run.
fn rendered(format: Format, options: Options) -> String {
    let mut view = View::new(format, options);
    let mut out = Frames::default();
    view.start(&start(), 1, &mut out);
    view.chunk(&chunk(1, Stream::Stdout, b"one\n<two>\n"), &mut out);
    view.chunk(&chunk(3, Stream::Stderr, b"a \"warning\"\n"), &mut out);
    view.chunk(&chunk(4, Stream::System, b"2 lines\n"), &mut out);
    view.heartbeat(&mut out);
    view.notice("no output for 30 s", &mut out);
    view.chunk(&chunk(5, Stream::Stdout, b"name? "), &mut out);
    view.chunk(&more(5, Stream::Stdout, b"Bob\n"), &mut out);
    view.end(&end(), &mut out);
    taken(&mut out)
}

#[test]
fn text_is_what_the_child_printed_and_nothing_else() {
    assert_eq!(rendered(Format::Text, Options::default()), "one\n<two>\na \"warning\"\nname? Bob\n");
}

#[test]
fn text_with_times_has_one_before_each_line() {
    let expected = "2026-11-02T12:00:00.250000Z one\n2026-11-02T12:00:00.250000Z <two>\n\
        2026-11-02T12:00:00.250000Z a \"warning\"\n2026-11-02T12:00:00.250000Z name? Bob\n";
    assert_eq!(rendered(Format::Text, Options { time: true, ..Options::default() }), expected);
}

#[test]
fn ndjson_is_one_object_a_line() {
    let expected = r#"{"type":"run","run":"019a5b00-0000-7000-8000-000000000001","job":"backup","state":"running","started":"2026-11-02T12:00:00.000000Z"}
{"type":"line","seq":1,"time":"2026-11-02T12:00:00.250000Z","stream":"stdout","text":"one"}
{"type":"line","seq":2,"time":"2026-11-02T12:00:00.250000Z","stream":"stdout","text":"<two>"}
{"type":"line","seq":3,"time":"2026-11-02T12:00:00.250000Z","stream":"stderr","text":"a \"warning\""}
{"type":"line","seq":4,"time":"2026-11-02T12:00:00.250000Z","stream":"system","text":"2 lines"}
{"type":"line","seq":5,"time":"2026-11-02T12:00:00.250000Z","stream":"stdout","partial":true,"text":"name? "}
{"type":"line","seq":5,"time":"2026-11-02T12:00:00.250000Z","stream":"stdout","text":"Bob"}
{"type":"end","state":"failed","exit_code":3,"signal":null,"duration_ms":3200,"lines":4,"bytes":44,"bytes_not_kept":0,"signal_name":null,"cpu_user_ms":1200,"cpu_system_ms":40,"max_rss_bytes":9437184,"ended":"2026-11-02T12:00:03.200000Z"}
"#;
    assert_eq!(rendered(Format::Ndjson, Options::default()), expected);
}

#[test]
fn sse_has_the_same_objects_with_ids_on_what_is_complete() {
    let sse = rendered(Format::Sse, Options::default());
    let ndjson = rendered(Format::Ndjson, Options::default());
    let data: String =
        sse.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| format!("{data}\n")).collect();
    assert_eq!(data, ndjson);
    let framing: Vec<_> = sse.lines().filter(|line| !line.starts_with("data: ")).collect();
    let id = |reached: &str| format!("id: {RUN}/{reached}");
    let line = |reached: &str| ["event: line".to_owned(), id(reached), String::new()];
    let mut expected = vec!["event: run".to_owned(), id("0"), String::new()];
    expected.extend(["1", "2", "3", "4"].iter().flat_map(|seq| line(seq)));
    expected.extend([": ", "", ": no output for 30 s", "", "event: line", ""].map(str::to_owned));
    expected.extend(line("5"));
    expected.extend(["event: end".to_owned(), id("end"), String::new()]);
    assert_eq!(framing, expected);
}

#[test]
fn html_is_a_page_with_a_row_a_line() {
    let html = rendered(Format::Html, Options::default());
    let (head, rest) = html.split_once("<pre id=\"lines\">").unwrap();
    assert!(head.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{head}");
    assert!(head.contains("<title>backup · joblines</title>"));
    assert!(head.contains(
        "<form class=\"cancel\" method=\"post\" action=\"/runs/019a5b00-0000-7000-8000-000000000001/cancel\">"
    ));
    let (rows, footer) = rest.split_once("</pre>").unwrap();
    let expected = "<span class=part><span class=block><span id=L1>one\n</span><span id=L2>&lt;two>\n</span>\
        <span id=L3><span class=\"stderr\">a \"warning\"</span>\n</span>\
        <span id=L4><span class=\"system\">2 lines</span>\n</span>\
        <!-- --><span class=notice data-text=\"no output for 30 s\"></span><wbr>\
        <span id=L5><span class=was>name? Bob</span>\n</span></span></span>";
    assert_eq!(rows, expected);
    assert!(
        footer.starts_with(r#"<footer id="end" class="failed" data-exit-code="3">finished: exit code 3 after 3.2 s"#),
        "{footer}"
    );
    assert!(footer.ends_with("</footer></body></html>"));
}

#[test]
fn links_stay_below_the_path_where_joblines_is_mounted() {
    let html = rendered(Format::Html, Options { base_path: "/joblines".to_owned(), ..Options::default() });
    for attribute in ["href=\"", "action=\""] {
        for link in html.split(attribute).skip(1) {
            assert!(link.starts_with("/joblines/"), "{}", &link[..30]);
        }
    }
}

#[test]
fn many_bytes_are_shared_and_stay_in_order() {
    let mut out = Frames::default();
    let many = Bytes::from(vec![b'm'; 5000]);
    out.buffer().extend_from_slice(b"a");
    out.share(&many);
    out.share(&Bytes::from_static(b"z"));
    let taken: Vec<_> = out.take().collect();
    assert_eq!(taken.concat(), [&b"a"[..], &many[..], &b"z"[..]].concat());
    assert_eq!(taken[1].as_ptr(), many.as_ptr());
    assert!(out.take().as_slice().is_empty());
}

#[test]
fn streams_say_what_they_are() {
    assert_eq!(Format::Html.content_type(), "text/html; charset=utf-8");
    assert_eq!(Format::Text.content_type(), "text/plain; charset=utf-8");
    assert_eq!(Format::Ndjson.content_type(), "application/x-ndjson");
    assert_eq!(Format::Sse.content_type(), "text/event-stream");
}

#[test]
fn an_event_id_is_read_as_it_is_written() {
    let run: RunId = RUN.parse().unwrap();
    for reached in [Reached::Line(0), Reached::Line(17), Reached::End] {
        let id = EventId { run, reached };
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    for wrong in ["", "17", RUN, "x/1", &format!("{RUN}/-1"), &format!("{RUN}/")] {
        assert_eq!(wrong.parse::<EventId>(), Err(()), "{wrong}");
    }
}

#[test]
fn a_number_counts_up_in_place() {
    let mut counted = Counted::new(b"<", 8, &[b">", b"!"]);
    for expected in ["<8>!", "<9>!", "<10>!", "<11>!"] {
        assert_eq!(counted.bytes(), expected.as_bytes());
        counted.advance();
    }
    let mut counted = Counted::new(b"", 99_999, &[]);
    counted.advance();
    assert_eq!(counted.bytes(), b"100000");
}

#[test]
fn times_have_six_digits_whatever_they_are() {
    assert_eq!(stamp("2026-11-02T12:00:00.123456789Z".parse().unwrap()), "2026-11-02T12:00:00.123456Z");
    assert_eq!(stamp(jiff::Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
}

#[test]
fn a_special_byte_is_found_wherever_it_stands() {
    for length in [1, 63, 64, 65, 200] {
        for at in 0..length {
            let mut bytes = vec![b'a'; length];
            assert!(none(&bytes, |byte| byte == b'<'));
            bytes[at] = b'<';
            assert!(!none(&bytes, |byte| byte == b'<'));
        }
    }
}

#[test]
fn a_run_that_waits_says_where_it_stands_and_that_it_waits_no_longer() {
    let told = |format| {
        let mut view = View::new(format, Options::default());
        let mut out = Frames::default();
        view.start(&start(), 1, &mut out);
        drop(out.take());
        view.queued(1200, 1201, &mut out);
        view.queued(1, 3, &mut out);
        view.queued(0, 3, &mut out);
        view.begun(&mut out);
        view.chunk(&chunk(1, Stream::Stdout, b"one\n"), &mut out);
        taken(&mut out)
    };
    let html = "<span class=notice data-text=\"waiting for its turn: 1,200 runs ahead\"></span><wbr>\
                <span class=notice data-text=\"waiting for its turn: 1 run ahead\"></span><wbr>\
                <span class=notice data-text=\"waiting for its turn: it is the next\"></span><wbr>\
                <span class=part><span class=block>";
    assert!(told(Format::Html).starts_with(html), "{}", told(Format::Html));
    assert_eq!(told(Format::Text), "one\n");
    let queue = [
        format!(r#"{{"type":"queue","run":"{RUN}","state":"queued","ahead":1200,"waiting":1201}}"#),
        format!(r#"{{"type":"queue","run":"{RUN}","state":"queued","ahead":1,"waiting":3}}"#),
        format!(r#"{{"type":"queue","run":"{RUN}","state":"queued","ahead":0,"waiting":3}}"#),
        format!(r#"{{"type":"queue","run":"{RUN}","state":"running"}}"#),
    ];
    assert!(told(Format::Ndjson).starts_with(&(queue.join("\n") + "\n{\"type\":\"line\"")));
    let events = queue.map(|object| format!("event: queue\ndata: {object}\n\n")).concat();
    assert!(told(Format::Sse).starts_with(&(events + "event: line\n")), "{}", told(Format::Sse));
}

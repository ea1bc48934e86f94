//! The same run in every format.

use serde_json::Value;

use crate::harness::{Server, html};
use crate::run;
use crate::sse::events;

/// Prints bytes that are hard on formats; one pipe, so that their order is known.
const HARD: &str = r#"
[jobs.job]
command = '''
printf 'nul \000 end\n'
printf 'invalid \377\376 utf-8\n'
printf 'crlf\r\n'
printf '</pre><script>alert(1)</script>\n'
printf '&amp; <!-- -->\n'
printf '\n'
printf 'tab\there \342\202\254 \360\237\230\200\n'
printf 'bell \a escape \033[2J delete \177 c1 \302\205\n'
printf 'no newline'
'''
merge_stderr = true
"#;

const HARD_BYTES: &[u8] =
    b"nul \0 end\ninvalid \xff\xfe utf-8\ncrlf\r\n</pre><script>alert(1)</script>\n&amp; <!-- -->\n\n\
    tab\there \xe2\x82\xac \xf0\x9f\x98\x80\nbell \x07 escape \x1b[2J delete \x7f c1 \xc2\x85\nno newline";

#[test]
fn text_is_exactly_the_bytes() {
    let server = Server::start(HARD);
    let live = server.get("/jobs/job").expect(200);
    let run = live.run();
    assert_eq!(live.whole(), HARD_BYTES);
    assert_eq!(server.get(&format!("/runs/{run}")).whole(), HARD_BYTES);
}

#[test]
fn html_shows_every_line_and_lets_none_of_them_become_markup() {
    let server = Server::start(HARD);
    let live = server.visit("/jobs/job").expect(200).text();
    let replayed = server.visit("/jobs/job/last").expect(200).text();
    for page in [live, replayed] {
        html::assert_whole(&page);
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(!page.contains(['\0', '\u{1b}', '\u{7}', '\u{7f}', '\u{85}', '\r']), "no control characters");
        let text = html::text_of(&page, "lines");
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines[0], "nul \u{2400} end");
        assert!(lines[1].starts_with("invalid \u{fffd}") && lines[1].ends_with(" utf-8"), "{:?}", lines[1]);
        assert_eq!(lines[2..7], ["crlf", "</pre><script>alert(1)</script>", "&amp; <!-- -->", "", "tab\there € 😀"]);
        assert!(
            lines[7].starts_with("bell \u{2407} escape ") && lines[7].contains(" delete \u{2421} c1 "),
            "{:?}",
            lines[7]
        );
        assert_eq!(lines[8..], ["no newline"]);
    }
}

#[test]
fn ndjson_keeps_the_bytes_of_every_line() {
    let server = Server::start(HARD);
    let objects = server.ndjson("/jobs/job");
    assert_lines(objects.iter().filter(|object| object["type"] == "line"));
}

#[test]
fn sse_has_the_same_objects_as_ndjson() {
    let server = Server::start(HARD);
    let run = run(&server);
    let objects = server.ndjson(&run);
    let events = events(&server.get(&format!("{run}?format=sse")).text());
    let datas: Vec<Value> = events.iter().map(|event| event.data.clone()).collect();
    assert_eq!(datas, objects);
    assert!(events.iter().all(|event| event.data["type"] == event.name.as_str()));
}

/// Checks that these are the lines of [`HARD_BYTES`], whether in one piece or in several.
fn assert_lines<'a>(lines: impl Iterator<Item = &'a Value>) {
    use base64::Engine as _;
    let mut bytes: Vec<Vec<u8>> = Vec::new();
    for line in lines {
        let piece = match line["base64"].as_str() {
            Some(encoded) => base64::engine::general_purpose::STANDARD.decode(encoded).unwrap(),
            None => line["text"].as_str().unwrap().as_bytes().to_vec(),
        };
        let seq = usize::try_from(line["seq"].as_u64().unwrap()).unwrap();
        bytes.resize(bytes.len().max(seq), Vec::new());
        bytes[seq - 1].extend(piece);
    }
    let wanted: Vec<&[u8]> = HARD_BYTES.split(|byte| *byte == b'\n').collect();
    assert_eq!(bytes, wanted);
}

#[test]
fn every_format_tells_the_same_end() {
    let server = Server::with_job("echo out; exit 3");
    let run = run(&server);
    let record = server.json(&run);
    let end = server.ndjson(&run).pop().unwrap();
    for field in ["state", "exit_code", "signal", "duration_ms", "lines", "bytes"] {
        assert_eq!(end[field], record[field], "{field}");
    }
    let page = server.visit(&run).text();
    assert_eq!(html::attribute_of(&page, "end", "class").as_deref(), Some("failed"));
    assert_eq!(html::attribute_of(&page, "end", "data-exit-code").as_deref(), Some("3"));
    let footer = html::text_of(&page, "end");
    assert!(footer.trim().starts_with("finished") && footer.contains("exit code 3"), "{footer}");
}

//! `q`, `level`, `logger` and the like: which lines a stream shows; the same in every format.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Gate, Response, Server, html};

/// Lines of every kind: plain, in colours, with a carriage return, not UTF-8, without an end; levels, a traceback.
const KINDS: &str = r#"
printf 'plain one\n'
printf 'INFO:app:begun\n'
printf '\033[31mERROR\033[0m:app.db:in colours\n'
printf 'Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: 1\n'
printf 'WARNING:other:with a return\r\n'
printf 'bytes \377\376 one\n'
read _ < gate
printf 'DEBUG:app:late one\n'
printf 'no end one'
"#;

/// The lines of [`KINDS`] that each filter takes.
const FILTERS: [(&str, &[u64]); 10] = [
    ("q=one", &[1, 8, 9, 10]),
    ("q=one%24", &[1, 8, 9, 10]),
    ("q=return%24", &[7]),
    ("q=%5EERROR%3Aapp", &[3]),
    ("q=(?i)INFO|KEY", &[2, 6]),
    ("level=error", &[3, 4, 5, 6]),
    ("level=warning", &[3, 4, 5, 6, 7]),
    ("level=..debug&q=e", &[1, 8, 9, 10]),
    ("logger=app&level=debug", &[2, 3, 4, 5, 6, 9]),
    ("logger=app.db&q=1%24", &[5, 6]),
];

/// A server, and a run of [`KINDS`] that waits, or that has ended.
fn kinds(is_live: bool) -> (Server, Gate, String) {
    let job = format!("[jobs.job]\ncommand = '''{KINDS}'''\nmerge_stderr = true\n");
    let server = Server::start(&job);
    let gate = server.gate("gate");
    let mut starter = server.get("/jobs/job");
    let run = format!("/runs/{}", starter.run());
    starter.until("bytes ");
    if !is_live {
        gate.pass();
        starter.rest();
    }
    (server, gate, run)
}

pub(crate) fn seqs(objects: &[Value]) -> Vec<u64> {
    let mut seqs: Vec<u64> = objects.iter().filter_map(|object| object["seq"].as_u64()).collect();
    seqs.dedup();
    seqs
}

/// The objects of events of a text/event-stream, with their ids.
pub(crate) fn events(stream: &str) -> Vec<(Option<String>, Value)> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map(str::to_owned)
    };
    let event = |block| Some((field(block, "id"), serde_json::from_str(&field(block, "data")?).unwrap()));
    stream.split("\n\n").filter_map(event).collect()
}

/// The lines that a page has rows for.
fn rows(page: &str) -> Vec<u64> {
    let starts = page.split("<span id=L").skip(1);
    starts.map(|rest| rest.split('>').next().unwrap().parse().unwrap()).collect()
}

fn check_formats(query: &str, lines: &[u64], get: impl Fn(&str) -> Vec<u8>) {
    let whole = get("format=text");
    let text = get(&format!("format=text&{query}"));
    let all: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let wanted: Vec<u8> = lines.iter().flat_map(|line| all[*line as usize - 1].to_vec()).collect();
    assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&wanted), "text {query}");
    assert_eq!(text, wanted, "text {query}, byte for byte");

    let ndjson = get(&format!("format=ndjson&{query}"));
    let ndjson: Vec<Value> =
        String::from_utf8(ndjson).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seqs(&ndjson), lines, "ndjson {query}");

    let sse = events(&String::from_utf8(get(&format!("format=sse&{query}"))).unwrap());
    let objects: Vec<Value> = sse.iter().map(|(_, object)| object.clone()).collect();
    assert_eq!(objects[1..], ndjson[1..], "sse {query}");
    for (id, object) in &sse {
        if let (Some(seq), None) = (object["seq"].as_u64(), object.get("partial")) {
            assert!(id.as_ref().unwrap().ends_with(&format!("/{seq}")), "{id:?} {object}");
        }
    }

    let page = String::from_utf8(get(&format!("format=html&{query}"))).unwrap();
    html::assert_whole(&page);
    assert_eq!(rows(&page), lines, "html {query}");
}

#[test]
fn every_filter_takes_the_same_lines_in_every_format_of_an_ended_run() {
    let (server, _, run) = kinds(false);
    for (query, lines) in FILTERS {
        check_formats(query, lines, |query| server.get(&format!("{run}?{query}")).whole());
    }
    let page = server.visit(&format!("{run}?q=one")).text();
    assert!(html::text_of(&page, "end").contains("4 of 10 lines shown"), "{}", html::text_of(&page, "end"));
}

#[test]
fn every_filter_takes_the_same_lines_in_every_format_of_a_run_that_goes_on() {
    let (server, gate, run) = kinds(true);
    for (query, lines) in FILTERS {
        let lines: Vec<u64> = lines.iter().copied().filter(|line| *line <= 8).collect();
        check_formats(query, &lines, |query| server.get(&format!("{run}?{query}&follow=0")).whole());
    }
    let mut text = server.get(&format!("{run}?q=one"));
    let mut page = server.visit(&format!("{run}?q=one"));
    assert_eq!(text.line(), "plain one");
    page.until("plain one");
    gate.pass();
    assert!(text.text().ends_with("DEBUG:app:late one\nno end one"));
    let rest = page.text();
    assert_eq!(rows(&rest), [8, 9, 10], "{rest}");
    assert!(html::shows(&rest, "4 of 10 lines shown"), "{rest}");
}

#[test]
fn filters_apply_where_a_run_starts_and_to_the_last_one() {
    let server = Server::with_job("seq 1 30");
    assert_eq!(server.get("/jobs/job?q=7").text(), "7\n17\n27\n");
    assert_eq!(server.get("/jobs/job?q=7&rate=1000000").text(), "7\n17\n27\n");
    assert_eq!(server.get("/jobs/job/last?q=%5E2&tail=2").text(), "28\n29\n");
    assert_eq!(server.get("/jobs/job/last?q=%5E2&from=22&tail=3&time=1").text().lines().count(), 3);
    assert_eq!(server.get("/jobs/job?wait&q=30").expect(200).text(), "30\n");
    assert_eq!(server.get("/jobs/job?level=info").text(), "");
    assert_eq!(server.runs("job").len(), 4);
}

#[test]
fn a_prompt_is_shown_when_its_line_is_whole_and_only_if_it_matches() {
    let server = Server::with_job("printf 'name? '; echo name of stderr >&2; read _ < gate; echo Bob; printf 'age? '");
    let gate = server.gate("gate");
    let mut prompts = server.get("/jobs/job?format=ndjson&q=%5Ename%5C%3F");
    let run = prompts.run();
    let mut unfiltered = server.get(&format!("/runs/{run}"));
    unfiltered.until("name of stderr");
    gate.pass();
    prompts.line();
    let pieces: Vec<Value> = prompts.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<&str> = pieces.iter().filter_map(|piece| piece["text"].as_str()).collect();
    assert_eq!(texts.concat(), "name? Bob");
    assert!(pieces.iter().filter(|piece| piece["text"].is_string()).all(|piece| piece["seq"] == pieces[0]["seq"]));
    assert_eq!(server.get(&format!("/runs/{run}?q=age")).text(), "age? ");
    assert_eq!(server.get(&format!("/runs/{run}?q=Bob")).text(), "name? Bob\n");
}

#[test]
fn a_long_line_goes_the_way_of_its_beginning() {
    let server = Server::with_job("printf needle; head -c 300000 /dev/zero | tr '\\0' x; echo; echo next");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    assert_eq!(server.get(&format!("{run}?q=needle")).text().len(), 300_007);
    assert_eq!(server.get(&format!("{run}?q=next")).text(), "next\n");
    assert_eq!(server.get(&format!("{run}?q=none")).text(), "");
}

#[test]
fn a_million_lines_are_those_that_grep_finds() {
    let server = Server::with_job("seq 1 1000000");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    for pattern in ["99", "^1.*0$", "(12|34)5+", "^[0-9]{6}$", "nothing"] {
        let mut seq = Command::new("seq").args(["1", "1000000"]).stdout(Stdio::piped()).spawn().unwrap();
        let grep = Command::new("grep").args(["-E", pattern]).stdin(seq.stdout.take().unwrap()).output().unwrap();
        seq.wait().unwrap();
        let encoded: String = pattern.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = server.get(&format!("{run}?q={encoded}")).whole();
        assert!(found == grep.stdout, "{pattern}: {} bytes, not {}", found.len(), grep.stdout.len());
        let found = String::from_utf8(found).unwrap();
        let last: Vec<&str> = found.lines().rev().take(5).collect();
        let tail = server.get(&format!("{run}?q={encoded}&tail=5")).text();
        assert_eq!(tail.lines().rev().collect::<Vec<_>>(), last, "{pattern}");
    }
}

#[test]
fn a_live_page_counts_the_lines_that_it_shows() {
    let server = Server::with_job("seq 1 400000");
    let page = server.visit("/jobs/job?q=000%24").expect(200).text();
    html::assert_whole(&page);
    assert_eq!(rows(&page), (1..=400).map(|n| n * 1000).collect::<Vec<u64>>());
    let page = server.visit("/jobs/job?q=%5B0-8%5D%24").expect(200).text();
    html::assert_whole(&page);
    let rows = rows(&page);
    assert!(rows.is_sorted() && rows.iter().all(|row| row % 10 != 9));
    assert_eq!(rows.last(), Some(&400_000));
    // after the first 100,000 there may be a gap, behind which the last 1,000 are
    assert!(rows.len() == 360_000 || page.contains("?q=%5B0-8%5D%24&amp;all#L"), "{} rows", rows.len());
    assert!(rows.len() >= 101_000, "{} rows", rows.len());
}

#[test]
fn the_page_of_a_long_run_has_the_last_lines_that_match_and_links_to_all() {
    let server = Server::with_job("seq 1 60000");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    let page = server.visit(&format!("{run}?q=%5B05%5D%24")).text();
    html::assert_whole(&page);
    assert_eq!(rows(&page), (7001..=12_000).map(|n| n * 5).collect::<Vec<u64>>());
    assert!(html::shows(&page, "Of the lines that match, at most the last 5,000 are on this page"), "{page:.3000}");
    assert!(page.contains("?q=%5B05%5D%24&amp;all\""), "{}", &page[..3000]);
    let all = server.visit(&format!("{run}?q=%5B05%5D%24&all")).text();
    assert_eq!(rows(&all).len(), 12_000);
}

#[test]
fn the_form_of_a_page_asks_for_what_it_shows_and_is_filled_in() {
    let server = Server::with_job("echo INFO a; echo ERROR '<b>'");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    let page = server.visit(&run).text();
    assert!(page.contains(&format!("method=\"get\" action=\"{run}\"")));
    for name in ["q", "level", "logger", "stream"] {
        assert!(page.contains(&format!("name=\"{name}\"")), "{name}");
    }
    assert!(!page.contains("<details class=\"filters\" open>") && !page.contains("download these"));
    // what a form sends that was not filled in
    assert_eq!(rows(&server.visit(&format!("{run}?q=&level=&logger=&stream=")).text()), [1, 2]);
    let page = server.visit(&format!("{run}?q=%22%3Cb%3E%22%3F&level=error&logger=&stream=stdout")).text();
    html::assert_whole(&page);
    assert!(page.contains("<details class=\"filters\" open>"));
    assert!(page.contains("value=\"&#34;&#60;b&#62;&#34;?\""), "{page}");
    assert!(page.contains("<option selected>error</option>") && page.contains("<option selected>stdout</option>"));
    let download =
        page.split("href=\"").find(|link| link.contains("download") && link.contains("level=error")).unwrap();
    let download = download.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let saved = server.get(&download).expect(200);
    assert!(saved.header("content-disposition").unwrap().starts_with("attachment"));
    assert!(server.get(&format!("{run}?q=%3Cb%3E&download")).text() == "ERROR <b>\n");
}

#[test]
fn a_filter_that_finds_nothing_for_long_holds_nobody_up() {
    let server = Server::start("[jobs.long]\ncommand = \"seq 1 4000000\"\n[jobs.quick]\ncommand = \"echo here\"\n");
    let run = format!("/runs/{}", server.get("/jobs/long?wait").run());
    let searches: Vec<Response> = (0..8).map(|_| server.get(&format!("{run}?q=%5Enothing+.*of+this%24"))).collect();
    assert_eq!(server.get("/jobs/quick").text(), "here\n");
    for search in searches {
        assert_eq!(search.text(), "");
    }
}

#[test]
fn what_cannot_be_meant_is_400_with_name_value_and_what_is_allowed() {
    let server = Server::with_job("echo one");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    for (query, told) in [
        ("q=a(b", ["`q`", "`a(b`", "unclosed group"]),
        ("q=%5Cw{999}{999}", ["`q`", "`\\w{999}{999}`", "too large"]),
        ("q=(%3F%3Da)b", ["`q`", "(?=a)b", "look-around"]),
        ("level=loud", ["`level`", "`loud`", "warning"]),
        ("level=error..info", ["`level`", "error..info", "debug..info"]),
        ("level=warning,", ["`level`", "`warning,`", "warning,error"]),
        ("field=%3D42", ["`field`", "`=42`", "run=42"]),
        ("since=yesterday", ["`since`", "`yesterday`", "15m"]),
        ("until=2026-11-21", ["`until`", "`2026-11-21`", "2026-11-21T12:00:00Z"]),
        ("since=1m&until=2m", ["`since`", "`1m`", "before `until`"]),
        ("rate=-1", ["`rate`", "`-1`", "or 0 for none"]),
        ("rate=1000001", ["`rate`", "`1000001`", "from 1 to 1000000"]),
        ("rate=fast", ["`rate`", "`fast`", "whole number"]),
        ("stream=stdin", ["`stream`", "`stdin`", "stdout"]),
        ("levels=info", ["`levels`", "no parameter", "level"]),
    ] {
        for path in [&run, "/jobs/job/last", "/jobs/job"] {
            let response = server.get(&format!("{path}?{query}"));
            assert_eq!(response.status, 400, "{path}?{query}");
            let text = response.text();
            assert!(told.iter().all(|word| text.contains(word)) && text.lines().count() == 1, "{query}: {text}");
        }
    }
    assert_eq!(server.runs("job").len(), 1, "what is refused starts nothing");
}

#[test]
fn a_jobs_lines_are_found_by_their_fields() {
    const COMMAND: &str = r#"
echo '{"run":42,"level":"error","msg":"failed"}'
echo '  with more'
echo 'level=info run=42 user="anna lee"' >&2
echo '{"run":43}'
echo 'Traceback (most recent call last):'
echo '  File "a.py"'
echo 'KeyError: 1'
echo '{"in":{"run":42}}'
"#;
    let server = Server::with(&format!("[jobs.job]\ncommand = '''{COMMAND}'''\nmerge_stderr = true\n")).start();
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    let lines: Vec<String> = server.get(&run).text().lines().map(str::to_owned).collect();
    for (query, expected) in [
        ("field=run=42", &[1, 2, 3][..]),
        ("field=run", &[1, 2, 3, 4, 5, 6, 7]),
        ("field=run=43&q=%5E%20", &[6]),
        ("field=user=anna%20lee", &[3]),
        ("field=user=%22anna%20lee%22", &[]),
        ("field=run=42&level=error", &[1, 2]),
        ("field=run=42&tail=1", &[3]),
        ("field=run=42&from=2", &[2, 3]),
        ("field=in=%7B%22run%22:42%7D", &[8]),
        ("level=error,info", &[1, 2, 3]),
        ("level=info,info", &[3]),
    ] {
        let text: String = expected.iter().map(|line: &usize| format!("{}\n", lines[line - 1])).collect();
        assert_eq!(server.get(&format!("{run}?{query}")).text(), text, "{query}");
        let seqs: Vec<u64> =
            server.ndjson(&format!("{run}?{query}")).iter().filter_map(|object| object["seq"].as_u64()).collect();
        assert_eq!(seqs, expected.iter().map(|line| *line as u64).collect::<Vec<_>>(), "{query}");
    }
    assert_eq!(server.get("/jobs/job?field=run=43").text().lines().count(), 4, "while it runs, too");
    let page = server.visit(&format!("{run}?field=run=42&since=1h")).text();
    html::assert_whole(&page);
    assert!(page.contains("name=\"field\" value=\"run=42\"") && page.contains("name=\"since\" value=\"1h\""), "{page}");
    assert!(page.contains("id=L3>") && !page.contains("id=L4>"), "{page}");
}

#[test]
fn a_runs_lines_are_found_by_when_they_came() {
    let server = Server::with_job("echo one; read _ < gate; echo two");
    let gate = server.gate("gate");
    let mut seen = server.get("/jobs/job");
    assert_eq!(seen.line(), "one");
    gate.pass();
    let run = format!("/runs/{}", seen.run());
    assert_eq!(seen.text(), "two\n");
    let objects = server.ndjson(&run);
    let second = objects[2]["time"].as_str().unwrap();
    for (query, expected) in [
        (format!("since={second}"), "two\n"),
        (format!("until={second}"), "one\n"),
        (format!("until={second}&q=."), "one\n"),
        (format!("since={second}&q=."), "two\n"),
        ("since=1d&tail=1".to_owned(), "two\n"),
        (format!("until={second}&tail=1"), "one\n"),
        (format!("until={second}&tail=1&q=o"), "one\n"),
        ("until=1d".to_owned(), ""),
    ] {
        assert_eq!(server.get(&format!("{run}?{query}")).text(), expected, "{query}");
    }
    let page = server.visit(&format!("{run}?until={second}")).text();
    html::assert_whole(&page);
    assert!(page.contains("finished: exit code 0"), "whose end is known is told it: {page}");
    let end = server.ndjson(&format!("{run}?until={second}"));
    assert_eq!(end.last().unwrap()["type"], "end");
}

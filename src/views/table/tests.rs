//! Rows of lines and records: what stands in them, and what hostile senders cannot do.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::record::RunId;
use crate::views::{Filters, Format, View};

fn options() -> FeedOptions {
    FeedOptions { address: "/feeds/app".to_owned(), oldest: 1, ..FeedOptions::default() }
}

fn chunk(line: u64, stream: Stream, bytes: &[u8]) -> Chunk {
    let time = "2026-11-21T12:00:00.25Z".parse().unwrap();
    Chunk { line, time, stream, continues: false, open: !bytes.ends_with(b"\n"), bytes: Bytes::copy_from_slice(bytes) }
}

fn taken(out: &mut Frames) -> String {
    String::from_utf8(out.take().as_slice().concat()).unwrap()
}

/// The rows of these chunks, without the row of the day.
fn rows(options: FeedOptions, chunks: &[Chunk]) -> String {
    let mut table = Table::new(options);
    let mut out = Frames::default();
    chunks.iter().for_each(|chunk| table.chunk(chunk, &mut out));
    let rows = taken(&mut out);
    rows.strip_prefix("<tr class=day><td colspan=6>Saturday, 21 November 2026\n").unwrap_or(&rows).to_owned()
}

fn record(entry: &Entry<'_>) -> Chunk {
    let mut line = Vec::new();
    entry.write(&mut line);
    chunk(1, Stream::Record, &line)
}

/// The attribute values and tags of a page, without its texts.
fn markup(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()).collect()
}

#[test]
fn a_plain_line_is_a_row_with_what_it_says_of_itself() {
    let line = b"2026-11-21 13:00:00,1 - shop.cron - WARNING - prices are \x1b[31mlate\x1b[m <b>\n";
    assert_eq!(
        rows(options(), &[chunk(150, Stream::Stdout, line)]),
        "<tr id=L150 class=\"level-warning\"><td><a href=\"?from=50#L150\">150</a>\
         <td><time datetime=2026-11-21T12:00:00.250Z title=2026-11-21T12:00:00.250000Z>12:00:00.250</time>\
         <td id=e1>warning<span class=hop><a href=#e2 aria-label=\"next warning or error\">↓</a></span>\
         <td>shop.cron<td>2026-11-21 13:00:00,1 - shop.cron - WARNING - prices are <span class=\"f1\">late</span> &lt;b><td>\n"
    );
}

#[test]
fn a_traceback_has_the_level_of_its_record_and_is_no_other_problem() {
    let text =
        b"ERROR:root:failed\nTraceback (most recent call last):\n  File \"a.py\"\nKeyError: 1\nERROR:root:again\n";
    let html = rows(options(), &[chunk(1, Stream::Stdout, text)]);
    let classes: Vec<_> = markup(&html).into_iter().filter(|tag| tag.starts_with("tr ")).collect();
    let own = |line: u64| format!("tr id=L{line} class=\"level-error\"");
    assert_eq!(classes, [own(1), "tr id=L2 data-to=4 class=\"level-error goes-on\"".to_owned(), own(5)]);
    assert!(html.contains("<td id=e2>error<span class=hop><a href=#e1 ") && !html.contains("id=e3"), "{html}");
}

#[test]
fn lines_of_an_exception_that_come_together_are_folded_each_with_its_number() {
    let text = b"ERROR:root:failed\n  more of it\nTraceback (most recent call last):\n  File \"<a>.py\"\n\x1b[31mKeyError\x1b[m: 1\n";
    let html = rows(options(), &[chunk(1, Stream::Stdout, text)]);
    assert!(html.contains("<tr id=L2 class=\"level-error goes-on\"><td>2<td><td><td><td>  more of it<td>\n"), "{html}");
    let folded = "<tr id=L3 data-to=5 class=\"level-error goes-on\"><td>3<td><td><td><td>\
         <details class=exception><summary>KeyError: 1</summary><pre>Traceback (most recent call last):\n\
         <span id=L4>  File \"&lt;a>.py\"</span>\n\
         <span id=L5><span class=\"f1\">KeyError</span>: 1</span>\n</pre></details><td>\n";
    assert!(html.contains(folded), "{html}");
    // what comes later goes on with it, and one line alone is no fold
    let pieces: [&[u8]; 3] =
        [b"ERROR:root:failed\nTraceback (most recent call last):\n", b"  File\n", b"KeyError: 1\nnext\n"];
    let chunks: Vec<Chunk> =
        pieces.iter().zip([1, 3, 4]).map(|(piece, line)| chunk(line, Stream::Stdout, piece)).collect();
    let html = rows(options(), &chunks);
    let classes: Vec<_> = markup(&html).into_iter().filter(|tag| tag.starts_with("tr ")).collect();
    let row = |line: u64, class: &str| format!("tr id=L{line} class=\"level-{class}\"");
    let going = |line: u64| row(line, "error goes-on");
    assert_eq!(classes, [row(1, "error"), going(2), going(3), going(4), row(5, "none")]);
}

fn merged<'a>(feed: &'a str, goes_on: bool, text: &'a str) -> Entry<'a> {
    Entry { feed: Some(feed.into()), goes_on, level: Some(Level::ERROR), text: text.into(), ..Entry::default() }
}

fn written(entries: &[Entry<'_>]) -> Chunk {
    let mut lines = Vec::new();
    entries.iter().for_each(|entry| entry.write(&mut lines));
    chunk(1, Stream::Record, &lines)
}

#[test]
fn what_goes_on_with_a_merged_record_says_nothing_twice_unless_another_stands_between() {
    let chunk = written(&[
        merged("a", false, "failed"),
        merged("a", true, "Traceback"),
        merged("b", false, "other"),
        merged("a", true, "KeyError"),
    ]);
    let html = rows(options(), &[chunk]);
    let classes: Vec<_> = markup(&html).into_iter().filter(|tag| tag.starts_with("tr ")).collect();
    let class = |line: u64, more: &str| format!("tr id=L{line} class=\"level-error{more}\"");
    assert_eq!(classes, [class(1, ""), class(2, " goes-on"), class(3, ""), class(4, "")]);
    assert!(html.contains("<tr id=L2 class=\"level-error goes-on\"><td>2<td><td><td><td>Traceback<td>\n"), "{html}");
    let last = &html[html.find("id=L4 ").unwrap()..];
    assert!(last.contains("<td>error<td><td>KeyError<td><a class=source href=\"/feeds/a\">a</a>"), "{last}");
    assert!(html.contains("id=e2") && !html.contains("id=e3"), "{html}");
}

#[test]
fn a_line_of_one_of_several_files_has_its_name_and_goes_on_with_its_own_alone() {
    let of_file =
        |file: &'static str, goes_on| Entry { feed: None, file: Some(file.into()), ..merged("", goes_on, "x") };
    let html = rows(
        options(),
        &[written(&[of_file("log/a.log", false), of_file("log/a.log", true), of_file("log/b.log", true)])],
    );
    let classes: Vec<_> = markup(&html).into_iter().filter(|tag| tag.starts_with("tr ")).collect();
    let class = |line: u64, more: &str| format!("tr id=L{line} class=\"level-error{more}\"");
    assert_eq!(classes, [class(1, ""), class(2, " goes-on"), class(3, "")]);
    assert!(html.contains("<summary>a.log</summary>") && html.contains("<summary>b.log</summary>"), "{html}");
    assert!(html.contains("<dt>file<dd><a href=\"?field=file%3Dlog%2Fa.log\">log/a.log</a>"), "{html}");
}

#[test]
fn where_the_newest_comes_first_a_record_is_read_downwards_all_the_same() {
    let mut table = Table::new(FeedOptions { newest: true, ..options() });
    let mut out = Frames::default();
    table.chunk(&written(&[merged("a", false, "one"), merged("a", true, "more")]), &mut out);
    let plain = b"ERROR:a:three\nTraceback (most\n  File\nKeyError: 1\nlast\n";
    table.chunk(&chunk(3, Stream::Stdout, plain), &mut out);
    table.pause(&mut out);
    let html = taken(&mut out);
    let order: Vec<_> = html.split("<tr id=L").skip(1).map(|row| &row[..1]).collect();
    assert_eq!(order, ["7", "3", "4", "1", "2"], "5 and 6 are in the row of 4");
    assert!(html.contains("the newest 7 lines"), "{html}");
}

#[test]
fn joblines_own_lines_are_told_from_all_others() {
    let html =
        rows(options(), &[chunk(1, Stream::System, b"12 lines skipped (1 to 12): they are not kept any more\n")]);
    assert!(html.contains("class=\"joblines\"") && html.contains("<td>joblines<td><td>12 lines skipped"), "{html}");
    assert!(!html.contains("id=e1"));
}

#[test]
fn a_record_is_one_row_with_its_traceback_and_its_origin_folded() {
    let entry = Entry {
        level: Some(Level::new(33)),
        level_name: Some("Level 33".into()),
        logger: Some("shop.basket".into()),
        text: "two\nlines".into(),
        time: Some(1_795_262_399_999_999),
        feed: Some("python".into()),
        file: Some("/srv/shop/basket.py".into()),
        line: Some(118),
        func: Some("add".into()),
        host: Some("10.0.0.7".into()),
        pid: Some(42),
        exception: Some("Traceback (most recent call last):\n  File \"x\"\nKeyError: '<b>'\n".into()),
        extra: vec![("user".into(), "\"A & B\"".into()), ("n".into(), "7".into())],
        ..Entry::default()
    };
    let html = rows(FeedOptions { base_path: "/base".to_owned(), ..options() }, &[record(&entry)]);
    assert_eq!(html.matches("<tr").count(), 1);
    for part in [
        "class=\"level-warning\"",
        // sent on another day than it came
        "<time datetime=2026-11-21T11:59:59.999Z title=2026-11-21T11:59:59.999999Z>11:59:59.999</time>",
        "<td id=e1>Level 33",
        "<td>shop.basket<td>two\nlines<details class=exception><summary>KeyError: '&lt;b>'</summary><pre>Traceback",
        "<details class=extra><summary>user=A &amp; B n=7</summary><dl><div><dt>user<dd><a href=\"?field=user%3DA%20%26%20B\">A &amp; B</a></div><div><dt>n<dd><a href=\"?field=n%3D7\">7</a></div>",
        "<td><a class=source href=\"/base/feeds/python\">python</a> <details class=origin><summary>basket.py:118 add</summary>",
        "<dt>file<dd>/srv/shop/basket.py:118</div>",
        "<dt>function<dd><a href=\"?field=func%3Dadd\">add</a></div>",
        "<dt>pid<dd><a href=\"?field=pid%3D42\">42</a></div>",
        "<dt>sent<dd>2026-11-21T11:59:59.999999Z</div><div><dt>received<dd>2026-11-21T12:00:00.250000Z</div>",
    ] {
        assert!(html.contains(part), "no {part} in {html}");
    }
}

#[test]
fn only_what_can_be_asked_for_leads_to_the_lines_that_have_it() {
    let long = format!("\"{}\"", "x".repeat(300));
    let extra = |name: &'static str, value: &'static str| (Cow::Borrowed(name), Cow::Borrowed(value));
    let mut entry = Entry {
        pid: Some(7),
        extra: vec![
            extra("pid", "8"),
            extra("a=b", "1"),
            extra("", "2"),
            extra("empty", "\"\""),
            extra("nul", "\"\\u0000\""),
            extra("list", "[1,2]"),
        ],
        ..Entry::default()
    };
    entry.extra.push(("long".into(), long.as_str().into()));
    let html = rows(options(), &[record(&entry)]);
    let links: Vec<_> = html.split("href=\"?field=").skip(1).map(|link| link.split('"').next().unwrap()).collect();
    assert_eq!(links, ["pid%3D8", "list%3D%5B1%2C2%5D"], "{html}");
}

#[test]
fn a_record_of_another_day_says_which() {
    let html = rows(options(), &[record(&Entry { time: Some(0), ..Entry::default() })]);
    assert!(html.contains(">1970-01-01 00:00:00.000</time>"), "{html}");
}

#[test]
fn a_line_in_pieces_is_a_row_once_it_is_whole() {
    let mut table = Table::new(options());
    let mut out = Frames::default();
    table.chunk(&chunk(1, Stream::Stdout, b"ERR"), &mut out);
    table.chunk(&chunk(2, Stream::System, b"between\n"), &mut out);
    assert!(!taken(&mut out).contains("id=L1 "));
    table.chunk(&Chunk { continues: true, ..chunk(1, Stream::Stdout, b"OR:a:b\n") }, &mut out);
    assert!(taken(&mut out).contains("<tr id=L1 class=\"level-error\">"));
}

#[test]
fn the_newest_row_comes_first_and_leads_down_to_the_one_before() {
    let mut view = View::of_feed(Format::Html, FeedOptions { newest: true, lines: 3, ..options() });
    let mut out = Frames::default();
    let started = "2026-11-20T12:00:00Z".parse().unwrap();
    let start = FeedStart { feed: "app".to_owned(), path: None, journal: RunId::new(), started };
    view.start_feed(&start, 2, &mut out);
    let head = taken(&mut out);
    assert!(head.ends_with("<tbody>\n") && head.contains("newest first"), "{head}");
    let day = Duration::from_secs(86_400);
    let old = chunk(2, Stream::Stdout, b"ERROR:a:one\nERROR:a:two\n");
    view.chunk(&Chunk { time: old.time - day, ..old }, &mut out);
    view.chunk(&chunk(4, Stream::Stdout, b"ERROR:a:three\n"), &mut out);
    assert_eq!(taken(&mut out), "");
    view.pause(&mut out);
    let html = taken(&mut out);
    let order: Vec<usize> =
        ["21 November", "id=L4 ", "20 November", "id=L3 ", "id=L2 ", "</table>", "the newest 3 lines"]
            .map(|part| html.find(part).unwrap_or_else(|| panic!("no {part} in {html}")))
            .into();
    assert!(order.is_sorted(), "{html}");
    let hops = "<td id=e2>error<span class=hop><a href=#e3 aria-label=\"next warning or error\">↑</a>\
                <a href=#e1 aria-label=\"previous warning or error\">↓</a></span>";
    assert!(html.contains(hops) && html.contains("href=\"/feeds/app?from=1#L2\">older lines"), "{html}");
}

#[test]
fn rows_that_wait_take_a_bounded_room() {
    let mut held = Held::default();
    let day = When::new(Timestamp::UNIX_EPOCH).day;
    let row = |line, bytes: usize| HeldRecord { line, rows: 1, day, html: BytesMut::from(&vec![b'x'; bytes][..]) };
    for line in 0..100 {
        held.push(row(line, 1 << 20), line % 3 > 0);
    }
    assert!(
        held.bytes <= Held::BYTES && held.records.iter().map(|record| record.html.len()).sum::<usize>() == held.bytes
    );
    assert!(held.records.back().is_some_and(|record| record.line == 99 && record.rows == 1), "it begins a record");
    held.push(row(100, 2 * Held::BYTES), false);
    assert_eq!(held.records.len(), 1);
}

#[test]
fn a_full_page_leads_on_with_its_filters_and_its_rate() {
    let filters = Filters { q: "a".to_owned(), query: "q=a".to_owned(), ..Filters::default() };
    let mut table = Table::new(FeedOptions { filters, rate: Some(10), ..options() });
    let mut out = Frames::default();
    table.full(5001, &mut out);
    let html = taken(&mut out);
    assert!(html.contains("href=\"/feeds/app?q=a&#38;rate=10&#38;from=5001\">go on</a>"), "{html}");
    assert!(html.ends_with("</footer></body></html>\n"), "{html}");
}

#[test]
fn a_histogram_is_a_picture_and_a_sentence() {
    let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let bar = |minute: i64, lines| Bar { start: start + Duration::from_secs(minute as u64 * 60), first_line: 1, lines };
    let bars = vec![bar(0, [1, 0, 999, 0]), bar(1, [0; 4]), bar(2, [0, 10, 0, 490])];
    let histogram = Histogram { width: Duration::from_secs(60), bars, is_cut: true };
    let sentence = "Lines per minute, 12:00 to 12:02 UTC: the last 1,500 lines, 1 error, 10 warnings";
    assert_eq!(histogram.sentence(), sentence);
    assert_eq!(histogram.query(&histogram.bars[2]), "since=2026-11-21T12:02:00Z&until=2026-11-21T12:03:00Z");
    let svg = histogram.svg();
    assert!(svg.contains(sentence) && !svg.contains("style="), "{svg}");
    let rects: Vec<_> = markup(&svg).into_iter().filter(|tag| tag.starts_with("rect")).collect();
    assert_eq!(
        rects,
        [
            "rect class=\"level-error\" x=\"1\" y=\"93\" width=\"8\" height=\"7\"/",
            "rect class=\"level-info\" x=\"1\" y=\"0\" width=\"8\" height=\"93\"/",
            "rect class=\"level-warning\" x=\"21\" y=\"96\" width=\"8\" height=\"4\"/",
            "rect class=\"level-none\" x=\"21\" y=\"47\" width=\"8\" height=\"49\"/",
        ]
    );
}

/// What no row may hold: markup of a sender's, or a character that steers.
fn assert_harmless(html: &str, markup_without: &str) {
    let steers = |char: char| char.is_control() && !matches!(char, '\n' | '\t') || "\u{202e}\u{2066}".contains(char);
    assert!(!html.contains(steers), "{html:?}");
    let names =
        |html| markup(html).into_iter().map(|tag: &str| tag.split([' ', '=']).next().unwrap_or_default().to_owned());
    let allowed: Vec<String> = names(markup_without).chain(["span", "/span"].map(str::to_owned)).collect();
    for name in names(html) {
        assert!(allowed.contains(&name), "{name} in {html}");
    }
}

#[test]
fn every_byte_can_stand_in_a_row() {
    let bytes: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').chain(*b"\n").collect();
    assert_harmless(
        &rows(options(), &[chunk(1, Stream::Stdout, &bytes)]),
        &rows(options(), &[chunk(1, Stream::Stdout, b"x\n")]),
    );
}

fn hostile(text: &str) -> Entry<'_> {
    let some = || Some(text.into());
    let json = serde_json::to_string(text).unwrap();
    Entry {
        level: Some(Level::ERROR),
        level_name: some(),
        logger: some(),
        text: text.into(),
        feed: some(),
        file: some(),
        line: Some(1),
        func: some(),
        host: some(),
        user: some(),
        process: some(),
        thread: Some(crate::record::Thread::Text(text.into())),
        thread_name: some(),
        task: some(),
        exception: some(),
        stack: some(),
        extra: vec![(text.into(), json.into())],
        ..Entry::default()
    }
}

#[test]
fn a_hostile_sender_gets_text_and_no_markup() {
    let text = "</td></table><script>alert(1)</script>\" onclick='x' \u{202e}\u{1b}]0;t\u{7}\u{1b}[31mred\0&amp;";
    let html = rows(options(), &[record(&hostile(text))]);
    assert!(!html.contains("<script") && !html.contains("onclick='x' >"), "{html}");
    assert_harmless(&html, &rows(options(), &[record(&hostile("x"))]));
}

proptest! {
    #[test]
    fn no_text_of_a_record_becomes_markup(text in "(<|>|\"|'|&|/|a|=| |\n|\r|\u{1b}\\[31m|\u{1b}|\u{202e}|\\PC){0,24}") {
        assert_harmless(&rows(options(), &[record(&hostile(&text))]), &rows(options(), &[record(&hostile("x"))]));
    }

    #[test]
    fn any_bytes_are_rows_one_for_each_line(bytes in vec(any::<u8>(), 1..300), stream in 0..4_usize) {
        let mut bytes = bytes;
        bytes.push(b'\n');
        let html = rows(options(), &[chunk(1, Stream::ALL[stream], &bytes)]);
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(html.matches("<tr id=L").count(), lines);
        prop_assert!(html.matches("<td").count() == lines * 6, "each has six cells");
        assert_harmless(&html, "<tr><td><a><time></time></a><span></span>");
    }
}

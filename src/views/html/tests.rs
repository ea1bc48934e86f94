//! What html must never do: break its own nesting, lose text, let a control character through.

use proptest::prelude::*;

use super::*;
use crate::views::tests::{chunk, end, more, start, taken};
use crate::views::{Format, View};

const STDOUT: Stream = Stream::Stdout;

/// What a view makes of chunks, between `<pre id="lines">` and `</pre>`.
fn rows_of(options: Options, tell: impl FnOnce(&mut View, &mut Frames)) -> String {
    let mut view = View::new(Format::Html, options);
    let mut out = Frames::default();
    view.start(&start(), 1, &mut out);
    tell(&mut view, &mut out);
    view.end(&end(), &mut out);
    let html = taken(&mut out);
    let (_, rest) = html.split_once("<pre id=\"lines\">").unwrap();
    rest.split_once("</pre><footer id=\"end\"").unwrap().0.to_owned()
}

fn rows(chunks: &[Chunk]) -> String {
    rows_of(Options::default(), |view, out| chunks.iter().for_each(|chunk| view.chunk(chunk, out)))
}

/// The rows without the block and the part around them.
fn bare(chunks: &[Chunk]) -> String {
    let rows = rows(chunks);
    let rows = rows.strip_prefix("<span class=part><span class=block>").unwrap();
    rows.strip_suffix("</span></span>").unwrap().to_owned()
}

/// An element, or the page: what a browser sees.
#[derive(Default)]
struct Element {
    tag: String,
    children: Vec<Node>,
}

enum Node {
    Text(String),
    /// `<wbr>`
    NextState,
    Element(Element),
}

impl Element {
    /// Reads markup, and fails where a tag does not match.
    fn parse(html: &str) -> Element {
        let mut open = vec![Element::default()];
        let mut rest = html;
        while !rest.is_empty() {
            let (text, after) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            if !text.is_empty() {
                let text = text.replace("&lt;", "<").replace("&amp;", "&");
                open.last_mut().unwrap().children.push(Node::Text(text));
            }
            rest = after;
            if let Some((tag, after)) = after.strip_prefix('<').and_then(|after| after.split_once('>')) {
                rest = after;
                match tag.strip_prefix('/') {
                    _ if tag.starts_with("!--") => {}
                    None if tag == "wbr" => open.last_mut().unwrap().children.push(Node::NextState),
                    None => open.push(Element { tag: tag.to_owned(), children: Vec::new() }),
                    Some(name) => {
                        let done = open.pop().unwrap();
                        assert_eq!(done.tag.split(' ').next(), Some(name), "{html}");
                        open.last_mut().expect("an end tag too many").children.push(Node::Element(done));
                    }
                }
            }
        }
        assert_eq!(open.len(), 1, "{html}");
        open.pop().unwrap()
    }

    /// The text in it; without the states that the style sheet hides.
    fn text(&self, hidden_too: bool) -> String {
        let now = self.children.iter().rposition(|child| matches!(child, Node::NextState)).unwrap_or(0);
        let mut text = String::new();
        for (at, child) in self.children.iter().enumerate() {
            match child {
                Node::Text(own) => text += own,
                Node::NextState => {}
                Node::Element(state) if !hidden_too && state.tag == "span class=was" && at < now => {}
                Node::Element(element) => text += &element.text(hidden_too),
            }
        }
        text
    }
}

fn text(chunks: &[Chunk]) -> String {
    Element::parse(&rows(chunks)).text(true)
}

#[test]
fn each_stream_is_told_apart_by_its_own_element() {
    let chunks = [chunk(1, STDOUT, b"a\n"), chunk(2, Stream::Stderr, b"b&\n"), chunk(3, Stream::System, b"c\n")];
    let expected = "<span id=L1>a\n</span><span id=L2><span class=\"stderr\">b&amp;</span>\n</span>\
        <span id=L3><span class=\"system\">c</span>\n</span>";
    assert_eq!(bare(&chunks), expected);
}

#[test]
fn rows_are_put_in_blocks_and_blocks_in_parts() {
    let lines = b"x\n".repeat(5401);
    let html = rows(&[chunk(1, STDOUT, &lines)]);
    let page = Element::parse(&html);
    assert_eq!(page.children.len(), 2);
    assert!(html.contains("</span></span><span class=block><span id=L401>x\n</span>"));
    assert!(html.contains("</span></span></span><span class=part><span class=block><span id=L5001>x\n</span>"));
    assert!(html.ends_with("</span></span><span class=block><span id=L5401>x\n</span></span></span>"));
    assert_eq!(page.text(true).as_bytes(), lines);
}

#[test]
fn colours_are_carried_over_lines_and_closed_in_each() {
    let html = bare(&[chunk(1, STDOUT, b"\x1b[1;31mred\nstill\n\x1b[mnot\n"), chunk(4, Stream::Stderr, b"own\n")]);
    let expected = "<span id=L1><span class=\"f1 bold\">red</span>\n</span>\
        <span id=L2><span class=\"f1 bold\">still</span>\n</span><span id=L3>not\n</span>\
        <span id=L4><span class=\"stderr\">own</span>\n</span>";
    assert_eq!(html, expected);
}

#[test]
fn links_titles_and_movements_leave_only_their_text() {
    let line = b"\x1b]0;title\x07\x1b]8;;http://a/\x1b\\link\x1b]8;;\x1b\\ \x1b[?25l\x1b[2Jx\x1b[K\x1b(B\n";
    assert_eq!(bare(&[chunk(1, STDOUT, line)]), "<span id=L1>link x\n</span>");
}

#[test]
fn a_line_that_rewrites_itself_is_shown_as_it_ends() {
    assert_eq!(bare(&[chunk(1, STDOUT, b" 10%\r 99%\r100%\r\n")]), "<span id=L1>100%\n</span>");
    assert_eq!(
        bare(&[chunk(1, STDOUT, b"\x1b[32m10%\x1b[2K\x1b[1Gdone\n")]),
        "<span id=L1><span class=\"f2\">done</span>\n</span>"
    );
    assert_eq!(bare(&[chunk(1, STDOUT, b"dos\r\nunix\n")]), "<span id=L1>dos\n</span><span id=L2>unix\n</span>");
}

#[test]
fn a_prompt_shows_at_once_and_goes_on_in_its_row() {
    let mut view = View::new(Format::Html, Options::default());
    let mut out = Frames::default();
    view.chunk(&chunk(1, STDOUT, b"name? "), &mut out);
    assert_eq!(taken(&mut out), "<span class=part><span class=block><span id=L1><span class=was>name? ");
    view.chunk(&more(1, STDOUT, b"B"), &mut out);
    assert_eq!(taken(&mut out), "B");
    view.chunk(&more(1, STDOUT, b"ob\r\n"), &mut out);
    assert_eq!(taken(&mut out), "ob</span>\n</span>");
}

#[test]
fn a_progress_bar_in_pieces_shows_its_last_state() {
    let pieces =
        [chunk(1, Stream::Stderr, b"10%"), more(1, Stream::Stderr, b"\r20%"), more(1, Stream::Stderr, b"\rdone\n")];
    let expected = "<span id=L1><span class=\"stderr\"><span class=was>10%</span><wbr><span class=was>20%</span><wbr>\
        <span class=was>done</span></span>\n</span>";
    assert_eq!(bare(&pieces), expected);
    assert_eq!(Element::parse(&rows(&pieces)).text(false), "done\n");
}

#[test]
fn a_row_that_another_stream_interrupts_goes_on_without_a_number() {
    let pieces = [
        chunk(1, STDOUT, b"wait\x1b[3"),
        chunk(2, Stream::Stderr, b"oops\n"),
        more(1, STDOUT, b"1m ok\xe2"),
        chunk(3, Stream::Stderr, b"again\n"),
        more(1, STDOUT, b"\x82\xac\n"),
    ];
    let expected = "<span id=L1><span class=was>wait</span></span>\
        <span id=L2><span class=\"stderr\">oops</span>\n</span>\
        <span class=cont><span class=was><span class=\"f1\"> ok</span></span></span>\
        <span id=L3><span class=\"stderr\">again</span>\n</span>\
        <span class=cont><span class=was><span class=\"f1\">€</span></span>\n</span>";
    assert_eq!(bare(&pieces), expected);
}

#[test]
fn a_view_that_begins_within_a_line_gives_it_its_number() {
    assert_eq!(bare(&[more(9, STDOUT, b"rest\n")]), "<span id=L9><span class=was>rest</span>\n</span>");
}

#[test]
fn a_last_line_without_newline_is_whole_even_where_its_last_character_is_not() {
    assert_eq!(text(&[chunk(1, STDOUT, b"end\xe2\x82")]), "end\u{FFFD}");
    let pieces = [chunk(1, STDOUT, b"end\xe2\x82"), chunk(2, Stream::Stderr, b"x\n")];
    assert_eq!(text(&pieces), "endx\n\u{FFFD}");
}

#[test]
fn a_line_without_end_is_kept_whole() {
    let piece = [b'x'; 60_000];
    let mut pieces = vec![chunk(1, STDOUT, &piece)];
    pieces.extend((0..4).map(|_| more(1, STDOUT, &piece)));
    pieces.push(more(1, STDOUT, b"<&\x1b[1mbold\r\n"));
    let expected = "x".repeat(300_000) + "<&bold\n";
    assert_eq!(text(&pieces), expected);
    assert_eq!(rows(&pieces).matches("<span class=was>").count(), 1);
}

#[test]
fn times_stand_before_lines_and_not_before_what_goes_on() {
    let html = rows_of(Options { time: true, ..Options::default() }, |view, out| {
        view.chunk(&chunk(1, STDOUT, b"a\n"), out);
        view.chunk(&chunk(2, STDOUT, b"b"), out);
        view.chunk(&more(2, STDOUT, b"c\n"), out);
    });
    assert_eq!(html.matches("<span class=time>2026-11-02T12:00:00.250000Z </span>").count(), 2);
}

#[test]
fn counts_gaps_and_notices_add_no_text() {
    let html = rows_of(Options::default(), |view, out| {
        view.chunk(&chunk(1, STDOUT, b"a\n"), out);
        view.chunk(&chunk(2, STDOUT, b"b"), out);
        view.notice("say \"hi\" & <wait>", out);
        view.left_out(1500, out);
        view.left_out(2500, out);
        view.resume(3001, out);
        view.chunk(&chunk(3001, STDOUT, b"z\n"), out);
        view.heartbeat(out);
    });
    assert_eq!(Element::parse(&html.replace("\"say &quot;hi&quot; &amp; <wait>\"", "\"\"")).text(true), "a\nbz\n");
    assert!(html.contains("<span class=notice data-text=\"say &quot;hi&quot; &amp; <wait>\"></span>"));
    assert!(html.contains("<span class=count data-lines=2500 data-text=\"2,500 lines so far\"></span>"));
    let (_, after) = html.split_once("data-text=\"lines 2 to 3,000 are not on this page\"></a>").unwrap();
    assert!(after.starts_with("<span class=part><span class=block><span id=L3001>z"), "{after}");
}

#[test]
fn what_follows_a_notice_takes_its_place() {
    let html = rows_of(Options::default(), |view, out| {
        view.chunk(&chunk(1, STDOUT, b"sure? "), out);
        view.notice("silent", out);
        view.chunk(&more(1, STDOUT, b"yes\n"), out);
    });
    let row = "<span class=was>sure? <span class=notice data-text=\"silent\"></span><wbr>yes</span>\n</span>";
    assert!(html.contains(row), "{html}");
}

#[test]
fn earlier_lines_are_linked_to() {
    let mut view = View::new(Format::Html, Options::default());
    let mut out = Frames::default();
    view.start(&start(), 95_001, &mut out);
    let head = taken(&mut out);
    assert!(head.contains("95,000 earlier lines"), "{head}");
    assert!(head.contains("?from=90001#L95001\"") && head.contains("?all\"") && head.contains("?format=text\""));
    assert!(head.ends_with("<pre id=\"lines\">"));
}

/// The oracle: a terminal's row, with vte telling sequences from text.
#[derive(Default)]
struct Row {
    cells: Vec<char>,
    column: usize,
}

impl vte::Perform for Row {
    fn print(&mut self, char: char) {
        if self.column >= self.cells.len() {
            self.cells.resize(self.column + 1, ' ');
        }
        self.cells[self.column] = visible_char(char);
        self.column += 1;
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.column = 0,
            8 => self.column = self.column.saturating_sub(1),
            _ => self.print(char::from(byte)),
        }
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], ignore: bool, last: char) {
        let first = usize::from(params.iter().next().and_then(|param| param.first().copied()).unwrap_or(0));
        let erased = self.column.min(self.cells.len());
        match (last, first) {
            _ if ignore || !intermediates.is_empty() => {}
            ('G', _) => self.column = first.max(1) - 1,
            ('C', _) => self.column += first.max(1),
            ('D', _) => self.column = self.column.saturating_sub(first.max(1)),
            ('K', 0) => self.cells.truncate(erased),
            ('K', 1) if self.column < self.cells.len() => self.cells[..=self.column].fill(' '),
            ('K', 1 | 2) => self.cells.clear(),
            _ => {}
        }
    }
}

fn shown_by_a_terminal(line: &[u8]) -> String {
    let mut row = Row::default();
    vte::Parser::new().advance(&mut row, String::from_utf8_lossy(line).as_bytes());
    row.cells.into_iter().collect()
}

/// Lines as programs print them, and as nobody should.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => "[a-z<&>;\"' \t]{0,6}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec!["é", "€", "语", "😀", "\u{202e}", "\u{2028}", "\u{85}", "─"]).prop_map(|text| text.as_bytes().to_vec()),
        3 => "\x1b\\[[0-9]{0,3}(;[0-9]{0,2})?[mmmKGCDJHh]".prop_map(String::into_bytes),
        2 => "\x1b(\\[[?<]?[0-9:;]{0,3}[ -/]?[@-~]|[ -/][0-~]|[A-OQ-WYZ`-~]|\\]8;[a-z]{0,3}(\x07|\x1b\\\\)|P[a-z]{0,3}\x1b\\\\)".prop_map(String::into_bytes),
        2 => prop::sample::select(b"\r\x08\x1b\x07\x00\x18\x7f\xff\xe2\xc2".to_vec()).prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_line_shows_what_a_terminal_shows(line in line()) {
        let page = Element::parse(&rows(&[chunk(1, STDOUT, &[&line[..], b"\n"].concat())]));
        prop_assert_eq!(page.text(false), shown_by_a_terminal(&line) + "\n");
    }

    #[test]
    fn a_line_cut_anywhere_shows_the_same_in_the_end(line in line(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4)) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(line.len() + 1)).collect();
        cuts.extend([0, line.len()]);
        cuts.sort();
        let mut pieces: Vec<Chunk> = Vec::new();
        for cut in cuts.windows(2).filter(|cut| cut[0] < cut[1]) {
            let piece = Chunk { continues: !pieces.is_empty(), ..chunk(1, STDOUT, &line[cut[0]..cut[1]]) };
            pieces.push(piece);
        }
        pieces.push(Chunk { continues: !pieces.is_empty(), ..chunk(1, STDOUT, b"\n") });
        prop_assert_eq!(Element::parse(&rows(&pieces)).text(false), shown_by_a_terminal(&line) + "\n");
    }

    #[test]
    fn any_bytes_in_any_chunks_keep_the_page_whole(
        told in prop::collection::vec((0..3_usize, any::<bool>(), any::<bool>(), prop::collection::vec(any::<u8>(), 1..40)), 0..12),
    ) {
        let streams = [STDOUT, Stream::Stderr, Stream::System];
        let chunks: Vec<Chunk> = told.into_iter().zip(1..).map(|((stream, continues, open, mut bytes), line)| {
            if !open {
                bytes.push(b'\n');
            }
            Chunk { continues, open, line: if continues { 1 } else { line }, ..chunk(1, streams[stream], &bytes) }
        }).collect();
        let html = rows(&chunks);
        Element::parse(&html);
        prop_assert!(html.chars().all(|char| char == '\n' || !crate::views::is_unsafe(char)));
    }

    #[test]
    fn text_without_sequences_is_decoded_and_nothing_else(
        bytes in prop::collection::vec(any::<u8>().prop_filter("moves nothing", |byte| !matches!(byte, 8 | 13 | 27)), 0..200),
    ) {
        let bytes = [&bytes[..], b"\n"].concat();
        let decoded: String = String::from_utf8_lossy(&bytes).chars().map(|char| if char == '\n' { char } else { visible_char(char) }).collect();
        prop_assert_eq!(text(&[chunk(1, STDOUT, &bytes)]), decoded);
    }
}

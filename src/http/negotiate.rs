//! Which format a request is answered in: `?format=`, else the Accept header. It reads both and decides; it never
//! renders.

use axum::http::{HeaderMap, header};

use super::Wrong;
use crate::views::Format;

/// The format a client wants its answer in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wanted {
    /// A page.
    Html,
    /// Plain text.
    Text,
    /// One JSON object a line.
    Ndjson,
    /// Server-sent events.
    Sse,
    /// One JSON document.
    Json,
}

impl Wanted {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: [Wanted; 5] = [Wanted::Html, Wanted::Text, Wanted::Ndjson, Wanted::Sse, Wanted::Json];

    /// The word for it in `?format=`.
    pub fn name(self) -> &'static str {
        match self {
            Wanted::Html => "html",
            Wanted::Text => "text",
            Wanted::Ndjson => "ndjson",
            Wanted::Sse => "sse",
            Wanted::Json => "json",
        }
    }

    /// The view a journal is streamed in; `None` for JSON, which is one document.
    pub fn view(self) -> Option<Format> {
        match self {
            Wanted::Html => Some(Format::Html),
            Wanted::Text => Some(Format::Text),
            Wanted::Ndjson => Some(Format::Ndjson),
            Wanted::Sse => Some(Format::Sse),
            Wanted::Json => None,
        }
    }
}

/// What each media type is answered with. The order decides where a range such as `*/*` takes several alike.
const TYPES: [(&str, &str, Wanted); 7] = [
    ("text", "plain", Wanted::Text),
    ("text", "html", Wanted::Html),
    ("application", "json", Wanted::Json),
    ("application", "problem+json", Wanted::Json),
    ("application", "x-ndjson", Wanted::Ndjson),
    ("text", "event-stream", Wanted::Sse),
    ("application", "xhtml+xml", Wanted::Html),
];

/// The format for a request whose `?format=` is `format`, if it has one, and whose headers are `headers`.
///
/// An unknown `format` is an error. An Accept header that names nothing we have is answered in text, as curl's `*/*` is.
pub fn choose(format: Option<&str>, headers: &HeaderMap) -> Result<Wanted, Wrong> {
    match format {
        Some(name) => by_name(name),
        None => Ok(by_accept(headers)),
    }
}

/// The format for a request, for errors: one that is told about an unknown `format` is answered by its Accept header.
pub fn choose_for_error(format: Option<&str>, headers: &HeaderMap) -> Wanted {
    choose(format, headers).unwrap_or_else(|_| by_accept(headers))
}

fn by_name(name: &str) -> Result<Wanted, Wrong> {
    Wanted::ALL
        .into_iter()
        .find(|wanted| wanted.name() == name)
        .ok_or_else(|| Wrong::value("format", name, Wanted::ALL.map(Wanted::name).join(", ")))
}

/// RFC 9110 §12.5.1: for each type the most specific range that takes it gives its weight. Among types of one weight
/// the one named most exactly wins, then the one named first.
fn by_accept(headers: &HeaderMap) -> Wanted {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range<'_>> = values.flat_map(|value| value.split(',')).filter_map(Range::parse).collect();
    let mut best: Option<((u16, u8), usize, Wanted)> = None;
    for (kind, subtype, wanted) in TYPES {
        let Some((exactness, position, weight)) = most_specific(&ranges, kind, subtype) else { continue };
        let rank = (weight, exactness);
        // a type taken by a wildcard has no place of its own: the order of TYPES stands
        let place = if exactness == EXACT { position } else { usize::MAX };
        if weight > 0 && best.is_none_or(|(other, at, _)| rank > other || (rank == other && place < at)) {
            best = Some((rank, place, wanted));
        }
    }
    best.map_or(Wanted::Text, |(_, _, wanted)| wanted)
}

const EXACT: u8 = 2;

fn most_specific(ranges: &[Range<'_>], kind: &str, subtype: &str) -> Option<(u8, usize, u16)> {
    let taken = ranges.iter().enumerate().filter_map(|(position, range)| {
        let exactness = range.takes(kind, subtype)?;
        Some((exactness, position, range.weight))
    });
    taken.reduce(|one, other| if other.0 > one.0 { other } else { one })
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths, as exact as RFC 9110 §12.4.2 lets it be.
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some(Range { kind, subtype, weight: weight.map_or(1000, thousandths) })
    }

    /// How exactly this range names a type, if it takes it at all.
    fn takes(&self, kind: &str, subtype: &str) -> Option<u8> {
        if self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype) {
            Some(EXACT)
        } else if self.kind.eq_ignore_ascii_case(kind) && self.subtype == "*" {
            Some(1)
        } else if self.kind == "*" && self.subtype == "*" {
            Some(0)
        } else {
            None
        }
    }
}

/// A weight that is not one counts as 0: its range is not wanted for sure.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    match (whole, format!("{fraction:0<3}").parse()) {
        ("1", Ok(0)) => 1000,
        ("0", Ok(thousandths)) => thousandths,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accept(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))])
    }

    #[test]
    fn every_format_has_its_name() {
        for wanted in Wanted::ALL {
            assert_eq!(choose(Some(wanted.name()), &accept("image/png")), Ok(wanted));
        }
    }

    #[test]
    fn an_unknown_format_is_refused_with_the_known_ones() {
        let error = choose(Some("xml"), &accept("text/html")).unwrap_err();
        assert_eq!(error.to_string(), "`format` cannot be `xml`; allowed: html, text, ndjson, sse, json");
        assert_eq!(choose_for_error(Some("xml"), &accept("text/html")), Wanted::Html);
    }

    #[test]
    fn the_accept_header_decides() {
        use Wanted::{Html, Json, Ndjson, Sse, Text};
        for (value, expected) in [
            ("*/*", Text),                                                                        // curl, fetch
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Html),            // Firefox
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", Html), // Chromium
            ("application/json, text/plain, */*", Json),                                          // axios
            ("image/avif,image/webp,*/*;q=0.8", Text),
            ("text/event-stream", Sse),
            ("application/x-ndjson", Ndjson),
            ("APPLICATION/JSON", Json),
            ("text/html, application/json;q=0.9", Html),
            ("text/html;q=0.5, application/json;q=0.9", Json),
            ("text/html;q=0.501, application/json;q=0.5", Html),
            ("application/json, text/html", Json),
            ("*/*, text/html", Html),
            ("text/*", Text),
            ("text/*;q=0.5, application/*", Json),
            ("text/*, text/plain;q=0", Html),
            ("text/html;q=0, */*", Text),
            ("text/html;level=1;q=0.2, application/json;q=0.3", Json),
            ("image/png", Text),
            ("", Text),
            (";;,/,q=1,text", Text),
            ("text/html;q=2", Text),
            ("text/html;q=0.0001", Text),
        ] {
            assert_eq!(choose(None, &accept(value)), Ok(expected), "{value}");
        }
        assert_eq!(choose(None, &HeaderMap::new()), Ok(Text));
    }

    #[test]
    fn several_accept_headers_are_one() {
        let mut headers = accept("text/html;q=0.4");
        headers.append(header::ACCEPT, HeaderValue::from_static("application/json;q=0.5"));
        assert_eq!(choose(None, &headers), Ok(Wanted::Json));
    }
}

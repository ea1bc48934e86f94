//! A query or a form, read strictly: pairs decoded from percent signs, one value per name, nothing guessed. It knows
//! no route: which names are allowed is the caller's affair.

use std::fmt::Display;
use std::str::FromStr;

use crate::parameters::Wrong;

/// The parameters of one request, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// The parameters in `text`: what follows the `?` of a URL, or a form's body.
    ///
    /// An empty pair (`a=1&&b=2`) counts for nothing. A name given twice is an error, and so are bytes that are not
    /// UTF-8 and NUL.
    pub fn parse(text: &str) -> Result<Query, Wrong> {
        Query::parse_bytes(text.as_bytes())
    }

    /// The same from bytes, which need not be text: a form's body.
    pub fn parse_bytes(text: &[u8]) -> Result<Query, Wrong> {
        let pairs: Vec<(String, String)> = read_pairs(text).collect::<Result<_, _>>()?;
        refuse_repeated(&pairs)?;
        Ok(Query { pairs })
    }

    /// Every parameter, in the order it was given.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same as the end of a URL, question mark and all: for who is sent elsewhere with it.
    pub fn suffix(&self) -> String {
        let query = encode_pairs(self.pairs());
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// The value of `name`, if it was given; an empty value is a value.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    /// Whether the flag `name` is set: `?name`, `?name=1`, `?name=true` (or `yes`, `on`) set it, `0`, `false`, `no` and
    /// `off` do not. `None` where it was not given.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Wrong> {
        match self.value(name) {
            None => Ok(None),
            Some("" | "1" | "true" | "yes" | "on") => Ok(Some(true)),
            Some("0" | "false" | "no" | "off") => Ok(Some(false)),
            Some(value) => Err(Wrong::value(name, value, "nothing, 1 or true, 0 or false")),
        }
    }

    /// The whole number `name`, at least `min`. `None` where it was not given.
    pub fn number(&self, name: &str, min: u64) -> Result<Option<u64>, Wrong> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let digits_only = value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse() {
            Ok(number) if digits_only && number >= min => Ok(Some(number)),
            _ => Err(Wrong::value(name, value, format!("a whole number from {min}"))),
        }
    }

    /// The value of `name` as a `T`, such as a state or a stream; `allowed` says what it can be. `None` where it was
    /// not given.
    pub fn parsed<T: FromStr>(&self, name: &str, allowed: impl Display) -> Result<Option<T>, Wrong> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| Wrong::value(name, value, allowed.to_string()))
    }

    /// The parameters that are not among `known`, in their order.
    pub fn unknown<'a>(&'a self, known: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs().filter(|(name, _)| !known.contains(name))
    }

    /// An error that names the first parameter which is not among `known`, its value, and the known ones.
    pub fn refuse_unknown(&self, known: &[&str]) -> Result<(), Wrong> {
        let Some((name, value)) = self.unknown(known).next() else { return Ok(()) };
        Err(Wrong::unknown(name, value, known))
    }
}

/// A query of these names and values.
pub fn encode_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let pair = |(name, value): (N, V)| format!("{}={}", encode(name.as_ref()), encode(value.as_ref()));
    pairs.into_iter().map(pair).collect::<Vec<_>>().join("&")
}

/// `text` with everything but letters, digits and `-._~` as percent signs: one segment of a path, a name or a value.
pub fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).map_or('0', |&digit| char::from(digit));
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

/// The pairs of a query or a form, each decoded, or why it cannot be. Names may come twice.
pub fn read_pairs(text: &[u8]) -> impl Iterator<Item = Result<(String, String), Wrong>> {
    text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let name = decode_text("a parameter's name", halves.next().unwrap_or_default())?;
        let value = decode_text(&name, halves.next().unwrap_or_default())?;
        Ok((name, value))
    })
}

fn refuse_repeated(pairs: &[(String, String)]) -> Result<(), Wrong> {
    let mut names: Vec<&(String, String)> = pairs.iter().collect();
    names.sort_by_key(|(name, _)| name);
    let repeated = names.windows(2).find_map(|two| match two {
        [(first, _), (second, value)] if first == second => Some(Wrong::repeated(second, value)),
        _ => None,
    });
    repeated.map_or(Ok(()), Err)
}

fn decode_text(name: &str, bytes: &[u8]) -> Result<String, Wrong> {
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let decoded = decode(bytes)
        .ok_or_else(|| Wrong::value(name, &shown(bytes), "a percent sign only before two hexadecimal digits"))?;
    match String::from_utf8(decoded) {
        Ok(text) if text.contains('\0') => Err(Wrong::value(name, &text, "text without NUL")),
        Ok(text) => Ok(text),
        Err(error) => Err(Wrong::value(name, &shown(error.as_bytes()), "text in UTF-8")),
    }
}

fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    Some(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Stream;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn pairs_are_decoded_in_their_order() {
        let query = query("b=x%20y+z&a=%C3%A4&&empty=&bare&c=1=2");
        let pairs: Vec<_> = query.pairs().collect();
        assert_eq!(pairs, [("b", "x y z"), ("a", "ä"), ("empty", ""), ("bare", ""), ("c", "1=2")]);
        assert_eq!(query.value("absent"), None);
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_by_name() {
        for (text, name, allowed) in [
            ("from=%ff", "from", "text in UTF-8"),
            ("from=a%00b", "from", "text without NUL"),
            ("from=%4", "from", "a percent sign only before two hexadecimal digits"),
            ("from=%+1", "from", "a percent sign only before two hexadecimal digits"),
            ("%ff=1", "a parameter's name", "text in UTF-8"),
            ("a=1&b=2&a=3", "a", "one value"),
        ] {
            let error = Query::parse(text).unwrap_err();
            assert_eq!((error.name.as_str(), error.allowed.as_str()), (name, allowed), "{text}");
        }
    }

    #[test]
    fn a_flag_is_set_by_its_name_alone() {
        for (text, expected) in [
            ("wait", Ok(Some(true))),
            ("wait=", Ok(Some(true))),
            ("wait=1", Ok(Some(true))),
            ("wait=true", Ok(Some(true))),
            ("wait=0", Ok(Some(false))),
            ("wait=false", Ok(Some(false))),
            ("all", Ok(None)),
            ("wait=maybe", Err("maybe".to_owned())),
        ] {
            assert_eq!(query(text).flag("wait").map_err(|error| error.value.unwrap_or_default()), expected, "{text}");
        }
    }

    #[test]
    fn a_number_is_digits_and_within_its_bounds() {
        for (text, expected) in [
            ("tail=20", Ok(Some(20))),
            ("tail=18446744073709551615", Ok(Some(u64::MAX))),
            ("from=1", Ok(None)),
            ("tail=0", Err(())),
            ("tail=", Err(())),
            ("tail=-1", Err(())),
            ("tail=%2B1", Err(())),
            ("tail=1.5", Err(())),
            ("tail=18446744073709551616", Err(())),
        ] {
            assert_eq!(query(text).number("tail", 1).map_err(drop), expected, "{text}");
        }
        let error = query("tail=x").number("tail", 1).unwrap_err();
        assert_eq!(error.to_string(), "`tail` cannot be `x`; allowed: a whole number from 1");
    }

    #[test]
    fn a_word_becomes_what_it_names() {
        let allowed = "stdout, stderr or system";
        assert_eq!(query("stream=stderr").parsed("stream", allowed), Ok(Some(Stream::Stderr)));
        assert_eq!(query("stream=x").parsed::<Stream>("stream", allowed).unwrap_err().allowed, allowed);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let query = query("wait&form=html");
        assert!(query.refuse_unknown(&["form", "wait"]).is_ok());
        assert_eq!(
            query.refuse_unknown(&["format", "wait"]).unwrap_err().to_string(),
            "there is no parameter `form` (`html`) here; allowed: format, wait"
        );
    }

    proptest! {
        #[test]
        fn no_query_panics(text in "\\PC*", bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Query::parse(&text);
            let _ = Query::parse_bytes(&bytes);
        }

        #[test]
        fn what_is_encoded_comes_back(name in "[^\\x00]{1,20}", value in "[^\\x00]{0,40}") {
            let query = Query::parse(&format!("{}={}", encode(&name), encode(&value))).unwrap();
            prop_assert_eq!(query.pairs().collect::<Vec<_>>(), [(name.as_str(), value.as_str())]);
        }
    }
}

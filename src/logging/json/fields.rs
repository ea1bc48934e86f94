//! The members of one object of JSON, in their order, each with its value as it was written. Nothing nested is read until
//! somebody wants it, so nesting costs no stack.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What is nested deeper than this is kept as a text: readers of JSON give up at depths of their own.
const DEEPEST: usize = 100;

/// The members that are left to be asked for.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// The members of the object that `text` is; `None` where it is anything else.
    pub(super) fn read(text: &'a str) -> Option<Fields<'a>> {
        if !text.trim_ascii_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value under this name, which stays.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rfind(|(given, _)| given == name).map(|(_, value)| *value)
    }

    /// Takes out the first of these names whose value is acceptable; of a name that comes twice the last one counts. Those
    /// of them that are null are taken out too.
    pub(super) fn take<T>(&mut self, names: &[&str], accept: impl Fn(&'a str) -> Option<T>) -> Option<T> {
        self.0.retain(|(name, value)| *value != "null" || !names.contains(&name.as_ref()));
        names.iter().find_map(|wanted| {
            let at = self.0.iter().rposition(|(name, _)| name == wanted)?;
            let value = accept(self.0.get(at)?.1)?;
            self.0.remove(at);
            Some(value)
        })
    }

    /// What is left, each value as JSON that any reader takes.
    pub(super) fn into_rest(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.0.into_iter().map(|(name, value)| (name, kept(value)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    fields.push((name, value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A value as it goes into the extra fields.
fn kept(value: &str) -> Cow<'_, str> {
    match depth(value) > DEEPEST {
        true => Cow::Owned(serde_json::Value::from(value).to_string()),
        false => sound(value),
    }
}

/// How deep brackets are nested in valid JSON.
fn depth(value: &str) -> usize {
    let (mut depth, mut deepest, mut is_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in value.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The text that a value is, if it is one.
pub(super) fn text_of(value: &str) -> Option<Cow<'_, str>> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    match inside.contains('\\') {
        false => Some(Cow::Borrowed(inside)),
        true => serde_json::from_str(&sound(value)).ok().map(Cow::Owned),
    }
}

/// The value with U+FFFD for each half of a pair of surrogates that stands alone. Python writes such for file names that
/// are not UTF-8, and many readers of JSON refuse it.
pub(super) fn sound(value: &str) -> Cow<'_, str> {
    if !value.contains("\\ud") && !value.contains("\\uD") {
        return Cow::Borrowed(value);
    }
    let (mut out, mut rest) = (String::with_capacity(value.len()), value);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(_), _) => {
                out.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        out.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The half of a pair that the escape at the beginning of `text` is.
fn surrogate(text: &str) -> Option<u32> {
    let code = u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()?;
    (0xD800..=0xDFFF).contains(&code).then_some(code)
}

//! The values that a plain line has under a name: under a JSON object's own keys, or in logfmt's pairs. It looks at
//! nothing that is nested, and guesses nothing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Pair, pairs, past_times, readable};

/// Calls `look` with each value that `line` has under `name`, as people read it, until one is found to be what is looked
/// for. The line is without its newline and without escape sequences; times before a JSON object or pairs are passed over.
pub fn any_field(line: &[u8], name: &str, look: impl FnMut(&str) -> bool) -> bool {
    let text = past_times(line);
    match text.first() {
        Some(b'{') => any_member(text, name, look),
        _ => any_pair(text, name, look),
    }
}

fn any_pair(text: &[u8], name: &str, mut look: impl FnMut(&str) -> bool) -> bool {
    let mut named = pairs(text).filter(|pair| pair.key == name.as_bytes());
    named.any(|Pair { value, is_quoted, .. }| {
        let value = String::from_utf8_lossy(value);
        let quoted = is_quoted.then(|| format!("\"{value}\""));
        let unescaped = quoted.as_deref().and_then(|quoted| serde_json::from_str::<String>(quoted).ok());
        look(unescaped.as_deref().unwrap_or(&value))
    })
}

/// The same of a JSON object, which is one to its end.
fn any_member(text: &[u8], name: &str, look: impl FnMut(&str) -> bool) -> bool {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let found = reader.deserialize_map(Members { name, look });
    found.is_ok_and(|found| found && reader.end().is_ok())
}

struct Members<'a, F> {
    name: &'a str,
    look: F,
}

impl<'de, F: FnMut(&str) -> bool> Visitor<'de> for Members<'_, F> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let mut is_found = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match !is_found && key == self.name {
                true => is_found = (self.look)(&readable(map.next_value::<&RawValue>()?.get())),
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(is_found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(line: &str, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        let is_found = any_field(line.as_bytes(), name, |value| {
            values.push(value.to_owned());
            false
        });
        assert!(!is_found);
        values
    }

    #[test]
    fn an_objects_own_keys_are_fields_and_what_is_nested_is_none() {
        let line = r#"{"run":42,"user":"an\"na","in":{"run":7,"deep":1},"list":[1,  2],"no":null,"run":"43"}"#;
        assert_eq!(values(line, "run"), ["42", "43"]);
        assert_eq!(values(line, "user"), ["an\"na"]);
        assert_eq!(values(line, "list"), ["[1,  2]"]);
        assert_eq!(values(line, "no"), ["null"]);
        assert_eq!(values(line, "deep"), [""; 0]);
        assert_eq!(values(&format!("2026-11-21T12:00:00Z {line}"), "run"), ["42", "43"]);
        assert_eq!(values("{\"r\\u0075n\":\"\\u0034\"}", "run"), ["4"]);
        assert!(any_field(line.as_bytes(), "run", |value| value == "42"));
    }

    #[test]
    fn what_is_no_object_to_its_end_has_no_fields() {
        for line in ["{\"run\":42", "{\"run\":42} and more", "[{\"run\":42}]", "\"run\":42", "{run:42}", "", "{}"] {
            assert!(!any_field(line.as_bytes(), "run", |_| true), "{line}");
        }
    }

    #[test]
    fn what_is_no_text_has_no_value_and_does_no_harm_to_others() {
        let line = b"{\"run\":42,\"x\":\"\xff\"}";
        assert!(any_field(line, "run", |value| value == "42") && !any_field(line, "x", |_| true));
    }

    #[test]
    fn pairs_are_fields_up_to_what_is_none() {
        let line = "time=2026-11-21 level=info run=42 user=\"an\\\"na lee\" empty= done later=1";
        assert_eq!(values(line, "run"), ["42"]);
        assert_eq!(values(line, "user"), ["an\"na lee"]);
        assert_eq!(values(line, "empty"), [""]);
        assert_eq!(values(line, "later"), [""; 0]);
        assert_eq!(values("12:00:00.5 run=1 run=2", "run"), ["1", "2"]);
        assert_eq!(values("INFO run=42", "run"), [""; 0], "a word of a message is no field");
    }

    proptest! {
        #[test]
        fn whatever_a_value_is_it_is_found_under_its_name(name in "[^\\x00]{1,12}", value in "\\PC{0,24}", number in any::<i64>()) {
            let mut object = serde_json::Map::new();
            object.insert("before".into(), serde_json::json!({ &name: 1, "list": [value] }));
            object.insert(name.clone(), value.clone().into());
            object.insert("number".into(), number.into());
            let line = serde_json::to_string(&object).unwrap();
            if name != "before" && name != "number" {
                prop_assert!(any_field(line.as_bytes(), &name, |found| found == value), "{}", line);
            }
            prop_assert!(any_field(line.as_bytes(), "number", |found| found == number.to_string()));
        }

        #[test]
        fn no_bytes_panic(line in proptest::collection::vec(any::<u8>(), 0..200), text in "[{}=\":, a-c\\\\\\[\\]0-9]{0,40}") {
            any_field(&line, "a", |_| false);
            any_field(text.as_bytes(), "a", |_| false);
        }
    }
}

//! The term `field`: a name, and the value that a line has under it. It looks into a line only where the name and the
//! value can be in it.

use std::str::FromStr;

use memchr::memmem::Finder;

use crate::record::{Entry, any_field};

/// What `field` allows.
pub(super) const FIELDS: &str = "the name of a field, or a name and a value, such as run=42";

/// A field that a line has to have.
#[derive(Clone, Debug)]
pub(super) struct Field {
    name: String,
    /// `None`: any.
    value: Option<String>,
    /// What is in each line that has it, unless something there is escaped.
    needles: Vec<Finder<'static>>,
}

impl FromStr for Field {
    type Err = ();

    fn from_str(text: &str) -> Result<Field, ()> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(());
        }
        // in the place of bytes that are no text stands another character
        let as_it_stands = |text: &&str| !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER);
        let needles = [value, Some(name)].into_iter().flatten().filter(as_it_stands);
        Ok(Field {
            needles: needles.map(|needle| Finder::new(needle).into_owned()).collect(),
            name: name.to_owned(),
            value: value.map(str::to_owned),
        })
    }
}

impl Field {
    /// Whether a plain line has it.
    pub(super) fn is_in_text(&self, text: &[u8]) -> bool {
        self.may_be_in(text) && any_field(text, &self.name, |value| self.is(value))
    }

    /// Whether a record of a logging library has it.
    pub(super) fn is_of(&self, entry: &Entry<'_>) -> bool {
        entry.any_field(&self.name, |value| self.is(value))
    }

    fn is(&self, value: &str) -> bool {
        self.value.as_ref().is_none_or(|wanted| wanted == value)
    }

    /// Whether a line can have it: name and value are there as they are, or something is escaped.
    pub(super) fn may_be_in(&self, line: &[u8]) -> bool {
        self.needles.iter().all(|needle| needle.find(line).is_some()) || memchr::memchr(b'\\', line).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn field(text: &str) -> Field {
        text.parse().unwrap()
    }

    #[test]
    fn a_field_is_a_name_and_perhaps_a_value_behind_the_first_equals_sign() {
        for (text, name, value) in [
            ("run=42", "run", Some("42")),
            ("run", "run", None),
            ("run=", "run", Some("")),
            ("run==4=2", "run", Some("=4=2")),
            (" a b =\"x\"", " a b ", Some("\"x\"")),
        ] {
            let field = field(text);
            assert_eq!((field.name.as_str(), field.value.as_deref()), (name, value), "{text}");
        }
        for wrong in ["", "=", "=42"] {
            assert!(wrong.parse::<Field>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_compared_as_people_read_them() {
        let line = br#"{"run":42,"user":"anna","empty":"","tag":"\u0061","no":null}"#;
        for (text, is_there) in [
            ("run=42", true),
            ("run=4", false),
            ("run=42.0", false),
            ("user=anna", true),
            ("user=\"anna\"", false),
            ("user=Anna", false),
            ("empty=", true),
            ("run=", false),
            ("run", true),
            ("tag=a", true),
            ("no=null", true),
            ("anna", false),
        ] {
            assert_eq!(field(text).is_in_text(line), is_there, "{text}");
        }
        assert!(field("a=\u{fffd}").is_in_text(b"a=\xff") && field("a").is_in_text(b"a=\xff"));
    }

    proptest! {
        #[test]
        fn what_is_passed_over_unread_has_it_not(
            name in "[a-c\"\\\\é\n]{1,3}", value in "[a-c\"\\\\é\u{fffd}]{0,3}", wanted in "[a-c\"\\\\é\u{fffd}]{0,3}"
        ) {
            let entry = Entry {
                extra: vec![(name.as_str().into(), json!(value).to_string().into()), ("x".into(), "\"abc\"".into())],
                ..Entry::default()
            };
            let mut line = Vec::new();
            entry.write(&mut line);
            let line = line.strip_suffix(b"\n").unwrap();
            if name.contains('=') { return Ok(()); }
            let judge = |field: Field| field.may_be_in(line) && field.is_of(&Entry::read(line).unwrap());
            prop_assert_eq!(judge(field(&format!("{name}={wanted}"))), value == wanted);
            prop_assert!(judge(field(&name)));
            let object = json!({ &name: value }).to_string();
            prop_assert_eq!(field(&format!("{name}={wanted}")).is_in_text(object.as_bytes()), value == wanted);
        }
    }
}

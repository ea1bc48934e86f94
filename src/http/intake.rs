//! What a request gives a job: names and texts from its query and from a form or a JSON object in its body. It reads
//! bytes that are there; what the texts may be is the parameters' affair.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Query, read_pairs};
use crate::parameters::{Offers, Parameter, Values, Wrong, check};

/// How much of a JSON value is repeated in what is said of it, in characters.
const SHOWN: usize = 80;

/// A kind of body that holds parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`: one object.
    Json,
}

impl Kind {
    /// What a `Content-Type` may say, for people.
    pub const ALLOWED: &str = "application/x-www-form-urlencoded, application/json";

    /// The kind that a `Content-Type` names, if it is one of them.
    pub fn of(content_type: &str) -> Option<Kind> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Some(Kind::Form),
            "application/json" => Some(Kind::Json),
            _ => None,
        }
    }
}

/// Why a body holds no parameters at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON, or not text in UTF-8.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but not an object.
    #[error("the JSON body is not an object")]
    NoObject,
}

/// What was given, and what of it cannot be. No name is in either twice, and none is in both.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Intake {
    given: Vec<(String, String)>,
    wrong: Vec<Wrong>,
    /// What else the URL takes.
    own: &'static [&'static str],
}

impl Intake {
    /// Everything in a query that is not among the URL's `own` words.
    pub fn of_query(query: &Query, own: &'static [&'static str]) -> Intake {
        let mut intake = Intake { own, ..Intake::default() };
        for (name, text) in query.unknown(own) {
            intake.take(name.to_owned(), Ok(text.to_owned()));
        }
        intake
    }

    /// Everything in a body.
    ///
    /// # Errors
    /// Where it is not even made of names and values.
    pub fn of_body(kind: Kind, body: &[u8]) -> Result<Intake, Unreadable> {
        let mut intake = Intake::default();
        match kind {
            Kind::Form => read_pairs(body).for_each(|pair| match pair {
                Ok((name, text)) => intake.take(name, Ok(text)),
                Err(wrong) => intake.refuse(wrong),
            }),
            Kind::Json => {
                for (name, value) in read_object(body)? {
                    let text = text_of(&name, value)?;
                    intake.take(name, text);
                }
            }
        }
        Ok(intake)
    }

    /// The same as it stood in a browser's form. A browser sends every newline of a form as a carriage return and a line
    /// feed, whatever stood there (HTML, "constructing an entry list"), so that pair is the newline that somebody typed.
    /// Where that is a default or a choice but for its newlines, it is what the form offered, and is taken as the
    /// configuration means it.
    pub fn as_typed(mut self, parameters: &[Parameter], offers: &Offers) -> Intake {
        for (name, text) in &mut self.given {
            if !text.contains("\r\n") {
                continue;
            }
            let typed = text.replace("\r\n", "\n");
            let known = parameters.iter().find(|known| known.name == *name);
            let mut offered = known.into_iter().flat_map(|known| known.offered(offers));
            let same = offered.find(|offered| offered.replace("\r\n", "\n").replace('\r', "\n") == typed);
            *text = same.map_or(typed, str::to_owned);
        }
        self
    }

    /// This and what `body` holds; a name in both is wrong.
    pub fn and(mut self, body: Intake) -> Intake {
        for (name, text) in body.given {
            let is_new = self.value(&name).is_none();
            let twice = || Wrong {
                problem: format!("`{name}` is given twice, in the query and in the body"),
                ..Wrong::repeated(&name, &text)
            };
            let taken = if is_new { Ok(text.clone()) } else { Err(twice()) };
            self.take(name.clone(), taken);
        }
        body.wrong.into_iter().for_each(|wrong| self.refuse(wrong));
        self
    }

    /// Whether anything was said of `name`.
    pub fn mentions(&self, name: &str) -> bool {
        self.value(name).is_some() || self.refuses(name)
    }

    /// The names and texts that were given and can be, in their order.
    pub fn given(&self) -> &[(String, String)] {
        &self.given
    }

    /// The text that was given for `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, text)| text.as_str())
    }

    /// The values that a run of a job with these `parameters` gets.
    ///
    /// # Errors
    /// Everything that is wrong, no name twice and no secret's value among it.
    pub fn check(&self, parameters: &[Parameter], offers: &Offers) -> Result<Values, Vec<Wrong>> {
        let of = |name: &str| parameters.iter().find(|known| known.name == name);
        let is_secret = |name: &str| of(name).is_some_and(Parameter::is_secret);
        let hide = |wrong: &Wrong| if is_secret(&wrong.name) { wrong.clone().hide() } else { wrong.clone() };
        let mut wrong: Vec<_> = self.wrong.iter().map(hide).collect();
        match check(parameters, &self.given, offers) {
            Ok(values) if wrong.is_empty() => return Ok(values),
            Ok(_) => {}
            // what is wrong in the way it was given is missing among what is given
            Err(more) => wrong.extend(more.into_iter().filter(|more| !self.refuses(&more.name))),
        }
        if !self.own.is_empty() {
            let unknown = wrong.iter_mut().filter(|wrong| of(&wrong.name).is_none());
            unknown.for_each(|wrong| wrong.allowed += &format!("; the URL itself takes {}", self.own.join(", ")));
        }
        Err(wrong)
    }

    fn refuses(&self, name: &str) -> bool {
        self.wrong.iter().any(|wrong| wrong.name == name)
    }

    fn take(&mut self, name: String, text: Result<String, Wrong>) {
        match text {
            _ if self.refuses(&name) => {}
            Ok(text) if self.value(&name).is_some() => self.refuse(Wrong::repeated(&name, &text)),
            Ok(text) => self.given.push((name, text)),
            Err(wrong) => self.refuse(wrong),
        }
    }

    fn refuse(&mut self, wrong: Wrong) {
        self.given.retain(|(name, _)| *name != wrong.name);
        if !self.refuses(&wrong.name) {
            self.wrong.push(wrong);
        }
    }
}

/// The members of an object as they are written. A map would keep one of two members of one name, and a number would
/// lose how it was written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

fn read_object(body: &[u8]) -> Result<Vec<(String, &RawValue)>, Unreadable> {
    // checked as a whole first: an array with a mistake in it is not JSON, rather than no object
    let whole: &RawValue = serde_json::from_slice(body).map_err(not_json)?;
    if !whole.get().starts_with('{') {
        return Err(Unreadable::NoObject);
    }
    let members: Members<'_> = serde_json::from_str(whole.get()).map_err(not_json)?;
    Ok(members.0)
}

fn not_json(error: serde_json::Error) -> Unreadable {
    Unreadable::NotJson(error.to_string())
}

/// The text that a member's value is, where it is one.
fn text_of(name: &str, value: &RawValue) -> Result<Result<String, Wrong>, Unreadable> {
    let raw = value.get();
    Ok(match raw.as_bytes().first() {
        Some(b'"') => Ok(serde_json::from_str(raw).map_err(not_json)?),
        Some(b'n') => Err(wrong_type(name, raw, "null")),
        Some(b'[') => Err(wrong_type(name, raw, "an array")),
        Some(b'{') => Err(wrong_type(name, raw, "an object")),
        Some(_) => Ok(raw.to_owned()),
        None => return Err(not_json(serde_json::Error::custom("a value is empty"))),
    })
}

fn wrong_type(name: &str, raw: &str, kind: &str) -> Wrong {
    let mut shown: String = raw.chars().take(SHOWN).collect();
    if shown.len() < raw.len() {
        shown.push('…');
    }
    Wrong {
        name: name.to_owned(),
        value: Some(shown),
        problem: format!("`{name}` cannot be {kind}"),
        allowed: "a string, a number, true or false".to_owned(),
    }
}

#[cfg(test)]
mod tests;

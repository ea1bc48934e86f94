//! From what a job was given to its values, or to everything that is wrong with it. A secret's value never shows in what
//! it says.

use std::collections::HashMap;

use super::{Kind, Parameter, Pattern, Value, Values, Wrong};

/// How much of a value a message repeats, in characters.
const SHOWN: usize = 80;

/// How many choices a message names.
const NAMED: usize = 30;

/// What the commands of [`Kind::ChoicesFrom`] printed: the choices of each such parameter.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Offers(HashMap<String, Vec<String>>);

impl Offers {
    /// These lines are the choices of the parameter `name`.
    pub fn insert(&mut self, name: impl Into<String>, lines: Vec<String>) {
        self.0.insert(name.into(), lines);
    }

    /// The choices of the parameter `name`; none where its command has not been asked, or printed nothing.
    pub fn of(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The values of `parameters`, in their order: those that were `given`, and defaults for the others.
///
/// # Errors
/// Everything that is wrong: of each parameter one thing, in their order, then what is no parameter of the job.
pub fn check(parameters: &[Parameter], given: &[(String, String)], offers: &Offers) -> Result<Values, Vec<Wrong>> {
    let (mut values, mut wrongs) = (Vec::with_capacity(parameters.len()), Vec::new());
    for parameter in parameters {
        match parameter.take(given, offers) {
            Ok(text) => values.push(Value { name: parameter.name.clone(), text, secret: parameter.is_secret() }),
            Err(wrong) => wrongs.push(wrong),
        }
    }
    wrongs.extend(unknown(parameters, given));
    if wrongs.is_empty() { Ok(Values::new(values)) } else { Err(wrongs) }
}

/// What was given that is no parameter, each name once. What it was given is not told: it may be a secret's, misspelt.
fn unknown(parameters: &[Parameter], given: &[(String, String)]) -> Vec<Wrong> {
    let names: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let allowed = if names.is_empty() { "none".to_owned() } else { listed(&names) };
    let mut wrongs: Vec<Wrong> = Vec::new();
    for (name, _) in given {
        if !names.contains(&name.as_str()) && !wrongs.iter().any(|wrong| wrong.name == *name) {
            let problem = format!("the job has no parameter `{}`", shown(name));
            wrongs.push(Wrong { name: name.clone(), value: None, problem, allowed: allowed.clone() });
        }
    }
    wrongs
}

impl Parameter {
    /// Whether its value is shown to nobody.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret { .. })
    }

    /// What it may be, in words: "a whole number from 1 to 9".
    pub fn allowed(&self, offers: &Offers) -> String {
        let words = match &self.kind {
            Kind::Text { pattern } | Kind::Secret { pattern } => match pattern {
                Some(pattern) => format!("text that matches {}", pattern.as_str()),
                None => "any text".to_owned(),
            },
            Kind::Int { min, max } => match (min, max) {
                (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
                (Some(min), None) => format!("a whole number from {min} on"),
                (None, Some(max)) => format!("a whole number up to {max}"),
                (None, None) => "a whole number".to_owned(),
            },
            Kind::Bool => "true or false".to_owned(),
            Kind::Choices(choices) => one_of(choices),
            Kind::ChoicesFrom(command) => match offers.of(&self.name) {
                [] => format!("one of the lines that `{}` prints, of which there are none", command.join(" ")),
                lines => one_of(lines),
            },
        };
        if self.refuses_dash() { format!("{words}, not beginning with -") } else { words }
    }

    /// The texts that a form offers for it: its default and its choices.
    pub fn offered<'a>(&'a self, offers: &'a Offers) -> impl Iterator<Item = &'a str> {
        let choices = match &self.kind {
            Kind::Choices(choices) => choices,
            Kind::ChoicesFrom(_) => offers.of(&self.name),
            Kind::Text { .. } | Kind::Secret { .. } | Kind::Int { .. } | Kind::Bool => &[],
        };
        self.default.iter().chain(choices).map(String::as_str)
    }

    /// What the command gets for `text`.
    ///
    /// # Errors
    /// Where it is refused.
    pub fn check(&self, text: &str, offers: &Offers) -> Result<String, Wrong> {
        if text.contains('\0') {
            return Err(self.wrong(text, ": it contains a NUL", offers));
        }
        if self.refuses_dash() && text.starts_with('-') {
            return Err(self.wrong(text, ": it would be an option of the command", offers));
        }
        let refused = |why: String| self.wrong(text, &why, offers);
        match &self.kind {
            Kind::Text { pattern } | Kind::Secret { pattern } => {
                match_whole(pattern.as_ref(), text).map_err(refused)?
            }
            Kind::Int { min, max } => check_whole_number(text, *min, *max).map_err(refused)?,
            Kind::Bool if text == "on" => return Ok("true".to_owned()),
            Kind::Bool => one_in(&["true", "false"], text).map_err(refused)?,
            Kind::Choices(choices) => one_in(choices, text).map_err(refused)?,
            Kind::ChoicesFrom(_) => one_in(offers.of(&self.name), text).map_err(refused)?,
        }
        Ok(text.to_owned())
    }

    /// Its value among what was given, else its default.
    fn take(&self, given: &[(String, String)], offers: &Offers) -> Result<String, Wrong> {
        let mut texts = given.iter().filter(|(name, _)| *name == self.name).map(|(_, text)| text.as_str());
        let text = texts.next();
        if texts.next().is_some() {
            return Err(self.wrong_without_value(format!("`{}` is given more than once", self.name), offers));
        }
        // a default is checked as well: what a command offers now may be without it
        let text = text.or(self.default.as_deref());
        let text = text.ok_or_else(|| self.wrong_without_value(format!("`{}` is missing", self.name), offers))?;
        self.check(text, offers)
    }

    fn refuses_dash(&self) -> bool {
        let free = matches!(self.kind, Kind::Text { .. } | Kind::Secret { .. } | Kind::ChoicesFrom(_));
        self.leads_argument && free
    }

    fn wrong(&self, text: &str, why: &str, offers: &Offers) -> Wrong {
        let name = &self.name;
        if self.is_secret() {
            return self.wrong_without_value(format!("the value of `{name}` is refused{why}"), offers);
        }
        let problem = match text {
            "" => format!("`{name}` cannot be empty{why}"),
            _ => format!("`{name}` cannot be `{}`{why}", shown(text)),
        };
        Wrong { value: Some(text.to_owned()), ..self.wrong_without_value(problem, offers) }
    }

    fn wrong_without_value(&self, problem: String, offers: &Offers) -> Wrong {
        Wrong { name: self.name.clone(), value: None, problem, allowed: self.allowed(offers) }
    }
}

/// A check that adds nothing to the message but for the reason in its error.
type Fits = Result<(), String>;

fn match_whole(pattern: Option<&Pattern>, text: &str) -> Fits {
    if pattern.is_none_or(|pattern| pattern.takes(text)) { Ok(()) } else { Err(String::new()) }
}

fn one_in<T: AsRef<str>>(choices: &[T], text: &str) -> Fits {
    if choices.iter().any(|choice| choice.as_ref() == text) { Ok(()) } else { Err(String::new()) }
}

fn check_whole_number(text: &str, min: Option<i64>, max: Option<i64>) -> Fits {
    let number: i64 = text.parse().map_err(|_| String::new())?;
    if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
        return Err(String::new());
    }
    // `010` is eight to some programs and ten to others
    let plain = number.to_string();
    if plain == text { Ok(()) } else { Err(format!(": write it as {plain}")) }
}

fn one_of<T: AsRef<str>>(choices: &[T]) -> String {
    format!("one of {}", listed(choices))
}

/// The first of them, with commas; how many more there are.
fn listed<T: AsRef<str>>(words: &[T]) -> String {
    let named = words.iter().take(NAMED).map(|word| match word.as_ref() {
        "" => "\"\"".to_owned(),
        word => shown(word),
    });
    let named = named.collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// As a message repeats it: on one line, without control characters, and not too long.
fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown = String::new();
    for found in chars.by_ref().take(SHOWN) {
        if found.is_control() { shown.extend(found.escape_default()) } else { shown.push(found) }
    }
    if !chars.as_str().is_empty() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;

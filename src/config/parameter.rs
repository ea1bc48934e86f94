//! The `params` of a job as written → its parameters as meant. It never runs the command that offers choices.

use crate::parameters::{BadPattern, Kind, Offers, Parameter, Pattern, is_name};
use crate::sources::process::Command;

use super::{Invalid, Mistake, Table, Value, leads_argument, take_program};

/// Every key of the table of a parameter.
pub(super) const KEYS: [&str; 8] =
    ["type", "choices", "choices_from", "pattern", "min", "max", "default", "description"];

/// The words of the query of a job's and of a run's URL: no parameter can be named so.
pub const QUERY_WORDS: [&str; 19] = [
    "format", "wait", "detach", "abort", "all", "time", "stream", "from", "tail", "since", "until", "follow",
    "download", "q", "x", "rate", "level", "logger", "field",
];

/// What a parameter is, as its keys say it together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Int,
    Bool,
    Secret,
    Choices,
    /// Choices with `type = "int"`.
    Numbers,
    ChoicesFrom,
}

/// Reads the parameters of a job with this command, in the order of the file. A wrong one is there as well, so that what
/// names it is not called wrong, too.
pub(super) fn take(job: &mut Table<'_, '_>, command: Option<&Command>) -> Vec<Parameter> {
    let header = job.header_below("params");
    let Some(mut table) = job.take_table("params", &header) else { return Vec::new() };
    let mut parameters: Vec<Parameter> = Vec::new();
    for key in table.keys() {
        let name: &str = key.get_ref();
        let named = check_name(name, &parameters).map_err(|invalid| Mistake::of_invalid(key.span(), invalid));
        table.keep(named);
        let mut parameter = Parameter {
            name: name.to_owned(),
            description: None,
            kind: Kind::Text { pattern: None },
            default: None,
            leads_argument: command.is_some_and(|command| leads_argument(command, name)),
        };
        let header = table.header_below(name);
        if let Some(keys) = table.take_table(name, &header) {
            read(keys, &mut parameter);
        }
        parameters.push(parameter);
    }
    parameters
}

fn check_name(name: &str, others: &[Parameter]) -> Result<(), Invalid> {
    if !is_name(name) {
        return Err(Invalid::new(
            format!("a parameter cannot be named `{name}`"),
            "a name is 1 to 64 of the characters a-z, A-Z, 0-9 and `_`, the first a letter",
        ));
    }
    if QUERY_WORDS.contains(&name) {
        let problem = format!("a parameter cannot be named `{name}`: the job's URL has that word already");
        return Err(Invalid::new(problem, format!("take another name, such as `{name}_`")));
    }
    match others.iter().find(|other| other.name.eq_ignore_ascii_case(name)) {
        Some(other) => Err(Invalid::new(
            format!("`{}` and `{name}` would both be the variable PARAM_{}", other.name, name.to_uppercase()),
            "give one of them another name",
        )),
        None => Ok(()),
    }
}

fn read(mut table: Table<'_, '_>, parameter: &mut Parameter) {
    parameter.description = table.take("description", |value| value.text("What it is for"));
    match take_shape(&mut table) {
        Some(shape) => {
            refuse_misfits(&mut table, shape);
            if let Some(kind) = take_kind(&mut table, shape) {
                parameter.kind = kind;
                parameter.default = take_default(&mut table, shape, parameter);
            }
        }
        // without its type nothing else can be judged
        None => KEYS.iter().for_each(|key| {
            let _ = table.value(key);
        }),
    }
    table.finish(|_, _| None);
}

fn take_shape(table: &mut Table<'_, '_>) -> Option<Shape> {
    let words = [("text", Shape::Text), ("int", Shape::Int), ("bool", Shape::Bool), ("secret", Shape::Secret)];
    let written = match table.value("type") {
        Some(value) => table.keep(value.choice(&words))?,
        None => Shape::Text,
    };
    let (listed, asked) = (table.value("choices").is_some(), table.value("choices_from").is_some());
    Some(match written {
        Shape::Text if listed => Shape::Choices,
        Shape::Int if listed => Shape::Numbers,
        Shape::Text if asked => Shape::ChoicesFrom,
        other => other,
    })
}

impl Shape {
    /// Whether a key means something for it.
    fn has(self, key: &str) -> bool {
        match key {
            "choices" => matches!(self, Shape::Choices | Shape::Numbers),
            "choices_from" => self == Shape::ChoicesFrom,
            "pattern" => matches!(self, Shape::Text | Shape::Secret),
            "min" | "max" => self == Shape::Int,
            "default" => self != Shape::Secret,
            _ => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Shape::Text => "a text",
            Shape::Int => "a whole number",
            Shape::Bool => "a bool",
            Shape::Secret => "a secret",
            Shape::Choices | Shape::Numbers => "a parameter with `choices`",
            Shape::ChoicesFrom => "a parameter with `choices_from`",
        }
    }

    /// What to do about a key that it does not have.
    fn remedy(self, key: &str) -> &'static str {
        match (key, self) {
            ("default", _) => {
                "its value would stand in this file: put it into an `env_file`, or take this out and it is asked for"
            }
            ("min" | "max", Shape::Text) => "write `type = \"int\"` as well",
            ("choices_from", Shape::Choices) => "give one of the two",
            (_, Shape::Choices | Shape::Numbers | Shape::ChoicesFrom) => {
                "it is one of them and nothing else: take it out"
            }
            ("pattern", Shape::Int) => "write `min` and `max`",
            ("choices_from", Shape::Int) => "the lines of a command are text: take `type` out",
            ("choices" | "choices_from", Shape::Secret) => "whoever may choose it sees it: take this or `type` out",
            _ => "take it out",
        }
    }
}

fn refuse_misfits(table: &mut Table<'_, '_>, shape: Shape) {
    for key in KEYS.into_iter().filter(|key| !shape.has(key)) {
        if let Some(value) = table.value(key) {
            let problem = format!("{} has no `{key}`", shape.name());
            table.keep(Err::<(), _>(value.mistake_about_key(problem, shape.remedy(key))));
        }
    }
}

/// `None` only together with a mistake.
fn take_kind(table: &mut Table<'_, '_>, shape: Shape) -> Option<Kind> {
    match shape {
        Shape::Text => Some(Kind::Text { pattern: take_pattern(table) }),
        Shape::Secret => Some(Kind::Secret { pattern: take_pattern(table) }),
        Shape::Bool => Some(Kind::Bool),
        Shape::Int => take_bounds(table),
        Shape::Choices | Shape::Numbers => take_choices(table, shape),
        Shape::ChoicesFrom => take_program(table, "choices_from").map(Kind::ChoicesFrom),
    }
}

fn take_pattern(table: &mut Table<'_, '_>) -> Option<Pattern> {
    table.take("pattern", |value| value.parsed("[a-z]+", None, |text| Pattern::new(text).map_err(bad_pattern)))
}

fn bad_pattern(bad: BadPattern) -> Invalid {
    // the message draws the pattern with a caret of its own, and says last what is wrong
    let message = bad.to_string();
    let said = message.lines().last().unwrap_or_default();
    Invalid::new(
        format!("`pattern` is refused: {}", said.trim_start_matches("error: ")),
        "write it as https://docs.rs/regex/latest/regex/#syntax says, best in single quotes: '[a-z]+'",
    )
}

fn take_bounds(table: &mut Table<'_, '_>) -> Option<Kind> {
    let min = table.take("min", |value| value.whole_number("1"));
    let max = table.take("max", |value| value.whole_number("9"));
    if let Some((min, max)) = min.zip(max).filter(|(min, max)| min > max) {
        let problem = format!("no number is from {min} to {max}");
        table.take("max", |value| Err::<(), _>(value.mistake(problem, "`min` is the least and `max` the greatest")));
        return None;
    }
    Some(Kind::Int { min, max })
}

fn take_choices(table: &mut Table<'_, '_>, shape: Shape) -> Option<Kind> {
    let mut seen = Vec::new();
    let choices = table.take_list("choices", 1, "[\"daily\", \"full\"]", |item| {
        let text = literal(item, shape)?;
        if seen.contains(&text) {
            return Err(item.mistake(format!("`{text}` is listed twice"), "take one of the two out"));
        }
        seen.push(text.clone());
        Ok(text)
    });
    choices.map(Kind::Choices)
}

fn take_default(table: &mut Table<'_, '_>, shape: Shape, parameter: &Parameter) -> Option<String> {
    if !shape.has("default") {
        return None;
    }
    table.take("default", |value| {
        let text = literal(value, shape)?;
        // what a command offers is not known before it runs
        let mut offers = Offers::default();
        offers.insert(parameter.name.as_str(), vec![text.clone()]);
        parameter.check(&text, &offers).map_err(|wrong| {
            let allowed = match parameter.kind {
                Kind::ChoicesFrom(_) => "write another, or put `--` before it in the command".to_owned(),
                _ => format!("it may be {}", wrong.allowed),
            };
            value.mistake(format!("the default of {}", wrong.problem), allowed)
        })
    })
}

/// A value as text. Numbers and true or false may stand without quotes where the type says that it is one.
fn literal(value: &Value<'_>, shape: Shape) -> Result<String, Mistake> {
    match shape {
        Shape::Bool if !value.is_string() => value.boolean().map(|truth| truth.to_string()),
        Shape::Int | Shape::Numbers if !value.is_string() => value.whole_number("1").map(|number| number.to_string()),
        Shape::Numbers => value.parsed("1", None, |text| {
            let plain = text.parse().is_ok_and(|number: i64| number.to_string() == text);
            let not_a_number = || Invalid::new(format!("`{text}` is not a whole number"), "write one such as `1`");
            if plain { Ok(text.to_owned()) } else { Err(not_a_number()) }
        }),
        _ => value.parsed("text", Some(""), |text| Ok(text.to_owned())),
    }
}

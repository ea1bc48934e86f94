//! The parameters of a job as the fields of its form: filled in with what was given, or with their defaults. It checks
//! nothing; what is wrong it is told.

use super::pages::{Field, Input};
use crate::parameters::{Kind, Parameter, Wrong};

/// What a job's form is drawn from.
#[derive(Default)]
pub(super) struct Form {
    /// One for each parameter.
    pub(super) fields: Vec<Field>,
    /// What is wrong and is about no field.
    pub(super) problem: Option<String>,
}

impl Form {
    /// The fields of `parameters`. `given` tells the value that a name was given, if any; a secret's is never shown
    /// again. Of a list of choices that a command prints, the caller puts the lines in place of the command first;
    /// otherwise it is a field for text.
    pub(super) fn of<'a>(parameters: &[Parameter], given: impl Fn(&str) -> Option<&'a str>, wrong: &[Wrong]) -> Form {
        let field = |parameter: &Parameter| {
            field(parameter, given(&parameter.name), wrong.iter().find(|wrong| wrong.name == parameter.name))
        };
        let is_known = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
        let others: Vec<_> = wrong.iter().filter(|wrong| !is_known(&wrong.name)).map(Wrong::to_string).collect();
        Form {
            fields: parameters.iter().map(field).collect(),
            problem: (!others.is_empty()).then(|| others.join("; ")),
        }
    }
}

fn field(parameter: &Parameter, given: Option<&str>, wrong: Option<&Wrong>) -> Field {
    let value = given.or(parameter.default.as_deref()).unwrap_or_default();
    let (input, allowed, takes_nothing) = match &parameter.kind {
        Kind::Text { pattern } => {
            let allowed = pattern.as_ref().map(|pattern| format!("text that matches {}", pattern.as_str()));
            (Input::Text, allowed, pattern.as_ref().is_some_and(|pattern| pattern.takes("")))
        }
        Kind::Secret { pattern } => {
            let allowed = pattern.as_ref().map(|pattern| format!("text that matches {}", pattern.as_str()));
            (Input::Secret, allowed, pattern.as_ref().is_some_and(|pattern| pattern.takes("")))
        }
        Kind::Int { min, max } => (Input::Int { min: *min, max: *max }, Some(whole_number(*min, *max)), false),
        Kind::Bool => (Input::Bool, None, false),
        Kind::Choices(choices) => (Input::Choice(choices.clone()), None, choices.iter().any(String::is_empty)),
        Kind::ChoicesFrom(_) => (Input::Text, None, false),
    };
    let is_optional = takes_nothing || (parameter.default.is_some() && matches!(input, Input::Text | Input::Secret));
    Field {
        name: parameter.name.clone(),
        description: parameter.description.clone().unwrap_or_default(),
        value: if input == Input::Secret { String::new() } else { value.to_owned() },
        problem: wrong.map(|wrong| wrong.problem.clone()),
        allowed: wrong.map(|wrong| wrong.allowed.clone()).or(allowed).unwrap_or_default(),
        required: !is_optional,
        input,
    }
}

fn whole_number(min: Option<i64>, max: Option<i64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
        (Some(min), None) => format!("a whole number from {min}"),
        (None, Some(max)) => format!("a whole number up to {max}"),
        (None, None) => "a whole number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Pattern;

    fn parameter(name: &str, kind: Kind, default: Option<&str>) -> Parameter {
        let default = default.map(str::to_owned);
        Parameter { name: name.to_owned(), description: None, kind, default, leads_argument: false }
    }

    #[test]
    fn a_field_holds_what_was_given_or_else_the_default() {
        let parameters = [
            parameter("target", Kind::Choices(vec!["daily".to_owned(), "full".to_owned()]), Some("daily")),
            parameter("count", Kind::Int { min: Some(1), max: Some(9) }, Some("1")),
        ];
        let form = Form::of(&parameters, |name| (name == "count").then_some("12"), &[]);
        assert_eq!(form.fields[0].value, "daily");
        assert_eq!(form.fields[1].value, "12");
        assert_eq!(form.fields[1].allowed, "a whole number from 1 to 9");
        assert_eq!(form.fields[1].input, Input::Int { min: Some(1), max: Some(9) });
    }

    #[test]
    fn a_secret_is_never_filled_in() {
        let secret = parameter("token", Kind::Secret { pattern: None }, Some("hidden default"));
        assert_eq!(Form::of(&[secret], |_| Some("hidden"), &[]).fields[0].value, "");
    }

    #[test]
    fn what_may_be_empty_is_not_required() {
        let text = |pattern: Option<&str>, default| {
            let pattern = pattern.map(|pattern| Pattern::new(pattern).unwrap());
            Form::of(&[parameter("note", Kind::Text { pattern }, default)], |_| None, &[]).fields[0].required
        };
        assert!(text(None, None), "left empty by mistake");
        assert!(!text(None, Some("")) && !text(Some("x*"), None));
        assert!(text(Some("x+"), None));
        let number = parameter("count", Kind::Int { min: None, max: None }, Some("1"));
        assert!(Form::of(&[number], |_| None, &[]).fields[0].required, "no number is empty");
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field_and_the_rest_above_the_form() {
        let wrong = |name: &str| Wrong {
            name: name.to_owned(),
            value: Some("x".to_owned()),
            problem: format!("`{name}` cannot be `x`"),
            allowed: "something else".to_owned(),
        };
        let parameters = [parameter("count", Kind::Int { min: None, max: None }, None)];
        let form = Form::of(&parameters, |_| Some("x"), &[wrong("count"), wrong("cuont")]);
        assert_eq!(form.fields[0].problem.as_deref(), Some("`count` cannot be `x`"));
        assert_eq!(form.fields[0].allowed, "something else");
        assert_eq!(form.problem.as_deref(), Some("`cuont` cannot be `x`; allowed: something else"));
    }
}

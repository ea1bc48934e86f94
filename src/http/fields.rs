//! The parameters of a job as the fields of its form: filled in with what was given, or with their defaults. It checks
//! nothing; what is wrong it is told.

use super::pages::{Field, Input};
use crate::parameters::{Kind, Offers, Parameter, Wrong};

/// What a job's form is drawn from.
#[derive(Default)]
pub(super) struct Form {
    /// One for each parameter.
    pub(super) fields: Vec<Field>,
    /// What is wrong and is about no field.
    pub(super) problem: Option<String>,
}

impl Form {
    /// The fields of `parameters`: filled in with what was `given`, but never with a secret; and beside each what is
    /// wrong with it.
    pub(super) fn of(parameters: &[Parameter], given: &[(String, String)], offers: &Offers, wrong: &[Wrong]) -> Form {
        let field = |parameter: &Parameter| {
            let given = given.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value.as_str());
            let wrong = wrong.iter().find(|wrong| wrong.name == parameter.name);
            Field {
                problem: wrong.map(|wrong| wrong.problem.clone()),
                ..field(parameter, given.or(parameter.default.as_deref()).unwrap_or_default(), offers)
            }
        };
        let is_known = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
        let others: Vec<_> = wrong.iter().filter(|wrong| !is_known(&wrong.name)).map(Wrong::to_string).collect();
        Form {
            fields: parameters.iter().map(field).collect(),
            problem: (!others.is_empty()).then(|| others.join("; ")),
        }
    }
}

fn field(parameter: &Parameter, value: &str, offers: &Offers) -> Field {
    let empty_fits = || parameter.check("", offers).is_ok();
    let (input, required) = match &parameter.kind {
        // where nothing is the default, or a pattern says that it fits, nothing is an answer; else it is an oversight
        Kind::Text { pattern } | Kind::Secret { pattern } => {
            let input = if parameter.is_secret() { Input::Secret } else { Input::Text };
            let may_be_empty = parameter.default.is_some() || pattern.is_some();
            (input, !(may_be_empty && empty_fits()))
        }
        Kind::Int { min, max } => (Input::Int { min: *min, max: *max }, true),
        Kind::Bool => (Input::Bool, true),
        Kind::Choices(choices) => (Input::Choice(choices.clone()), !empty_fits()),
        Kind::ChoicesFrom(_) => match offers.of(&parameter.name) {
            // its command has not been asked
            [] => (Input::Text, true),
            lines => (Input::Choice(lines.to_vec()), !empty_fits()),
        },
    };
    let says_all = match &parameter.kind {
        Kind::Text { pattern } | Kind::Secret { pattern } => pattern.is_none() && !parameter.leads_argument,
        Kind::Int { .. } => false,
        Kind::Bool | Kind::Choices(_) | Kind::ChoicesFrom(_) => true,
    };
    Field {
        name: parameter.name.clone(),
        description: parameter.description.clone().unwrap_or_default(),
        // HTML has no NUL
        value: if input == Input::Secret { String::new() } else { value.replace('\0', "\u{fffd}") },
        problem: None,
        allowed: if says_all { String::new() } else { parameter.allowed(offers) },
        required,
        input,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Pattern;

    fn form(parameters: &[Parameter], given: &[(&str, &str)]) -> Form {
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Form::of(parameters, &given, &Offers::default(), &[])
    }

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
        let form = form(&parameters, &[("count", "12")]);
        assert_eq!(form.fields[0].value, "daily");
        assert_eq!(form.fields[1].value, "12");
        assert_eq!(form.fields[1].allowed, "a whole number from 1 to 9");
        assert_eq!(form.fields[1].input, Input::Int { min: Some(1), max: Some(9) });
    }

    #[test]
    fn lines_of_a_command_are_choices_once_they_are_known() {
        let branch = [parameter("branch", Kind::ChoicesFrom(vec!["git".to_owned()]), None)];
        assert_eq!(form(&branch, &[]).fields[0].input, Input::Text);
        let mut offers = Offers::default();
        offers.insert("branch", vec!["main".to_owned()]);
        let form = Form::of(&branch, &[], &offers, &[]);
        assert_eq!(form.fields[0].input, Input::Choice(vec!["main".to_owned()]));
    }

    #[test]
    fn a_secret_is_never_filled_in() {
        let secret = parameter("token", Kind::Secret { pattern: None }, Some("hidden default"));
        assert_eq!(form(&[secret], &[("token", "hidden")]).fields[0].value, "");
    }

    #[test]
    fn what_may_be_empty_is_not_required() {
        let text = |pattern: Option<&str>, default| {
            let pattern = pattern.map(|pattern| Pattern::new(pattern).unwrap());
            form(&[parameter("note", Kind::Text { pattern }, default)], &[]).fields[0].required
        };
        assert!(text(None, None), "left empty by mistake");
        assert!(!text(None, Some("")) && !text(Some("x*"), None));
        assert!(text(Some("x+"), None));
        let number = parameter("count", Kind::Int { min: None, max: None }, Some("1"));
        assert!(form(&[number], &[]).fields[0].required, "no number is empty");
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
        let form = Form::of(&parameters, &[], &Offers::default(), &[wrong("count"), wrong("cuont")]);
        assert_eq!(form.fields[0].problem.as_deref(), Some("`count` cannot be `x`"));
        assert_eq!(form.fields[0].allowed, "a whole number");
        assert_eq!(form.problem.as_deref(), Some("`cuont` cannot be `x`; allowed: something else"));
    }
}

//! What passes, what does not, and what is said about it.

use proptest::prelude::*;

use super::*;

fn parameter(name: &str, kind: Kind) -> Parameter {
    Parameter { name: name.into(), description: None, kind, default: None, leads_argument: false }
}

fn text(pattern: &str) -> Kind {
    Kind::Text { pattern: Some(Pattern::new(pattern).unwrap()) }
}

fn one_to_nine() -> Kind {
    Kind::Int { min: Some(1), max: Some(9) }
}

fn choices(words: &[&str]) -> Kind {
    Kind::Choices(words.iter().map(|word| word.to_string()).collect())
}

fn secret() -> Kind {
    Kind::Secret { pattern: Some(Pattern::new("[a-z]+").unwrap()) }
}

fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn offers(name: &str, lines: &[&str]) -> Offers {
    let mut offers = Offers::default();
    offers.insert(name, lines.iter().map(|line| line.to_string()).collect());
    offers
}

/// What comes of one value for a parameter `x` of this kind.
fn one(kind: Kind, value: &str) -> Result<String, String> {
    let values = check(&[parameter("x", kind)], &given(&[("x", value)]), &offers("x", &["main", "-f"]));
    let text = |values: Values| values.of("x").map(|value| value.text.clone()).unwrap();
    values.map(text).map_err(|wrongs| wrongs.iter().map(Wrong::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn values_come_in_the_order_of_the_job_with_defaults_filled_in() {
    let with_default = |name, kind, default: &str| Parameter { default: Some(default.into()), ..parameter(name, kind) };
    let parameters = [
        with_default("target", choices(&["daily", "full"]), "daily"),
        parameter("count", one_to_nine()),
        with_default("dry", Kind::Bool, "false"),
        parameter("token", secret()),
    ];
    let values = check(&parameters, &given(&[("token", "abc"), ("dry", "on"), ("count", "3")]), &Offers::default());
    let values = values.unwrap();
    let pairs: Vec<_> = values.iter().map(|value| (&*value.name, &*value.text, value.secret)).collect();
    assert_eq!(
        pairs,
        [("target", "daily", false), ("count", "3", false), ("dry", "true", false), ("token", "abc", true)]
    );
}

#[test]
fn all_that_is_wrong_is_said_together() {
    let parameters = [
        parameter("count", one_to_nine()),
        parameter("target", choices(&["daily", "full"])),
        parameter("note", Kind::Text { pattern: None }),
        parameter("right", Kind::Bool),
    ];
    let given = given(&[
        ("note", "a\0b"),
        ("other", "hunter2"),
        ("count", "12"),
        ("right", "true"),
        ("other", "2"),
        ("count\u{1b}", "2"),
    ]);
    let wrongs = check(&parameters, &given, &Offers::default()).unwrap_err();
    let said: Vec<_> = wrongs.iter().map(Wrong::to_string).collect();
    assert_eq!(
        said,
        [
            "`count` cannot be `12`; allowed: a whole number from 1 to 9",
            "`target` is missing; allowed: one of daily, full",
            "`note` cannot be `a\\u{0}b`: it contains a NUL; allowed: any text",
            "the job has no parameter `other`; allowed: count, target, note, right",
            "the job has no parameter `count\\u{1b}`; allowed: count, target, note, right",
        ]
    );
    let told: Vec<_> = wrongs.iter().map(|wrong| (wrong.name.as_str(), wrong.value.as_deref())).collect();
    assert_eq!(
        told,
        [("count", Some("12")), ("target", None), ("note", Some("a\0b")), ("other", None), ("count\u{1b}", None)]
    );
}

#[test]
fn a_job_without_parameters_takes_none() {
    assert_eq!(check(&[], &[], &Offers::default()), Ok(Values::default()));
    let wrongs = check(&[], &given(&[("x", "1")]), &Offers::default()).unwrap_err();
    assert_eq!(wrongs[0].to_string(), "the job has no parameter `x`; allowed: none");
}

#[test]
fn a_value_is_given_once() {
    let said = check(&[parameter("x", one_to_nine())], &given(&[("x", "1"), ("x", "1")]), &Offers::default());
    let said = said.unwrap_err();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].to_string(), "`x` is given more than once; allowed: a whole number from 1 to 9");
}

#[test]
fn an_empty_value_is_a_value() {
    assert_eq!(one(Kind::Text { pattern: None }, ""), Ok(String::new()));
    assert_eq!(one(text("a*"), ""), Ok(String::new()));
    assert_eq!(one(choices(&["", "x"]), ""), Ok(String::new()));
    assert_eq!(one(text("a+"), "").unwrap_err(), "`x` cannot be empty; allowed: text that matches a+");
    assert_eq!(one(choices(&["", "x"]), "y").unwrap_err(), "`x` cannot be `y`; allowed: one of \"\", x");
    let with_default = Parameter { default: Some("5".into()), ..parameter("x", one_to_nine()) };
    let said = check(&[with_default], &given(&[("x", "")]), &Offers::default()).unwrap_err();
    assert_eq!(said[0].to_string(), "`x` cannot be empty; allowed: a whole number from 1 to 9");
}

#[test]
fn a_whole_number_is_written_plainly_and_within_its_bounds() {
    let any = || Kind::Int { min: None, max: None };
    for number in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
        assert_eq!(one(any(), number), Ok(number.to_owned()));
    }
    for number in ["", " 1", "1 ", "1.0", "1e3", "0x1", "９", "9223372036854775808", "--1", "-", "1\n"] {
        assert!(one(any(), number).is_err(), "{number:?}");
    }
    assert_eq!(
        one(one_to_nine(), "+007").unwrap_err(),
        "`x` cannot be `+007`: write it as 7; allowed: a whole number from 1 to 9"
    );
    for (min, max, words) in [
        (Some(-1), None, "a whole number from -1 on"),
        (None, Some(9), "a whole number up to 9"),
        (None, None, "a whole number"),
    ] {
        assert_eq!(parameter("x", Kind::Int { min, max }).allowed(&Offers::default()), words);
        assert!(one(Kind::Int { min, max }, "y").unwrap_err().ends_with(words));
    }
    for (min, max) in [(Some(2), None), (None, Some(0))] {
        assert!(one(Kind::Int { min, max }, "1").is_err());
    }
}

#[test]
fn a_bool_is_true_or_false_or_what_a_form_says() {
    for (value, text) in [("true", "true"), ("false", "false"), ("on", "true")] {
        assert_eq!(one(Kind::Bool, value), Ok(text.to_owned()));
    }
    for value in ["", "off", "1", "True", "yes"] {
        assert!(one(Kind::Bool, value).unwrap_err().ends_with("; allowed: true or false"), "{value}");
    }
}

#[test]
fn a_pattern_has_to_match_the_whole_value() {
    for (pattern, value) in [("[a-z]+", "abc1"), ("[a-z]+", "1abc"), ("^a$", "a\n"), ("a|b", "ab"), ("(?m)^a$", "a\nb")]
    {
        assert!(one(text(pattern), value).is_err(), "{pattern} {value:?}");
    }
    assert_eq!(one(text("a|b"), "b"), Ok("b".to_owned()));
    assert_eq!(one(text("(?s).*"), "a\n$(x)"), Ok("a\n$(x)".to_owned()));
}

#[test]
fn choices_of_a_command_are_the_lines_that_it_printed() {
    let kind = || Kind::ChoicesFrom(vec!["git".into(), "branch".into()]);
    assert_eq!(one(kind(), "main"), Ok("main".to_owned()));
    assert_eq!(one(kind(), "-f"), Ok("-f".to_owned()));
    assert_eq!(one(kind(), "mai").unwrap_err(), "`x` cannot be `mai`; allowed: one of main, -f");
    let gone = Parameter { default: Some("gone".into()), ..parameter("x", kind()) };
    let said = check(std::slice::from_ref(&gone), &[], &offers("x", &["main"])).unwrap_err();
    assert_eq!(said[0].to_string(), "`x` cannot be `gone`; allowed: one of main");
    let said = check(&[gone], &[], &Offers::default()).unwrap_err();
    assert_eq!(
        said[0].to_string(),
        "`x` cannot be `gone`; allowed: one of the lines that `git branch` prints, of which there are none"
    );
}

#[test]
fn what_would_be_an_option_is_refused() {
    let offered = offers("x", &["-f", "main"]);
    for kind in [Kind::Text { pattern: None }, text(".*"), Kind::ChoicesFrom(vec!["git".into()])] {
        let leading = Parameter { leads_argument: true, ..parameter("x", kind.clone()) };
        let said = check(std::slice::from_ref(&leading), &given(&[("x", "-f")]), &offered).unwrap_err();
        assert_eq!(said[0].problem, "`x` cannot be `-f`: it would be an option of the command");
        assert!(said[0].allowed.ends_with(", not beginning with -"), "{}", said[0].allowed);
        assert!(check(&[leading], &given(&[("x", "main")]), &offered).is_ok());
        assert!(check(&[parameter("x", kind)], &given(&[("x", "-f")]), &offered).is_ok());
    }
    // what the file itself allows is meant
    for kind in [choices(&["-f"]), Kind::Int { min: None, max: None }] {
        let value = if kind == choices(&["-f"]) { "-f" } else { "-1" };
        let leading = Parameter { leads_argument: true, ..parameter("x", kind) };
        assert!(check(&[leading], &given(&[("x", value)]), &offered).is_ok());
    }
}

#[test]
fn a_message_stays_short() {
    let long = "é".repeat(1000);
    let said = one(choices(&["a"]), &long).unwrap_err();
    assert!(said.chars().count() < 150 && said.contains("é…`"), "{said}");
    let many: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let said = one(Kind::Choices(many), "x").unwrap_err();
    assert!(said.ends_with("28, 29 and 70 more"), "{said}");
}

#[test]
fn a_secret_is_never_told() {
    let leading = Parameter { leads_argument: true, ..parameter("x", secret()) };
    let (nul, dash, digits) = ("hunter\0", "-hunter", "hunter2");
    for value in [nul, dash, digits] {
        for given in [given(&[("x", value)]), given(&[("x", value), ("x", value)]), given(&[("X", value)])] {
            let wrongs = check(std::slice::from_ref(&leading), &given, &Offers::default()).unwrap_err();
            assert!(wrongs.iter().all(|wrong| wrong.value.is_none()));
            assert!(!format!("{wrongs:?}").contains("hunter"), "{wrongs:?}");
        }
    }
    let said = one(secret(), digits).unwrap_err();
    assert_eq!(said, "the value of `x` is refused; allowed: text that matches [a-z]+");
}

fn kinds() -> impl Strategy<Value = Kind> {
    let bound = prop::option::of(-20_i64..20);
    prop_oneof![
        Just(Kind::Text { pattern: None }),
        Just(text("[a-z -]*")),
        Just(text("(?s).*")),
        (bound.clone(), bound).prop_map(|(min, max)| Kind::Int { min, max }),
        Just(Kind::Bool),
        Just(choices(&["", "a", "-1", "true"])),
        Just(Kind::ChoicesFrom(vec!["git".into()])),
        Just(secret()),
    ]
}

fn a_value() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,10}", "-?[0-9]{1,3}", "on|true|false||a|-1|-f|main|\0", any::<String>()]
}

proptest! {
    #[test]
    fn what_passes_comes_out_unchanged(kind in kinds(), value in a_value(), leads_argument in any::<bool>()) {
        let parameter = Parameter { leads_argument, ..parameter("x", kind.clone()) };
        let checked = check(&[parameter], &given(&[("x", &value)]), &offers("x", &["main", "-f", ""]));
        if let Ok(values) = checked {
            let passed = values.of("x").map(|value| value.text.clone());
            let expected = if kind == Kind::Bool && value == "on" { "true".to_owned() } else { value };
            prop_assert!(!expected.contains('\0'));
            prop_assert_eq!(passed, Some(expected));
        }
    }

    #[test]
    fn nothing_given_panics_and_every_fault_has_its_words(
        kinds in prop::collection::vec(kinds(), 0..4),
        given in prop::collection::vec(("[a-e]|\\PC{0,3}", a_value()), 0..6),
    ) {
        let names = ["a", "b", "c", "d"];
        let parameters: Vec<_> = names.iter().zip(kinds).map(|(name, kind)| parameter(name, kind)).collect();
        match check(&parameters, &given, &offers("a", &["main"])) {
            Ok(values) => prop_assert_eq!(values.iter().count(), parameters.len()),
            Err(wrongs) => {
                prop_assert!(!wrongs.is_empty());
                prop_assert!(wrongs.iter().all(|wrong| !wrong.problem.is_empty() && !wrong.allowed.is_empty()));
                prop_assert!(wrongs.iter().all(|wrong| !wrong.to_string().contains('\0')));
            }
        }
    }

    #[test]
    fn no_secret_shows_in_what_is_wrong(value in "[0-9A-Z]{6,20}", twice in any::<bool>(), leads_argument in any::<bool>()) {
        let parameter = Parameter { leads_argument, ..parameter("x", secret()) };
        let mut pairs = given(&[("x", &value), ("y", &value)]);
        if twice {
            pairs.push(("x".into(), value.clone()));
        }
        let wrongs = check(&[parameter], &pairs, &Offers::default()).unwrap_err();
        prop_assert_eq!(wrongs.len(), 2);
        let told = format!("{wrongs:?}");
        prop_assert!(!told.contains(&value));
    }
}

//! Values and placeholders: whatever is given, what passes is unchanged, and a value fills its place and no other.
#![no_main]

use joblines::parameters::{
    Kind, Offers, Parameter, Pattern, Value, Values, check, fill, is_name, leading_placeholders, placeholders,
};
use libfuzzer_sys::fuzz_target;

fn kind(choice: u8, pattern: &str) -> Option<Kind> {
    let pattern = || Pattern::new(pattern).ok();
    Some(match choice % 6 {
        0 => Kind::Text { pattern: Some(pattern()?) },
        1 => Kind::Secret { pattern: Some(pattern()?) },
        2 => Kind::Int { min: Some(-9), max: Some(99) },
        3 => Kind::Bool,
        4 => Kind::Choices(vec!["a".into(), String::new()]),
        _ => Kind::ChoicesFrom(vec!["git".into()]),
    })
}

fn try_check(choice: u8, pattern: &str, given: &[(String, String)]) {
    let Some(kind) = kind(choice, pattern) else { return };
    let is_bool = kind == Kind::Bool;
    let secret = matches!(kind, Kind::Secret { .. });
    let parameter =
        Parameter { name: "p".into(), description: None, kind, default: None, leads_argument: choice > 127 };
    let mut offers = Offers::default();
    offers.insert("p", vec!["main".into()]);
    match check(&[parameter], given, &offers) {
        Ok(values) => {
            let passed = values.of("p").expect("the job's only parameter");
            assert_eq!((given.len(), passed.secret), (1, secret));
            assert!(passed.text == given[0].1 || is_bool && given[0].1 == "on");
            assert!(!passed.text.contains('\0'));
        }
        Err(wrongs) => {
            assert!(!wrongs.is_empty());
            assert!(wrongs.iter().all(|wrong| !wrong.problem.contains(['\0', '\n', '\u{1b}'])));
            assert!(!secret || wrongs.iter().all(|wrong| wrong.value.is_none()));
        }
    }
}

fuzz_target!(|input: (u8, &str, &str, &str, Vec<(String, String)>)| {
    let (choice, argument, name, text, given) = input;
    try_check(choice, argument, &given);
    assert!(placeholders(argument).all(is_name));
    assert!(leading_placeholders(argument).eq(placeholders(argument).take(leading_placeholders(argument).count())));
    let value = Value { name: name.into(), text: text.into(), secret: false };
    let filled = fill(argument, &Values::new(vec![value]));
    if is_name(name) {
        assert_eq!(filled, argument.replace(&format!("{{{name}}}"), text));
    } else {
        assert_eq!(filled, argument);
    }
});

//! What is read out of queries, forms and JSON objects, and that no bytes confuse it.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::http::query::encode;
use crate::parameters::MASK;

fn json(text: &str) -> Result<Intake, Unreadable> {
    Intake::of_body(Kind::Json, text.as_bytes())
}

fn form(text: &str) -> Intake {
    Intake::of_body(Kind::Form, text.as_bytes()).unwrap()
}

fn query(text: &str) -> Intake {
    Intake::of_query(&Query::parse(text).unwrap(), &["wait", "format"])
}

fn wrong(intake: &Intake) -> Vec<(&str, &str)> {
    intake.wrong.iter().map(|wrong| (wrong.name.as_str(), wrong.problem.as_str())).collect()
}

fn parameter(name: &str, kind: crate::parameters::Kind) -> Parameter {
    Parameter { name: name.to_owned(), description: None, kind, default: None, leads_argument: false }
}

fn text() -> crate::parameters::Kind {
    crate::parameters::Kind::Text { pattern: None }
}

#[test]
fn a_content_type_names_a_kind_whatever_its_case_and_its_parameters() {
    for (given, expected) in [
        ("application/json", Some(Kind::Json)),
        ("Application/JSON; charset=utf-8", Some(Kind::Json)),
        ("application/x-www-form-urlencoded;charset=UTF-8", Some(Kind::Form)),
        ("multipart/form-data; boundary=x", None),
        ("text/plain", None),
        ("application/jsonx", None),
        ("", None),
    ] {
        assert_eq!(Kind::of(given), expected, "{given}");
    }
}

#[test]
fn the_urls_own_words_are_no_parameters() {
    let intake = query("wait&target=full&format=json&note=");
    assert_eq!(intake.given, [("target".to_owned(), "full".to_owned()), ("note".to_owned(), String::new())]);
}

#[test]
fn json_values_become_their_text_as_it_was_written() {
    let intake = json(
        r#" {"a": "x\n\u00e4", "b": 1.50, "c": -0, "d": 123456789012345678901234567890, "e": true,
                            "f": false, "g": "", "h": 1e3} "#,
    );
    let expected = [
        ("a", "x\nä"),
        ("b", "1.50"),
        ("c", "-0"),
        ("d", "123456789012345678901234567890"),
        ("e", "true"),
        ("f", "false"),
        ("g", ""),
        ("h", "1e3"),
    ];
    assert_eq!(intake.unwrap().given, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(json("{}").unwrap(), Intake::default());
}

#[test]
fn what_is_no_text_is_refused_by_name() {
    let intake = json(r#"{"a": null, "b": [1, 2], "c": {"d": 1}, "ok": "x"}"#).unwrap();
    assert_eq!(
        wrong(&intake),
        [("a", "`a` cannot be null"), ("b", "`b` cannot be an array"), ("c", "`c` cannot be an object")]
    );
    assert_eq!(intake.wrong[1].value.as_deref(), Some("[1, 2]"));
    assert_eq!(intake.value("ok"), Some("x"));
}

#[test]
fn a_name_given_twice_is_refused_wherever_it_is_given() {
    assert_eq!(
        wrong(&json(r#"{"a": 1, "b": 2, "a": 3, "a": 4}"#).unwrap()),
        [("a", "`a` is given more than once, here as `3`")]
    );
    assert_eq!(wrong(&form("a=1&b=2&a=1")), [("a", "`a` is given more than once, here as `1`")]);
    let both = query("a=1&b=2").and(form("b=2&c=3"));
    assert_eq!(wrong(&both), [("b", "`b` is given twice, in the query and in the body")]);
    assert_eq!((both.value("a"), both.value("b"), both.value("c")), (Some("1"), None, Some("3")));
}

#[test]
fn every_pair_of_a_form_that_cannot_be_read_is_named() {
    let intake = form("a=%ff&b=%4&c=x%00y&d=fine");
    let names: Vec<_> = intake.wrong.iter().map(|wrong| wrong.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(intake.value("d"), Some("fine"));
}

#[test]
fn what_is_no_object_is_no_set_of_parameters() {
    for text in ["[]", "[{\"a\": 1}]", "\"a\"", "1", "null", "true"] {
        assert_eq!(json(text), Err(Unreadable::NoObject), "{text}");
    }
    for text in ["", "{", "{\"a\":1,}", "{a:1}", "[1,", "{\"a\":\"\\ud800\"}", "{\"a\":1} x", "{'a':1}", "{1:2}"] {
        assert!(matches!(json(text), Err(Unreadable::NotJson(_))), "{text}");
    }
    let not_text = Intake::of_body(Kind::Json, b"{\"a\":\"\xff\"}");
    assert!(matches!(not_text, Err(Unreadable::NotJson(_))), "{not_text:?}");
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let _ = json(&deep);
}

#[test]
fn a_check_tells_everything_that_is_wrong_once() {
    let parameters = ["a", "b", "c"].map(|name| parameter(name, text()));
    let wrong = json(r#"{"a": null, "x": 1}"#).unwrap().check(&parameters, &Offers::default()).unwrap_err();
    let names: Vec<_> = wrong.iter().map(|wrong| wrong.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "x"]);
    let values = query("a=1").and(json(r#"{"b": 2, "c": true}"#).unwrap()).check(&parameters, &Offers::default());
    let texts: Vec<_> = values.unwrap().iter().map(|value| value.text.clone()).collect();
    assert_eq!(texts, ["1", "2", "true"]);
}

#[test]
fn what_a_form_sends_is_what_stood_in_it() {
    let choices = ["one\r\ntwo", "cr\r"].map(str::to_owned).to_vec();
    let offers = {
        let mut offers = Offers::default();
        offers.insert("from", vec!["main\r".to_owned()]);
        offers
    };
    let parameters = [
        Parameter { default: Some("a\nb\n".to_owned()), ..parameter("lf", text()) },
        Parameter { default: Some("a\r\nb".to_owned()), ..parameter("crlf", text()) },
        parameter("choice", crate::parameters::Kind::Choices(choices)),
        parameter("from", crate::parameters::Kind::ChoicesFrom(Vec::new())),
        parameter("free", text()),
    ];
    let typed = |sent: &str| form(sent).as_typed(&parameters, &offers).given;
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    for (sent, name, meant) in [
        ("lf=a%0D%0Ab%0D%0A", "lf", "a\nb\n"),
        ("lf=a%0D%0Ac", "lf", "a\nc"),
        ("crlf=a%0D%0Ab", "crlf", "a\r\nb"),
        ("crlf=a%0D%0Ab%0D%0A", "crlf", "a\nb\n"),
        ("choice=one%0D%0Atwo", "choice", "one\r\ntwo"),
        ("choice=cr%0D%0A", "choice", "cr\r"),
        ("from=main%0D%0A", "from", "main\r"),
        ("free=x%0D%0A%0D%0Ay", "free", "x\n\ny"),
        ("free=x%0Ay%0D", "free", "x\ny\r"),
        ("unknown=x%0D%0Ay", "unknown", "x\ny"),
    ] {
        assert_eq!(typed(sent), [pair(name, meant)], "{sent}");
    }
}

#[test]
fn what_the_url_takes_is_said_of_a_name_that_is_no_parameter() {
    let wrong = query("wiat").check(&[parameter("a", text())], &Offers::default()).unwrap_err();
    let allowed: Vec<_> = wrong.iter().map(|wrong| wrong.allowed.as_str()).collect();
    assert_eq!(allowed, ["any text", "a; the URL itself takes wait, format"]);
}

#[test]
fn a_secret_is_in_nothing_that_is_said_of_it() {
    let parameters = [parameter("key", crate::parameters::Kind::Secret { pattern: None })];
    for intake in [
        json(r#"{"key": ["hunter2"]}"#).unwrap(),
        json(r#"{"key": "hunter2", "key": "hunter2"}"#).unwrap(),
        form("key=hunter2&key=hunter2"),
        form("key=hunter2%ff"),
        form("key=hunter2%00"),
        query("key=hunter2").and(form("key=hunter2")),
    ] {
        let wrong = intake.check(&parameters, &Offers::default()).unwrap_err();
        assert!(!format!("{wrong:?}").contains("hunter2"), "{wrong:?}");
        assert!(wrong.len() == 1 && wrong[0].to_string().contains(MASK), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn no_body_panics_and_no_name_is_left_twice(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for kind in [Kind::Form, Kind::Json] {
            if let Ok(intake) = Intake::of_body(kind, &bytes) {
                let mut names: Vec<_> = intake.given.iter().map(|(name, _)| name.clone()).collect();
                names.extend(intake.wrong.iter().map(|wrong| wrong.name.clone()));
                let count = names.len();
                names.sort();
                names.dedup();
                prop_assert_eq!(names.len(), count);
            }
        }
    }

    #[test]
    fn what_almost_is_json_never_panics(text in r#"[{}\[\]":,a-c0-9nulltrue\\ .e-]{0,60}"#) {
        let _ = json(&text);
    }

    #[test]
    fn a_form_and_an_object_give_the_same(
        pairs in proptest::collection::btree_map("[^\\x00]{0,20}", "[^\\x00]{0,40}", 0..6),
    ) {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let encoded: Vec<_> = pairs.iter().map(|(name, text)| format!("{}={}", encode(name), encode(text))).collect();
        let object: serde_json::Map<_, _> = pairs.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
        let of_form = form(&encoded.join("&"));
        prop_assert_eq!(&of_form.given, &pairs);
        prop_assert!(of_form.wrong.is_empty());
        prop_assert_eq!(json(&serde_json::to_string(&object).unwrap()).unwrap(), of_form);
    }
}

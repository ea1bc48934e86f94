//! The parameters in a form or a JSON object: no bytes confuse them, no name is left twice, and whatever is taken reads
//! back as the same from either kind of body.
#![no_main]

use joblines::http::intake::{Intake, Kind};
use joblines::http::query::encode;
use joblines::parameters::Offers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for kind in [Kind::Form, Kind::Json] {
        let Ok(intake) = Intake::of_body(kind, bytes) else { continue };
        let given = intake.given();
        for (at, (name, text)) in given.iter().enumerate() {
            assert_eq!(intake.value(name), Some(text.as_str()));
            assert!(given[at + 1..].iter().all(|(other, _)| other != name));
        }
        assert!(
            given.is_empty() || intake.check(&[], &Offers::default()).is_err(),
            "no job takes what it does not know"
        );
        let form: Vec<_> = given.iter().map(|(name, text)| format!("{}={}", encode(name), encode(text))).collect();
        let object: Vec<_> = given.iter().map(|(name, text)| format!("{}:{}", quote(name), quote(text))).collect();
        let object = Intake::of_body(Kind::Json, format!("{{{}}}", object.join(",")).as_bytes()).unwrap();
        assert_eq!(object.given(), given);
        // a form has no way to say NUL
        if given.iter().all(|(name, text)| !name.contains('\0') && !text.contains('\0')) {
            assert_eq!(Intake::of_body(Kind::Form, form.join("&").as_bytes()).unwrap().given(), given);
        }
        let both = intake.clone().and(object);
        assert!(both.given().is_empty(), "a name in both is in neither");
    }
});

/// A JSON string, every character of it escaped.
fn quote(text: &str) -> String {
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{escaped}\"")
}

use serde_json::{Map, Value as Json, json};

/// Whether a value, as JSON text, is what the fixture tells. Values without a word in JSON are tagged there (see the
/// fixtures' README).
pub(super) fn is_told(text: &str, told: &Json) -> bool {
    let is = serde_json::from_str::<Json>(text).unwrap();
    match told.as_object().and_then(|object| object.iter().next()) {
        // beyond what a number of serde_json holds
        Some((tag, digits)) if tag == "$int" => text == digits.as_str().unwrap(),
        Some((_, class)) if class == "collections.OrderedDict" => text == r#"{"b":1,"a":2}"#,
        Some((tag, class)) if tag == "$opaque" => {
            is_object(&is, class.as_str().unwrap(), told["str"].as_str().unwrap())
        }
        _ => is == plain(told) || is_str(&is, told),
    }
}

/// The objects that are known are shown as `str()` shows them, the others as calls.
fn is_object(is: &Json, class: &str, shown: &str) -> bool {
    let name = class.rsplit('.').next().unwrap();
    match name {
        "defaultdict" => *is == json!({"k": [1]}),
        "deque" => *is == json!([1, 2]),
        "MyDict" => *is == json!({"k": 1}) || *is == json!("__main__.MyDict({'k': 1})"),
        "MyStr" => *is == json!("sub") || *is == json!("__main__.MyStr('sub')"),
        "Point" => *is == json!([1, 2]) || *is == json!("__main__.Point(1, 2)"),
        "Widget" => *is == json!("__main__.Widget(size=3)"),
        "Slotted" => *is == json!("__main__.Slotted()"),
        "Colour" => *is == json!("__main__.Colour(1)"),
        "Level" => *is == json!("__main__.Level(7)"),
        "ValueError" => *is == json!("ValueError('inside extra', 7)"),
        "bytearray" => *is == json!("bytearray(b'ba\\xff')"),
        "complex" => *is == json!("complex(1.0, 2.0)"),
        "range" => *is == json!("xrange(0, 3, 1)") || *is == json!("range(0, 3, 1)"),
        "type" => *is == json!("__main__.Widget"),
        "function" => *is == json!("__main__.boom"),
        "builtin_function_or_method" => *is == json!("len"),
        _ => is.as_str() == Some(shown),
    }
}

/// A `str` of Python 2 is told as bytes, as are Python 3's own.
fn is_str(is: &Json, told: &Json) -> bool {
    match (is, told) {
        (Json::String(text), Json::Object(object)) => object.get("$bytes").is_some_and(|hex| *text == str_of(hex)),
        (Json::Array(items), Json::Array(all)) => {
            items.len() == all.len() && items.iter().zip(all).all(|(is, told)| *is == plain(told) || is_str(is, told))
        }
        _ => false,
    }
}

/// A text that may be told by its bytes.
pub(super) fn text_of(told: &Json) -> Option<String> {
    match told {
        Json::String(text) => Some(text.clone()),
        Json::Object(object) => object.get("$bytes").map(str_of).or_else(|| object.get("$text").map(lossy)),
        _ => None,
    }
}

fn hex(told: &Json) -> Vec<u8> {
    let digits = told.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn str_of(told: &Json) -> String {
    String::from_utf8(hex(told)).unwrap_or_else(|bad| bad.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

/// One U+FFFD for each surrogate of three bytes.
fn lossy(told: &Json) -> String {
    String::from_utf8_lossy(&hex(told)).replace("\u{FFFD}\u{FFFD}\u{FFFD}", "\u{FFFD}")
}

/// Python's `repr` of what keys are made of here.
fn repr(told: &Json) -> String {
    match told {
        Json::Null => "None".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Object(object) => {
            let items: Vec<_> = object["$tuple"].as_array().unwrap().iter().map(repr).collect();
            format!("({})", items.join(", "))
        }
        told => text_of(told).unwrap(),
    }
}

/// A told value as what it should be shown as.
fn plain(told: &Json) -> Json {
    let all = |told: &Json| Json::Array(told.as_array().unwrap().iter().map(plain).collect());
    match told {
        Json::Array(_) => all(told),
        Json::Object(object) => match object.iter().next() {
            Some((tag, items)) if tag == "$tuple" || tag == "$set" => all(items),
            Some((tag, word)) if tag == "$float" => word.clone(),
            Some((tag, _)) if tag == "$recursive" => json!("…"),
            Some((tag, bytes)) if tag == "$bytes" => bytes_shown(&hex(bytes)).into(),
            Some((tag, _)) if tag == "$text" => lossy(&object["$text"]).into(),
            Some((tag, pairs)) if tag == "$dict" => {
                let pair = |pair: &Json| (repr(&pair[0]), plain(&pair[1]));
                Json::Object(pairs.as_array().unwrap().iter().map(pair).collect())
            }
            _ => Json::Object(object.iter().map(|(key, told)| (key.clone(), plain(told))).collect::<Map<_, _>>()),
        },
        told => told.clone(),
    }
}

/// As Python 3 shows them.
fn bytes_shown(bytes: &[u8]) -> String {
    format!("b'{}'", bytes.escape_ascii())
}

//! The parameters of a run as they stand on the command line, `NAME=VALUE`, and what they mean. What a job takes is the
//! server's affair.

use std::fs::File;
use std::io::{self, Read};
use std::str::FromStr;

/// The most bytes of a value that is read: more than a server takes in a form.
const LARGEST: u64 = 1 << 20;

/// One parameter as it was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    name: String,
    value: Value,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Value {
    Text(String),
    File(String),
    Stdin,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err("a parameter is written NAME=VALUE".to_owned());
        };
        let value = match value.strip_prefix('@') {
            None => Value::Text(value.to_owned()),
            Some(literal) if literal.starts_with('@') => Value::Text(literal.to_owned()),
            Some("-") => Value::Stdin,
            Some("") => return Err("`@` needs a file behind it; `@@` is a literal @".to_owned()),
            Some(file) => Value::File(file.to_owned()),
        };
        Ok(Given { name: name.to_owned(), value })
    }
}

/// The names and values that `given` means, in order. Standard input can be one of them, or the job's
/// (`stdin_is_taken`).
pub(super) fn read(given: &[Given], stdin_is_taken: bool) -> Result<Vec<(String, String)>, String> {
    let mut is_taken = stdin_is_taken;
    let mut values: Vec<(String, String)> = Vec::with_capacity(given.len());
    for Given { name, value } in given {
        if values.iter().any(|(known, _)| known == name) {
            return Err(format!("`{name}` is given more than once: give it one value"));
        }
        let value = match value {
            Value::Text(text) => text.clone(),
            Value::File(path) => {
                let file = File::open(path).map_err(|error| format!("`{name}`: cannot open {path} ({error})"))?;
                read_value(name, path, file)?
            }
            Value::Stdin if std::mem::replace(&mut is_taken, true) => {
                return Err(format!("`{name}`: standard input is taken already: give the value in a file"));
            }
            Value::Stdin => read_value(name, "standard input", io::stdin())?,
        };
        values.push((name.clone(), value));
    }
    Ok(values)
}

/// A value out of `from`, without the newline that editors and `echo` put at its end.
fn read_value(name: &str, place: &str, from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = from.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("`{name}`: cannot read {place} ({error})"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("`{name}`: {place} holds more than {LARGEST} bytes, too much for a parameter"));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| format!("`{name}`: {place} is not UTF-8, and parameters are text; --stdin sends any bytes"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn meant(given: &[&str]) -> Result<Vec<(String, String)>, String> {
        let given: Result<Vec<Given>, String> = given.iter().map(|text| text.parse()).collect();
        read(&given?, true)
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn values_are_taken_as_they_are_behind_the_first_equals_sign() {
        let values = meant(&["a=1", "b=x=y", "c=", "d=@@home", "e=$(rm -rf /);'"]).unwrap();
        let expected =
            [pair("a", "1"), pair("b", "x=y"), pair("c", ""), pair("d", "@home"), pair("e", "$(rm -rf /);'")];
        assert_eq!(values, expected);
    }

    #[test]
    fn a_file_is_a_value_without_its_last_newline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (content, value) in [("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), ("s", "s"), ("", ""), ("\r", "\r")] {
            fs::write(&path, content).unwrap();
            assert_eq!(meant(&[&format!("a=@{}", path.display())]).unwrap(), [pair("a", value)], "{content:?}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("binary");
        fs::write(&binary, b"\xff").unwrap();
        let binary = format!("token=@{}", binary.display());
        for (given, said) in [
            (vec!["a"], "NAME=VALUE"),
            (vec!["=a"], "NAME=VALUE"),
            (vec!["a=@"], "needs a file"),
            (vec!["a=1", "a=2"], "`a` is given more than once"),
            (vec!["a=@-"], "`a`: standard input is taken"),
            (vec!["a=@/no/such/file"], "`a`: cannot open /no/such/file"),
            (vec!["a=@/dev/zero"], "`a`: /dev/zero holds more than"),
            (vec!["a=@/"], "`a`: cannot read /"),
            (vec![binary.as_str()], "`token`: "),
        ] {
            let problem = meant(&given).unwrap_err();
            assert!(problem.contains(said), "{given:?}: {problem}");
        }
    }
}

//! Random texts: whatever they are, something can be said about them.

use proptest::prelude::*;

use super::*;
use crate::parameters::Offers;
use crate::sources::process::Command;

/// Pieces that files are made of, so that random texts reach beyond the TOML parser.
fn piece() -> impl Strategy<Value = String> {
    let words = "server|jobs|jobs\\.a|feeds\\.b|feeds|redis|redis://:p@|channel|merge|syslog|tcp|from|auth|listen|hosts|command|env|params|params\\.p|choices|type|default|\\{p\\}|timeout|env_file|methods|pty|\\[|\\]|\\[\\[|\\]\\]\
                 |\\{|\\}|=|,|\\.|\n|\r\n|\"|'|\"\"\"|'''|#|\\\\|\\\\u0000|true|-1|0xff|1e9|1979-05-27|90s|é|\u{feff}|\u{85}| ";
    prop_oneof![8 => words, 1 => "\\PC{0,8}", 1 => any::<char>().prop_map(String::from)]
}

/// A line of the table of a parameter.
fn key_of_parameter() -> impl Strategy<Value = String> {
    let value =
        "1|-1|true|'on'|'-x'|'a'|''|'int'|'bool'|'secret'|'text'|\\['a', '-x'\\]|\\[1, 2\\]|\\[\\]|'[a-z]\\*'|'\\('";
    (prop::sample::select(parameter::KEYS.to_vec()), value).prop_map(|(key, value)| format!("{key} = {value}"))
}

proptest! {
    #[test]
    fn no_text_makes_the_reading_or_the_showing_panic(pieces in prop::collection::vec(piece(), 0..60)) {
        let found = parsed(&pieces.concat());
        if let Ok(config) = &found {
            let empty = Command::List(Vec::new());
            prop_assert!(config.jobs.iter().all(|job| job.process.command != empty && (job.get || job.post)));
        }
        if let Err(mistakes) = found {
            prop_assert!(!mistakes.is_empty());
            prop_assert_eq!(mistakes.to_string().matches("error: ").count() >= mistakes.len(), true);
            mistakes.render_coloured();
        }
    }

    #[test]
    fn no_value_makes_the_reading_or_the_showing_panic(
        key in prop::sample::select(job::KEYS.to_vec()),
        value in prop::collection::vec(piece(), 0..12),
    ) {
        for text in [format!("[jobs.a]\n{key} = {}", value.concat()), format!("[server]\n{key}={}\n[jobs.a", value.concat())] {
            if let Err(mistakes) = parsed(&text) {
                mistakes.to_string();
            }
        }
    }

    #[test]
    fn no_feed_makes_the_reading_or_the_showing_panic(
        key in prop::sample::select(feed::KEYS.to_vec()),
        value in prop::collection::vec(piece(), 0..12),
        url in "redis://[a-z:@/%?\\[\\]0-9]{0,20}",
        name in "[a-c]",
    ) {
        for text in [
            format!("[feeds.a]\n{key} = {}", value.concat()),
            format!("[feeds.a]\nredis = '{url}'\nchannel = 'x'"),
            format!("[feeds.a]\nmerge = ['b', '{name}']\n[feeds.b]\nmerge = ['c']\n[feeds.c]\nmerge = ['{name}']"),
        ] {
            if let Err(mistakes) = parsed(&text) {
                mistakes.to_string();
            }
        }
    }

    #[test]
    fn a_parameter_is_told_wrong_or_takes_its_own_default(keys in prop::collection::vec(key_of_parameter(), 0..5)) {
        let text = format!("[jobs.a]\ncommand = ['x', '{{p}}']\n[jobs.a.params.p]\n{}", keys.join("\n"));
        match parsed(&text) {
            Err(mistakes) => prop_assert!(!mistakes.to_string().is_empty()),
            Ok(config) => {
                let parameter = &config.jobs[0].parameters[0];
                let mut offers = Offers::default();
                offers.insert("p", parameter.default.iter().cloned().collect());
                if let Some(default) = &parameter.default {
                    prop_assert_eq!(parameter.check(default, &offers), Ok(default.clone()));
                }
                prop_assert!(parameter.default.is_none() || !parameter.is_secret());
            }
        }
    }
}

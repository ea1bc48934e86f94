//! Values reach the command as they are, and none ever becomes syntax.

use std::fs;

use joblines::record::State;
use joblines::sources::process::Launch;

use crate::{Job, with_secrets, with_value};

/// What is something else to a shell, a program's options, a format, a path, or a careless filler of placeholders.
const HOSTILE: [&str; 18] = [
    "$(touch x)",
    "`touch x`",
    "; touch x",
    "' ; touch x ; '",
    "\" ; touch x ; \"",
    "|| touch x",
    "a\nb\n",
    "\r\n",
    "\\",
    "$HOME ${PARAM_V}",
    "-rf",
    "--help",
    "{v} {other}",
    "* ~ ?",
    "%s%n",
    " two  words ",
    "ünï ☃ \u{202e}",
    "",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_within_one_argument_whatever_it_contains() {
    for value in HOSTILE {
        let job = Job::list(&["printf", "[%s]", "{v}", "--to={v}/{v}", "{other}"]);
        let ran = job.run(with_value("v", value)).await;
        assert_eq!(ran.stdout(), format!("[{value}][--to={value}/{value}][{{other}}]"));
        assert_eq!(fs::read_dir(job.work()).unwrap().count(), 0, "{value:?} was executed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_gets_a_value_as_a_variable_whatever_it_contains() {
    for value in HOSTILE {
        for pty in [false, true] {
            let text = "printf '[%s]' \"$PARAM_V\" '{v}'";
            let job = Job::shell(text).set(|settings| settings.pty = pty);
            let ran = job.run(with_value("v", value)).await;
            // a terminal writes a newline as two characters
            let printed = if pty { value.replace('\n', "\r\n") } else { value.to_owned() };
            assert_eq!(ran.stdout(), format!("[{printed}][{{v}}]"), "no placeholder in a shell's text");
            assert_eq!(fs::read_dir(job.work()).unwrap().count(), 0, "{value:?} was executed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_changes_which_program_runs() {
    let error = Job::list(&["{v}", "x"]).try_start(with_value("v", "touch")).await.err().unwrap().to_string();
    assert!(error.starts_with("cannot run `{v}`"), "{error}");
    let ran = Job::list(&["env"]).run(with_value("path", "/nowhere")).await;
    assert!(ran.stdout().contains("PARAM_PATH=/nowhere\n"), "{}", ran.stdout());
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_wins_over_values_and_values_win_over_env() {
    let set = |name: &str| (name.to_owned(), "env".to_owned());
    let job = Job::shell("echo $PARAM_V $PARAM_W $JOBLINES_RUN")
        .set(|settings| settings.env = vec![set("PARAM_V"), set("PARAM_W"), set("JOBLINES_RUN")]);
    let launch = with_value("v", "value");
    let identity = vec![("JOBLINES_RUN", "identity".to_owned()), ("PARAM_W", "identity".to_owned())];
    assert_eq!(job.run(Launch { identity, ..launch }).await.stdout(), "value identity identity\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_system_cannot_take_is_told() {
    let too_long = "0123456789".repeat(20_000);
    let job = Job::list(&["true"]);
    let error = job.try_start(with_value("v", &too_long)).await.err().unwrap().to_string();
    assert!(error.contains("128 KiB") && error.contains("stdin"), "{error}");
    let error = job.try_start(with_secrets(&[&too_long])).await.err().unwrap().to_string();
    assert!(error.contains("128 KiB"), "{error}");
    let error = job.try_start(with_value("v", "a\0b")).await.err().unwrap().to_string();
    assert!(error.contains("nul byte"), "{error}");
    assert_eq!(job.run(with_value("v", "short")).await.ended.state, State::Succeeded);
}

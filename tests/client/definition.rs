//! The command line as it is defined: its help, its manual, its completions, and what it does not take.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{cannot, joblines, run_to_end};

/// The verbs, as the help lists them.
fn verbs() -> Vec<String> {
    let help = run_to_end(&mut joblines(["--help"])).text();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs = listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    verbs.filter(|verb| *verb != "help").map(str::to_owned).collect()
}

/// What `program` says of `input`, on both streams; `None` where there is no such program.
fn pipe(program: &str, args: &[&str], input: &[u8]) -> Option<(bool, String)> {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.ok()?;
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(said).unwrap()))
}

#[test]
fn every_verb_has_its_place_in_the_manual_which_groff_takes() {
    let verbs = verbs();
    assert!(verbs.len() >= 10 && verbs.contains(&"share".to_owned()), "{verbs:?}");
    let page = run_to_end(&mut joblines(["man"]));
    assert_eq!((page.code, page.stderr.as_str()), (Some(0), ""));
    match pipe("groff", &["-man", "-ww", "-z", "-Tutf8"], &page.stdout) {
        Some(linted) => assert_eq!(linted, (true, String::new())),
        None => cannot("there is no groff"),
    }
    let Some((_, read)) = pipe("groff", &["-man", "-Tascii", "-P-c"], &page.stdout) else { return };
    let plain = read.replace("_\x08", "");
    let plain: String = plain
        .split('\x08')
        .map(|part| part.to_owned())
        .reduce(|mut a, b| {
            a.pop();
            a + &b
        })
        .unwrap();
    for verb in &verbs {
        assert!(plain.contains(&format!("joblines {verb}")), "{verb}: {plain}");
    }
    for title in ["SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert!(plain.lines().any(|line| line == title), "{title}: {plain}");
    }
}

#[test]
fn what_is_only_printed_says_where_it_could_not_be() {
    for args in [&["man"][..], &["schema"], &["completions", "bash"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = joblines(args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let help = run_to_end(&mut joblines([args[0], "--help"])).text();
        assert!(help.contains("Exit status: 0, 1 where "), "{help}");
    }
}

#[test]
fn completions_know_every_verb_and_are_sound() {
    for (shell, check) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = run_to_end(&mut joblines(["completions", shell]));
        assert_eq!(script.code, Some(0), "{}", script.stderr);
        for verb in verbs() {
            assert!(script.text().contains(&verb), "{shell}: {verb}");
        }
        // where the shell is not installed, what it would say is not known
        if let Some(checked) = pipe(shell, check, &script.stdout) {
            assert_eq!(checked, (true, String::new()), "{shell}");
        }
    }
    assert_eq!(run_to_end(&mut joblines(["completions", "csh"])).code, Some(2));
}

#[test]
fn every_help_ends_with_examples() {
    for verb in verbs() {
        let help = run_to_end(&mut joblines([verb.as_str(), "--help"]));
        assert_eq!(help.code, Some(0));
        assert!(help.text().contains("\nExamples:\n  "), "{verb}: {}", help.text());
    }
}

#[test]
fn wrong_usage_is_2() {
    for args in [
        &["nonsense"][..],
        &["run"],
        &["list", "x"],
        &["logs"],
        &["cancel"],
        &["share"],
        &["share", "-", "x"],
        &["share", "--pty", "-"],
        &["share", "--name", "a b", "--", "true"],
        &["share", "--listen", "nowhere", "--", "true"],
        &["completions"],
        &["man", "x"],
    ] {
        let ended = run_to_end(&mut joblines(args));
        assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""), "{args:?}");
        assert!(!ended.stderr.is_empty(), "{args:?}");
    }
}

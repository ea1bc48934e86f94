//! `joblines man`: the manual page, from the definition of the command line; and the examples that stand in it and at
//! the end of each `--help`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::Arguments;

pub(super) const JOBLINES: &str = "\
Examples:
  joblines                              serve ./jobs.toml
  joblines run backup target=full       run a job of the server, see its output here
  joblines logs -f backup               follow its newest run
  make 2>&1 | joblines share -          show a pipe at a URL

Exit status: 0 success, 1 failure, 2 wrong usage or refused; `run` and `share` exit as the command did. \
`joblines man | man -l -` shows the manual.";

pub(super) const SERVE: &str = "\
Examples:
  joblines serve --config /etc/joblines/jobs.toml
  joblines --listen 127.0.0.1:0 --listen unix:/run/joblines.sock

Exit status: 0 stopped by a signal, 1 could not start or stopped by a second signal, 2 wrong usage.";

pub(super) const CHECK: &str = "\
Examples:
  joblines check && systemctl restart joblines

Exit status: 0 no mistakes, 1 mistakes, 2 wrong usage.";

pub(super) const SCHEMA: &str = "\
Examples:
  joblines schema >jobs.schema.json

Exit status: 0, 1 where it could not be written, 2 wrong usage.";

pub(super) const RUN: &str = "\
Examples:
  joblines run backup target=full
  joblines run deploy token=@/run/secrets/token
  run=$(joblines run -d backup) && joblines logs -f \"$run\"
  pg_dump shop | joblines run store -i

Exit status: that of the job; 128+N where signal N ended it, 124 where it timed out, 130 where it was cancelled without \
one, 1 where the server was lost or the command could not be started, 2 where nothing was started. Ctrl-C cancels the \
run; a second one does not wait for its end.";

pub(super) const SHARE: &str = "\
Examples:
  joblines share -- ./deploy.sh --all
  joblines share --no-wait --name tests -- cargo test
  make 2>&1 | joblines share -

The address goes to standard error, the output to where the command wrote it. Ctrl-C cancels the command; a second one \
does not wait for its end. After the end the page stays until Ctrl-C.

Exit status: that of the command, as with `run`; 0 for standard input.";

pub(super) const LIST: &str = "\
Examples:
  joblines list
  joblines list | cut -f 1
  joblines list --json | jq -r 'select(.last.state == \"failed\").name'

Exit status: 0; 1 where the server was lost or the list could not be written, 2 where the server is not there or \
refuses.";

pub(super) const RUNS: &str = "\
Examples:
  joblines runs --job backup --limit 5
  joblines runs --state running | cut -f 1

Exit status: 0; 1 where the server was lost or the list could not be written, 2 where the server is not there or \
refuses.";

pub(super) const LOGS: &str = "\
Examples:
  joblines logs -f backup
  joblines logs 0badcafe --tail 20 --stream stderr

RUN is, in this order: the whole id of a run; the name of a job, for its newest run; or at least 4 characters with which \
the id of exactly one of the latest 1000 runs begins or ends.

Exit status: 0 where the output could be shown, however the run ended; 1 where the server was lost or the output could \
not be written, 2 where there is no such run.";

pub(super) const CANCEL: &str = "\
Examples:
  joblines cancel backup
  joblines cancel 0badcafe

RUN is, in this order: the whole id of a run; the name of a job, for its newest run; or at least 4 characters with which \
the id of exactly one of the latest 1000 runs begins or ends.

Exit status: 0 where it was cancelled, 1 where it had ended already or came to its own end first, 2 where there is no \
such run.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  joblines completions bash >~/.local/share/bash-completion/completions/joblines
  joblines completions zsh >/usr/local/share/zsh/site-functions/_joblines
  joblines completions fish >~/.config/fish/completions/joblines.fish

Exit status: 0, 1 where they could not be written, 2 wrong usage.";

pub(super) const MAN: &str = "\
Examples:
  joblines man | man -l -
  joblines man >/usr/local/share/man/man1/joblines.1

Exit status: 0, 1 where it could not be written, 2 wrong usage.";

/// What is said of exit codes, with their meanings.
const EXIT_STATUS: [(&str, &str); 5] = [
    ("0", "Success: of the job with `run`, of the command with `share`."),
    (
        "1",
        "Failure: jobs.toml has mistakes, the server was lost, the job's command could not be started, a run to be \
      cancelled had ended already, what was asked for could not be written.",
    ),
    ("2", "Wrong usage, or the server is not there or refused: nothing was started, there is no such run."),
    ("124", "`run`: the job timed out."),
    ("128+N", "`run` and `share`: signal N ended it; 130 also where it was cancelled without a signal."),
];

/// The variables that are looked at.
const ENVIRONMENT: [(&str, &str); 8] = [
    ("JOBLINES_SERVER", "The server that the client's verbs ask, where --server says nothing."),
    ("NO_COLOR", "Not empty: no colours, not even on a terminal."),
    ("CLICOLOR_FORCE", "Not empty and not 0: colours everywhere, unless NO_COLOR is set."),
    ("TERM", "dumb: no colours, and nothing is drawn while one waits."),
    ("STATE_DIRECTORY", "Where `serve` keeps runs, where nothing else says so (systemd sets it)."),
    ("XDG_STATE_HOME", "Else in its folder joblines; else in ~/.local/state/joblines."),
    ("TMPDIR", "Where `share` keeps its run, in a folder of its own, until it ends."),
    (
        "JOBLINES_JOB, JOBLINES_RUN, JOBLINES_URL",
        "Set for a job: its name, the id of the run, the address of its page. PARAM_NAME is the value of a parameter.",
    ),
];

/// The files that are read and written.
const FILES: [(&str, &str); 3] = [
    ("jobs.toml", "The jobs, unless --config says otherwise."),
    ("STATE/history.db", "The record of every run, an SQLite database."),
    ("STATE/runs/??/ID.output", "All that a run printed, in order of arrival."),
];

/// Prints the manual page.
pub(super) fn print() -> anyhow::Result<ExitCode> {
    io::stdout().write_all(&page()?)?;
    Ok(ExitCode::SUCCESS)
}

/// The manual page in roff: the program, then each verb, then what they share.
fn page() -> io::Result<Vec<u8>> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let verbs: Vec<_> = command.get_subcommands().filter(|verb| verb.get_name() != "help").cloned().collect();
    let program = Man::new(command.clone().after_help(None::<&str>)).manual("User Commands");
    program.render_title(&mut page)?;
    program.render_name_section(&mut page)?;
    program.render_synopsis_section(&mut page)?;
    program.render_description_section(&mut page)?;
    program.render_options_section(&mut page)?;
    for verb in verbs {
        section(&format!("joblines {}", verb.get_name()), &mut page)?;
        write_verb(verb, &mut page)?;
    }
    define("EXIT STATUS", &EXIT_STATUS, &mut page)?;
    define("ENVIRONMENT", &ENVIRONMENT, &mut page)?;
    define("FILES", &FILES, &mut page)?;
    section("EXAMPLES", &mut page)?;
    let examples = examples.split("\n\n").next().unwrap_or_default();
    verbatim(examples.trim_start_matches("Examples:\n"), &mut page)?;
    Ok(page)
}

/// A verb: what it is, its synopsis and options one level below its heading, and its examples.
fn write_verb(verb: Command, page: &mut Vec<u8>) -> io::Result<()> {
    let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    Roff::new().text([roman(about + ".")]).to_writer(page)?;
    let man = Man::new(verb.after_help(None::<&str>));
    let mut parts = Vec::new();
    man.render_synopsis_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    let parts = String::from_utf8_lossy(&parts).replace("\n.SH ", "\n.SS ");
    let parts = parts.replacen(".SH ", ".SS ", 1);
    page.write_all(parts.as_bytes())?;
    notes(&help, page)
}

fn section(title: &str, page: &mut Vec<u8>) -> io::Result<()> {
    Roff::new().control("SH", [title]).to_writer(page)
}

/// A text whose lines stay as they are.
fn verbatim(text: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("PP", []).control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []).to_writer(page)
}

/// The end of a verb's help: examples, which stay as they are, and paragraphs.
fn notes(help: &str, page: &mut Vec<u8>) -> io::Result<()> {
    for block in help.split("\n\n") {
        match block.strip_prefix("Examples:\n") {
            Some(examples) => {
                Roff::new().control("PP", []).text([roman("Examples:")]).to_writer(page)?;
                verbatim(examples, page)?;
            }
            None => Roff::new().control("PP", []).text([roman(block)]).to_writer(page)?,
        }
    }
    Ok(())
}

/// A section of words and what they mean.
fn define(title: &str, words: &[(&str, &str)], page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (word, meaning) in words {
        roff.control("TP", []).text([bold(*word)]).text([roman(*meaning)]);
    }
    roff.to_writer(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_examples_and_its_place_in_the_manual() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        let command = Arguments::command();
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let name = verb.get_name();
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n  joblines"), "{name}");
            assert!(page.contains(&format!(".SH \"joblines {name}\"\n")), "{name}");
        }
        for title in ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
            assert_eq!(page.matches(title).count(), 1, "{title}");
        }
    }

    #[test]
    fn the_readme_has_every_file_of_the_state_directory_by_its_name() {
        for (file, _) in FILES {
            let name = file.trim_start_matches("STATE/");
            assert!(include_str!("../../README.md").contains(&format!("`{name}`")), "{file}");
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}

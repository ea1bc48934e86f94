//! The README, held to its word: its examples are run, its picture is taken, its tables are compared with the program.
//!
//! In a block of ` ```sh `, a line that begins with `$ ` is a command (a backslash at its end goes on with the next line),
//! and the lines below it are what it prints, on both streams; it has to exit with 0. `…` stands for any text in a
//! line, or, alone on a line, for any lines. Each block has a server of its own with the sample, which has no runs yet.
//! Those of ` ```console ` are run in the section about what sends to feeds alone, by tests/feeds_live/readme.rs;
//! elsewhere they go on for ever, end with another code, or want what a test has not.
//! Blocks of ` ```toml ` are good files; of ` ```toml refused `, files of which every key is not supported yet.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use joblines::config::{self, Config};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const README: &str = include_str!("../README.md");
const SAMPLE: &str = include_str!("../jobs.toml");

/// The address that the README speaks of.
const ADDRESS: &str = "127.0.0.1:8080";

/// What ends a command's output in a transcript, with its exit code behind it.
const MARK: char = '\u{1e}';

/// A fenced block: the word or words behind its fence, the line it stands at, and its text.
struct Block {
    kind: &'static str,
    line: usize,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = README.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = text.map(|line| format!("{line}\n")).collect();
            blocks.push(Block { kind, line: number + 2, text });
        }
    }
    blocks
}

fn blocks_of(kind: &str) -> Vec<Block> {
    let found: Vec<_> = blocks().into_iter().filter(|block| block.kind == kind).collect();
    assert!(!found.is_empty(), "no block of {kind} in the README");
    found
}

/// A command of a block, and what the README says it prints.
struct Example {
    command: String,
    printed: Vec<String>,
}

fn examples(block: &Block) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = block.text.lines();
    while let Some(line) = lines.next() {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => {
                let mut command = command.to_owned();
                while command.ends_with('\\') {
                    command = format!("{command}\n{}", lines.next().unwrap());
                }
                examples.push(Example { command, printed: Vec::new() });
            }
            (None, Some(example)) => example.printed.push(line.to_owned()),
            (None, None) => panic!("line {} of the README: the block begins with no command", block.line),
        }
    }
    examples
}

/// The built server with the sample, in a folder of its own.
struct Server {
    child: Child,
    folder: TempDir,
    address: String,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("jobs.toml"), SAMPLE).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_joblines"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--listen", "unix:joblines.sock"]);
        let mut child = command.current_dir(&folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        let address = address.unwrap_or_else(|| panic!("the server did not start: {said}")).to_owned();
        Server { child, folder, address }
    }

    /// Runs commands in one shell, in the server's folder, and returns for each what it printed and its exit code.
    fn run(&self, commands: &[String]) -> Vec<(String, String)> {
        let steps = commands.iter().map(|command| {
            let command = command.replace(ADDRESS, &self.address);
            format!("{command}\nprintf '\\036%s\\036' $?\n")
        });
        let script = format!("exec 2>&1 </dev/null\n{}", steps.collect::<String>());
        let program = Path::new(env!("CARGO_BIN_EXE_joblines"));
        let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("timeout");
        shell.args(["60", "sh", "-c", &script]).current_dir(&self.folder).env("PATH", path);
        shell.env("JOBLINES_SERVER", format!("http://{}", self.address));
        let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        let parts: Vec<_> = printed.replace(&self.address, ADDRESS).split(MARK).map(str::to_owned).collect();
        parts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Whether `text` is what `pattern` says, where `…` is any text.
fn line_matches(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('…') else { return pattern == text };
    let Some(rest) = text.strip_prefix(before) else { return false };
    (0..=rest.len()).filter(|&at| rest.is_char_boundary(at)).any(|at| line_matches(after, &rest[at..]))
}

fn matches(patterns: &[String], lines: &[&str]) -> bool {
    match (patterns, lines) {
        ([], []) => true,
        ([any, rest @ ..], _) if any == "…" => (0..=lines.len()).any(|at| matches(rest, &lines[at..])),
        ([pattern, patterns @ ..], [line, lines @ ..]) => line_matches(pattern, line) && matches(patterns, lines),
        _ => false,
    }
}

/// What is wrong with the examples of a block.
fn try_block(block: &Block) -> Vec<String> {
    let examples = examples(block);
    let server = Server::start();
    let commands: Vec<_> = examples.iter().map(|example| example.command.clone()).collect();
    let done = server.run(&commands);
    let mut wrong = Vec::new();
    for (at, Example { command, printed }) in examples.iter().enumerate() {
        let (text, code) = done.get(at).map_or(("", "none: it was not done in time"), |(text, code)| (text, code));
        let lines: Vec<_> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
        if code != "0" || !matches(printed, &lines) {
            let expected = printed.join("\n");
            wrong.push(format!(
                "README.md:{}: $ {command}\n--- the README says\n{expected}\n--- it printed (exit code {code})\n{text}",
                block.line
            ));
        }
    }
    wrong
}

#[test]
fn every_example_does_what_it_says() {
    let blocks = blocks_of("sh");
    let wrong = thread::scope(|scope| {
        let tries: Vec<_> = blocks.iter().map(|block| scope.spawn(|| try_block(block))).collect();
        tries.into_iter().flat_map(|tried| tried.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(wrong.is_empty(), "{}\n(curl, jq and sqlite3 must be installed)", wrong.join("\n\n"));
}

fn parse(text: &str) -> Result<Config, String> {
    config::parse(text, Path::new("jobs.toml"), Path::new("/srv")).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn every_file_is_a_good_one() {
    for Block { line, text, .. } in blocks_of("toml") {
        assert_eq!(parse(&text).err(), None, "README.md:{line}");
    }
}

#[test]
fn what_is_called_unsupported_is_refused() {
    for Block { text, .. } in blocks_of("toml refused") {
        let expected = text.lines().filter(|line| line.starts_with("[auth]")).count();
        let mistakes = parse(&text).unwrap_err();
        assert_eq!(mistakes.matches("is not supported yet").count(), expected, "{mistakes}");
        assert_eq!(mistakes.matches("error: ").count(), expected, "{mistakes}");
    }
}

/// The rows of the table behind a heading, as cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = README.split_once(&format!("\n{heading}\n")).unwrap();
    let table = rest.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').map(|cell| cell.trim()).collect()).collect()
}

fn in_code(cell: &'static str) -> Option<&'static str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

/// The keys without which this one means nothing.
fn beside(heading: &str, key: &str) -> &'static str {
    match key {
        "max_body" => "stdin = \"body\"",
        "min" | "max" => "type = \"int\"",
        "follow_symlinks" | "hidden" | "allow" | "deny" | "paths" => "directory = \"x\"",
        "channel" => "redis = \"redis://127.0.0.1\"",
        "list" | "password_file" | "password_env" => "redis = \"redis://127.0.0.1\"\nchannel = \"x\"",
        "tcp" => "http = true",
        "udp" | "unix" | "http" | "from" | "max_frame" => "tcp = \"127.0.0.1:0\"",
        "description" | "text" | "keep_bytes" if heading == "### `[feeds.NAME]`" => "push = true",
        _ => "",
    }
}

#[test]
fn every_key_is_known_and_has_the_default_that_is_said() {
    let job = "[jobs.x]\ncommand = \"true\"";
    let parameter = format!("{job}\n[jobs.x.params.p]");
    for (heading, table) in [
        ("### `[server]`", "[server]"),
        ("### `[jobs.NAME]`", job),
        ("### `[jobs.NAME.params.NAME]`", &parameter),
        ("### `[feeds.NAME]`", "[feeds.x]"),
        ("### `[feeds.NAME.python_logging]`", "[feeds.x.python_logging]"),
    ] {
        for row in rows(heading) {
            let key = in_code(row[1]).unwrap();
            if key == "command" {
                continue;
            }
            let table = [table, beside(heading, key)].join("\n");
            // no key may be a date: what comes is a mistake about its value
            let mistakes = parse(&format!("{table}\n{key} = 1979-05-27")).unwrap_err();
            assert!(mistakes.contains("must be"), "{mistakes}");
            if let Some(default) = in_code(row[3]) {
                assert_eq!(parse(&format!("{table}\n{key} = {default}")), parse(&table), "{key}");
                assert!(parse(&table).is_ok(), "{key}");
            }
        }
    }
}

/// Takes the picture of the README: into `target/tmp`, or into the folder that `JOBLINES_PICTURES` names.
#[test]
fn the_picture_can_be_taken_anew() {
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_there(name))
    else {
        let _ = writeln!(std::io::stderr(), "skipped: there is no Chromium");
        return;
    };
    let folder = match std::env::var_os("JOBLINES_PICTURES") {
        Some(folder) => Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned(),
    };
    fs::create_dir_all(&folder).unwrap();
    let picture = folder.join("joblines.png");
    let server = Server::start();
    // the run's own address: Chromium takes no picture of a page that changes its address while it loads
    let started = Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%header{joblines-run}"])
        .arg(format!("http://{}/jobs/colours?wait", server.address))
        .output()
        .unwrap();
    let run = String::from_utf8(started.stdout).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Command::new("timeout");
    browser.args([
        "60",
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--hide-scrollbars",
    ]);
    browser.args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    browser.arg(format!("--user-data-dir={}", profile.path().display())).arg("--window-size=900,480");
    browser.arg(format!("--screenshot={}", picture.display())).arg(format!("http://{}/runs/{run}", server.address));
    let browsed = browser.output().unwrap();
    assert!(browsed.status.success(), "{}", String::from_utf8_lossy(&browsed.stderr));
    let png = fs::read(picture).unwrap();
    assert!(png.starts_with(b"\x89PNG") && (5_000..200_000).contains(&png.len()), "{} bytes", png.len());
}

fn is_there(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn patterns_match_what_they_mean() {
    for (pattern, text, expected) in [
        ("a", "a", true),
        ("a", "b", false),
        ("…", "", true),
        ("a…c", "abc", true),
        ("a…c", "ab", false),
        ("…Z …5", "2026Z x5", true),
        ("\"…\"", "\"ä\"", true),
    ] {
        assert_eq!(line_matches(pattern, text), expected, "{pattern} {text}");
    }
    let all = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    assert!(matches(&all(&["a", "…", "b"]), &["a", "x", "y", "b"]));
    assert!(matches(&all(&["…", "b"]), &["b"]));
    assert!(!matches(&all(&["a"]), &["a", "b"]));
}

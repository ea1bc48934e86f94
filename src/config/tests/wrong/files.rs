//! Whole files: which of their mistakes are told, in which order, and how they are shown.

use super::*;

#[test]
fn all_mistakes_of_a_file_come_together_in_its_order() {
    let text = r#"
[server]
listen = ["0.0.0.0:80"]
[jobs.a]
comand = "true"
timeout = 90
[jobs."b c"]
command = []
pty = True
[jobs.empty]
[jobs.d]
command = "x"
success_codes = [0, 256]
overlap = "alow"
max_output = "64M"
"#;
    assert_eq!(
        summary(text),
        [
            "3:11 listening on 0.0.0.0:80 would let anyone on the network run these jobs; [auth] is not supported yet, so \
             listen on a loopback address or a unix socket and put an authenticating proxy in front",
            "5:1 unknown key `comand`; did you mean `command`?",
            "6:11 `timeout` must be a string, not a whole number; write `timeout = \"90s\"`",
            "7:7 a job cannot be named `b c`; a name is 1 to 64 of the characters a-z, A-Z, 0-9, `_`, `.` and `-`, the first \
             a letter or a digit",
            "8:11 `command` is empty; write `command = [\"./program\", \"argument\"]`",
            "9:7 this is not TOML: invalid boolean, expected `true`; write `true` or `false` in lower case; put text in quotes",
            "13:21 `success_codes` cannot be 256; it may be 0 to 255",
            "14:11 `overlap` cannot be `alow`; it may be `\"allow\"`, `\"attach\"`, `\"queue\"`, `\"refuse\"`, `\"replace\"`",
            "15:14 `64M` has an unknown unit, `M`; write `MiB` for steps of 1024, or `MB` for steps of 1000",
        ]
    );
    assert_eq!(parsed(text).map_err(|mistakes| mistakes.len()), Err(9));
}

#[test]
fn a_mistake_is_shown_with_its_line_and_a_caret() {
    assert_eq!(
        shown("jobs.\"größe\" = { command = 'x' } # é\r\n"),
        "\
error: a job cannot be named `größe`
 --> jobs.toml:1:6
  |
1 | jobs.\"größe\" = { command = 'x' } # é
  |      ^^^^^^^
  |
  = help: a name is 1 to 64 of the characters a-z, A-Z, 0-9, `_`, `.` and `-`, the first a letter or a digit"
    );
    assert_eq!(
        shown(
            "[jobs.x]\ncommand = 'x'\n\tenv.A = '''\nmuch''' # é\n\ttimeuot = '1s'\r\n[server]\nhosts = ['''\nx y''']\n"
        ),
        "\
error: unknown key `timeuot`
 --> jobs.toml:5:2
  |
5 |     timeuot = '1s'
  |     ^^^^^^^
  |
  = help: did you mean `timeout`?

error: `x y` is not a host name
 --> jobs.toml:7:10
  |
7 | hosts = ['''
  |          ^^^
  |
  = help: write one such as `\"jobs.example.org\"` or `\"192.0.2.7\"`"
    );
}

#[test]
fn a_byte_order_mark_counts_for_nothing() {
    for text in ["comand = 'x'", "[jobs.a]\ncomand = 'x'\n", "x = ü", "größe = 1"] {
        assert_eq!(shown(&format!("\u{feff}{text}")), shown(text));
    }
    assert_eq!(parsed("\u{feff}[jobs.a]\ncommand = 'x'"), parsed("[jobs.a]\ncommand = 'x'"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jobs.toml");
    std::fs::write(&path, b"\xef\xbb\xbfx = '\xff'").expect("a file");
    assert!(load(&path).expect_err("not UTF-8").to_string().contains("jobs.toml:1:6\n"));
}

#[test]
fn syntax_that_is_broken_has_its_remedy() {
    let deep = format!("a = {}1{}", "[".repeat(200), "]".repeat(200));
    let dotted = format!("{}a = 1", "a.".repeat(200));
    for (text, remedy) in [
        ("ü = 1", "put a key with other characters in quotes: `\"key\"`"),
        ("a = \"x\u{1}\"", "take the control character out, or write it by its number: `\\u001b`"),
        ("a = \"\"\"x\u{1}\"\"\"", "take the control character out, or write it by its number: `\\u001b`"),
        ("a = 'x\u{1}'", "take the control character out, or write it in double quotes by its number: `\"\\u001b\"`"),
        (
            "a = '''x\u{1}'''",
            "take the control character out, or write it in double quotes by its number: `\"\\u001b\"`",
        ),
        ("# x\u{1}", "take the control character out"),
        (deep.as_str(), "no key takes anything that is nested so deeply: write it flatter"),
        (dotted.as_str(), "no key takes anything that is nested so deeply: write it flatter"),
    ] {
        let said = shown(text);
        assert!(said.contains("not TOML") && said.contains(&format!("= help: {remedy}")), "{text}: {said}");
    }
}

#[test]
fn colours_are_for_terminals_only() {
    let mistakes = parsed("x = 1").expect_err("an unknown key");
    assert!(!mistakes.to_string().contains('\u{1b}'));
    assert!(mistakes.render_coloured().contains('\u{1b}'));
    let hostile =
        parsed("\"\\u001b[2J\" = 1\n[jobs.a]\ncommand = 'x'\ncwd = \"~/\\u001b[2J\"").expect_err("two mistakes");
    assert!(!hostile.to_string().contains('\u{1b}'));
}

#[test]
fn what_follows_from_broken_syntax_is_not_told() {
    assert_eq!(
        summary("[jobs.a]\ncommand =\n[jobs.b]\ncommand 'x'\n[jobs.c]\n"),
        [
            "2:10 this is not TOML: string values must be quoted, expected literal string; put text in quotes: `\"text\"`",
            "4:9 this is not TOML: key with no value, expected `=`; write `key = value`",
        ]
    );
    assert_eq!(
        summary("[jobs.a]\ncommand = [\n  'x',\npty = true\n[jobs.b]\ncommand = 'x'\n"),
        ["4:1 this is not TOML: a list that begins before this is not closed; end it with `]`"]
    );
}

#[test]
fn a_mistake_in_an_env_file_names_it_and_never_shows_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.env"), "A=1\nhunter2\nB='geheim\n").expect("a file");
    let text =
        "[jobs.x]\nenv_file = ['a.env', '.', 'none']\ncommand = 5\n[jobs.y]\ncommand = 'y'\nenv_file = 'a.env'\n";
    let rendered = parse(text, Path::new("jobs.toml"), folder.path()).expect_err("mistakes").to_string();
    let folder = folder.path().display();
    for part in [
        format!("error: `{folder}` is not a file\n --> jobs.toml:2:22\n"),
        format!("error: cannot read `{folder}/none`: No such file or directory (os error 2)\n --> jobs.toml:2:27\n"),
        format!("error: this line is not NAME=VALUE\n--> {folder}/a.env:2:1\n"),
        format!("error: this quote is not closed on its line\n--> {folder}/a.env:3:3\n"),
    ] {
        assert_eq!(rendered.matches(&part).count(), 1, "{part}\n{rendered}");
    }
    assert!(!rendered.contains("hunter2") && !rendered.contains("geheim"));
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("jobs.toml");
    assert_eq!(
        load(&missing).map_err(|mistakes| (mistakes.to_string(), mistakes.len())),
        Err((
            format!(
                "error: cannot read `{}`: No such file or directory (os error 2); create one, or name another with --config",
                missing.display()
            ),
            1
        ))
    );
    std::fs::write(&missing, b"[jobs.x]\n  \xc3\xa9\xff").expect("a file");
    let path = missing.display();
    assert_eq!(
        load(&missing).map_err(|mistakes| mistakes.to_string()),
        Err(format!("error: `{path}` is not UTF-8\n--> {path}:2:4\n = help: save it as UTF-8"))
    );
}

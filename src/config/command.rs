//! The `command` of a job as written → the command as meant, and whether its placeholders can mean what they seem to. It
//! never looks for the program.

use toml::Spanned;
use toml::de::DeString;

use crate::parameters::{Parameter, leading_placeholders, placeholders};
use crate::sources::process::Command;

use super::{Invalid, JOB_KEYS, Mistake, Table, Value, nearest};

/// Programs that read the argument after an option as a script, and the letter that this option ends with.
const SCRIPT_READERS: [(&str, char); 15] = [
    ("sh", 'c'),
    ("bash", 'c'),
    ("dash", 'c'),
    ("ash", 'c'),
    ("ksh", 'c'),
    ("mksh", 'c'),
    ("zsh", 'c'),
    ("fish", 'c'),
    ("su", 'c'),
    ("python", 'c'),
    ("python3", 'c'),
    ("perl", 'e'),
    ("ruby", 'e'),
    ("node", 'e'),
    ("php", 'r'),
];

/// Reads the command of the job `name`; `None` only together with a mistake.
pub(super) fn take(table: &mut Table<'_, '_>, name: &Spanned<DeString<'_>>) -> Option<Command> {
    let Some(value) = table.value("command") else {
        if !table.seems_to_have("command", &JOB_KEYS) {
            let remedy = "write `command = [\"./program\", \"argument\"]`, or a string for the shell";
            table.miss(Mistake::new(name.span(), format!("job `{}` has no `command`", name.get_ref()), remedy));
        }
        return None;
    };
    if !value.is_list() {
        return table.take("command", |value| value.parsed("make all", None, shell_command));
    }
    take_program(table, "command").map(Command::List)
}

fn shell_command(text: &str) -> Result<Command, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new("`command` is blank", "write what `sh -c` shall run"));
    }
    Ok(Command::Shell(text.to_owned()))
}

/// A key that is a program and its arguments.
pub(super) fn take_program(table: &mut Table<'_, '_>, key: &str) -> Option<Vec<String>> {
    let mut is_program = true;
    table.take_list(key, 1, "[\"./program\", \"argument\"]", |item| {
        let text = item.text("argument")?;
        if std::mem::take(&mut is_program) && text.is_empty() {
            let remedy = format!("the first of `{key}` is what is executed");
            return Err(item.mistake("the program's name is empty", remedy));
        }
        Ok(text)
    })
}

/// Whether an argument of the command may begin with the value of the parameter `name`, where a program looks for options:
/// before the first `--`.
pub(super) fn leads_argument(command: &Command, name: &str) -> bool {
    let Command::List(words) = command else { return false };
    let mut arguments = words.iter().skip(1).take_while(|word| *word != "--");
    arguments.any(|argument| leading_placeholders(argument).any(|leading| leading == name))
}

/// Finds the placeholders of the command that cannot be meant.
pub(super) fn check_placeholders(table: &mut Table<'_, '_>, parameters: &[Parameter]) {
    let Some(value) = table.value("command") else { return };
    if parameters.is_empty() {
        return;
    }
    if !value.is_list() {
        table.take("command", |value| check_script(value, parameters));
        return;
    }
    // what is wrong with the list itself is told by now
    let items = value.items(0, "").unwrap_or_default();
    let words: Vec<_> = items.iter().map(|item| item.text("").unwrap_or_default()).collect();
    for (at, (item, word)) in items.iter().zip(&words).enumerate() {
        let before = words.get(..at).unwrap_or_default();
        let checked = placeholders(word).map(|name| {
            let checked = check_placeholder(name, before, parameters);
            checked.map_err(|invalid| item.mistake(invalid.problem, invalid.remedy))
        });
        table.keep_all(checked);
    }
}

/// A string goes to the shell as it is.
fn check_script(value: &Value<'_>, parameters: &[Parameter]) -> Result<(), Mistake> {
    let text = value.text("").unwrap_or_default();
    // `${name}` is the shell's own, and so is a variable of that name
    let filled = |name: &str| {
        text.match_indices(&format!("{{{name}}}"))
            .any(|(at, _)| !text.get(..at).is_some_and(|before| before.ends_with('$')))
    };
    let Some(Parameter { name, .. }) = parameters.iter().find(|parameter| filled(&parameter.name)) else {
        return Ok(());
    };
    let remedy = format!("write \"$PARAM_{}\", with the quotes: no shell reads what it contains", name.to_uppercase());
    Err(value.mistake(format!("`{{{name}}}` is not filled in a command that is a string"), remedy))
}

/// Whether the placeholder of this name can stand in an argument with these `before` it, the program first.
fn check_placeholder(name: &str, before: &[String], parameters: &[Parameter]) -> Result<(), Invalid> {
    let mut names = parameters.iter().map(|parameter| parameter.name.as_str());
    if !names.any(|known| known == name) {
        return match nearly(name, parameters) {
            Some(near) => Err(Invalid::new(
                format!("`{{{name}}}` is no parameter of the job"),
                format!("did you mean `{{{near}}}`?"),
            )),
            None => Ok(()),
        };
    }
    if before.is_empty() {
        let remedy = "write the program itself: a parameter fills arguments only";
        return Err(Invalid::new(format!("the program depends on `{{{name}}}`"), remedy));
    }
    match script_reader(before) {
        Some(reader) => Err(Invalid::new(
            format!("`{reader}` would read the value of `{{{name}}}` as a part of its script"),
            format!("take it from the environment instead, where it is PARAM_{}", name.to_uppercase()),
        )),
        None => Ok(()),
    }
}

/// The parameter that was probably meant. Of one or two letters nothing is probable: `@{u}` is a word of git.
fn nearly<'a>(name: &str, parameters: &'a [Parameter]) -> Option<&'a str> {
    let names = || parameters.iter().map(|parameter| parameter.name.as_str());
    let same = names().find(|known| known.eq_ignore_ascii_case(name));
    same.or_else(|| nearest(name, names().filter(|known| known.len() > 2 && name.len() > 2)))
}

/// The program that reads the argument after these as a script.
fn script_reader(before: &[String]) -> Option<&str> {
    let (option, programs) = before.split_last()?;
    let letter = option.strip_prefix('-').filter(|letters| !letters.starts_with('-'))?.chars().last()?;
    let file_name = |program: &'_ String| program.rsplit('/').next().map(str::to_owned);
    programs.iter().find_map(|program| {
        let name = file_name(program)?;
        SCRIPT_READERS.iter().find(|(reader, option)| *reader == name && *option == letter).map(|(reader, _)| *reader)
    })
}

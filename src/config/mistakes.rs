//! The mistakes of a file: collected, sorted by place and rendered as rustc does. It never decides what is a mistake.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::{Invalid, Unreadable, hide_passwords};

/// Everything that is wrong with a `jobs.toml`, in the order of the file. Its `Display` shows it all, without colours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistakes {
    /// The file itself, then the files that it names.
    sources: Vec<Source>,
    list: Vec<Mistake>,
    /// The lines of the file on which its syntax is broken: what they seem to mean is not judged.
    broken_lines: BTreeSet<usize>,
}

/// Which file a mistake is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SourceId(usize);

impl SourceId {
    /// The `jobs.toml` itself.
    const MAIN: SourceId = SourceId(0);
}

/// One mistake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Mistake {
    source: SourceId,
    /// Where in the text, in bytes; `None` where the whole file is meant.
    span: Option<(usize, usize)>,
    problem: String,
    remedy: Option<String>,
}

impl Mistake {
    /// A mistake at `span` of the `jobs.toml`.
    pub(super) fn new(span: Range<usize>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Mistake {
            source: SourceId::MAIN,
            span: Some((span.start, span.end)),
            problem: hide_passwords(&problem.into()),
            remedy: Some(hide_passwords(&remedy.into())),
        }
    }

    /// A value at `span` of the `jobs.toml` that is refused.
    pub(super) fn of_invalid(span: Range<usize>, invalid: Invalid) -> Self {
        Mistake::new(span, invalid.problem, invalid.remedy)
    }

    /// The same mistake, in another file.
    pub(super) fn within(self, source: SourceId) -> Self {
        Mistake { source, ..self }
    }
}

impl Mistakes {
    /// None yet, in the text of the file at `path`.
    pub(super) fn of(path: &Path, text: &str) -> Self {
        let source = Source::new(path, text, true);
        Mistakes { sources: vec![source], list: Vec::new(), broken_lines: BTreeSet::new() }
    }

    /// The one mistake of a file that cannot be read.
    pub(super) fn of_unreadable(path: &Path, why: Unreadable) -> Self {
        let name = path.display();
        let other = "create one, or name another with --config";
        let (valid, problem, remedy) = match why {
            Unreadable::Io(error) => (None, format!("cannot read `{name}`: {error}"), other),
            Unreadable::TooLarge => (None, format!("cannot read `{name}`: it is larger than 16 MiB"), other),
            Unreadable::NotUtf8(valid) => (Some(valid), format!("`{name}` is not UTF-8"), "save it as UTF-8"),
        };
        let end = valid.as_ref().map(|valid| (valid.len(), valid.len()));
        let source = Source::new(path, &valid.unwrap_or_default(), false);
        let mistake = Mistake { source: SourceId::MAIN, span: end, problem, remedy: Some(remedy.into()) };
        Mistakes { sources: vec![source], list: vec![mistake], broken_lines: BTreeSet::new() }
    }

    /// Another file that mistakes may be in. Its lines may hold secrets and are never shown, only their numbers.
    pub(super) fn add_source(&mut self, path: &Path, text: &str) -> SourceId {
        let path = path.display().to_string();
        let known = self.sources.iter().position(|source| source.path == path);
        SourceId(known.unwrap_or_else(|| {
            self.sources.push(Source::new(Path::new(&path), text, false));
            self.sources.len() - 1
        }))
    }

    /// Adds the places where the file is not TOML: the first of each line, and nothing that follows from an open list.
    pub(super) fn push_syntax(&mut self, errors: &[toml::de::Error]) {
        let mut errors: Vec<_> =
            errors.iter().map(|error| (error.span().unwrap_or_default(), error.message())).collect();
        errors.sort_by_key(|(span, _)| span.start);
        let unclosed = errors.iter().any(|(_, message)| message.starts_with("unclosed array"));
        let astray =
            errors.iter().find(|(_, message)| message.contains("in array") || message.starts_with("unclosed array"));
        let astray = astray.filter(|_| unclosed).map(|(span, _)| *self.lines_of(span).start());
        for (span, message) in errors {
            let lines = self.lines_of(&span);
            let line = *lines.start();
            let is_first = self.broken_lines.range(lines.clone()).next().is_none();
            self.broken_lines.extend(lines);
            if !is_first || astray.is_some_and(|astray| line > astray) {
                continue;
            }
            let (problem, remedy) = match astray == Some(line) {
                true => ("a list that begins before this is not closed", Some("end it with `]`")),
                false => (message, syntax_remedy(message)),
            };
            self.list.push(Mistake {
                source: SourceId::MAIN,
                span: Some((span.start, span.end)),
                problem: format!("this is not TOML: {problem}"),
                remedy: remedy.map(str::to_owned),
            });
        }
    }

    /// Adds a mistake, unless it only follows from broken syntax on its lines.
    pub(super) fn push(&mut self, mistake: Mistake) {
        if !self.follows_from_syntax(&mistake) {
            self.list.push(mistake);
        }
    }

    /// Adds that something is missing, unless the syntax is broken anywhere, for then it may be there.
    pub(super) fn push_missing(&mut self, mistake: Mistake) {
        if self.broken_lines.is_empty() {
            self.list.push(mistake);
        }
    }

    fn follows_from_syntax(&self, mistake: &Mistake) -> bool {
        let Some((start, end)) = mistake.span.filter(|_| mistake.source == SourceId::MAIN) else {
            return false;
        };
        // the parser stands in an empty span for a value that it could not read
        let stand_in = start == end;
        !self.broken_lines.is_empty()
            && (stand_in || self.broken_lines.range(self.lines_of(&(start..end))).next().is_some())
    }

    fn lines_of(&self, span: &Range<usize>) -> RangeInclusive<usize> {
        let line = |at| self.sources.first().map_or(0, |source| source.line_at(at));
        let first = line(span.start);
        first..=line(span.end.saturating_sub(1)).max(first)
    }

    /// The same mistakes, by place, each once.
    pub(super) fn sorted(mut self) -> Self {
        self.list.sort();
        self.list.dedup();
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Each of them in one line with its place, without the text of the file: that may hold secrets.
    pub fn summary(&self) -> Vec<String> {
        let each = self.list.iter().map(|mistake| {
            let place = self.sources.get(mistake.source.0).zip(mistake.span).map(|(source, (start, _))| {
                let (line, column) = source.place(start);
                format!(" (line {}, column {})", line + 1, column + 1)
            });
            format!("{}{}", mistake.problem, place.unwrap_or_default())
        });
        each.collect()
    }

    /// All of them as `Display` shows them, with colours for a terminal.
    pub fn render_coloured(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let each = self.list.iter().map(|mistake| {
            let source = self.sources.get(mistake.source.0);
            match (&mistake.span, &mistake.remedy) {
                // about the file as a whole: there is no line to show
                (None, Some(remedy)) => format!("error: {}; {remedy}", mistake.problem),
                _ => renderer.render(&[mistake_group(mistake, source)]),
            }
        });
        each.collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for Mistakes {}

fn syntax_remedy(message: &str) -> Option<&'static str> {
    const CONTROL: &str = "take the control character out, or write it by its number: `\\u001b`";
    const CONTROL_IN_SINGLE_QUOTES: &str =
        "take the control character out, or write it in double quotes by its number: `\"\\u001b\"`";
    const DEEP: &str = "no key takes anything that is nested so deeply: write it flatter";
    const REMEDIES: [(&str, &str); 13] = [
        ("duplicate key", "give it once, or another name"),
        ("string values must be quoted", "put text in quotes: `\"text\"`"),
        ("invalid boolean", "write `true` or `false` in lower case; put text in quotes"),
        ("key with no value", "write `key = value`"),
        ("missing escaped value", "write `\\\\` for a backslash, or put the text in single quotes"),
        ("invalid unquoted key", "put a key with other characters in quotes: `\"key\"`"),
        ("invalid basic string, expected non-double-quote", CONTROL),
        ("invalid multi-line basic string, expected `\\`, characters", CONTROL),
        ("invalid literal string, expected non-single-quote", CONTROL_IN_SINGLE_QUOTES),
        ("invalid multi-line literal string, expected non-single-quote", CONTROL_IN_SINGLE_QUOTES),
        ("invalid comment character", "take the control character out"),
        ("cannot recurse further", DEEP),
        ("recursion limit", DEEP),
    ];
    REMEDIES.into_iter().find(|(start, _)| message.starts_with(start)).map(|(_, remedy)| remedy)
}

fn mistake_group<'a>(mistake: &'a Mistake, source: Option<&'a Source>) -> Group<'a> {
    let mut group = Group::with_title(Level::ERROR.primary_title(mistake.problem.as_str()));
    if let (Some(source), Some((start, end))) = (source, mistake.span) {
        let (line, column) = source.place(start);
        if source.shown {
            let (from, text) = source.line_text(line);
            let first = text.floor_char_boundary(start.saturating_sub(from));
            let last = text.ceil_char_boundary(end.saturating_sub(from)).max(first);
            let caret = AnnotationKind::Primary.span(first..last);
            let snippet = Snippet::source(text).line_start(line + 1).path(source.path.as_str());
            group = group.element(snippet.annotation(caret));
        } else {
            group = group.element(Origin::path(source.path.as_str()).line(line + 1).char_column(column + 1));
        }
    }
    match &mistake.remedy {
        Some(remedy) => group.element(Level::HELP.message(normalize_untrusted_str(remedy))),
        None => group,
    }
}

/// A text that was read, and where its lines begin.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Source {
    path: String,
    /// Without the passwords in it.
    text: String,
    line_starts: Vec<usize>,
    shown: bool,
}

impl Source {
    fn new(path: &Path, text: &str, shown: bool) -> Self {
        let after_newlines = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Source { path: path.display().to_string(), text: hide_passwords(text), line_starts, shown }
    }

    /// The line, from 0, that the byte at `at` is on.
    fn line_at(&self, at: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= at).saturating_sub(1)
    }

    /// Where the line begins, and its text without its end.
    fn line_text(&self, line: usize) -> (usize, &str) {
        let from = self.line_starts.get(line).copied().unwrap_or(0);
        let rest = self.text.get(from..).unwrap_or_default();
        (from, rest.lines().next().unwrap_or_default())
    }

    /// Line and column, in characters, both from 0, of the byte at `at`.
    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line_at(at);
        let (from, text) = self.line_text(line);
        let before = text.floor_char_boundary(at.saturating_sub(from));
        (line, text.get(..before).unwrap_or_default().chars().count())
    }
}

//! Reading one table of the file key by key: what is asked for is known, what is left over is a mistake. It never
//! stops at the first one.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Invalid, Mistake, Mistakes, SourceId};

/// A table that is being read.
pub(super) struct Table<'t, 'm> {
    /// Its header, such as `[jobs.backup]`; empty for the file itself.
    header: String,
    entries: Option<&'t DeTable<'t>>,
    mistakes: &'m mut Mistakes,
    /// The keys that were asked for.
    known: Vec<String>,
    /// Those of them that are not supported yet.
    refused: Vec<String>,
}

impl<'t, 'm> Table<'t, 'm> {
    /// The file itself.
    pub(super) fn root(entries: &'t DeTable<'t>, mistakes: &'m mut Mistakes) -> Self {
        Table::new(String::new(), Some(entries), mistakes)
    }

    fn new(header: String, entries: Option<&'t DeTable<'t>>, mistakes: &'m mut Mistakes) -> Self {
        Table { header, entries, mistakes, known: Vec::new(), refused: Vec::new() }
    }

    /// The header that the table under one of its keys would have.
    pub(super) fn header_below(&self, key: &str) -> String {
        match self.header.strip_suffix(']') {
            Some(header) => format!("{header}.{key}]"),
            None => format!("[{key}]"),
        }
    }

    /// Its keys in the order of the file.
    pub(super) fn keys(&self) -> Vec<&'t Spanned<DeString<'t>>> {
        let mut keys: Vec<_> = self.entries.into_iter().flat_map(|entries| entries.keys()).collect();
        keys.sort_by_key(|key| key.span().start);
        keys
    }

    /// Whether an unknown key, none of `known`, shows that `key` was meant: it is misspelt, or a dot in a name put it one
    /// table deeper.
    pub(super) fn seems_to_have(&self, key: &str, known: &[&str]) -> bool {
        let mut entries = self.entries.into_iter().flat_map(|entries| entries.iter());
        entries.any(|(name, value)| {
            let deeper = value.get_ref().as_table().is_some_and(|table| table.contains_key(key));
            let unknown = !known.contains(&name.get_ref().as_ref());
            unknown && (deeper || nearest(name.get_ref(), std::iter::once(key)).is_some())
        })
    }

    /// Takes a key for a known one, whatever its value.
    pub(super) fn know(&mut self, key: &str) {
        if !self.known.iter().any(|known| known == key) {
            self.known.push(key.to_owned());
        }
    }

    /// The value of a key, which is known from now on.
    pub(super) fn value(&mut self, key: &str) -> Option<Value<'t>> {
        self.know(key);
        let (name, node) = self.entries?.get_key_value(key)?;
        Some(Value { key: name.get_ref(), key_span: name.span(), node, in_list: false })
    }

    /// The value of a key as `read` reads it, if it is there and right.
    pub(super) fn take<T>(&mut self, key: &str, read: impl FnOnce(&Value<'t>) -> Result<T, Mistake>) -> Option<T> {
        let value = self.value(key)?;
        self.keep(read(&value))
    }

    /// The value of a key that is a list of at least `least` items, each as `read` reads it, wrong ones left out.
    pub(super) fn take_list<T>(
        &mut self,
        key: &str,
        least: usize,
        example: &str,
        read: impl FnMut(&Value<'t>) -> Result<T, Mistake>,
    ) -> Option<Vec<T>> {
        let items = self.take(key, |value| value.items(least, example))?;
        Some(self.keep_all(items.iter().map(read)))
    }

    /// The table under a key; one without entries if the file has none, `None` if it is something else.
    pub(super) fn take_table(&mut self, key: &str, header: &str) -> Option<Table<'t, '_>> {
        let entries = match self.value(key) {
            None => None,
            Some(value) => Some(self.keep(value.table(header))?),
        };
        Some(Table::new(header.to_owned(), entries, self.mistakes))
    }

    /// Takes a key whose behaviour is still to come: if its value is right it is refused all the same.
    pub(super) fn refuse(&mut self, key: &str, check: impl FnOnce(&Value<'t>) -> Result<(), Mistake>) {
        self.refused.push(key.to_owned());
        let header = self.header.clone();
        self.take(key, |value| {
            check(value)?;
            let remedy = "take it out; this version would not act on it";
            Err::<(), _>(value.mistake_about_key(not_supported(&header, key), remedy))
        });
    }

    /// The result, if it is no mistake.
    pub(super) fn keep<T>(&mut self, result: Result<T, Mistake>) -> Option<T> {
        result.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    /// The results that are no mistakes.
    pub(super) fn keep_all<T>(&mut self, results: impl Iterator<Item = Result<T, Mistake>>) -> Vec<T> {
        results.filter_map(|result| self.keep(result)).collect()
    }

    /// Says that the key which this table belongs to misses something.
    pub(super) fn miss(&mut self, mistake: Mistake) {
        self.mistakes.push_missing(mistake);
    }

    /// Takes mistakes of another file that this table names.
    pub(super) fn add_source(&mut self, path: &std::path::Path, text: &str) -> SourceId {
        self.mistakes.add_source(path, text)
    }

    /// Ends the reading: keys that nobody asked for are mistakes. `hint` may know better what was meant.
    pub(super) fn finish(self, hint: impl Fn(&str, &DeValue<'_>) -> Option<String>) {
        for key in self.keys() {
            let name: &str = key.get_ref();
            let Some(value) = self.entries.and_then(|entries| entries.get(name)) else { continue };
            if !self.known.iter().any(|known| known == name) {
                let remedy = hint(name, value.get_ref()).unwrap_or_else(|| self.remedy_for_unknown(name));
                self.mistakes.push(Mistake::new(key.span(), format!("unknown key `{name}`"), remedy));
            }
        }
    }

    fn remedy_for_unknown(&self, name: &str) -> String {
        let near = nearest(name, self.known.iter().map(String::as_str));
        if let Some(near) = near {
            return format!("did you mean `{near}`?");
        }
        let allowed = self.known.iter().filter(|key| !self.refused.contains(key)).map(|key| format!("`{key}`"));
        let place = if self.header.is_empty() { "the file" } else { self.header.as_str() };
        format!("{place} may have {}", allowed.collect::<Vec<_>>().join(", "))
    }
}

fn not_supported(header: &str, key: &str) -> String {
    match header {
        "" => format!("`[{key}]` is not supported yet"),
        _ => format!("`{key}` is not supported yet"),
    }
}

/// The candidate that differs from `name` by a third of its letters at most, and least.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase().replace('-', "_");
    // the distance takes time that grows with the square of the length
    let bound = (folded.len() <= 64).then(|| folded.chars().count().max(3) / 3)?;
    let distances = candidates.map(|candidate| (strsim::damerau_levenshtein(&folded, candidate), candidate));
    distances.filter(|&(distance, _)| distance <= bound).min().map(|(_, candidate)| candidate)
}

/// A value in the file, and the key that it stands under.
#[derive(Clone)]
pub(super) struct Value<'t> {
    key: &'t str,
    key_span: std::ops::Range<usize>,
    node: &'t Spanned<DeValue<'t>>,
    in_list: bool,
}

impl<'t> Value<'t> {
    /// A mistake about this value.
    pub(super) fn mistake(&self, problem: impl Into<String>, remedy: impl Into<String>) -> Mistake {
        Mistake::new(self.node.span(), problem, remedy)
    }

    /// A mistake about the key that it stands under.
    pub(super) fn mistake_about_key(&self, problem: impl Into<String>, remedy: impl Into<String>) -> Mistake {
        Mistake::new(self.key_span.clone(), problem, remedy)
    }

    /// The string as `parse` understands it. A number in its place is shown in quotes with `unit` after it, where `parse`
    /// would take that.
    pub(super) fn parsed<T>(
        &self,
        example: &str,
        unit: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<T, Mistake> {
        match self.node.get_ref() {
            DeValue::String(text) if text.contains('\0') => {
                Err(self.mistake(format!("`{}` contains a NUL", self.key), "no program can be given one"))
            }
            DeValue::String(text) => parse(text).map_err(|invalid| Mistake::of_invalid(self.node.span(), invalid)),
            _ => {
                let meant = unit.and_then(|unit| self.with_unit(unit)).filter(|meant| parse(meant).is_ok());
                Err(self.wrong_type("a string", &format!("\"{}\"", meant.as_deref().unwrap_or(example))))
            }
        }
    }

    /// A string, as it is.
    pub(super) fn text(&self, example: &str) -> Result<String, Mistake> {
        self.parsed(example, None, |text| Ok(text.to_owned()))
    }

    /// A number with a unit after it; where there is no unit, anything that is not made of several.
    fn with_unit(&self, unit: &str) -> Option<String> {
        match self.node.get_ref() {
            DeValue::Integer(number) => Some(format!("{number}{unit}")),
            DeValue::Float(number) => Some(number.to_string()).filter(|_| unit.is_empty()),
            DeValue::Boolean(truth) => Some(truth.to_string()).filter(|_| unit.is_empty()),
            DeValue::Datetime(time) => Some(time.to_string()).filter(|_| unit.is_empty()),
            DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Result<bool, Mistake> {
        match self.node.get_ref() {
            DeValue::Boolean(truth) => Ok(*truth),
            DeValue::String(text) if matches!(text.as_ref(), "true" | "false") => {
                Err(self.wrong_type("true or false", text))
            }
            _ => Err(self.wrong_type("true or false", "true")),
        }
    }

    /// A whole number between two bounds.
    pub(super) fn integer(&self, allowed: RangeInclusive<u32>, example: &str) -> Result<u32, Mistake> {
        let (least, most) = (i64::from(*allowed.start()), i64::from(*allowed.end()));
        let number = self.number_within(least..=most, example)?;
        Ok(u32::try_from(number).expect("it is within bounds of this type"))
    }

    /// A whole number.
    pub(super) fn whole_number(&self, example: &str) -> Result<i64, Mistake> {
        self.number_within(i64::MIN..=i64::MAX, example)
    }

    fn number_within(&self, allowed: RangeInclusive<i64>, example: &str) -> Result<i64, Mistake> {
        let number = match self.node.get_ref() {
            DeValue::Integer(number) => number,
            DeValue::String(text) if text.parse().is_ok_and(|number| allowed.contains(&number)) => {
                return Err(self.wrong_type("a whole number", text));
            }
            _ => return Err(self.wrong_type("a whole number", example)),
        };
        let within = i64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| allowed.contains(n));
        within.ok_or_else(|| {
            let bounds = format!("it may be {} to {}", allowed.start(), allowed.end());
            self.mistake(format!("`{}` cannot be {number}", self.key), bounds)
        })
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, Mistake> {
        let example = choices.first().map_or("", |(word, _)| word);
        self.parsed(example, None, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|&(_, meaning)| meaning).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("`\"{word}\"`")).collect();
                Invalid::new(format!("`{}` cannot be `{text}`", self.key), format!("it may be {}", words.join(", ")))
            })
        })
    }

    /// The items of a list that has at least `least` of them.
    pub(super) fn items(&self, least: usize, example: &str) -> Result<Vec<Value<'t>>, Mistake> {
        let items = match self.node.get_ref() {
            DeValue::Array(items) => items,
            DeValue::String(text) if text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')) => {
                return Err(self.wrong_type("a list", &format!("[\"{text}\"]")));
            }
            _ => return Err(self.wrong_type("a list", example)),
        };
        if items.len() < least {
            return Err(self.mistake(format!("`{}` is empty", self.key), format!("write `{} = {example}`", self.key)));
        }
        Ok(items.iter().map(|node| Value { node, in_list: true, ..self.clone() }).collect())
    }

    /// Whether it is a list, for keys that may be one.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.get_ref(), DeValue::Array(_))
    }

    /// Whether it is a string, for keys that may be one.
    pub(super) fn is_string(&self) -> bool {
        matches!(self.node.get_ref(), DeValue::String(_))
    }

    /// Whether it is a table, for keys that may be one.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.node.get_ref(), DeValue::Table(_))
    }

    /// A table, whose header would be `header`.
    pub(super) fn table(&self, header: &str) -> Result<&'t DeTable<'t>, Mistake> {
        match self.node.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => {
                let problem = format!("`{}` must be a table, not {}", self.key, self.found());
                Err(self.mistake(problem, format!("write `{header}` on a line of its own and its keys below it")))
            }
        }
    }

    /// A mistake about the type of this value.
    pub(super) fn wrong_type(&self, wanted: &str, example: &str) -> Mistake {
        let (key, found) = (self.key, self.found());
        if self.in_list {
            let problem = format!("`{key}` has {found} in its list where it must have {wanted}");
            return self.mistake(problem, format!("write `{example}`"));
        }
        self.mistake(format!("`{key}` must be {wanted}, not {found}"), format!("write `{key} = {example}`"))
    }

    fn found(&self) -> &'static str {
        match self.node.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}

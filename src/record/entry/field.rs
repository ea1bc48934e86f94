//! The fields of an entry by the names that they have in its line of JSON. It reads no line itself.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{Entry, Thread, any_field, readable, stamp};

impl Entry<'_> {
    /// Calls `look` with each value that it has under `name`, as people read it, until one is found to be what is looked
    /// for: those among its other fields, or else its own field of that name, or what a plain line says.
    pub fn any_field(&self, name: &str, mut look: impl FnMut(&str) -> bool) -> bool {
        let mut others = self.extra.iter().filter(|(other, _)| other == name).map(|(_, value)| value).peekable();
        if others.peek().is_some() {
            return others.any(|value| look(&readable(value)));
        }
        match self.own_field(name) {
            Some(value) => look(&value),
            None => self.is_plain() && any_field(self.text.as_bytes(), name, look),
        }
    }

    /// Whether it is no more than a plain line, or the lines of one record: of another feed, of one of several log files, or
    /// a text that came in the place of a record.
    fn is_plain(&self) -> bool {
        let has_text = [
            &self.level_name,
            &self.func,
            &self.host,
            &self.user,
            &self.process,
            &self.thread_name,
            &self.task,
            &self.stack,
        ]
        .into_iter()
        .any(Option::is_some);
        let has_number = self.time.is_some() || self.line.is_some() || self.pid.is_some() || self.thread.is_some();
        !has_text && !has_number && self.extra.is_empty()
    }

    fn own_field(&self, name: &str) -> Option<Cow<'_, str>> {
        let number = |number: Option<i64>| number.map(|number| Cow::Owned(number.to_string()));
        let text = match name {
            "level" => return number(self.level.map(|level| level.number().into())),
            "text" => return Some(Cow::Borrowed(&self.text)),
            "time" => return Some(Cow::Owned(stamp(Timestamp::from_microsecond(self.time?).ok()?))),
            "line" => return self.line.map(|line| Cow::Owned(line.to_string())),
            "pid" => return number(self.pid),
            "thread" => match self.thread.as_ref()? {
                Thread::Number(id) => return number(Some(*id)),
                Thread::Text(text) => return Some(Cow::Borrowed(text)),
            },
            "feed" => &self.feed,
            "level_name" => &self.level_name,
            "logger" => &self.logger,
            "file" => &self.file,
            "func" => &self.func,
            "host" => &self.host,
            "user" => &self.user,
            "process" => &self.process,
            "thread_name" => &self.thread_name,
            "task" => &self.task,
            "exception" => &self.exception,
            "stack" => &self.stack,
            _ => return None,
        };
        text.as_deref().map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::record::Level;

    fn full() -> Entry<'static> {
        let some = |text: &'static str| Some(Cow::Borrowed(text));
        Entry {
            level: Some(Level::WARNING),
            level_name: some("WARNING"),
            logger: some("app.db"),
            text: "gone".into(),
            time: Some(1_770_000_000_123_456),
            feed: some("python"),
            goes_on: false,
            file: some("/srv/db.py"),
            line: Some(7),
            func: some("connect"),
            host: some("10.0.0.7"),
            user: some("ann"),
            pid: Some(4242),
            process: some("MainProcess"),
            thread: Some(Thread::Number(-1)),
            thread_name: some("MainThread"),
            task: some("Task-1"),
            exception: some("KeyError: 1"),
            stack: some("Stack"),
            extra: vec![("run".into(), "42".into()), ("pid".into(), "\"é\\n\"".into()), ("run".into(), "[1]".into())],
        }
    }

    fn values(entry: &Entry<'_>, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        entry.any_field(name, |value| {
            values.push(value.to_owned());
            false
        });
        values
    }

    #[test]
    fn each_name_of_its_line_of_json_is_a_field() {
        let entry = Entry { extra: Vec::new(), ..full() };
        let mut line = Vec::new();
        entry.write(&mut line);
        let shown: Value = serde_json::from_slice(&line).unwrap();
        let (mut names, mut record) = (shown.as_object().unwrap().clone(), shown["record"].clone());
        names.remove("record");
        names.append(record.as_object_mut().unwrap());
        assert_eq!(names.len(), 18);
        for (name, value) in names {
            let expected = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert_eq!(values(&entry, &name), [expected], "{name}");
        }
        assert_eq!(values(&entry, "run"), [""; 0]);
    }

    #[test]
    fn other_fields_come_before_its_own() {
        assert_eq!(values(&full(), "run"), ["42", "[1]"]);
        assert_eq!(values(&full(), "pid"), ["é\n"]);
        assert!(full().any_field("run", |value| value == "[1]"));
        assert_eq!(values(&Entry::default(), "pid"), [""; 0]);
    }

    #[test]
    fn a_plain_line_says_its_fields_itself() {
        let text = Cow::Borrowed("{\"run\":42,\"feed\":\"other\"}");
        let plain = Entry { feed: Some("a".into()), level: Some(Level::INFO), text: text.clone(), ..Entry::default() };
        assert_eq!((values(&plain, "run"), values(&plain, "feed")), (vec!["42".to_owned()], vec!["a".to_owned()]));
        let of_file = Entry { file: Some("a.log".into()), ..plain.clone() };
        assert_eq!(
            (values(&of_file, "run"), values(&of_file, "file")),
            (vec!["42".to_owned()], vec!["a.log".to_owned()])
        );
        let record = Entry { text, host: Some("h".into()), ..Entry::default() };
        assert_eq!(values(&record, "run"), [""; 0], "a record's message is no line");
        assert!(plain.is_plain() && !record.is_plain() && !full().is_plain());
    }
}

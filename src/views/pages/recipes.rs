//! How a script starts a job: the lines to copy from its page, with what stands in its fields. A secret's value never
//! stands in them; a variable of the shell does.

use super::{Field, Input, Ways, encode};

/// The way to one job, for the lines that lead there.
pub(super) struct Recipes<'a> {
    /// Scheme, host, port and base path of the server.
    pub(super) server: &'a str,
    pub(super) job: &'a str,
    pub(super) ways: Ways,
    pub(super) fields: &'a [Field],
}

impl Recipes<'_> {
    /// What each line is for, and the line.
    pub(super) fn lines(&self) -> [(&'static str, String); 4] {
        [
            ("Every line as it comes", self.curl("curl -sN", "")),
            ("Wait for the end, fail if it failed", self.curl("curl -s --fail-with-body", "wait")),
            ("As JSON, one object a line", self.curl("curl -sN", "format=ndjson")),
            ("As if it ran here, with its exit code", self.verb()),
        ]
    }

    fn curl(&self, command: &str, also: &str) -> String {
        let in_body = self.ways.post && !self.ways.takes_input && self.given().any(Field::is_secret);
        let (mut words, mut query) = (vec![command.to_owned()], Vec::new());
        if self.ways.takes_input {
            words.push("-X POST -T FILE".to_owned());
        } else if !in_body && !self.ways.get {
            words.push("-X POST".to_owned());
        }
        for field in self.given() {
            match in_body {
                true if field.is_plain() => words.push(format!("-d {}", field.pair())),
                true => words.push(format!("--data-urlencode {}", field.pair())),
                false => query.push(format!("{}={}", field.name, encode(&field.value))),
            }
        }
        query.extend((!also.is_empty()).then(|| also.to_owned()));
        let url = format!("{}/jobs/{}", self.server, self.job);
        words.push(if query.is_empty() { url } else { format!("'{url}?{}'", query.join("&")) });
        joined(&words)
    }

    fn verb(&self) -> String {
        let mut words = vec![format!("joblines run {}", self.job)];
        words.extend(self.given().map(Field::pair));
        words.push(format!("--server {}", self.server));
        words.extend(self.ways.takes_input.then(|| "< FILE".to_owned()));
        joined(&words)
    }

    /// What has to be said, and what was.
    fn given(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.required || !field.value.is_empty())
    }
}

impl Field {
    fn is_secret(&self) -> bool {
        self.input == Input::Secret
    }

    /// Whether its value means itself to a shell and in a form.
    fn is_plain(&self) -> bool {
        !self.is_secret() && self.value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@,".contains(c))
    }

    /// `name=value`, as one types it in a shell.
    fn pair(&self) -> String {
        if self.is_secret() {
            return format!("{}=\"${}\"", self.name, self.name.to_ascii_uppercase());
        }
        match self.is_plain() {
            true => format!("{}={}", self.name, self.value),
            false => format!("'{}={}'", self.name, self.value.replace('\'', r"'\''")),
        }
    }
}

/// The words of one command: on a line, or a line each where they are too many for one.
fn joined(words: &[String]) -> String {
    const LONGEST: usize = 96;
    match words.join(" ") {
        line if line.chars().count() <= LONGEST => line,
        _ => words.join(" \\\n  "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, input: Input, value: &str, required: bool) -> Field {
        let (name, value) = (name.to_owned(), value.to_owned());
        let (description, allowed) = (String::new(), String::new());
        Field { name, description, input, value, problem: None, allowed, required }
    }

    fn lines(ways: Ways, fields: &[Field]) -> Vec<String> {
        let recipes = Recipes { server: "http://h:1", job: "x", ways, fields };
        recipes.lines().into_iter().map(|(_, line)| line).collect()
    }

    const BOTH: Ways = Ways { get: true, post: true, takes_input: false };

    #[test]
    fn values_stand_in_the_query_as_a_query_has_them() {
        let fields = [
            field("target", Input::Text, "it's a/b", true),
            field("note", Input::Text, "", false),
            field("count", Input::Int { min: None, max: None }, "3", true),
        ];
        let lines = lines(BOTH, &fields);
        assert_eq!(lines[0], "curl -sN 'http://h:1/jobs/x?target=it%27s%20a%2Fb&count=3'");
        assert_eq!(lines[1], "curl -s --fail-with-body 'http://h:1/jobs/x?target=it%27s%20a%2Fb&count=3&wait'");
        assert_eq!(lines[3], r"joblines run x 'target=it'\''s a/b' count=3 --server http://h:1");
    }

    #[test]
    fn a_secret_stands_in_no_line_and_goes_in_no_address() {
        let fields = [field("token", Input::Secret, "hidden", true), field("to", Input::Text, "a b", true)];
        let lines = lines(BOTH, &fields);
        assert_eq!(lines[0], "curl -sN --data-urlencode token=\"$TOKEN\" --data-urlencode 'to=a b' http://h:1/jobs/x");
        assert_eq!(lines[3], "joblines run x token=\"$TOKEN\" 'to=a b' --server http://h:1");
        assert!(!lines.concat().contains("hidden"));
    }

    #[test]
    fn the_method_is_one_that_the_job_has() {
        assert_eq!(lines(BOTH, &[])[0], "curl -sN http://h:1/jobs/x");
        let post = Ways { get: false, ..BOTH };
        assert_eq!(lines(post, &[])[1], "curl -s --fail-with-body -X POST 'http://h:1/jobs/x?wait'");
        let input = Ways { takes_input: true, ..BOTH };
        let fields = [field("to", Input::Text, "a", true)];
        assert_eq!(lines(input, &fields)[0], "curl -sN -X POST -T FILE 'http://h:1/jobs/x?to=a'");
        assert_eq!(lines(input, &fields)[3], "joblines run x to=a --server http://h:1 < FILE");
    }
}

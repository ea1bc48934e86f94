//! What is said of a run while nothing comes of it: that it goes on, for how long, or its place in the queue. It draws
//! nothing itself.

use std::time::Duration;

use tokio::time::Instant;

use super::took;

/// Silence until it is drawn for the first time.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two pictures.
const BEAT: Duration = Duration::from_millis(125);

/// The pictures where the locale has them, and elsewhere.
const BRAILLE: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠴", "⠦", "⠧", "⠇"];
const PLAIN: [&str; 4] = ["-", "\\", "|", "/"];

/// A clock that runs while one waits.
#[derive(Clone, Debug)]
pub struct Spinner {
    what: String,
    begun: Instant,
    heard: Instant,
    beat: usize,
    ahead: Option<u64>,
    pictures: &'static [&'static str],
}

impl Spinner {
    /// For a wait for `what` that begins `now`.
    pub fn new(what: &str, now: Instant) -> Spinner {
        let pictures: &[_] = if is_utf8() { &BRAILLE } else { &PLAIN };
        Spinner { what: what.to_owned(), begun: now, heard: now, beat: 0, ahead: None, pictures }
    }

    /// Something was printed: the silence begins anew.
    pub fn hear(&mut self, now: Instant) {
        (self.heard, self.beat, self.ahead) = (now, 0, None);
    }

    /// Its place in the queue became known.
    pub fn queue(&mut self, ahead: u64) {
        self.ahead = Some(ahead);
    }

    /// When it is to be drawn next.
    pub fn next(&self) -> Instant {
        self.heard + PATIENCE + BEAT * u32::try_from(self.beat).unwrap_or(u32::MAX)
    }

    /// The next picture.
    pub fn turn(&mut self, now: Instant) -> String {
        let picture = self.pictures.get(self.beat % self.pictures.len()).unwrap_or(&"");
        self.beat += 1;
        let elapsed = match now.duration_since(self.begun) {
            short if short < Duration::from_secs(60) => format!("{} s", short.as_secs()),
            long => took(long),
        };
        let stands = match self.ahead {
            Some(0) => "queued, next in turn".to_owned(),
            Some(1) => "queued, 1 run ahead of it".to_owned(),
            Some(ahead) => format!("queued, {ahead} runs ahead of it"),
            None => "running".to_owned(),
        };
        format!("{picture} {}: {stands}, {elapsed}", self.what)
    }
}

/// Whether the locale is one of UTF-8 (locale(7)).
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let locale = set.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_for_how_long_and_what_it_waits_for() {
        let begun = Instant::now();
        let mut spinner = Spinner { pictures: &PLAIN, ..Spinner::new("backup", begun) };
        assert_eq!(spinner.next(), begun + PATIENCE);
        assert_eq!(spinner.turn(spinner.next()), "- backup: running, 1 s");
        assert_eq!(spinner.next(), begun + PATIENCE + BEAT);
        spinner.queue(3);
        let later = begun + Duration::from_secs(61);
        assert_eq!(spinner.turn(later), "\\ backup: queued, 3 runs ahead of it, 1 min 01 s");
        spinner.hear(later);
        assert_eq!(spinner.next(), later + PATIENCE);
        assert_eq!(spinner.turn(later), "- backup: running, 1 min 01 s");
    }
}

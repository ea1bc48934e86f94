//! Which files a tail has to read, by the name it follows: the one that has it now, after those that had it before. It
//! reads none of them.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant, SystemTime};

use super::{Followed, Identity, Opened, Position, Refused, Tail, beside};

/// Whoever rotates leaves no file of the name for a moment; after so long it is gone.
const GONE: Duration = Duration::from_secs(2);

/// A file that was removed and brings nothing is let go after so long.
const REMOVED: Duration = Duration::from_secs(60);

/// With so many that wait to be read, each held open, no further ones are looked for.
const MOST_NEXT: usize = 64;

/// What the name stood for at the last look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Name {
    Unknown,
    There,
    Missing(Instant),
    /// And that was said.
    Gone,
}

impl Tail {
    /// Which file has the name now.
    pub(super) fn look(&mut self, now: Instant) {
        match self.place.root.find(&self.place.path) {
            Ok(found) if self.files().any(|file| file.opened.identity == found) => self.tell_of_return(),
            Ok(_) => match self.place.root.open(&self.place.path) {
                Ok(opened) => {
                    self.tell_of_return();
                    self.follow(opened, now);
                }
                Err(refused) => self.miss(&refused, now),
            },
            Err(refused) => self.miss(&refused, now),
        }
    }

    fn files(&self) -> impl Iterator<Item = &Followed> {
        self.at.iter().chain(&self.next)
    }

    /// The files that it reads, or looks after.
    pub(super) fn identities(&self) -> impl Iterator<Item = Identity> {
        self.files().chain(self.left.iter().map(|(left, _)| left)).map(|file| file.opened.identity)
    }

    /// Whether nothing more is to be expected: there is no file of its name, and those that had it bring nothing.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_quiet = self.at.is_none() || self.quiet.is_some_and(|quiet| now - quiet >= REMOVED);
        self.name == Name::Gone && is_quiet && self.held.is_empty() && self.next.is_empty() && self.left.is_empty()
    }

    /// `opened` has the name now: it is read after those that had it before.
    fn follow(&mut self, opened: Opened, now: Instant) {
        let last = self.files().last().map(|last| last.opened.identity);
        match last {
            // it was renamed to and fro meanwhile
            _ if self.files().any(|file| file.opened.identity == opened.identity) => {}
            None if self.fresh => match self.at_last_lines(opened, now) {
                Ok(first) => self.at = Some(first),
                Err(error) => return self.tell_unreadable(&error),
            },
            None => self.at = Some(self.take_up(opened, now)),
            Some(_) if self.next.len() >= MOST_NEXT => return,
            Some(last) => {
                for between in self.between(last, opened.identity) {
                    let between = self.take_up(between, now);
                    self.next.push_back(between);
                }
                let opened = self.take_up(opened, now);
                self.next.push_back(opened);
            }
        }
        self.fresh = false;
        if last.is_none() {
            self.save();
        }
    }

    /// The files that had the name after `old` and before `new`, by the names that rotation gave them. Those with a number
    /// are none of the past of one with a date, nor the other way round: they are what another way of rotation left.
    pub(super) fn between(&self, old: Identity, new: Identity) -> Vec<Opened> {
        let rotated = beside(&self.place.root, &self.place.path);
        let Some(first) = rotated.iter().rposition(|file| file.age.is_some() && file.inode == old.inode) else {
            return Vec::new();
        };
        let Some((before, younger)) = rotated.get(first..).and_then(<[_]>::split_first) else { return Vec::new() };
        let younger: Vec<_> = younger.iter().filter(|file| file.is_rotated_as(before)).collect();
        let younger = younger.split(|file| file.inode == new.inode).next().unwrap_or_default();
        let surplus = younger.len().saturating_sub(MOST_NEXT);
        let younger = younger.iter().skip(surplus).filter_map(|file| file.open(&self.place.root));
        let before = self.files().find(|known| known.opened.identity == old).map(|known| &known.opened.file);
        younger
            .filter(|file| ![old, new].contains(&file.identity))
            .filter(|file| before.is_none_or(|before| !is_older(&file.file, before)))
            .filter(|file| self.files().all(|known| known.opened.identity != file.identity))
            .collect()
    }

    /// `opened`, from where it was left if it was read before, else from its beginning.
    fn take_up(&mut self, opened: Opened, now: Instant) -> Followed {
        if let Some(at) = self.left.iter().position(|(left, _)| left.opened.identity == opened.identity) {
            return self.left.swap_remove(at).0;
        }
        let known = self.known.iter().position(|known| Followed::holds(&opened, known));
        let position = known.and_then(|at| self.known.remove(at)).filter(|position| !position.before.is_empty());
        let position = position.or_else(|| self.read.find(&opened));
        let mut file = Followed::new(opened, now);
        if let Some(Position { offset, before, .. }) = position {
            (file.offset, file.before) = (offset, before);
        }
        file
    }

    fn tell_of_return(&mut self) {
        if std::mem::replace(&mut self.name, Name::There) == Name::Gone {
            let what = if self.at.is_some() { "is back" } else { "is there now" };
            self.outlet.say(&format!("{} {what}", self.shown()));
        }
        self.refused = None;
    }

    /// No file of the name can be had.
    fn miss(&mut self, refused: &Refused, now: Instant) {
        if !matches!(refused, Refused::NotFound(_)) {
            return self.tell_refused(refused);
        }
        self.refused = None;
        self.fresh = false;
        match self.name {
            Name::Unknown => {
                self.outlet.say(&format!("{} is not there: waiting for it", self.shown()));
                self.name = Name::Gone;
            }
            Name::There => self.name = Name::Missing(now),
            Name::Missing(since) if now - since >= GONE => {
                self.outlet.say(&format!("{} is gone: waiting for it to come back", self.shown()));
                self.name = Name::Gone;
            }
            Name::Missing(_) => {}
            Name::Gone => self.let_go_if_removed(now),
        }
    }

    /// Says why the name leads to nothing that can be read, once.
    fn tell_refused(&mut self, refused: &Refused) {
        let text = refused.to_string();
        if self.refused.as_ref() != Some(&text) {
            self.outlet.say(&text);
            self.refused = Some(text);
        }
    }

    /// Nobody will find a removed file again, and it takes room on the disk as long as it is open.
    fn let_go_if_removed(&mut self, now: Instant) {
        let is_over = self.next.is_empty() && self.quiet.is_some_and(|quiet| now - quiet >= REMOVED);
        let removed = |at: &Followed| at.opened.file.metadata().is_ok_and(|found| found.nlink() == 0);
        if is_over && self.at.as_ref().is_some_and(removed) && self.flush() {
            self.end_line();
            self.at = None;
        }
    }
}

/// Whether `file` was both written last and made before `than` was, so that it cannot have had the name after that. One
/// alone does not tell: writers stay with a file that has lost its name, and what is copied over another keeps its birth.
fn is_older(file: &File, than: &File) -> bool {
    let (Ok(file), Ok(than)) = (file.metadata(), than.metadata()) else { return false };
    let is_earlier = |time: fn(&Metadata) -> io::Result<SystemTime>| Some(time(&file).ok()? < time(&than).ok()?);
    // not every file system knows when a file was made
    is_earlier(Metadata::modified).unwrap_or(false) && is_earlier(Metadata::created).unwrap_or(true)
}

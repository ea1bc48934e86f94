//! Follows one file by its name, step by step: reads what is new, appends it, saves how far it came. It never waits,
//! and knows the time only by what it is told.
//!
//! What a name stands for changes; what is open does not. So a file that has lost its name is read on, and the one that
//! has it now waits in a queue until the old one brings nothing more. Its last writers may still come a little later:
//! it is looked after for a while beside the new one.

use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::{Followed, Held, Name, News, Opened, Outlet, Place, Position, PositionFile, Read, find_copy, last_lines};

/// How many lines of a file that was there before are shown at first.
pub(super) const LAST_LINES: u64 = 1000;

/// The most bytes that are looked through for these.
const FAR: u64 = 16 << 20;

/// A file that lost its name may be written to for so long by who has it open.
const GRACE: Duration = Duration::from_secs(5);

/// It is over once two reads so far apart bring nothing.
const QUIET: Duration = Duration::from_millis(100);

/// A line waits so long for its newline.
const SILENCE: Duration = Duration::from_secs(2);

/// A look is due after so long though nothing was heard: not every file system tells, and none of what another machine
/// does.
const POLL: Duration = Duration::from_millis(500);

/// Reads in one step.
const PORTION: usize = 32;

/// Files of which is remembered how far they were read, should the name be theirs again.
const MOST_KNOWN: usize = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) place: Place,
    pub(super) outlet: Outlet,
    pub(super) saved: PositionFile,
    pub(super) keep_bytes: u64,
    /// The file that is read.
    pub(super) at: Option<Followed>,
    /// Those that have or had the name since, in their order.
    pub(super) next: VecDeque<Followed>,
    /// What was read and the journal has no room for: it comes before anything else.
    pub(super) held: VecDeque<Held>,
    /// The journal's last line is one of the file's that has no newline yet.
    pub(super) open: bool,
    /// The first file that is found is older than this feed.
    pub(super) fresh: bool,
    /// So many lines of that are shown then.
    pub(super) last_lines: u64,
    /// Those before it, and until when they are looked after.
    pub(super) left: Vec<(Followed, Instant)>,
    pub(super) known: VecDeque<Position>,
    /// How far files have been read by it, and by those that share the journal.
    pub(super) read: Read,
    /// Since when the one that is read brings nothing.
    pub(super) quiet: Option<Instant>,
    /// Since when there is something to read in the next.
    due: Option<Instant>,
    pub(super) name: Name,
    /// Why the name leads to nothing that can be read, as it was said.
    pub(super) refused: Option<String>,
    /// Why the file cannot be read, as it was said.
    unreadable: Option<String>,
}

/// When the next step is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// There is more to read.
    Now,
    /// After so long, for then the next file may be read.
    Turning(Duration),
    /// After so long, or when something happens: all that there is has been read.
    Within(Duration),
}

impl Tail {
    pub(super) fn new(place: Place, outlet: Outlet, saved: PositionFile, keep_bytes: u64) -> Tail {
        Tail {
            place,
            outlet,
            saved,
            keep_bytes,
            at: None,
            next: VecDeque::new(),
            held: VecDeque::new(),
            open: false,
            fresh: true,
            last_lines: LAST_LINES,
            left: Vec::new(),
            known: VecDeque::new(),
            read: Read::default(),
            quiet: None,
            due: None,
            name: Name::Unknown,
            refused: None,
            unreadable: None,
        }
    }

    /// Does what there is to do, a bounded portion of it.
    pub(super) fn step(&mut self, now: Instant) -> Next {
        if self.has_ended() {
            return Next::Within(POLL);
        }
        self.look(now);
        if !self.catch_up() {
            return Next::Within(POLL);
        }
        if self.read(now) || self.advance(now) || self.look_after(now) {
            return Next::Now;
        }
        self.do_not_wait_longer(now);
        if let Some(at) = &mut self.at {
            at.rest();
        }
        if self.due.is_some() { Next::Turning(QUIET / 2) } else { Next::Within(POLL) }
    }

    /// Reads a portion of the file; whether there is more.
    fn read(&mut self, now: Instant) -> bool {
        for _ in 0..PORTION {
            let Some(at) = &mut self.at else { return false };
            match at.read(now) {
                Ok(News::Nothing) => {
                    self.unreadable = None;
                    self.quiet.get_or_insert(now);
                    return false;
                }
                Ok(News::Pieces(pieces)) => {
                    self.quiet = None;
                    if !self.append(pieces) {
                        return true;
                    }
                }
                Ok(News::Passed) => self.save(),
                Ok(News::Truncated) => return self.begin_again("was truncated", now),
                Ok(News::Rewritten) => return self.begin_again("was written anew", now),
                Err(error) => {
                    self.quiet.get_or_insert(now);
                    self.tell_unreadable(&error);
                    return false;
                }
            }
        }
        true
    }

    /// Nothing is appended any more.
    fn has_ended(&self) -> bool {
        self.outlet.journal().end().is_some()
    }

    /// Saves where it stands; not once the journal has ended, for what was appended last may not be in it. What is, is
    /// found there.
    pub(super) fn save(&mut self) {
        if let Some(at) = self.at.as_ref().filter(|_| !self.has_ended()) {
            let journal_bytes = self.outlet.journal().totals().bytes;
            let position = Position { journal_bytes, open: self.open, closed: at.closed, ..at.position() };
            self.saved.save(&position);
            self.read.note(position);
        }
    }

    /// The name that people are told.
    pub(super) fn shown(&self) -> String {
        self.outlet.name().map_or_else(|| self.place.path.display().to_string(), str::to_owned)
    }

    /// Says that the file cannot be read, once.
    pub(super) fn tell_unreadable(&mut self, error: &io::Error) {
        let text = format!("{} cannot be read: {error}; it is tried again", self.shown());
        if self.unreadable.as_ref() != Some(&text) {
            self.outlet.say(&text);
            self.unreadable = Some(text);
        }
    }

    /// The file that is read does not have what was read of it. Says whether there is more to read.
    fn begin_again(&mut self, what: &str, now: Instant) -> bool {
        let (copy, shown) = (self.copy(), self.shown());
        let Some(mut at) = self.at.take() else { return false };
        self.quiet = None;
        if let Some((path, copy)) = copy {
            self.outlet
                .say(&format!("{shown} {what}: the rest of {path} comes first, then {shown} from its beginning"));
            let original = std::mem::replace(&mut at.opened, copy);
            let (old, new) = (at.opened.identity, original.identity);
            self.at = Some(at);
            self.next.push_front(Followed::new(original, now));
            for between in self.between(old, new).into_iter().rev() {
                self.next.push_front(Followed::new(between, now));
            }
        } else {
            self.at = Some(at);
            if !self.flush() {
                // it is looked at once more when that is in the journal
                return true;
            }
            self.end_line();
            self.outlet.say(&format!("{shown} {what}: it is read from its beginning"));
            self.at = self.at.take().map(|at| Followed::new(at.opened, now));
            self.skip_if_too_much(now);
        }
        self.save();
        true
    }

    /// A copy that was made of the file before it was truncated, and its name.
    fn copy(&mut self) -> Option<(String, Opened)> {
        let at = self.at.as_mut()?;
        let position = Position { offset: at.end(), before: at.remembered(), ..at.position() };
        let (path, copy) = find_copy(&self.place, &position, Some(&at.opened.file))?;
        Some((path.display().to_string(), copy))
    }

    /// Where more is to be read than the feed keeps, only the last lines are, and this is said.
    pub(super) fn skip_if_too_much(&mut self, now: Instant) {
        let ahead: u64 = self.at.iter_mut().chain(&mut self.next).map(Followed::ahead).sum();
        if ahead <= self.keep_bytes {
            return;
        }
        let Some(last) = self.next.pop_back().or_else(|| self.at.take()) else { return };
        self.next.clear();
        match self.at_last_lines(last.opened, now) {
            Ok(mut last) => {
                let skipped = ahead - last.ahead();
                self.end_line();
                self.outlet.say(&format!(
                    "{skipped} bytes of {} are skipped, for they are more than this feed keeps ({} bytes): its last {} \
                     lines follow",
                    self.shown(),
                    self.keep_bytes,
                    self.last_lines,
                ));
                self.at = Some(last);
            }
            Err(error) => self.tell_unreadable(&error),
        }
    }

    /// `opened`, to be read from its last lines on.
    pub(super) fn at_last_lines(&self, opened: Opened, now: Instant) -> io::Result<Followed> {
        let size = opened.file.metadata()?.len();
        let read = |buffer: &mut [u8], offset| opened.file.read_at(buffer, offset);
        let start = last_lines(read, size, self.last_lines, FAR.min(self.keep_bytes))?;
        Followed::at(opened, start, now)
    }

    /// Goes on to the next file once this one is over; whether it did.
    fn advance(&mut self, now: Instant) -> bool {
        if self.next.is_empty() || !self.next.iter_mut().any(|next| next.ahead() > 0) {
            // whoever rotates makes the new file before the writer takes it
            self.due = None;
            return false;
        }
        let due = *self.due.get_or_insert(now);
        let is_over = self.quiet.is_some_and(|quiet| now - quiet >= QUIET) || now - due >= GRACE;
        if is_over {
            self.leave(now);
        }
        is_over
    }

    /// Goes on to the next file; this one is looked after for a while.
    fn leave(&mut self, now: Instant) {
        if !self.flush() {
            return;
        }
        let Some(next) = self.next.pop_front() else { return };
        self.end_line();
        if let Some(mut old) = self.at.replace(next) {
            old.rest();
            self.left.push((old, now + GRACE));
        }
        (self.quiet, self.due) = (None, None);
        self.save();
    }

    /// Appends the lines that still came to the files that were left; whether there were any.
    fn look_after(&mut self, now: Instant) -> bool {
        let mut any = false;
        for (mut file, until) in std::mem::take(&mut self.left) {
            let is_over = now >= until;
            if is_over && self.open {
                self.break_line();
            }
            let is_there = self.open || self.read_late(&mut file, now, &mut any);
            if is_over {
                if let Some(piece) = file.flush() {
                    self.append_late(&mut file, &piece);
                }
                self.forget(&file);
            } else if is_there {
                self.left.push((file, until));
            }
        }
        any
    }

    /// Reads a portion of a file that was left; whether it is still what it was.
    fn read_late(&mut self, file: &mut Followed, now: Instant, any: &mut bool) -> bool {
        for _ in 0..PORTION {
            if !self.held.is_empty() {
                break;
            }
            match file.read(now) {
                Ok(News::Pieces(pieces)) => {
                    for piece in pieces.into_iter().flatten() {
                        self.append_late(file, &piece);
                        *any = true;
                    }
                }
                Ok(News::Truncated | News::Rewritten) => return false,
                Ok(News::Nothing | News::Passed) | Err(_) => break,
            }
        }
        file.rest();
        true
    }

    /// Appends `piece` of a file that was left, as lines of their own. Only when no line is open. What is saved next is
    /// of the file that is read, so a kill before that is told by the bytes, which this has not.
    fn append_late(&mut self, file: &mut Followed, piece: &[u8]) {
        file.note(piece);
        let mut lines = piece.to_vec();
        if !lines.ends_with(b"\n") {
            lines.push(b'\n');
        }
        self.put(Held::Other(lines.into()));
        self.save();
    }

    /// Ends the line of the file that is read, so that others can come; its own end is passed over then.
    fn break_line(&mut self) {
        self.end_line();
        if let Some(at) = &mut self.at {
            // what waits is a line of its own then, with an end of its own
            at.closed = !at.is_waiting();
        }
        self.save();
    }

    fn forget(&mut self, file: &Followed) {
        let position = file.position();
        self.read.note(position.clone());
        self.known.truncate(MOST_KNOWN - 1);
        self.known.push_front(position);
    }

    /// A piece that has waited too long is appended without its newline.
    fn do_not_wait_longer(&mut self, now: Instant) {
        if self.at.as_ref().is_some_and(|at| at.is_waiting() && now - at.heard >= SILENCE) {
            self.flush();
        }
    }
}

//! Several files that are followed into one journal, step by step: a tail for each name that is meant, and a look now and
//! then at which names there are. It knows the time by what it is told, and never waits.
//!
//! A file that got its name by rotation is the past of the one that had it, and that one's tail reads it. So a name that
//! rotation makes of another one that is there (`app.log.1`, `app.log-20260101.gz`) has no tail of its own, and neither
//! has one whose file another tail has open. Tails append one after another, each saves after each append: whatever a
//! kill left unsaved is of the last append alone, and found at the end of the journal.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Appended, Found, Identity, LAST_LINES, Memory, Next, Outlet, Place, Places, PositionFile, Read, Saved, Several,
    Sought, Tail, Watched, identify, is_rotated, load, make_private,
};
use crate::journal::Brought;
use crate::sources::{Bell, Names, Sink};

/// No more files are followed as one.
const MOST: usize = 1000;

/// Which names there are is looked at so often, though nothing was heard.
const POLL: Duration = Duration::from_millis(500);

/// A look that took long is not taken again for so many times as long.
const REST: u32 = 20;

/// How many lines of each file are shown at first, at least, though they are many.
const LEAST_LINES: u64 = 10;

/// The file beside the positions that has the patterns as they were.
const PATTERNS: &str = "patterns";

/// See the module.
#[derive(Debug)]
pub(super) struct Joint {
    places: Places,
    sought: Vec<Sought>,
    sink: Sink,
    memory: Memory,
    stop: CancellationToken,
    /// Told whenever a bell rings.
    news: Arc<Notify>,
    /// Those that are followed, by their paths.
    members: BTreeMap<PathBuf, Member>,
    /// Those that are looked through.
    folders: HashMap<PathBuf, (Bell, Watched)>,
    read: Read,
    /// The position of the next file to join has this name.
    number: u64,
    /// Patterns whose files were there before this feed: their last lines are shown.
    fresh: Vec<bool>,
    /// Which patterns there are is saved.
    are_noted: bool,
    /// When the next look is due, and when it may be taken at the earliest.
    due: Instant,
    earliest: Instant,
    /// What was said of the folders and of the number of files.
    told: Vec<String>,
}

/// One that is followed.
#[derive(Debug)]
struct Member {
    tail: Tail,
    bell: Bell,
    path: PathBuf,
    watched: Watched,
    due: Instant,
    saved: PathBuf,
    /// It is waited for where it is not there.
    stays: bool,
}

/// One that may be.
struct Candidate {
    sought: usize,
    path: PathBuf,
}

impl Joint {
    /// The files of `places`, each where it was as far as `memory` knows it.
    ///
    /// # Errors
    /// Where a pattern is none.
    pub(super) fn begin(
        places: Places,
        sink: Sink,
        memory: Memory,
        stop: CancellationToken,
    ) -> Result<Joint, globset::Error> {
        let Several { patterns, .. } = &places.several;
        let sought =
            patterns.iter().map(|pattern| Sought::new(pattern, &places.several)).collect::<Result<Vec<_>, _>>()?;
        let loaded = load(&memory.position, sink.journal(), PATTERNS);
        let before = fs::read_to_string(memory.position.join(PATTERNS)).unwrap_or_default();
        let was_there = |sought: &Sought| before.lines().any(|line| line == sought.written());
        let fresh = sought.iter().map(|sought| loaded.is_none() || !was_there(sought)).collect();
        let now = Instant::now();
        let mut joint = Joint {
            places,
            sought,
            sink,
            memory,
            stop,
            news: Arc::default(),
            members: BTreeMap::new(),
            folders: HashMap::new(),
            read: Read::shared(),
            number: 0,
            fresh,
            are_noted: false,
            due: now,
            earliest: now,
            told: Vec::new(),
        };
        let (saved, appended) = loaded.unwrap_or_default();
        let numbers = saved.iter().filter_map(|saved| saved.file.file_name()?.to_str()?.parse::<u64>().ok());
        joint.number = numbers.max().map_or(0, |number| number + 1);
        saved.into_iter().for_each(|saved| joint.resume(saved, &appended, now));
        Ok(joint)
    }

    /// Notes which patterns there are, once there is room, and the files that they had at first are followed.
    fn note_patterns(&mut self) {
        if !self.are_noted && !self.fresh.contains(&true) {
            let written: String = self.sought.iter().map(|sought| format!("{}\n", sought.written())).collect();
            self.are_noted = note(&self.memory.position, &written).is_ok();
        }
    }

    /// Told whenever something happens to a file or a folder.
    pub(super) fn news(&self) -> Arc<Notify> {
        Arc::clone(&self.news)
    }

    /// Does what there is to do, a bounded portion of it for each file, and says when the next step is due.
    pub(super) fn step(&mut self, now: Instant) -> Instant {
        let has_rung = self.folders.values().filter(|(bell, _)| bell.has_rung()).count() > 0;
        if has_rung {
            self.due = self.due.min(self.earliest.max(now));
        }
        if self.due <= now {
            self.look(now);
        }
        let mut due = self.due;
        for member in self.members.values_mut() {
            if self.stop.is_cancelled() {
                break;
            }
            if member.bell.has_rung() || member.due <= now {
                member.step(now);
            }
            due = due.min(member.due);
        }
        let is_over = |member: &Member| !member.stays && member.tail.is_over(now);
        let over: Vec<_> =
            self.members.iter().filter(|(_, member)| is_over(member)).map(|(path, _)| path.clone()).collect();
        over.iter().for_each(|path| self.dismiss(path));
        due
    }

    /// Goes on with a file that was followed when the server ended.
    fn resume(&mut self, saved: Saved, appended: &Appended, now: Instant) {
        let Saved { file, name, position } = saved;
        let place = self.sought.iter().enumerate().find_map(|(at, sought)| Some((at, sought.path(&name)?)));
        let Some((sought, path)) = place.filter(|_| self.members.len() < MOST) else {
            return PositionFile::named(file, Vec::new()).remove();
        };
        let candidate = Candidate { sought, path };
        let mut member = self.member(&candidate, file);
        let opened = position.as_ref().and_then(|position| member.tail.find(position)).map(|(opened, _)| opened);
        if opened.is_none() && !member.stays && self.sought[sought].root.find(&candidate.path).is_err() {
            self.sink.say(&format!("{} is gone: what came to it last may be missing", name.display()));
            return PositionFile::named(member.saved, Vec::new()).remove();
        }
        match (position, opened) {
            (Some(position), Some(opened)) => {
                let position = appended.move_on(&name.to_string_lossy(), position, &opened);
                member.tail.go_on(position, &Brought::default(), now);
            }
            _ => member.tail.begin_anew(),
        }
        self.members.insert(member.path.clone(), member);
    }

    /// A file that is not followed yet; `saved` is where its position will be.
    fn member(&self, candidate: &Candidate, saved: PathBuf) -> Member {
        let sought = &self.sought[candidate.sought];
        let (root, name) = (Arc::clone(&sought.root), sought.name(&candidate.path));
        let path = root.path().join(&candidate.path);
        let watched = identify(&path);
        let bell = self.places.bells.hang_among(path.clone(), Names::Own, &self.news);
        let place = Place { root, path: candidate.path.clone(), bells: Arc::clone(&self.places.bells) };
        let outlet = Outlet::shared(self.sink.clone(), name.as_os_str());
        let position = PositionFile::named(saved.clone(), name.as_os_str().as_bytes().to_vec());
        let mut tail = Tail::new(place, outlet, position, self.memory.keep_bytes);
        tail.read = self.read.clone();
        Member { tail, bell, path, watched, due: Instant::now(), saved, stays: sought.is_one() }
    }

    /// Looks which files there are, and follows those that are new.
    fn look(&mut self, now: Instant) {
        let begun = Instant::now();
        self.note_patterns();
        let found: Vec<Found> = self.sought.iter().map(Sought::find).collect();
        let refused: Vec<String> =
            found.iter().filter_map(|found| found.refused.as_ref().map(ToString::to_string)).collect();
        self.listen(found.iter().flat_map(|found| found.folders.iter().cloned()).collect());
        let mut there = BTreeMap::new();
        for (sought, found) in found.into_iter().enumerate() {
            for path in found.files {
                let whole = self.sought[sought].root.path().join(&path);
                there.entry(whole).or_insert(Candidate { sought, path });
            }
        }
        self.leave_rotated(&there, now);
        let surplus = self.join(there);
        self.tell(refused, surplus);
        self.earliest = now + begun.elapsed() * REST;
        // after the first look comes the next at once, once those files have been read
        let pause = if self.fresh.contains(&true) { Duration::ZERO } else { POLL };
        self.due = (now + pause).max(self.earliest);
        self.fresh.fill(false);
    }

    /// Follows no file by a name that rotation makes of another's any more: that one's tail reads it.
    fn leave_rotated(&mut self, there: &BTreeMap<PathBuf, Candidate>, now: Instant) {
        let is_there = |path: &Path| there.contains_key(path) || self.members.contains_key(path);
        let is_left = |path: &Path, member: &Member| !member.stays && is_rotated(path, is_there);
        let left = self.members.iter().filter(|(path, member)| is_left(path, member));
        let left: Vec<_> = left.map(|(path, _)| path.clone()).collect();
        for path in left {
            if let Some(member) = self.members.get_mut(&path) {
                member.step(now);
            }
            self.dismiss(&path);
        }
    }

    /// Follows those that are `there` and are not yet. How many there was no room for.
    fn join(&mut self, there: BTreeMap<PathBuf, Candidate>) -> usize {
        let is_there = |path: &Path| there.contains_key(path) || self.members.contains_key(path);
        let stays = |candidate: &Candidate| self.sought[candidate.sought].is_one();
        let is_new = |path: &PathBuf, candidate: &Candidate| {
            !self.members.contains_key(path) && (stays(candidate) || !is_rotated(path, is_there))
        };
        let new: Vec<_> =
            there.iter().filter(|(path, candidate)| is_new(path, candidate)).map(|(path, _)| path.clone()).collect();
        if new.is_empty() {
            return 0;
        }
        let last_lines = (LAST_LINES / (new.len().min(MOST) as u64)).max(LEAST_LINES);
        let mut held: HashSet<Identity> = self.members.values().flat_map(|member| member.tail.identities()).collect();
        let (mut surplus, mut there) = (0, there);
        for path in new {
            let Some(candidate) = there.remove(&path) else { continue };
            let found = self.sought[candidate.sought].root.find(&candidate.path);
            let is_held = found.as_ref().is_ok_and(|found| held.contains(found));
            if is_held || found.is_err() && !self.sought[candidate.sought].is_one() {
                continue;
            }
            if self.members.len() >= MOST {
                surplus += 1;
                continue;
            }
            held.extend(found);
            let saved = self.memory.position.join(self.number.to_string());
            self.number += 1;
            let mut member = self.member(&candidate, saved);
            member.tail.fresh = self.fresh[candidate.sought];
            member.tail.last_lines = last_lines;
            self.members.insert(path, member);
        }
        surplus
    }

    /// Follows a file no longer, and forgets it.
    fn dismiss(&mut self, path: &Path) {
        if let Some(member) = self.members.remove(path) {
            PositionFile::named(member.saved, Vec::new()).remove();
        }
    }

    /// Hangs a bell in each of the `folders`, and in no other.
    fn listen(&mut self, folders: HashSet<PathBuf>) {
        self.folders.retain(|folder, _| folders.contains(folder));
        for folder in folders {
            // any name in it
            let within = folder.join("*");
            let watched = identify(&within);
            if let Some((bell, before)) = self.folders.get_mut(&folder) {
                if std::mem::replace(before, watched) != watched {
                    bell.hang_anew();
                }
                continue;
            }
            let bell = self.places.bells.hang_among(within, Names::All, &self.news);
            self.folders.insert(folder, (bell, watched));
        }
    }

    /// Says what is new of folders that cannot be looked through, and of files that are too many.
    fn tell(&mut self, refused: Vec<String>, surplus: usize) {
        let mut told = refused;
        if surplus > 0 {
            told.push(format!(
                "more than {MOST} files match: not all of them are followed; make a feed of its own of some of \
                 them, or leave some out with `deny`"
            ));
        }
        for text in told.iter().filter(|text| !self.told.contains(text)) {
            self.sink.say(text);
        }
        self.told = told;
    }
}

impl Member {
    fn step(&mut self, now: Instant) {
        let next = self.tail.step(now);
        let watched = identify(&self.path);
        if watched != self.watched {
            self.watched = watched;
            self.bell.hang_anew();
            // what was written just before that does not ring
            self.due = now;
            return;
        }
        self.due = match next {
            Next::Now => now,
            Next::Turning(most) | Next::Within(most) => now + most,
        };
    }
}

/// Writes which patterns there are into the folder with the positions.
fn note(folder: &Path, written: &str) -> io::Result<()> {
    make_private(folder)?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(folder.join(PATTERNS))?;
    file.write_all(written.as_bytes())
}

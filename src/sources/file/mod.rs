//! Log files as sources: one file followed over rotation, or any file of a folder. It reads them and never writes
//! beside them.
//!
//! [`follow`] moves what is written to a file into a feed's journal, each line once, whatever rotates it: a rename, a
//! copy with a truncation, a removal, a symbolic link that is turned. It is a loop around a tail that knows no clock
//! and no runtime: each of its steps reads a bounded portion, on a thread that may wait for the disk, and says when the
//! next is due. Where it stands is saved after each append, so that it goes on there another time.
//!
//! [`follow_several`] does so for any number of files, whose lines come to one journal: by a tail for each name, one step after
//! another, so that no more than the last append was ever not saved.
//!
//! A file is found beneath its folder on open descriptors ([`Root`]), again each time it is opened.

mod backwards;
mod begin;
mod copies;
mod follow;
mod followed;
mod held;
mod joint;
mod listing;
mod names;
mod outlet;
mod patterns;
mod position;
mod read;
mod resumed;
mod root;
mod rotated;
mod several;
mod tail;
mod walk;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use follow::follow;
pub use listing::{Listed, Listing};
pub use position::Position;
pub use root::{Opened, Refused, Root, Why};
pub use several::follow_several;

use super::Bells;
use backwards::last_lines;
use copies::find_copy;
use follow::{SETTLE, Watched, identify, tell};
use followed::{Followed, News, REMEMBERED, holds_at};
use held::Held;
use joint::Joint;
use names::Name;
use outlet::Outlet;
use patterns::{Found, Sought};
use position::{PositionFile, make_private, seconds};
use read::Read;
use resumed::{Appended, Saved, load};
use root::{Identity, Kind, refuse};
use rotated::{beside, is_rotated};
use tail::{LAST_LINES, Next, Tail};
use walk::open_beneath;

/// One file that is followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Where it is, absolute.
    pub path: PathBuf,
}

/// A folder whose files can be followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Symbolic links may be followed, where they stay beneath the folder.
    pub follow_symlinks: bool,
    /// Files and folders whose names begin with a dot are there too.
    pub hidden: bool,
    /// Only files whose path below the folder one of these patterns matches; all where there are none.
    pub allow: Vec<String>,
    /// And none that one of these matches.
    pub deny: Vec<String>,
    /// The addresses of flask-log-viewer lead to these files too, below this: `/logs`, or empty.
    pub flask: Option<String>,
}

/// Several files that are followed as one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Several {
    /// Which, in the order of the file.
    pub patterns: Vec<Pattern>,
    /// Symbolic links may be followed, where they stay beneath the folder of their pattern.
    pub follow_symlinks: bool,
    /// Patterns match files and folders whose names begin with a dot too.
    pub hidden: bool,
    /// None whose path below the folder of its pattern one of these matches.
    pub deny: Vec<String>,
}

/// One or many of several files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// The folder that they are below, absolute.
    pub folder: PathBuf,
    /// The same as it is written, with a slash at its end where it is not empty: people know the files by it and what is
    /// below.
    pub shown: String,
    /// A pattern of paths below that, or the name of a file.
    pub below: String,
}

impl Pattern {
    /// Whether it is more than the name of one file.
    pub fn is_glob(text: &str) -> bool {
        text.contains(['*', '?', '[', '{', '\\'])
    }
}

/// A file that [`follow`] follows.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder that it has to be beneath.
    pub root: Arc<Root>,
    /// Where it is below that.
    pub path: PathBuf,
    /// What tells that something happened to it.
    pub bells: Arc<Bells>,
}

impl Place {
    /// The one file of a feed.
    pub fn of_file(settings: &Settings, bells: Arc<Bells>) -> Place {
        let (root, path) = Root::of_file(&settings.path);
        Place { root: Arc::new(root), path, bells }
    }
}

/// The files that [`follow_several`] follows.
#[derive(Clone, Debug)]
pub struct Places {
    /// Which they are.
    pub several: Several,
    /// What tells that something happened to them.
    pub bells: Arc<Bells>,
}

/// What [`follow`] is told and tells while it goes on.
#[derive(Clone, Default, Debug)]
pub struct Signals {
    /// It is to end.
    pub stop: CancellationToken,
    /// It has read all that there was when it began: cancelled by it, for those who want no more than that.
    pub caught_up: CancellationToken,
}

/// What [`follow`] remembers of a file, and how much of it is worth reading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    /// The file in the state folder where the position is saved; its folder is there. For several files, a folder for
    /// them.
    pub position: PathBuf,
    /// What the feed keeps, in bytes: a gap that is longer is skipped.
    pub keep_bytes: u64,
}

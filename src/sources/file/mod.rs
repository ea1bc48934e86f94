//! Log files as sources: one file followed over rotation, or any file of a folder. It reads them and never writes beside
//! them.

use std::path::PathBuf;

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
    /// The addresses of flask-log-viewer lead to these files too.
    pub flask_paths: bool,
}

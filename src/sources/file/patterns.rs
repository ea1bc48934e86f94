//! Which files a pattern means, of those that are there. It opens none.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Kind, Pattern, Refused, Root, Several};

/// No more folders are looked through for a pattern.
const MOST_FOLDERS: usize = 1000;

/// What `**` stands for has no more names.
const DEEPEST: usize = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Sought {
    pub(super) root: Arc<Root>,
    /// What the names of its files begin with.
    shown: String,
    /// The pattern as it is written.
    written: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// This one, whether it is there or not.
    One(PathBuf),
    /// Those with no more names in their paths than so many.
    Many(usize),
}

/// What is there.
#[derive(Default, Debug)]
pub(super) struct Found {
    /// Paths below the root of those that can be followed.
    pub(super) files: Vec<PathBuf>,
    /// The folders that were looked through, absolute.
    pub(super) folders: Vec<PathBuf>,
    /// Why the first one could not be.
    pub(super) refused: Option<Refused>,
}

impl Sought {
    /// What `pattern` means.
    ///
    /// # Errors
    /// Where a pattern is none.
    pub(super) fn new(pattern: &Pattern, several: &Several) -> Result<Sought, globset::Error> {
        let (root, way) = if Pattern::is_glob(&pattern.below) {
            let names = pattern.below.split('/').count();
            let most = if pattern.below.contains("**") { names + DEEPEST } else { names };
            (Root::of_pattern(pattern, several)?, Way::Many(most))
        } else {
            let (root, name) = Root::of_file(&pattern.folder.join(&pattern.below));
            (root, Way::One(name))
        };
        let written = format!("{}{}", pattern.shown, pattern.below);
        Ok(Sought { root: Arc::new(root), shown: pattern.shown.clone(), written, way })
    }

    /// The pattern as it is written.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// It names one file, which is waited for where it is not there.
    pub(super) fn is_one(&self) -> bool {
        matches!(self.way, Way::One(_))
    }

    /// What people know the file at `path` below the root by.
    pub(super) fn name(&self, path: &Path) -> PathBuf {
        let mut name = self.shown.clone().into_bytes();
        name.extend_from_slice(path.as_os_str().as_bytes());
        PathBuf::from(OsStr::from_bytes(&name))
    }

    /// The path below the root of the file that people know by `name`, if it is one of these.
    pub(super) fn path(&self, name: &Path) -> Option<PathBuf> {
        let below = name.as_os_str().as_bytes().strip_prefix(self.shown.as_bytes())?;
        let below = PathBuf::from(OsStr::from_bytes(below));
        let is_sought = match &self.way {
            Way::One(path) => *path == below,
            Way::Many(_) => self.root.judge(&below, Kind::File).is_ok(),
        };
        is_sought.then_some(below)
    }

    /// Looks what is there.
    pub(super) fn find(&self) -> Found {
        let mut found = Found::default();
        match &self.way {
            Way::One(path) => found.files.push(path.clone()),
            Way::Many(most) => self.find_many(*most, &mut found),
        }
        found
    }

    fn find_many(&self, most: usize, found: &mut Found) {
        let mut ahead = VecDeque::from([PathBuf::new()]);
        while let Some(folder) = ahead.pop_front() {
            if found.folders.len() >= MOST_FOLDERS {
                return;
            }
            found.folders.push(self.root.path().join(&folder));
            let listing = match self.root.list(&folder) {
                Ok(listing) => listing,
                // it may come, or has just gone
                Err(Refused::NotFound(_)) => continue,
                Err(refused) => {
                    found.refused.get_or_insert(refused);
                    continue;
                }
            };
            for entry in listing.entries {
                let path = folder.join(&entry.name);
                if !entry.is_folder {
                    found.files.push(path);
                } else if path.components().count() < most {
                    ahead.push_back(path);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// What a pattern means in a folder with all kinds of files.
    fn found(below: &str, change: impl FnOnce(&mut Several)) -> Vec<String> {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("logs");
        fs::create_dir_all(folder.join("sub/deep")).unwrap();
        fs::create_dir_all(folder.join(".git")).unwrap();
        fs::write(top.path().join("outside.log"), "").unwrap();
        for name in ["a.log", "b.log", "b.txt", ".c.log", ".git/d.log", "sub/e.log", "sub/deep/f.log"] {
            fs::write(folder.join(name), "").unwrap();
        }
        symlink("a.log", folder.join("in.log")).unwrap();
        symlink("../outside.log", folder.join("out.log")).unwrap();
        symlink("..", folder.join("sub/loop")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("pipe.log"), rustix::fs::Mode::RUSR).unwrap();
        let pattern = Pattern { folder, shown: "logs/".into(), below: below.into() };
        let mut several =
            Several { patterns: vec![pattern.clone()], follow_symlinks: false, hidden: false, deny: Vec::new() };
        change(&mut several);
        let sought = Sought::new(&pattern, &several).unwrap();
        let mut names: Vec<_> = sought.find().files.iter().map(|path| sought.name(path)).collect();
        assert!(names.iter().all(|name| sought.path(name).is_some()), "{names:?}");
        names.sort();
        names.into_iter().map(|name| name.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_pattern_means_the_files_that_a_shell_would_find() {
        for (below, expected) in [
            ("*.log", &["logs/a.log", "logs/b.log"][..]),
            ("b.*", &["logs/b.log", "logs/b.txt"]),
            ("{a,b}.log", &["logs/a.log", "logs/b.log"]),
            ("*/*.log", &["logs/sub/e.log"]),
            ("**/*.log", &["logs/a.log", "logs/b.log", "logs/sub/deep/f.log", "logs/sub/e.log"]),
            ("x*", &[]),
            ("none.log", &["logs/none.log"]),
        ] {
            assert_eq!(found(below, |_| {}), expected, "{below}");
        }
    }

    #[test]
    fn links_and_hidden_files_are_only_there_where_that_is_said_and_what_is_denied_never_is() {
        let linked = found("*.log", |several| several.follow_symlinks = true);
        assert_eq!(linked, ["logs/a.log", "logs/b.log", "logs/in.log"]);
        let deep = found("**/e.log", |several| several.follow_symlinks = true);
        assert!(deep.len() > 1 && deep.len() <= DEEPEST, "a link in a circle has an end: {deep:?}");
        let hidden = found("**/*.log", |several| several.hidden = true);
        assert!(hidden.contains(&"logs/.git/d.log".to_owned()) && hidden.contains(&"logs/.c.log".to_owned()));
        assert_eq!(found("**/*.log", |several| several.deny = vec!["sub".into(), "b*".into()]), ["logs/a.log"]);
    }
}

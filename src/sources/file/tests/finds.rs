//! What a folder lets be found in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use crate::sources::file::{Folder, Refused, Root, Why};

/// A folder with a bit of everything, and one beside it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for below in ["logs/monday/deep", "logs/.git", "logs/secret/deep", "out"] {
        fs::create_dir_all(at(below)).unwrap();
    }
    for file in [
        "logs/a.log",
        "logs/b.txt",
        "logs/.hidden.log",
        "logs/.git/x.log",
        "logs/monday/foo.log",
        "logs/monday/deep/x.log",
        "logs/secret/deep/y.log",
        "out/o.log",
    ] {
        fs::write(at(file), file).unwrap();
    }
    let absolute = at("logs/monday/foo.log");
    for (target, link) in [
        ("a.log", "logs/link.log"),
        ("../a.log", "logs/monday/up.log"),
        (absolute.to_str().unwrap(), "logs/absolute.log"),
        ("monday", "logs/today"),
        ("../out/o.log", "logs/out.log"),
        ("../out", "logs/outside"),
        ("/proc/self/environ", "logs/proc.log"),
        (".hidden.log", "logs/unhidden.log"),
        ("secret/deep/y.log", "logs/public.log"),
        ("no", "logs/dangling.log"),
        ("loop.log", "logs/loop.log"),
    ] {
        symlink(target, at(link)).unwrap();
    }
    folder
}

fn root(folder: &TempDir, change: impl FnOnce(&mut Folder)) -> Root {
    let mut settings = Folder {
        path: folder.path().join("logs"),
        follow_symlinks: false,
        hidden: false,
        allow: Vec::new(),
        deny: vec!["secret".to_owned()],
        flask: None,
    };
    change(&mut settings);
    Root::new(&settings).unwrap()
}

/// The refusal of `path`, by the reason where there is one.
fn refused(root: &Root, path: &str) -> String {
    match root.open(Path::new(path)) {
        Ok(_) => "opened".to_owned(),
        Err(Refused::Forbidden { why, .. }) => format!("{why:?}"),
        Err(Refused::NotFound(_)) => "not found".to_owned(),
        Err(Refused::NotRegular(_)) => "not regular".to_owned(),
        Err(other) => other.to_string(),
    }
}

#[test]
fn only_plain_files_below_the_folder_are_opened() {
    let folder = folder();
    let root = root(&folder, |_| {});
    for (path, expected) in [
        ("a.log", "opened"),
        ("monday/foo.log", "opened"),
        ("monday//foo.log", "opened"),
        ("monday", "not regular"),
        ("", "not regular"),
        ("no.log", "not found"),
        ("a.log/x", "not found"),
        ("../out/o.log", "NotBeneath"),
        ("monday/../../out/o.log", "NotBeneath"),
        ("monday/../a.log", "NotBeneath"),
        ("./a.log", "NotBeneath"),
        ("/etc/hostname", "NotBeneath"),
        ("a.log\0.txt", "NotBeneath"),
        (".hidden.log", "Hidden"),
        (".git/x.log", "Hidden"),
        ("secret/deep/y.log", "Denied"),
        ("link.log", "Link"),
        ("absolute.log", "Link"),
        ("today/foo.log", "Link"),
        ("out.log", "Link"),
        ("proc.log", "Link"),
    ] {
        assert_eq!(refused(&root, path), expected, "{path}");
    }
}

#[test]
fn links_are_followed_where_they_may_be_and_stay_beneath() {
    let folder = folder();
    let root = root(&folder, |folder| folder.follow_symlinks = true);
    for (path, expected) in [
        ("link.log", "opened"),
        ("monday/up.log", "opened"),
        ("absolute.log", "opened"),
        ("today/foo.log", "opened"),
        ("out.log", "LinkOutside"),
        ("outside/o.log", "LinkOutside"),
        ("proc.log", "LinkOutside"),
        ("unhidden.log", "Hidden"),
        ("public.log", "Denied"),
        ("dangling.log", "not found"),
        ("loop.log", "Link"),
    ] {
        assert_eq!(refused(&root, path), expected, "{path}");
    }
}

#[test]
fn patterns_say_which_files_are_shown() {
    let folder = folder();
    let root = root(&folder, |folder| {
        folder.allow = vec!["*.log".to_owned()];
        folder.deny = vec!["monday/deep*".to_owned()];
        folder.hidden = true;
    });
    for (path, expected) in [
        ("a.log", "opened"),
        ("monday/foo.log", "opened"),
        (".git/x.log", "opened"),
        ("b.txt", "NotAllowed"),
        ("monday/deep/x.log", "Denied"),
    ] {
        assert_eq!(refused(&root, path), expected, "{path}");
    }
    assert!(Root::new(&Folder { allow: vec!["[".to_owned()], ..settings_of(&folder) }).is_err());
}

fn settings_of(folder: &TempDir) -> Folder {
    Folder {
        path: folder.path().to_owned(),
        follow_symlinks: false,
        hidden: false,
        allow: Vec::new(),
        deny: Vec::new(),
        flask: None,
    }
}

#[test]
fn a_pipe_is_refused_and_does_not_hang() {
    let folder = folder();
    let pipe = folder.path().join("logs/pipe.log");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let root = root(&folder, |_| {});
    assert_eq!(refused(&root, "pipe.log"), "not regular");
    assert!(root.list(Path::new("")).unwrap().entries.iter().all(|entry| entry.name != "pipe.log"));
}

fn names(root: &Root, path: &str) -> Vec<String> {
    let listing = root.list(Path::new(path)).unwrap();
    assert!(!listing.cut);
    let mark = |is_folder| if is_folder { "/" } else { "" };
    listing.entries.iter().map(|entry| format!("{}{}", entry.name.display(), mark(entry.is_folder))).collect()
}

#[test]
fn a_folder_is_listed_as_its_files_can_be_opened() {
    let folder = folder();
    let plain = root(&folder, |_| {});
    assert_eq!(names(&plain, ""), ["monday/", "a.log", "b.txt"]);
    assert_eq!(names(&plain, "monday"), ["deep/", "foo.log"]);
    let linked = root(&folder, |folder| (folder.follow_symlinks, folder.allow) = (true, vec!["*.log".to_owned()]));
    assert_eq!(names(&linked, ""), ["monday/", "today/", "a.log", "absolute.log", "link.log"]);
    assert_eq!(names(&linked, "today"), ["deep/", "foo.log", "up.log"]);
    let entry = plain.list(Path::new("")).unwrap().entries.remove(1);
    assert_eq!(entry.size, "logs/a.log".len() as u64);
    for (path, why) in [("../out", Why::NotBeneath), (".git", Why::Hidden), ("secret/deep", Why::Denied)] {
        let refused = plain.list(Path::new(path)).unwrap_err();
        assert!(matches!(refused, Refused::Forbidden { why: found, .. } if found == why), "{refused}");
    }
    assert!(matches!(plain.list(Path::new("a.log")), Err(Refused::NotAFolder(_))));
    assert!(matches!(plain.list(Path::new("no")), Err(Refused::NotFound(_))));
}

#[test]
fn a_folder_of_very_many_files_is_cut_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10_001 {
        fs::File::create(folder.path().join(format!("{number}.log"))).unwrap();
    }
    let root = Root::new(&settings_of(&folder)).unwrap();
    let listing = root.list(Path::new("")).unwrap();
    assert!(listing.cut);
    assert!((9_998..=10_000).contains(&listing.entries.len()), "{}", listing.entries.len());
    fs::remove_file(folder.path().join("7.log")).unwrap();
    let listing = root.list(Path::new("")).unwrap();
    assert!(!listing.cut && listing.entries.len() == 10_000);
}

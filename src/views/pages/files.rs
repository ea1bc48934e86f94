//! What is in a feed's folder.

use askama::Template;
use jiff::Timestamp;

use super::{Frame, in_bytes, legible};

/// A file or a folder in it.
#[derive(Clone, Debug)]
pub struct FileRow {
    /// Its name.
    pub name: String,
    /// Where it is shown.
    pub url: String,
    /// It is a folder.
    pub is_folder: bool,
    /// Its size.
    pub bytes: u64,
    /// When it was last written.
    pub modified: Timestamp,
}

/// The page of a folder.
#[derive(Clone, Debug)]
pub struct FilesPage {
    /// What all pages have in common.
    pub frame: Frame,
    /// The feed's name.
    pub feed: String,
    /// What people read about it, or nothing.
    pub description: String,
    /// The folder's path below the feed's own, or nothing.
    pub path: String,
    /// Folders first, each by name.
    pub files: Vec<FileRow>,
    /// There are more.
    pub cut: bool,
}

/// Renders the page of a folder.
pub fn files(page: &FilesPage) -> String {
    #[derive(Template)]
    #[template(path = "files.html")]
    struct Html<'a> {
        page: &'a FilesPage,
    }
    Html { page }.render().unwrap_or_default()
}

impl FilesPage {
    /// The names of the folders from the feed's own down to this one, each with the way up to it; none for this one.
    fn crumbs(&self) -> Vec<(String, String)> {
        let parts: Vec<_> = self.path.split('/').filter(|part| !part.is_empty()).collect();
        let up = |at: usize| "../".repeat(parts.len() - 1 - at);
        parts.iter().enumerate().map(|(at, part)| (legible(part), up(at))).collect()
    }
}

impl FileRow {
    fn shown(&self) -> String {
        legible(&self.name)
    }

    fn size(&self) -> String {
        in_bytes(self.bytes)
    }

    fn stamp(&self) -> String {
        self.modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn words(&self) -> String {
        self.modified.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }
}

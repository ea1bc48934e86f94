//! Where a tail's lines go: as they stand into a journal that is its file's alone, or into one that several files share, as
//! records that say which file. It never reads a file.

use std::ffi::OsStr;
use std::sync::Arc;

use bytes::Bytes;

use crate::journal::Journal;
use crate::record::Stream;
use crate::sources::{FileLines, Sink};

/// See the module.
#[derive(Debug)]
pub(super) enum Outlet {
    /// The file's own journal.
    Own(Sink),
    /// A journal that others bring lines to as well: a line is whole, or comes in pieces that are lines of their own.
    Shared {
        sink: Sink,
        /// What people know the file by.
        name: String,
        lines: Box<FileLines>,
    },
}

impl Outlet {
    /// To a journal that several files share; this one is known by `name`.
    pub(super) fn shared(sink: Sink, name: &OsStr) -> Outlet {
        let name = name.to_string_lossy().into_owned();
        Outlet::Shared { sink, lines: Box::new(FileLines::new(&name)), name }
    }

    /// The name in a journal that several share.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Outlet::Own(_) => None,
            Outlet::Shared { name, .. } => Some(name),
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Outlet::Shared { .. })
    }

    pub(super) fn journal(&self) -> &Arc<Journal> {
        self.sink().journal()
    }

    /// Appends a line of joblines' own.
    pub(super) fn say(&self, text: &str) {
        self.sink().say(text);
    }

    /// Appends what a file brought, as far as there is room, and returns the rest.
    pub(super) fn offer(&mut self, mut bytes: Bytes) -> Bytes {
        let (sink, lines) = match self {
            Outlet::Own(sink) => return sink.offer(Stream::Stdout, bytes),
            Outlet::Shared { sink, lines, .. } => (sink, lines),
        };
        while !bytes.is_empty() {
            let before = lines.clone();
            let (records, taken) = lines.records(&bytes);
            let length = records.len();
            let rest = sink.offer(Stream::Record, records.into());
            if rest.len() == length {
                *lines = before;
                break;
            }
            if !rest.is_empty() {
                // a record that is longer than what the journal takes at once: nobody's may come into its middle
                sink.append(Stream::Record, rest);
            }
            bytes = bytes.slice(taken..);
        }
        bytes
    }

    fn sink(&self) -> &Sink {
        match self {
            Outlet::Own(sink) | Outlet::Shared { sink, .. } => sink,
        }
    }
}

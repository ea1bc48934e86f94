//! A FIFO that a job's shell waits at with `read _ < NAME`, until the test lets it pass.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

/// A gate that is shut. Each [`Gate::pass`] lets one `read _` through, whether it is waiting already or comes later.
pub struct Gate(File);

impl Gate {
    /// A new gate at `path`.
    pub fn new(path: &Path) -> Self {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO can be made in an own folder");
        // both directions, so that neither side ever waits for the other to open it
        let file = OpenOptions::new().read(true).write(true).open(path).expect("a FIFO opens at once for both ways");
        Gate(file)
    }

    /// Lets one through.
    pub fn pass(&self) {
        self.pass_many(1);
    }

    /// Lets `count` through.
    pub fn pass_many(&self, count: usize) {
        (&self.0).write_all(&vec![b'\n'; count]).expect("a FIFO takes a few bytes at once");
    }
}

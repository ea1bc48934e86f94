//! The files that a writer appends to, segment after segment: made, given their header, gone on in. It writes no chunk.

use std::io;
use std::sync::Arc;

use super::{ENTRY, Files, Header, Place, Segment, Writer};

impl Writer {
    /// How much has been written since the beginning of `segment`; of an endless journal, its index too.
    pub(in crate::journal) fn taken_since(&self, segment: &Segment) -> u64 {
        let index = if self.keep.is_some() { (self.entries - segment.first_entry) * ENTRY as u64 } else { 0 };
        self.offset - segment.offset + index
    }

    /// Writes the header of the first segment, where that is still to be done.
    pub(super) fn write_first_header(&mut self, files: &Files) -> io::Result<()> {
        if self.headless && files.segment.number == 0 {
            files.write_header(&self.header(&files.segment))?;
            self.headless = false;
        }
        Ok(())
    }

    fn header(&self, segment: &Segment) -> Header {
        let Segment { number, offset, first_entry, next_line } = *segment;
        Header { origin: self.origin.clone(), segment: number, offset, first_entry, next_line }
    }

    pub(super) fn begin_segment(&mut self, number: u32, next_line: u64) -> io::Result<Arc<Files>> {
        let files = self.make_files(number, next_line)?;
        files.write_header(&self.header(&files.segment)).inspect_err(|_| {
            let _ = Files::remove(self.journal.base(), number);
        })?;
        Ok(self.go_on_in(files))
    }

    pub(super) fn make_files(&self, number: u32, next_line: u64) -> io::Result<Files> {
        let segment = Segment { number, offset: self.offset, first_entry: self.entries, next_line };
        Files::create(self.journal.base(), segment)
    }

    pub(super) fn go_on_in(&mut self, files: Files) -> Arc<Files> {
        let files = Arc::new(files);
        let mut shared = self.journal.lock();
        shared.segments.push(files.segment.clone());
        shared.current = Some(Arc::clone(&files));
        drop(shared);
        self.place = Place::Open(Arc::clone(&files));
        files
    }
}

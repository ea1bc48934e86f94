//! Who reads a journal, or will: counted, for what is latest stays in memory only for them.

use std::ops::Deref;
use std::sync::Arc;

use super::Journal;

/// As long as this is there, the latest chunks stay in memory, and each reader that begins meanwhile finds them there.
#[derive(Debug)]
pub struct CountedReader(Arc<Journal>);

impl CountedReader {
    pub(super) fn of(journal: Arc<Journal>) -> CountedReader {
        journal.lock().readers += 1;
        CountedReader(journal)
    }
}

impl Deref for CountedReader {
    type Target = Arc<Journal>;

    fn deref(&self) -> &Arc<Journal> {
        &self.0
    }
}

impl Drop for CountedReader {
    fn drop(&mut self) {
        let mut shared = self.lock();
        shared.readers -= 1;
        shared.trim();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::journal::tests::{finish, journal};
    use crate::journal::{Selection, Step};
    use crate::record::Stream;

    #[tokio::test]
    async fn what_came_before_its_reader_is_in_memory_for_who_was_counted_and_else_in_the_files() {
        for is_counted in [true, false] {
            let (folder, mut writer, journal) = journal(u64::MAX);
            let counted = is_counted.then(|| journal.expect_reader());
            writer.append(Stream::Stdout, Bytes::from_static(b"over before anybody looked\n"));
            finish(writer);
            folder.close().unwrap();
            let mut reader = journal.read(&Selection::default()).unwrap();
            drop(counted);
            let read = reader.next().await;
            assert_eq!(matches!(&read, Ok(Step::Chunk(_))), is_counted, "{read:?}");
            assert_eq!(read.is_err(), !is_counted);
        }
    }
}

//! Files as a crash may leave them: a whole journal, then cut, overwritten, or with entries that carry a right checksum
//! over wrong numbers; or no journal at all. Making it whole never panics, is done once, and what is left can be read.
#![no_main]

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use joblines::journal::{Journal, Origin, Selection, Step, recover};
use joblines::record::{Outcome, RunId, State, Stream};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

const HEADER: usize = 256;
const ENTRY: usize = 64;

/// Writes what `input` says; its last bytes are left for the damage.
fn write(base: &Path, input: &[u8]) {
    let started = Timestamp::UNIX_EPOCH;
    let origin =
        Origin { run: RunId::from_bytes([7; 16]), job: "fuzz".into(), trigger: "fuzz".into(), started, child: None };
    let (mut writer, _) = Journal::create(base.to_owned(), origin, u64::MAX);
    writer.prepare();
    for (at, bytes) in input.split(|byte| *byte == 0xff).enumerate() {
        let stream = [Stream::Stdout, Stream::Stderr][at % 2];
        writer.append(stream, Bytes::copy_from_slice(bytes));
    }
    if input.len().is_multiple_of(2) {
        writer.end(State::Succeeded, Outcome::Exited(0), None, Duration::ZERO);
    }
}

/// Damages a file: each four bytes say where, what, and whether the block's checksum is made right again.
fn damage(path: &Path, orders: &[u8], sealed: bool) {
    let Ok(mut bytes) = fs::read(path) else { return };
    for order in orders.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([order[0], order[1]])) % (bytes.len() + 1);
        match order[2] % 4 {
            0 => bytes.truncate(at),
            1 => bytes.extend(&order[..3]),
            _ if at < bytes.len() => bytes[at] = order[3],
            _ => {}
        }
        let (start, size) = if at < HEADER { (0, HEADER) } else { (at - (at - HEADER) % ENTRY, ENTRY) };
        if sealed
            && order[2] & 128 != 0
            && let Some(block) = bytes.get_mut(start..start + size)
        {
            let sum = crc32fast::hash(&block[..size - 4]);
            block[size - 4..].copy_from_slice(&sum.to_le_bytes());
        }
    }
    let _ = fs::write(path, bytes);
}

/// How many bytes a reader finds.
async fn read(base: &Path) -> io::Result<u64> {
    let journal = Journal::open(base.to_owned(), None)?;
    let mut reader = journal.read(&Selection { follow: false, ..Selection::default() })?;
    let mut bytes = 0;
    loop {
        match reader.next().await? {
            Step::Chunk(chunk) => bytes += chunk.bytes.len() as u64,
            Step::End(_) | Step::Pause => return Ok(bytes),
        }
    }
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime can be made");
}

fuzz_target!(|input: &[u8]| {
    let Some((&kind, rest)) = input.split_first() else { return };
    let folder = tempfile::tempdir_in("/dev/shm").expect("there is a place for small files");
    let run = folder.path().join("run");
    let forged = kind & 12 == 0;
    let (first, second) = rest.split_at(rest.len() / 2);
    if kind % 4 == 0 {
        fs::write(run.with_extension("index"), first).expect("an own file can be written");
        fs::write(run.with_extension("output"), second).expect("an own file can be written");
    } else {
        write(&run, first);
        damage(&run.with_extension(if kind & 4 == 0 { "index" } else { "output" }), second, forged);
    }
    let Ok(recovered) = recover(&run, Timestamp::UNIX_EPOCH) else { return };
    let again = recover(&run, Timestamp::UNIX_EPOCH).expect("what was made whole can be read again");
    if recovered.origin.is_some() {
        assert_eq!((&again.end, again.cut), (&recovered.end, 0), "made whole once and for all");
        if !forged {
            let read = RUNTIME.with(|runtime| runtime.block_on(read(&run))).expect("what was made whole can be read");
            assert_eq!(read, recovered.end.bytes, "every byte that the receipt speaks of");
        }
    }
});

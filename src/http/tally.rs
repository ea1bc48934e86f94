//! How many of a feed's last lines came when, and how grave they were. It reads them where that may take its time, and
//! never more than [`COUNTED`] of them, nor of [`BYTES`] bytes as far as their usual length tells.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::journal::{Journal, Selection, Step};
use crate::record::{Chunk, Heading, Level, Records, Stream};
use crate::views::{Bar, Histogram, Plain};

/// So many of the last lines are counted.
const COUNTED: u64 = 10_000;

/// So many bytes may be read for it.
const BYTES: u64 = 8 << 20;

/// So many bars at the most.
const BARS: i64 = 60;

/// How long a bar may last, in seconds: the shortest is taken with which there are few enough.
const WIDTHS: [i64; 6] = [1, 10, 60, 600, 3600, 86_400];

/// So many are at work at once: each of them may wait for a thread that reads.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Counts the last lines of `journal`; `None` where there are none, or they cannot be read.
pub(super) async fn over_time(journal: Arc<Journal>) -> Option<Histogram> {
    let _turn = TURNS.acquire().await.ok()?;
    let runtime = Handle::current();
    let counted = spawn_blocking(move || runtime.block_on(count(&journal))).await;
    match counted {
        Ok(Ok(seconds)) => arrange(&seconds),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the lines of a feed cannot be counted");
            None
        }
        Err(_) => None,
    }
}

/// The lines of one second.
struct Second {
    at: i64,
    first_line: u64,
    lines: [u64; 4],
}

async fn count(journal: &Arc<Journal>) -> io::Result<Vec<Second>> {
    let totals = journal.totals();
    let usual = (totals.bytes / totals.lines.max(1)).max(1);
    let tail = Some(COUNTED.min(BYTES / usual));
    let mut reader = journal.read(&Selection { tail, follow: false, ..Selection::default() })?;
    let mut count = Count::default();
    while let Step::Chunk(chunk) = reader.next().await? {
        count.take(&chunk);
    }
    Ok(count.seconds)
}

#[derive(Default)]
struct Count {
    seconds: Vec<Second>,
    records: [Records; Stream::ALL.len()],
    /// The level of the record that the line before belongs to.
    levels: [Option<Level>; Stream::ALL.len()],
    plain: Plain,
}

impl Count {
    fn take(&mut self, chunk: &Chunk) {
        if chunk.continues {
            return;
        }
        let at = chunk.time.as_second();
        for (number, line) in chunk.lines() {
            let part = part_of(self.level(chunk, number, line));
            match self.seconds.last_mut() {
                Some(second) if second.at >= at => second.lines[part] += 1,
                _ => {
                    let mut lines = [0; 4];
                    lines[part] = 1;
                    self.seconds.push(Second { at, first_line: number, lines });
                }
            }
        }
    }

    fn level(&mut self, chunk: &Chunk, number: u64, line: &[u8]) -> Option<Level> {
        let level = &mut self.levels[chunk.stream as usize];
        match chunk.stream {
            Stream::System => return None,
            Stream::Record => *level = Heading::of(line).level,
            Stream::Stdout | Stream::Stderr => {
                let records = &mut self.records[chunk.stream as usize];
                if let Some(said) = records.begin(number, chunk.time, self.plain.of(line)) {
                    *level = said.level;
                }
            }
        }
        *level
    }
}

/// Which part of a bar a line of this level is in.
fn part_of(level: Option<Level>) -> usize {
    let level = level.unwrap_or(Level::NOTSET);
    [Level::ERROR, Level::WARNING, Level::INFO].iter().position(|least| level >= *least).unwrap_or(3)
}

/// The bars: the last ones, where even the longest are too many.
fn arrange(seconds: &[Second]) -> Option<Histogram> {
    let (first, last) = (seconds.first()?, seconds.last()?);
    let span = |width: i64| last.at.div_euclid(width) - first.at.div_euclid(width) + 1;
    let width = WIDTHS.into_iter().find(|width| span(*width) <= BARS).unwrap_or(86_400);
    let end = last.at.div_euclid(width);
    let begin = first.at.div_euclid(width).max(end - BARS + 1);
    let mut bars: Vec<Bar> = (begin..=end)
        .map(|at| Bar { start: Timestamp::from_second(at * width).unwrap_or_default(), ..Bar::default() })
        .collect();
    for second in seconds {
        let at = usize::try_from(second.at.div_euclid(width) - begin).ok();
        let Some(bar) = at.and_then(|at| bars.get_mut(at)) else { continue };
        if bar.first_line == 0 {
            bar.first_line = second.first_line;
        }
        bar.lines.iter_mut().zip(second.lines).for_each(|(sum, lines)| *sum += lines);
    }
    let width = Duration::from_secs(u64::try_from(width).unwrap_or(1));
    Some(Histogram { width, bars, is_cut: first.first_line > 1 })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn chunk(line: u64, second: i64, stream: Stream, text: &'static str) -> Chunk {
        let bytes = Bytes::from_static(text.as_bytes());
        let time = Timestamp::from_second(second).unwrap();
        Chunk { line, time, stream, continues: false, open: false, bytes }
    }

    fn histogram(chunks: &[Chunk]) -> Histogram {
        let mut count = Count::default();
        chunks.iter().for_each(|chunk| count.take(chunk));
        arrange(&count.seconds).unwrap()
    }

    #[test]
    fn lines_are_counted_by_the_level_of_their_record() {
        let found = histogram(&[
            chunk(1, 100, Stream::Stdout, "INFO:a:x\nERROR:a:y\nTraceback (most\n  File\nKeyError: 1\nplain\n"),
            chunk(
                7,
                100,
                Stream::Record,
                "{\"level\":30,\"text\":\"\",\"record\":{}}\n{\"text\":\"ERROR\",\"record\":{}}\n",
            ),
            chunk(9, 102, Stream::System, "ERROR: not a program's\n"),
        ]);
        assert_eq!((found.width, found.is_cut), (Duration::from_secs(1), false));
        let bars: Vec<_> = found.bars.iter().map(|bar| (bar.start.as_second(), bar.first_line, bar.lines)).collect();
        assert_eq!(bars, [(100, 1, [4, 1, 1, 2]), (101, 0, [0; 4]), (102, 9, [0, 0, 0, 1])]);
    }

    #[test]
    fn bars_are_as_long_as_there_have_to_be_few_of_them() {
        for (seconds, width, bars) in
            [(59, 1, 60), (60, 10, 7), (3540, 60, 60), (100_000, 3600, 28), (400 * 86_400, 86_400, 60)]
        {
            let found = histogram(&[chunk(5, 0, Stream::Stdout, "x\n"), chunk(6, seconds, Stream::Stdout, "y\n")]);
            assert_eq!((found.width.as_secs(), found.bars.len()), (width, bars), "{seconds}");
            assert_eq!(found.bars.last().unwrap().first_line, 6);
            assert!(found.is_cut);
        }
    }
}

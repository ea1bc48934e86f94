//! The way of a line up to the view: a read cut into lines, a chunk appended (checksum, index entry, two writes), chunks
//! found and read back. Throughput is of output.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use joblines::journal::{Journal, Origin, Selection, Step, Writer};
use joblines::record::{RunId, Stream};
use joblines::sources::LineCutter;

const READ: usize = 64 * 1024;

/// One read of a busy pipe: whole lines of 100 bytes, and the beginning of the next.
fn read() -> Vec<u8> {
    let line = [&[b'x'; 99][..], b"\n"].concat();
    line.into_iter().cycle().take(READ).collect()
}

fn journal(folder: &tempfile::TempDir) -> Writer {
    let run = RunId::new();
    let started = Timestamp::now();
    let origin = Origin { run, job: "bench".to_owned(), trigger: "a bench".to_owned(), started, child: None };
    Journal::create(folder.path().join(run.to_string()), origin, u64::MAX).0
}

fn cut(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cut");
    let bytes = read();
    group.throughput(Throughput::Bytes(READ as u64));
    group.bench_function("64 KiB", |bencher| {
        let mut cutter = LineCutter::default();
        bencher.iter(|| {
            cutter.buffer().extend_from_slice(&bytes);
            black_box(cutter.cut(bytes.len()))
        });
    });
}

fn append(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder to write in");
    let mut group = criterion.benchmark_group("append");
    for (name, bytes) in [("64 KiB", read()), ("one line", b"Task #1\n".to_vec())] {
        let bytes = Bytes::from(bytes);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            let mut writer = journal(&folder);
            bencher.iter(|| writer.append(Stream::Stdout, black_box(bytes.clone())));
        });
    }
}

fn find_and_read(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder to write in");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut writer = journal(&folder);
    for _ in 0..10_000 {
        writer.append(Stream::Stdout, Bytes::from_static(b"one\ntwo\nthree\n"));
    }
    let journal = writer.journal().clone();
    let mut group = criterion.benchmark_group("read");
    group.bench_function("a line in the middle of 30,000", |bencher| {
        let selection = Selection { from: 15_000, ..Selection::default() };
        bencher.iter(|| black_box(journal.read(&selection).map(|reader| reader.first_line())));
    });
    group.throughput(Throughput::Bytes(journal.totals().bytes));
    group.bench_function("30,000 lines from the files", |bencher| {
        let all = Selection { follow: false, ..Selection::default() };
        let reader = || journal.read(&all).expect("a journal");
        let drain = |mut reader: joblines::journal::Reader| {
            runtime.block_on(async {
                while let Ok(Step::Chunk(chunk)) = reader.next().await {
                    black_box(chunk);
                }
            });
        };
        bencher.iter_batched(reader, drain, BatchSize::PerIteration);
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default();
    targets = cut, append, find_and_read
}
criterion_main!(benches);

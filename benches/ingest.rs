//! Records of Python's logging as SocketHandler sends them: how many a second become lines of a journal on one core,
//! beside a loop that only cuts the frames and looks at nothing in them.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use joblines::logging::{Frames, Reader, read_pickle};

/// So many records in one stream.
const RECORDS: u64 = 10_000;

/// What comes with one read of a socket.
const PORTION: usize = 64 * 1024;

/// A stream of one genuine record over and over.
fn stream(case: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-logging").join(case);
    let mut frames = Frames::new(1 << 20);
    frames.buffer().extend_from_slice(&std::fs::read(path).expect("the fixture is there"));
    let frame = frames.cut().expect("it is a frame").expect("it is whole").to_vec();
    let length = u32::try_from(frame.len()).expect("it is short").to_be_bytes();
    [&length[..], &frame].concat().repeat(usize::try_from(RECORDS).expect("it is small"))
}

/// Cuts all frames of a stream, portion by portion.
fn cut(stream: &[u8], mut each: impl FnMut(&[u8])) {
    let mut frames = Frames::new(1 << 20);
    for portion in stream.chunks(PORTION) {
        frames.buffer().extend_from_slice(portion);
        while let Some(frame) = frames.cut().expect("they are frames") {
            each(frame);
        }
    }
}

fn ingest(criterion: &mut Criterion) {
    for (name, case) in [
        ("python 3.11", "py3.11/socket/plain.bin"),
        ("python 2.7", "py2.7/socket/plain.bin"),
        ("a traceback", "py3.11/socket/exception.bin"),
        ("many extra fields", "py3.11/socket/extra-json-types.bin"),
    ] {
        let stream = stream(case);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(RECORDS)).sample_size(20);
        group.bench_function("only cut", |bencher| {
            bencher.iter(|| {
                cut(&stream, |frame| {
                    black_box(frame);
                });
            });
        });
        let mut reader = Reader::new();
        group.bench_function("read", |bencher| {
            bencher.iter(|| {
                cut(&stream, |frame| drop(black_box(read_pickle(&mut reader, frame).expect("it is a record"))))
            });
        });
        let mut out = Vec::new();
        group.bench_function("read and written", |bencher| {
            bencher.iter(|| {
                cut(&stream, |frame| {
                    // as one batch for the journal
                    if out.len() > 1 << 20 {
                        out.clear();
                    }
                    read_pickle(&mut reader, frame).expect("it is a record").write(&mut out);
                });
            });
        });
        group.finish();
    }
}

criterion_group!(benches, ingest);
criterion_main!(benches);

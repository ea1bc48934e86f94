//! The hot functions of the views: one read of 64 KiB, rendered. Throughput is of input; divide by lines for the cost
//! of one.

use std::hint::black_box;

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use joblines::record::{Chunk, RunId, Start, State, Stream};
use joblines::views::{Format, Frames, Options, View};

const READ: usize = 64 * 1024;

/// Whole lines of about one read.
fn read_of(line: impl Fn(u64) -> String) -> Bytes {
    let mut bytes = Vec::with_capacity(READ + 256);
    for number in 1.. {
        if bytes.len() >= READ {
            break;
        }
        bytes.extend_from_slice(line(number).as_bytes());
        bytes.push(b'\n');
    }
    Bytes::from(bytes)
}

fn inputs() -> [(&'static str, Bytes); 6] {
    let words = "the quick brown fox jumps over the lazy dog and goes on to the next field where nobody saw it coming";
    [
        ("100-byte-lines", read_of(|_| words[..99].to_owned())),
        ("seq", read_of(|number| (1_000_000 + number).to_string())),
        (
            "markup",
            read_of(|number| {
                format!("<item id=\"{number}\"><name>a &amp; b</name><text>{}</text></item>", &words[..40])
            }),
        ),
        ("colours", read_of(|number| format!("\x1b[32mINFO\x1b[0m \x1b[2m{number}\x1b[0m {}", &words[..80]))),
        ("utf-8", read_of(|number| format!("{number} größer – schöner ─ 語 {}", &words[..60]))),
        ("returns", read_of(|number| format!(" 10%\r 50%\r {number} done {}", &words[..40]))),
    ]
}

/// A view that has begun.
fn begun(format: Format, out: &mut Frames) -> View {
    let mut view = View::new(format, Options::default());
    let started = Timestamp::UNIX_EPOCH;
    view.start(&Start { run: RunId::new(), job: "bench".to_owned(), state: State::Running, started }, 1, out);
    view
}

/// How long a view that has begun takes for `chunk`.
fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, format: Format, chunk: &Chunk) {
    let mut out = Frames::default();
    let mut view = begun(format, &mut out);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            view.chunk(black_box(chunk), &mut out);
            out.take().map(black_box).count()
        });
    });
}

fn render(criterion: &mut Criterion) {
    for (name, bytes) in inputs() {
        let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
        let mut group = criterion.benchmark_group(format!("{name} ({lines} lines)"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let time = Timestamp::UNIX_EPOCH;
        let chunk = Chunk { line: 1_000_000, time, stream: Stream::Stdout, continues: false, open: false, bytes };
        for (format, name) in
            [(Format::Html, "html"), (Format::Ndjson, "ndjson"), (Format::Sse, "sse"), (Format::Text, "text")]
        {
            measure(&mut group, name, format, &chunk);
        }
    }
}

fn one_line(criterion: &mut Criterion) {
    let bytes = Bytes::from_static(b"Task #7 of a job that prints a line every second\n");
    let chunk =
        Chunk { line: 7, time: Timestamp::UNIX_EPOCH, stream: Stream::Stdout, continues: false, open: false, bytes };
    let mut group = criterion.benchmark_group("one line a read");
    for (format, name) in [(Format::Html, "html"), (Format::Ndjson, "ndjson"), (Format::Sse, "sse")] {
        measure(&mut group, name, format, &chunk);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(1)).warm_up_time(std::time::Duration::from_millis(300));
    targets = render, one_line
}
criterion_main!(benches);

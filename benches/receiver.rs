//! A SocketHandler's stream on its whole way, from the socket to the journal's files, as fast as a sender can send that
//! does nothing else; beside a loop that only reads the same frames. Each receives on one thread.
//!
//! `cargo bench --bench receiver`, with the number of records behind `--` if it is to be another.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use joblines::journal::{Journal, Origin};
use joblines::record::RunId;
use joblines::sources::python::{Receiver, Settings};
use joblines::sources::{Counters, Sink};
use tokio_util::sync::CancellationToken;

/// So many records, unless it is said otherwise.
const RECORDS: usize = 1_000_000;

/// Each is measured so often; the best counts.
const ROUNDS: usize = 5;

fn main() {
    let records = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(RECORDS);
    for case in ["py3.11/socket/plain.bin", "py3.11/socket/exception.bin"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-logging").join(case);
        let frame = std::fs::read(path).expect("the fixture is there");
        let best = |measure: &dyn Fn() -> Duration| (0..ROUNDS).map(|_| measure()).min().expect("there are rounds");
        let whole = best(&|| receive(&frame, records));
        let bare = best(&|| only_read(&frame, records));
        let rate = |time: Duration| records as f64 / time.as_secs_f64();
        println!(
            "{case}, {} bytes: {:.0} records/s received, {:.0} only read ({:.1} times as many)",
            frame.len(),
            rate(whole),
            rate(bare),
            rate(bare) / rate(whole)
        );
    }
}

/// Sends as fast as the other side takes it.
fn send(to: SocketAddr, frame: &[u8], records: usize) -> thread::JoinHandle<()> {
    const AT_ONCE: usize = 1000;
    let portion = frame.repeat(AT_ONCE);
    thread::spawn(move || {
        let mut stream = loop {
            // it may not listen yet
            match TcpStream::connect(to) {
                Ok(stream) => break stream,
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        };
        for _ in 0..records / AT_ONCE {
            stream.write_all(&portion).expect("it is read");
        }
    })
}

/// How long it takes until all are in a journal.
fn receive(frame: &[u8], records: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder to write in");
    let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let (sink, counters, stop) = (sink(folder.path().join("feed")), Counters::default(), CancellationToken::new());
    let settings = Settings {
        tcp: Some(address.to_string()),
        udp: None,
        unix: None,
        http: false,
        from: Vec::new(),
        max_frame: 1 << 20,
    };
    let receiver = Arc::new(Receiver::new(settings, sink, counters.clone()));
    let serving = thread::spawn({
        let stop = stop.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(receiver.serve(stop));
        }
    });
    let start = Instant::now();
    let sending = send(address, frame, records);
    while counters.look().all.records < records as u64 {
        thread::sleep(Duration::from_millis(1));
    }
    let time = start.elapsed();
    stop.cancel();
    sending.join().expect("it sends all");
    serving.join().expect("it ends");
    time
}

/// How long it takes to read them and do nothing with them.
fn only_read(frame: &[u8], records: usize) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let start = Instant::now();
    let sending = send(listener.local_addr().expect("it is bound"), frame, records);
    let (stream, _) = listener.accept().expect("somebody comes");
    let mut stream = BufReader::with_capacity(256 << 10, stream);
    let (mut length, mut record, mut count) = ([0; 4], vec![0; 64 << 10], 0);
    while stream.read_exact(&mut length).is_ok() {
        let length = u32::from_be_bytes(length) as usize;
        stream.read_exact(&mut record[..length]).expect("a whole frame");
        count += 1;
    }
    assert_eq!(count, records / 1000 * 1000);
    sending.join().expect("it sends all");
    start.elapsed()
}

fn sink(path: PathBuf) -> Sink {
    let origin = Origin {
        run: RunId::new(),
        job: "bench".to_owned(),
        trigger: String::new(),
        started: Timestamp::now(),
        child: None,
    };
    Sink::new(Journal::resume(path, origin, 64 << 20).expect("a journal").writer)
}

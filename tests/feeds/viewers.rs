//! Many viewers of one feed, in every format: none misses a line, however fast they come.

use std::thread;

use crate::harness::{Server, full_size};
use crate::{APP, push};

#[test]
fn no_viewer_misses_a_line() {
    const FORMATS: [&str; 4] = ["text", "html", "ndjson", "sse"];
    let (viewers, batches) = if full_size() { (200, 100) } else { (40, 20) };
    let lines = batches * 100;
    let server = Server::start(APP);
    let watching: Vec<_> = (0..viewers)
        .map(|viewer| server.get(&format!("/feeds/app?all&format={}", FORMATS[viewer % FORMATS.len()])).expect(200))
        .collect();
    let counting: Vec<_> = watching
        .into_iter()
        .map(|mut seen| {
            thread::spawn(move || {
                for line in 1..=lines {
                    // each number stands where the one before it has been found
                    seen.until(&format!("line number {line} of all"));
                }
            })
        })
        .collect();
    for batch in 0..batches {
        let text: String =
            (1..=100).map(|line| format!("INFO:app:line number {} of all\n", batch * 100 + line)).collect();
        push(&server, "app", text.as_bytes());
    }
    for viewer in counting {
        viewer.join().unwrap();
    }
}

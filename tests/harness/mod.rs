//! What every outside test stands on: the built server in a folder of its own, a plain HTTP client, a browser, and the
//! handshakes that tests move by. Nothing here knows what joblines ought to do.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part of the harness")]
#![allow(unreachable_pub, reason = "a test is a program; `pub` marks what test files use")]

pub mod browser;
pub mod command;
pub mod gate;
pub mod html;
pub mod http;
pub mod processes;
pub mod proxy;
pub mod server;
pub mod stub;

use std::thread;
use std::time::{Duration, Instant};

pub use command::{Ended, joblines, run_to_end};
pub use gate::Gate;
pub use http::{Address, Request, Response};
pub use server::{Builder, Server};

/// How long anything may take before a test calls it hung. It bounds a hang and never decides a result.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Waits for a state that nothing signals (another process's death, a file), looking often.
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "still waiting for: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Tells that a test cannot do its work here, and why. With `CI=true` that is a failure.
pub fn cannot(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "not tested: {why}");
    println!("not tested: {why}");
}

/// Whether the long versions were asked for, with `JOBLINES_TEST_FULL=1`: a gigabyte instead of a quarter of it.
pub fn full_size() -> bool {
    std::env::var_os("JOBLINES_TEST_FULL").is_some()
}

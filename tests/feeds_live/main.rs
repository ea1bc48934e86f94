//! Feeds from outside: real senders, over real sockets, to the built server. Python's stock handlers, a real Redis server,
//! `logger`, and the captured bytes of many more.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod handlers;
mod live;
mod python;
mod readme;
mod redis;
mod requests;
mod syslog;

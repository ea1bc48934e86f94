//! Which runs there are, seen from outside: whose turn comes when, what happens where a run of the job is on already, and
//! what is kept of those that have ended.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod overlap;
mod retention;
mod turns;

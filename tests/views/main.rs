//! The views: one run in every format, with bytes that formats have to beware of.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod formats;
mod html;
mod long;
mod ndjson;
mod silence;
mod sse;

use harness::Server;

/// Runs the one job, `job`, to its end, and tells the path of the run.
fn run(server: &Server) -> String {
    format!("/runs/{}", server.get("/jobs/job?wait").run())
}

/// The page of an ended run.
fn page(server: &Server) -> String {
    let page = server.visit(&run(server)).expect(200).text();
    harness::html::assert_whole(&page);
    page
}

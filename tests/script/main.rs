//! What the script adds to the pages, in a real browser; and the same journeys in one that runs no scripts.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod connection;
mod filter;
mod following;
mod forms;
mod journeys;
mod long;
mod telling;

use harness::browser::Browser;
use serde_json::Value;

/// The numbers of the lines on the page, in their order.
const NUMBERS: &str = "[...document.querySelectorAll('.block > [id]')].map((row) => Number(row.id.slice(1)))";

/// Opens a page and waits until its script has begun.
fn open(browser: &Browser, url: &str) {
    leave(browser);
    browser.open(url);
    browser.wait_until("document.body.classList.contains('scripted')");
}

/// Leaves the page, so that what is seen next is not of it.
fn leave(browser: &Browser) {
    browser.open("about:blank");
    browser.wait_until("location.href === 'about:blank'");
}

/// The text content of `#lines`, hidden or not.
fn lines(browser: &Browser) -> String {
    string(browser.value("document.getElementById('lines').textContent"))
}

/// The lines that are to be seen.
fn shown(browser: &Browser) -> Vec<String> {
    let rows = "[...document.querySelectorAll('.block > span')].filter((row) => row.checkVisibility())";
    let texts = browser.value(&format!("{rows}.map((row) => row.textContent.trimEnd())"));
    texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn string(value: Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Waits until the page shows the end of its run, and its footer is whole.
fn wait_for_end(browser: &Browser) {
    browser.wait_until("document.querySelector('#end a[href$=download]') !== null");
}

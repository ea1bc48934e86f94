//! A connection that is cut, a server that is killed: the page goes on, and every line is there once.

use crate::harness::browser::Browser;
use crate::harness::proxy::Proxy;
use crate::harness::{Server, wait_for};
use crate::{NUMBERS, lines, open, string, wait_for_end};

/// Lines of both streams, in colours, with a prompt that another stream's line comes between, and a progress bar.
const COMMAND: &str = r#"
seq -f 'first %.0f' 1 300
printf '\033[31mred\033[0m & <b>\n'
printf 'name? '
read _ < gate
echo 'a warning' >&2
read _ < gate
echo Bob
printf ' 10%%\r'
read _ < gate
printf ' 50%%\r'
read _ < gate
printf '100%%\n'
seq -f 'last %.0f' 1 300
read _ < gate
printf 'no newline'
exit 3
"#;

/// The text that the browser shows: rows that rewrote themselves in their newest state.
const TEXTS: &str = "[...document.querySelectorAll('.block > span')].map((row) => \
     row.querySelector('wbr') ? [...row.querySelectorAll('.was')].at(-1).textContent.trimEnd() : row.textContent.trimEnd())";

/// What a page that was never cut shows.
fn expected() -> Vec<String> {
    let mut lines: Vec<String> = (1..=300).map(|n| format!("first {n}")).collect();
    lines.extend(["red & <b>", "name?", "a warning", "Bob", "100%"].map(str::to_owned));
    lines.extend((1..=300).map(|n| format!("last {n}")));
    lines.push("no newline".to_owned());
    lines
}

fn has(browser: &Browser, line: u32) {
    browser.wait_until(&format!("document.getElementById('L{line}') !== null"));
}

fn assert_every_line_once(browser: &Browser, last: u64) {
    let numbers = browser.value(NUMBERS);
    let numbers: Vec<u64> = numbers.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
}

#[test]
fn a_page_goes_on_after_its_connection_was_cut_anywhere() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job(COMMAND);
    let gate = server.gate("gate");
    let proxy = Proxy::to(server.address());
    open(&browser, &proxy.url("/jobs/job"));
    browser.wait_for_text("#L302", "name?");
    proxy.cut(); // in the middle of a line
    gate.pass();
    has(&browser, 303);
    proxy.cut(); // a line is begun above a whole one
    gate.pass();
    browser.wait_for_text("#lines", "Bob");
    browser.wait_until("document.getElementById('lines').textContent.includes('10%')");
    proxy.cut(); // in a line that rewrites itself
    gate.pass();
    browser.wait_until("document.getElementById('lines').textContent.includes('50%')");
    proxy.cut();
    gate.pass();
    has(&browser, 604);
    proxy.cut(); // between two lines
    gate.pass();
    wait_for_end(&browser);
    let texts = browser.value(TEXTS);
    let texts: Vec<&str> = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(texts, expected());
    assert_every_line_once(&browser, 605);
    assert_eq!(browser.value("document.querySelector('#L301 > span').className"), "f1", "the colours are the server's");
    assert_eq!(browser.value("document.querySelector('#L303 > span').className"), "stderr");
    browser.wait_until("document.title === '✗ failed job · joblines'");
    assert_eq!(browser.value("document.querySelectorAll('#end').length"), 1);
    assert_eq!(server.runs("job").len(), 1);
}

#[test]
fn a_cut_in_the_middle_of_a_flood_loses_and_repeats_nothing() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("for i in $(seq 1 40); do seq -f \"$i: %.0f\" 1 1000; sleep 0.05; done");
    let proxy = Proxy::to(server.address());
    open(&browser, &proxy.url("/jobs/job"));
    for line in [1, 9000, 20_000, 33_333] {
        has(&browser, line);
        proxy.cut();
    }
    wait_for_end(&browser);
    assert_every_line_once(&browser, 40_000);
    let run = string(browser.value("location.pathname"));
    assert!(lines(&browser) == server.get(&run).text());
}

#[test]
fn a_page_waits_for_a_server_that_cannot_be_reached_and_says_so() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("echo one; read _ < gate; echo two");
    let gate = server.gate("gate");
    let proxy = Proxy::to(server.address());
    open(&browser, &proxy.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    proxy.unplug();
    browser.wait_for_text("#said", "The connection is lost");
    proxy.plug_into(server.address());
    browser.wait_for_text("#said", "Connected again");
    proxy.unplug();
    browser.wait_for_text("#said", "The connection is lost");
    gate.pass();
    wait_for("the run's end", || server.runs("job")[0]["state"] == "succeeded");
    proxy.plug_into(server.address());
    wait_for_end(&browser);
    assert_eq!(lines(&browser), "one\ntwo\n");
}

#[test]
fn the_run_of_a_killed_server_is_lost_with_every_line() {
    let Some(browser) = Browser::with_scripts() else { return };
    let mut server = Server::with_job("seq 1 500; printf half; sleep 1000");
    let proxy = Proxy::to(server.address());
    open(&browser, &proxy.url("/jobs/job"));
    browser.wait_for_text("#lines", "half");
    server.kill();
    browser.wait_for_text("#said", "The connection is lost");
    server.restart();
    proxy.plug_into(server.address());
    wait_for_end(&browser);
    browser.wait_for_text("#end", "lost");
    browser.wait_until("document.title === '? lost job · joblines'");
    assert_eq!(lines(&browser), (1..=500).map(|n| format!("{n}\n")).collect::<String>() + "half");
}

#[test]
fn a_page_of_an_unknown_run_is_not_asked_for_again_and_again() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("echo one; sleep 1000");
    let other = Server::with_job("true");
    let proxy = Proxy::to(server.address());
    open(&browser, &proxy.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    proxy.unplug();
    proxy.plug_into(other.address());
    browser.wait_for_text("#said", "404");
}

//! What the script adds to a feed's page, in a real browser.

use std::io::Write;

use crate::harness::Server;
use crate::harness::browser::Browser;
use crate::harness::proxy::Proxy;
use crate::{APP, push};

/// The numbers of the lines on the page, in their order.
const NUMBERS: &str = "[...document.querySelectorAll('#lines > tbody > [id]')].map((row) => Number(row.id.slice(1)))";

fn open(browser: &Browser, url: &str) {
    browser.open(url);
    browser.wait_until("document.body.classList.contains('scripted')");
}

fn has(browser: &Browser, line: u64) {
    browser.wait_until(&format!("document.getElementById('L{line}') !== null"));
}

fn numbers(browser: &Browser) -> Vec<u64> {
    browser.value(NUMBERS).as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

fn lines(from: u64, to: u64) -> Vec<u8> {
    (from..=to).flat_map(|line| format!("WARNING:app:line {line}\n").into_bytes()).collect()
}

#[test]
fn a_page_goes_on_after_cuts_and_numbers_every_warning_once() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(APP);
    let proxy = Proxy::to(server.address());
    push(&server, "app", &lines(1, 10));
    open(&browser, &proxy.url("/feeds/app"));
    has(&browser, 10);
    for round in 1..=3 {
        proxy.cut();
        push(&server, "app", &lines(round * 10 + 1, round * 10 + 10));
        has(&browser, round * 10 + 10);
    }
    assert_eq!(numbers(&browser), (1..=40).collect::<Vec<_>>());
    push(&server, "app", b"INFO:app:last\nINFO:app:really\n");
    has(&browser, 42);
    let ids = "[...document.querySelectorAll('#lines td[id]')].map((cell) => cell.id).join()";
    let expected = (1..=40).map(|number| format!("e{number}")).collect::<Vec<_>>().join(",");
    browser.wait_until(&format!("{ids} === '{expected}'"));
    let links = "[...document.querySelectorAll('#L30 .hop a')].map((link) => link.hash).join()";
    assert_eq!(browser.value(links), "#e29,#e31");
    browser.wait_for_text("#hits", "42 rows, 0 errors, 40 warnings");
    assert_eq!(browser.value("document.querySelectorAll('#lines .day').length"), 1);
}

#[test]
fn the_page_of_a_folders_file_follows_it_and_goes_on_after_a_cut() {
    let Some(browser) = Browser::with_scripts() else { return };
    let builder = Server::with("[feeds.logs]\ndirectory = 'logs'\n");
    let file = builder.path("logs/monday/a b.log");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, lines(1, 3)).unwrap();
    let server = builder.start();
    let proxy = Proxy::to(server.address());
    let write = |from, to| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
        file.write_all(&lines(from, to)).unwrap();
    };
    open(&browser, &proxy.url("/feeds/logs/monday/a%20b.log"));
    // the document has ended, and the script has gone on
    browser.wait_until("document.readyState !== 'loading' && document.getElementById('end') === null");
    write(4, 5);
    has(&browser, 5);
    proxy.cut();
    write(6, 7);
    has(&browser, 7);
    assert_eq!(numbers(&browser), (1..=7).collect::<Vec<_>>());
    assert_eq!(browser.value("document.getElementById('said').textContent"), "");
}

#[test]
fn a_page_that_the_server_tells_nothing_of_goes_on_as_without_scripts() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(APP);
    let refusing = "const ask = window.fetch; \
        window.fetch = (where, how) => how.headers.Accept === 'application/json' \
            ? Promise.resolve(new Response('', { status: 404 })) : ask(where, how);";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &serde_json::json!({ "source": refusing }));
    push(&server, "app", &lines(1, 3));
    open(&browser, &server.url("/feeds/app"));
    browser.wait_for_text("#said", "(404)");
    push(&server, "app", &lines(4, 5));
    has(&browser, 5);
    assert_eq!(numbers(&browser), [1, 2, 3, 4, 5]);
}

#[test]
fn the_newest_row_is_counted_and_numbered_before_another_one_comes() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(APP);
    let proxy = Proxy::to(server.address());
    open(&browser, &proxy.url("/feeds/app"));
    push(&server, "app", b"ERROR:app:only\n");
    browser.wait_for_text("#hits", "1 row, 1 error, 0 warnings");
    push(&server, "app", &lines(2, 4));
    push(&server, "app", b"ERROR:app:last\n");
    browser.wait_for_text("#hits", "5 rows, 2 errors, 3 warnings");
    let ids = "[...document.querySelectorAll('#lines td[id]')].map((cell) => cell.id).join()";
    let links = "[...document.querySelectorAll('#L5 .hop a')].map((link) => link.hash).join()";
    assert_eq!((browser.value(ids), browser.value(links)), ("e1,e2,e3,e4,e5".into(), "#e4,#e6".into()));
    // it comes once more when the connection has been lost, and is still one
    proxy.cut();
    push(&server, "app", b"INFO:app:on\n");
    has(&browser, 6);
    browser.wait_for_text("#hits", "6 rows, 2 errors, 3 warnings");
    assert_eq!((browser.value(ids), browser.value(links)), ("e1,e2,e3,e4,e5".into(), "#e4,#e6".into()));
}

#[test]
fn a_pause_counts_what_comes_and_following_fetches_it() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(APP);
    push(&server, "app", &lines(1, 3));
    open(&browser, &server.url("/feeds/app"));
    has(&browser, 3);
    browser.click("#pause");
    browser.wait_for_text("#said", "Paused");
    push(&server, "app", &lines(4, 10));
    browser.wait_for_text("#said", "7 more lines");
    assert_eq!(numbers(&browser), [1, 2, 3]);
    browser.click("#pause");
    has(&browser, 10);
    assert_eq!(numbers(&browser), (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_long_page_lets_go_of_its_oldest_rows() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(APP);
    push(&server, "app", &lines(1, 4000));
    open(&browser, &server.url("/feeds/app?from=1"));
    has(&browser, 4000);
    push(&server, "app", &lines(4001, 7000));
    has(&browser, 7000);
    browser.wait_until("document.querySelectorAll('#lines > tbody > tr').length <= 5001");
    let numbers = numbers(&browser);
    assert!(numbers.is_sorted() && numbers.windows(2).all(|two| two[0] + 1 == two[1]), "no line is missing");
    browser.wait_for_text(".earlier", "are not on this page any more");
    assert_eq!(browser.value("document.querySelector('#lines > tbody > tr').className"), "day");
}

#[test]
fn the_slider_asks_for_another_pace() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(APP);
    push(&server, "app", &lines(1, 3));
    open(&browser, &server.url("/feeds/app"));
    has(&browser, 3);
    browser.value(
        "(() => { const slider = document.getElementById('rate'); slider.value = 1; \
         slider.dispatchEvent(new Event('input')); slider.dispatchEvent(new Event('change')); return true; })()",
    );
    browser.wait_for_text("#pace", "1 a second");
    assert_eq!(browser.value("location.search"), "?rate=1");
    push(&server, "app", &lines(4, 40));
    browser.wait_for_text("#lines", "remaining");
    assert!(numbers(&browser).len() < 40);
}

#[test]
fn the_sliders_end_is_a_pause() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(APP);
    push(&server, "app", &lines(1, 3));
    open(&browser, &server.url("/feeds/app?rate=0"));
    browser.wait_for_text("#pace", "paused");
    browser.wait_for_text("#said", "3 more lines");
    push(&server, "app", &lines(4, 10));
    browser.wait_for_text("#said", "10 more lines");
    assert_eq!(numbers(&browser), [0; 0]);
    let slide = |to: u32| {
        browser.value(&format!(
            "(() => {{ const slider = document.getElementById('rate'); slider.value = {to}; \
             slider.dispatchEvent(new Event('input')); slider.dispatchEvent(new Event('change')); return true; }})()"
        ))
    };
    slide(21);
    has(&browser, 10);
    assert_eq!(browser.value("location.search"), "");
    slide(0);
    browser.wait_for_text("#said", "0 more lines");
    push(&server, "app", &lines(11, 12));
    browser.wait_for_text("#said", "2 more lines");
    assert_eq!(numbers(&browser), (1..=10).collect::<Vec<_>>());
}

#[test]
fn the_page_of_a_stopped_server_goes_on_with_the_next_one() {
    let Some(browser) = Browser::with_scripts() else { return };
    let mut server = Server::start(APP);
    let proxy = Proxy::to(server.address());
    push(&server, "app", &lines(1, 3));
    open(&browser, &proxy.url("/feeds/app"));
    has(&browser, 3);
    server.stop();
    browser.wait_for_text("#said", "The connection is lost");
    server.restart();
    proxy.plug_into(server.address());
    push(&server, "app", &lines(4, 5));
    has(&browser, 5);
    assert_eq!(numbers(&browser), [1, 2, 3, 4, 5]);
}

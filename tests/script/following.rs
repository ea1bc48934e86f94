//! The newest line in sight, until one scrolls up; and a page that stands still while lines come.

use crate::harness::browser::Browser;
use crate::harness::{Gate, Server};
use crate::{lines, open, shown, wait_for_end};

const AT_BOTTOM: &str = "scrollY + innerHeight >= document.documentElement.scrollHeight - 4";

/// Prints 100 lines each time its gate is passed, four times.
fn server() -> (Server, Gate) {
    let server = Server::with_job("for part in 1 2 3 4; do seq ${part}00 ${part}99; read _ < gate; done");
    let gate = server.gate("gate");
    (server, gate)
}

fn has(browser: &Browser, line: u32) {
    browser.wait_until(&format!("document.getElementById('L{line}') !== null"));
}

/// Turns the wheel up and waits until the page has come to rest.
fn scroll_up(browser: &Browser) {
    browser.wait_until("(window.rests = false, addEventListener('scrollend', () => (window.rests = true)), true)");
    browser.turn_wheel(-400);
    browser.wait_until("document.getElementById('follow').ariaPressed === 'false'");
    browser.wait_until("window.rests");
}

fn following(browser: &Browser) -> bool {
    browser.value("document.getElementById('follow').ariaPressed") == "true"
}

#[test]
fn the_newest_line_stays_in_sight_until_one_scrolls_up_and_again_at_the_bottom() {
    let Some(browser) = Browser::with_scripts() else { return };
    let (server, gate) = server();
    browser.size(1000, 600);
    open(&browser, &server.url("/jobs/job"));
    has(&browser, 100);
    browser.wait_until(AT_BOTTOM);
    assert!(following(&browser));
    scroll_up(&browser);
    browser.wait_until(&format!("!({AT_BOTTOM})"));
    let before = browser.value("scrollY");
    gate.pass();
    has(&browser, 200);
    browser.wait_until("document.getElementById('follow').textContent === 'Follow (100 new)'");
    assert_eq!(browser.value("scrollY"), before, "the page does not move under one's eyes");
    browser.turn_wheel(100_000);
    browser.wait_until("document.getElementById('follow').ariaPressed === 'true'");
    gate.pass();
    has(&browser, 300);
    browser.wait_until(AT_BOTTOM);
    scroll_up(&browser);
    browser.click("#follow");
    browser.wait_until(AT_BOTTOM);
    gate.pass_many(2);
    wait_for_end(&browser);
    browser.wait_until(AT_BOTTOM);
    assert_eq!(lines(&browser), (100..500).map(|n| format!("{n}\n")).collect::<String>());
}

#[test]
fn a_paused_page_stands_still_while_lines_come_and_misses_none() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server =
        Server::with_job("echo one; printf half; read _ < gate; echo ' and half'; echo two; read _ < gate; echo three");
    let gate = server.gate("gate");
    open(&browser, &server.url("/jobs/job"));
    browser.wait_for_text("#lines", "half");
    browser.click("#pause");
    browser.wait_until("document.getElementById('pause').ariaPressed === 'true'");
    gate.pass();
    has(&browser, 3);
    browser.wait_until("document.getElementById('follow').textContent === 'Follow (1 new)'");
    assert!(!shown(&browser).contains(&"two".to_owned()), "{:?}", shown(&browser));
    gate.pass();
    wait_for_end(&browser);
    assert!(!shown(&browser).contains(&"three".to_owned()), "{:?}", shown(&browser));
    browser.click("#pause");
    assert_eq!(shown(&browser), ["one", "half and half", "two", "three"]);
}

#[test]
fn a_link_to_a_line_is_not_run_away_from() {
    let Some(browser) = Browser::with_scripts() else { return };
    let (server, gate) = server();
    let run = server.detach("job");
    gate.pass_many(2);
    browser.size(1000, 600);
    open(&browser, &server.url(&format!("/runs/{run}#L50")));
    has(&browser, 300);
    assert!(!following(&browser));
    assert_eq!(browser.value("location.hash"), "#L50");
}

#[test]
fn a_page_that_does_not_go_on_with_its_run_offers_nothing_that_would() {
    let Some(browser) = Browser::with_scripts() else { return };
    let (server, gate) = server();
    let run = server.detach("job");
    gate.pass();
    // what is allowed is allowed to the origin of the page that is there
    browser.open(&server.url("/healthz"));
    browser.wait_until("location.pathname === '/healthz'");
    browser.allow_notifications();
    open(&browser, &server.url(&format!("/runs/{run}?follow=0")));
    browser.wait_for_text("footer", "The run goes on; this page does not");
    for button in ["#follow", "#pause", "#notify"] {
        browser.wait_until(&format!("document.querySelector('{button}').hidden"));
    }
    assert!(browser.is_shown("#filter") && browser.is_shown("form.cancel button"));
    assert_eq!(browser.value("document.title"), "● running job · joblines");
    browser.click("footer a");
    browser.wait_until("document.getElementById('follow')?.ariaPressed === 'true'");
    gate.pass_many(3);
    wait_for_end(&browser);
}

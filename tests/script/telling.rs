//! What is told of a run's state: in the title, in the icon, to a screen reader, and to somebody who has left the page.

use serde_json::json;

use crate::harness::Server;
use crate::harness::browser::Browser;
use crate::{open, wait_for_end};

const ICON: &str = "new URL(document.querySelector('link[rel=icon]').href)";

#[test]
fn title_and_icon_tell_the_state() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(
        "[jobs.good]\ncommand = 'read _ < gate'\n[jobs.bad]\ncommand = 'exit 3'\n\
         [jobs.slow]\ncommand = 'sleep 1000'\ntimeout = '200ms'\n",
    );
    let gate = server.gate("gate");
    open(&browser, &server.url("/jobs/good"));
    browser.wait_until("document.title === '● running good · joblines'");
    browser.wait_until("/^for \\d+ s$/.test(document.querySelector('.elapsed').textContent)");
    assert!(browser.is_shown(".elapsed"));
    browser.wait_until(&format!("{ICON}.pathname === '/assets/icon-running.svg'"));
    gate.pass();
    browser.wait_until("document.title === '✓ succeeded good · joblines'");
    assert!(!browser.is_shown(".elapsed"));
    for (job, title, icon) in [
        ("good/last", "✓ succeeded good", "succeeded"),
        ("bad", "✗ failed bad", "failed"),
        ("slow", "◷ timed out slow", "timed_out"),
    ] {
        open(&browser, &server.url(&format!("/jobs/{job}")));
        wait_for_end(&browser);
        browser.wait_until(&format!("document.title === '{title} · joblines'"));
        browser.wait_until(&format!("{ICON}.pathname === '/assets/icon-{icon}.svg'"));
        let address = crate::string(browser.value(&format!("{ICON}.pathname + {ICON}.search")));
        let icon = server.get(&address).expect(200);
        assert_eq!(icon.header("content-type"), Some("image/svg+xml"));
    }
}

#[test]
fn a_screen_reader_hears_the_end_once_and_no_line() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("echo one; read _ < gate; seq 1 50; exit 3");
    let gate = server.gate("gate");
    open(&browser, &server.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    browser.wait_until(
        "(window.heard = [], document.querySelectorAll('[role=status], [role=alert], [role=log], [aria-live]').forEach(
            (region) => new MutationObserver(() => heard.push(region.textContent.trim()))
                .observe(region, { childList: true, characterData: true, subtree: true })), true)",
    );
    gate.pass();
    wait_for_end(&browser);
    browser.wait_for_text("header > .state", "failed");
    assert_eq!(browser.value("heard"), json!(["failed"]));
    assert_eq!(
        browser.value("document.getElementById('lines').closest('[aria-live], [role=log], [role=status]')"),
        json!(null)
    );
}

/// Keeps which notifications are made, and which are shown; they are made and shown all the same.
const LISTEN: &str = "
    window.made = [];
    window.shown = [];
    window.Notification = class extends Notification {
        constructor(title, options) {
            super(title, options);
            made.push([title, options.body]);
            this.onshow = () => shown.push([title, options.body]);
        }
    };";

/// A browser that listens to notifications and may show them.
fn listening(server: &Server) -> Option<Browser> {
    let browser = Browser::with_scripts()?;
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": LISTEN }));
    browser.open(&server.url("/healthz"));
    browser.wait_until("location.pathname === '/healthz'");
    browser.allow_notifications();
    Some(browser)
}

#[test]
fn the_end_of_a_run_in_the_background_is_told_to_whoever_asked() {
    let server = Server::with_job("echo one; read _ < gate; exit 3");
    let gate = server.gate("gate");
    let Some(browser) = listening(&server) else { return };
    open(&browser, &server.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    browser.click("#notify");
    browser.wait_until("document.getElementById('notify').ariaPressed === 'true'");
    browser.minimize();
    browser.wait_until("document.hidden");
    gate.pass();
    browser.wait_until("shown.length === 1");
    let told = browser.value("shown[0]");
    assert_eq!(told[0], "✗ failed job");
    assert!(told[1].as_str().unwrap().starts_with("finished: exit code 3 after "), "{told}");
}

#[test]
fn nobody_is_told_who_did_not_ask_or_is_looking() {
    let server = Server::with_job("echo one; read _ < gate");
    let gate = server.gate("gate");
    let Some(browser) = listening(&server) else { return };
    for asks in [false, true] {
        open(&browser, &server.url("/jobs/job"));
        browser.wait_for_text("#lines", "one");
        if asks {
            browser.click("#notify");
            browser.wait_until("document.getElementById('notify').ariaPressed === 'true'");
        } else {
            browser.minimize();
            browser.wait_until("document.hidden");
        }
        gate.pass();
        browser.wait_until("document.title === '✓ succeeded job · joblines'");
        assert_eq!(browser.value("made"), json!([]), "asks: {asks}");
        browser.restore();
        browser.wait_until("!document.hidden");
    }
}

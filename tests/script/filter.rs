//! The filter of a run's page.

use crate::harness::Server;
use crate::harness::browser::Browser;
use crate::{lines, open, shown, wait_for_end};

const JOB: &str = r#"
[jobs.job]
command = '''
echo 'Alpha one'; echo 'beta two' >&2; echo 'gamma 33'; read _ < gate; echo 'alpha again'; echo 'beta 4' >&2; sleep 1000 &
'''
drain = "100ms"
"#;

const ESCAPE: &str = "\u{E00C}";

fn wait_for_hits(browser: &Browser, text: &str) {
    browser.wait_until(&format!("document.getElementById('hits').textContent.startsWith('{text}')"));
}

#[test]
fn lines_are_filtered_by_text_by_regex_and_by_stream_while_they_come() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(JOB);
    let gate = server.gate("gate");
    open(&browser, &server.url("/jobs/job"));
    browser.wait_until("document.getElementById('L3') !== null");
    browser.press("/");
    browser.wait_until("document.activeElement.id === 'filter'");
    browser.press("a");
    browser.press("l");
    browser.press("p");
    wait_for_hits(&browser, "1 of 3 lines on this page");
    assert_eq!(shown(&browser), ["Alpha one"]);
    gate.pass();
    wait_for_end(&browser);
    wait_for_hits(&browser, "2 of ");
    assert_eq!(shown(&browser), ["Alpha one", "alpha again"]);
    browser.press(ESCAPE);
    browser.wait_until("document.getElementById('hits').textContent === ''");
    assert!(shown(&browser).len() >= 6);
    browser.type_in("#filter", r"/^(beta|gamma) \d/");
    wait_for_hits(&browser, "2 of ");
    assert_eq!(shown(&browser), ["gamma 33", "beta 4"]);
    browser.click("#stream option[value=stderr]");
    wait_for_hits(&browser, "1 of ");
    browser.press(ESCAPE);
    browser.wait_until("document.getElementById('stream').value === ''");
    browser.click("#stream option[value=system]");
    browser.wait_until("document.getElementById('hits').textContent !== ''");
    let said = shown(&browser);
    assert!(said.iter().any(|line| line.contains("sleep 1000")) && !said.contains(&"Alpha one".to_owned()), "{said:?}");
    assert!(lines(&browser).contains("Alpha one\n"), "what is not shown is there all the same");
}

#[test]
fn what_is_no_regular_expression_is_said_and_changes_nothing() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("echo one; echo two");
    open(&browser, &server.url("/jobs/job"));
    wait_for_end(&browser);
    browser.type_in("#filter", "/t(w");
    browser.wait_until("document.getElementById('filter').ariaInvalid === 'true'");
    assert!(browser.text("#hits").unwrap().contains("expression"));
    browser.type_in("#filter", ")");
    wait_for_hits(&browser, "1 of 2 lines on this page");
    assert_eq!(shown(&browser), ["two"]);
    assert_eq!(browser.value("document.getElementById('filter').ariaInvalid"), "false");
}

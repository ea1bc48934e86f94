//! From the form to the end of a run, reloading, cancelling: with scripts and without.

use crate::harness::browser::Browser;
use crate::harness::{Server, wait_for};
use crate::open;

#[test]
fn a_form_leads_to_a_run_and_to_its_end() {
    for browser in [Browser::with_scripts(), Browser::without_scripts()] {
        let Some(browser) = browser else { return };
        let server = Server::with_job("echo one; read _ < gate; echo two; exit 3");
        let gate = server.gate("gate");
        browser.open(&server.url("/jobs/job/form"));
        wait_for("the form", || browser.is_shown("form.start button"));
        browser.click("form.start button");
        browser.wait_for_text("#lines", "one");
        assert!(!browser.is_shown("#end"));
        gate.pass();
        browser.wait_for_text("#lines", "two");
        browser.wait_for_text("#end", "exit code 3");
        assert_eq!(server.runs("job").len(), 1);
    }
}

#[test]
fn to_reload_the_page_of_a_run_never_starts_another() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("echo one; read _ < gate; echo two");
    let gate = server.gate("gate");
    for (place, runs) in [("/jobs/job/form", 1), ("/jobs/job", 2)] {
        crate::leave(&browser);
        browser.open(&server.url(place));
        if place.ends_with("form") {
            wait_for("the form", || browser.is_shown("form.start button"));
            browser.click("form.start button");
        }
        browser.wait_until("/^.runs.[-0-9a-f]+$/.test(location.pathname)");
        browser.wait_for_text("#lines", "one");
        let run = browser.url();
        browser.reload();
        browser.wait_until("performance.getEntriesByType('navigation')[0].type === 'reload'");
        browser.wait_for_text("#lines", "one");
        assert_eq!((browser.url(), server.runs("job").len()), (run, runs), "after {place}");
        gate.pass();
        browser.wait_for_text("#end", "exit code 0");
        assert_eq!(crate::lines(&browser), "one\ntwo\n");
        assert_eq!(server.runs("job").len(), runs, "after {place}");
    }
}

#[test]
fn without_scripts_the_page_of_a_run_is_reloaded_where_it_stands() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::with_job("echo one; read _ < gate; echo two");
    let gate = server.gate("gate");
    let run = server.detach("job");
    browser.open(&server.url(&format!("/runs/{run}")));
    browser.wait_for_text("#lines", "one");
    browser.reload();
    browser.wait_for_text("#lines", "one");
    gate.pass();
    browser.wait_for_text("#end", "exit code 0");
    assert_eq!(server.runs("job").len(), 1);
    assert!(!browser.is_shown("#tools"), "what only the script can do is not offered");
}

#[test]
fn a_run_is_cancelled_without_leaving_its_page() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("echo one; sleep 1000");
    open(&browser, &server.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    browser.wait_until("(window.same = true)");
    browser.click("form.cancel button");
    browser.wait_for_text("#end", "cancelled");
    browser.wait_until("window.same");
    browser.wait_for_text("header > .state", "cancelled");
    assert!(!browser.is_shown("form.cancel button"));
    assert_eq!(server.runs("job")[0]["state"], "cancelled");
}

#[test]
fn without_scripts_the_button_that_cancels_leads_back_to_the_run() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::with_job("echo one; sleep 1000");
    browser.open(&server.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    browser.click("form.cancel button");
    wait_for("the browser to be at the run", || browser.url().contains("/runs/"));
    browser.wait_for_text("#end", "cancelled");
    assert_eq!(server.runs("job").len(), 1);
}

#[test]
fn a_run_that_ends_with_its_page_is_not_ended_by_the_script() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start("[jobs.job]\ncommand = 'echo one; read _ < gate; echo two'\non_disconnect = 'cancel'\n");
    let gate = server.gate("gate");
    open(&browser, &server.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    gate.pass();
    browser.wait_for_text("#end", "exit code 0");
    browser.wait_until("document.title === '✓ succeeded job · joblines'");
    assert_eq!(server.runs("job")[0]["state"], "succeeded");
}

#[test]
fn addresses_stay_below_the_path_where_joblines_is_mounted() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with("[jobs.job]\ncommand = 'echo one; sleep 1000'\n").server("base_path = '/base'").start();
    open(&browser, &server.url("/base/jobs/job?time"));
    browser.wait_until("location.pathname.startsWith('/base/runs/') && location.search === '?time='");
    browser.wait_for_text("#lines", "one");
    browser.wait_until(
        "/^.base.assets.icon-running.svg/.test(new URL(document.querySelector('link[rel=icon]').href).pathname)",
    );
    browser.click("form.cancel button");
    browser.wait_for_text("#end", "cancelled");
    browser.reload();
    browser.wait_until("document.title === '⊘ cancelled job · joblines'");
}

#[test]
fn a_queued_run_begins_on_the_same_page() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start("[jobs.job]\ncommand = 'echo one; read _ < gate'\noverlap = 'queue'\n");
    let gate = server.gate("gate");
    let first = server.detach("job");
    server.wait_for_state(&first, "running");
    open(&browser, &server.url("/jobs/job"));
    browser.wait_until("document.title === '… queued job · joblines'");
    gate.pass();
    browser.wait_until("document.title === '● running job · joblines'");
    browser.wait_for_text("header > .state", "running");
    gate.pass();
    browser.wait_until("document.title === '✓ succeeded job · joblines'");
    assert_eq!((crate::lines(&browser).as_str(), server.runs("job").len()), ("one\n", 2));
}

#[test]
fn the_list_of_jobs_is_filtered_while_one_types() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(
        "[jobs.backup]\ncommand = 'true'\ndescription = 'Save the Shop'\n[jobs.clean]\ncommand = 'true'\n\
         [jobs.deploy]\ncommand = 'true'\n",
    );
    browser.open(&server.url("/"));
    browser.wait_until("document.readyState === 'complete'");
    let listed = "[...document.querySelectorAll('.jobs > li')].filter((job) => job.checkVisibility()).length";
    assert_eq!(browser.value(listed), 3);
    browser.type_in("input[name=filter]", "e");
    browser.wait_until(&format!("{listed} === 3"));
    browser.press("\u{E003}"); // Backspace
    browser.type_in("input[name=filter]", "save shop");
    browser.wait_until(&format!("{listed} === 1"));
    assert!(browser.text(".jobs").unwrap().contains("backup"));
    browser.type_in("input[name=filter]", " away");
    browser.wait_until(&format!("{listed} === 0"));
}

//! What a form brings from a browser: the texts that stood in it.

use crate::harness::browser::Browser;
use crate::harness::{Server, wait_for};

/// Offers texts of several lines, by POST and by GET.
const JOBS: &str = r#"
[jobs.post]
command = 'printf "%s|%s" "$PARAM_TEXT" "$PARAM_CHOICE"'
params.text = { default = "\none\ntwo\n" }
params.choice = { choices = ["x", "first\nsecond"], default = "first\nsecond" }

[jobs.get]
command = 'printf "%s" "$PARAM_TEXT"'
methods = ["GET"]
params.text = { default = "one\ntwo" }
"#;

/// Opens the form of `job`, does with it what `fill_in` does, and sends it: what the command got.
fn told(browser: &Browser, server: &Server, job: &str, fill_in: impl Fn()) -> String {
    let before = server.runs(job).len();
    browser.open(&server.url(&format!("/jobs/{job}/form")));
    wait_for("the form", || browser.url().ends_with(&format!("/{job}/form")) && browser.is_shown("textarea"));
    fill_in();
    browser.click("form.start button");
    wait_for("the run", || server.runs(job).len() > before && server.runs(job)[0]["state"] == "succeeded");
    let run = server.runs(job)[0]["run"].as_str().unwrap().to_owned();
    server.get(&format!("/runs/{run}")).text()
}

#[test]
fn the_lines_of_a_default_come_back_as_they_were_configured() {
    for browser in [Browser::with_scripts(), Browser::without_scripts()] {
        let Some(browser) = browser else { return };
        let server = Server::start(JOBS);
        assert_eq!(told(&browser, &server, "post", || {}), "\none\ntwo\n|first\nsecond");
        assert_eq!(told(&browser, &server, "get", || {}), "one\ntwo");
        assert_eq!(told(&browser, &server, "get", || browser.type_in("textarea", "\nthree")), "one\ntwo\nthree");
        browser.wait_for_text("#end", "exit code 0");
        browser.click("form.again button");
        wait_for("the same run again", || {
            server.runs("get").len() == 3 && server.runs("get")[0]["state"] == "succeeded"
        });
        assert_eq!(server.runs("get")[0]["params"]["text"], "one\ntwo\nthree");
    }
}

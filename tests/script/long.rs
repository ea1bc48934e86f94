//! Runs of very many lines: the page stays a page.

use crate::harness::Server;
use crate::harness::browser::Browser;
use crate::{NUMBERS, lines, open, wait_for_end};

#[test]
fn a_page_of_100000_lines_has_them_all_with_scripts_and_without() {
    for browser in [Browser::with_scripts(), Browser::without_scripts()] {
        let Some(browser) = browser else { return };
        let server = Server::with_job("seq 1 100000");
        browser.open(&server.url("/jobs/job"));
        browser.wait_for_text("#end", "exit code 0");
        for line in [1, 50_000, 100_000] {
            assert!(browser.place(&format!("#L{line}")).is_some(), "line {line}");
        }
        assert_eq!(server.runs("job").len(), 1);
    }
}

#[test]
fn a_page_follows_a_run_beyond_100000_lines_and_keeps_the_newest() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("seq 1 100000; read _ < gate; seq 100001 180000; read _ < gate; seq 180001 200000");
    let gate = server.gate("gate");
    open(&browser, &server.url("/jobs/job"));
    browser.wait_until("document.getElementById('L100000') !== null");
    gate.pass();
    browser.wait_until("document.getElementById('L180000') !== null");
    gate.pass();
    wait_for_end(&browser);
    browser.wait_until("document.getElementById('L200000') !== null");
    browser.wait_until("document.querySelectorAll('.part').length <= 23");
    browser.wait_until(
        "document.querySelector('#lines > .gap:first-child')?.dataset.text.startsWith('lines up to ') ?? false",
    );
    let numbers = browser.value(NUMBERS);
    let numbers: Vec<u64> = numbers.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
    assert!(numbers.len() >= 50_000 && numbers.len() <= 115_000, "{} rows", numbers.len());
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(numbers.last(), Some(&200_000));
    let wanted: String = numbers.iter().map(|number| format!("{number}\n")).collect();
    assert!(lines(&browser) == wanted);
}

#[test]
fn a_filter_finds_one_line_among_very_many() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("seq -f 'line %.0f' 1 90000");
    open(&browser, &server.url("/jobs/job?all"));
    wait_for_end(&browser);
    browser.type_in("#filter", "line 77777");
    browser.wait_until("document.getElementById('hits').textContent === '1 of 90,000 lines on this page'");
    assert_eq!(browser.text("#lines").unwrap().trim(), "line 77777");
}

#[test]
fn a_link_to_a_line_leads_to_it_when_the_run_is_long_and_over() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::with_job("seq 1 8000");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    let is_at = |line: u64| {
        browser.wait_until(&format!("document.querySelector(':target')?.id === 'L{line}'"));
        browser.wait_until(
            "(() => { const { top } = document.querySelector(':target').getBoundingClientRect(); \
             return top >= 0 && top < innerHeight; })()",
        );
    };
    for (line, from) in [(123, "?time=1&from=1"), (2500, "?time=1&from=1"), (7000, "?time=1")] {
        browser.open("about:blank");
        browser.open(&server.url(&format!("{run}?time=1#L{line}")));
        is_at(line);
        assert_eq!(browser.value("location.search"), from);
    }
    // there already, and further up
    browser.value("(() => { location.hash = '#L5'; return true; })()");
    is_at(5);
    // what was asked for stays
    browser.open(&server.url(&format!("{run}?tail=3#L5")));
    browser.wait_until("document.getElementById('L8000') !== null && document.getElementById('end') !== null");
    assert_eq!(browser.value("location.search"), "?tail=3");
    assert_eq!(server.runs("job").len(), 1);
}

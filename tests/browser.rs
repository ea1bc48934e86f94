//! The streamed page in a real browser that runs no scripts.

mod harness;

use harness::browser::Browser;
use harness::{Server, wait_for};

/// Properties other than colours that can tell one row from another.
const SHAPES: [&str; 8] = [
    "border-left-style",
    "border-left-width",
    "font-style",
    "font-weight",
    "text-decoration-line",
    "padding-left",
    "box-shadow",
    "background-image",
];

fn shape(browser: &Browser, css: &str) -> Vec<String> {
    SHAPES.iter().map(|property| browser.style(css, property).unwrap_or_default()).collect()
}

#[test]
fn the_first_line_is_on_screen_before_the_second_is_printed() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::with_job("echo one; read _ < gate; echo two; read _ < gate; echo three");
    let gate = server.gate("gate");
    browser.open(&server.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    assert!(browser.text("#lines").is_some_and(|text| !text.contains("two")));
    assert!(!browser.is_shown("#end"));
    gate.pass();
    browser.wait_for_text("#lines", "two");
    gate.pass();
    browser.wait_for_text("#lines", "three");
    browser.wait_for_text("#end", "finished");
    assert_eq!(server.runs("job").len(), 1);
}

#[test]
fn the_end_is_where_the_eye_falls() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::with_job("echo one; exit 3");
    browser.size(1280, 800);
    browser.open(&server.url("/jobs/job"));
    browser.wait_for_text("#end", "exit code 3");
    let [_, top, width, height] = browser.place("#end").unwrap();
    assert!(width > 0.0 && height > 0.0, "the footer is to be seen");
    assert!(top + height < 801.0, "the footer of a short run is on screen, not at {top} with a height of {height}");
    let [_, lines, _, lines_height] = browser.place("#lines").unwrap();
    assert!(top > lines + lines_height - 1.0, "it follows the lines, which end at {}, at {top}", lines + lines_height);
}

#[test]
fn stderr_and_system_lines_differ_by_more_than_colour() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::start("[jobs.job]\ncommand = 'echo out; echo err >&2; sleep 1000 &'\ndrain = '100ms'\n");
    browser.open(&server.url("/jobs/job"));
    browser.wait_for_text("#end", "finished");
    assert!(browser.is_shown(".stderr") && browser.is_shown(".system"));
    let (plain, stderr, system) = (shape(&browser, "#L1"), shape(&browser, ".stderr"), shape(&browser, ".system"));
    assert_ne!(stderr, plain, "{SHAPES:?} of stderr");
    assert_ne!(system, plain, "{SHAPES:?} of system lines");
    assert_ne!(stderr, system, "and from each other");
}

#[test]
fn both_themes_are_dark_on_light_and_light_on_dark() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::with_job("echo one");
    let brightness = |colour: &str| -> f64 {
        let numbers = colour.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(')').split(',');
        numbers.take(3).map(|number| number.trim().parse::<f64>().unwrap()).sum()
    };
    for (scheme, is_dark) in [("light", false), ("dark", true)] {
        browser.scheme(scheme);
        browser.open(&server.url("/jobs/job"));
        browser.wait_for_text("#end", "finished");
        let painted = |css: &str| browser.style(css, "background-color").filter(|colour| !colour.ends_with(", 0)"));
        let behind = brightness(&painted("body").or_else(|| painted("html")).expect("a page has a background"));
        let text = brightness(&browser.style("#lines", "color").unwrap());
        assert_eq!(text > behind, is_dark, "{scheme}: text {text}, behind it {behind}");
        assert!((text - behind).abs() > 350.0, "{scheme}: text {text}, behind it {behind}");
        let font = browser.style("#lines", "font-family").unwrap();
        assert!(font.contains("mono"), "{font}");
    }
}

#[test]
fn a_phone_need_not_be_scrolled_sideways() {
    let Some(browser) = Browser::without_scripts() else { return };
    let long = "a".repeat(2000);
    let server = Server::start(&format!(
        "[jobs.job]\ndescription = 'A job'\ngroup = '{}'\ncommand = \"echo {long}; echo 'words and more words and yet more words in one line'; exit 3\"\n",
        "g".repeat(64)
    ));
    browser.size(390, 844);
    for target in ["/jobs/job", "/", "/runs", "/nowhere", "/jobs/job/form"] {
        browser.open(&server.url(target));
        wait_for("the page", || browser.url().ends_with(target) && browser.is_shown("body"));
        if target == "/jobs/job" {
            browser.wait_for_text("#end", "exit code 3");
        }
        assert_eq!(browser.content_size()[0], 390.0, "{target}");
    }
}

/// Whether two elements stand at least in part on the same place.
fn overlap(one: [f64; 4], other: [f64; 4]) -> bool {
    [0, 1].into_iter().all(|side| one[side] < other[side] + other[side + 2] && other[side] < one[side] + one[side + 2])
}

#[test]
fn a_run_button_covers_nothing_of_the_last_outcome() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::start("[jobs.job]\ncommand = 'kill -SEGV $$'\nparams.a = { default = '' }\n");
    server.get("/jobs/job?wait").whole();
    for width in [320, 390, 480, 700, 860, 1280] {
        browser.size(width, 844);
        browser.open(&server.url("/"));
        browser.wait_for_text(".last", "took");
        let button = browser.place(".starter summary").unwrap();
        for css in [".jobs h2 a", ".last .state", ".last p:first-child", ".last p:last-child"] {
            let place = browser.place(css).unwrap();
            assert!(!overlap(button, place), "at {width}: {css} at {place:?}, the button at {button:?}");
        }
    }
}

#[test]
fn a_banner_stands_above_the_heading_of_a_run_and_a_feed() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::start("[jobs.job]\ncommand = 'echo one'\n[feeds.app]\npush = true\n");
    server.get("/jobs/job").expect(200).whole();
    std::fs::write(server.path("jobs.toml"), "[jobs.job]\ncommnd = 'echo one'\n").unwrap();
    wait_for("the banner", || server.visit("/runs").text().contains("class=\"banner\""));
    for target in ["/jobs/job/last", "/feeds/app"] {
        for width in [390, 1280] {
            browser.size(width, 844);
            browser.open(&server.url(target));
            browser.wait_for_text(".banner", "jobs.toml");
            let [x, y, w, h] = browser.place(".banner").unwrap();
            let [[_, home, _, home_height], [_, name, _, name_height]] =
                ["header nav", "header h1"].map(|css| browser.place(css).unwrap());
            assert!(home >= y + h && name >= y + h, "{target} at {width}: {y} + {h}, then {home} and {name}");
            assert!(home < name + name_height && name < home + home_height, "{target} at {width}: one heading");
            assert!(x + w > 0.9 * f64::from(width), "{target} at {width}: a line of its own");
        }
    }
}

#[test]
fn a_run_is_cancelled_by_a_button_without_scripts() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::with_job("echo one; sleep 1000");
    browser.open(&server.url("/jobs/job"));
    browser.wait_for_text("#lines", "one");
    browser.click("form[action$='/cancel'] button");
    wait_for("the run to be cancelled", || server.runs("job")[0]["state"] == "cancelled");
    wait_for("the browser to be at the run", || browser.url().contains("/runs/"));
    browser.wait_for_text("#end", "finished");
    assert_eq!(server.runs("job").len(), 1);
}

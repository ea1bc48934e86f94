//! Every page, judged by axe-core in a real browser and by the Nu HTML checker: no violation, no error, no warning.
//!
//! Both come from npm, in the versions that `tests/accessibility/package-lock.json` names; `npm ci --ignore-scripts
//! --prefix tests/accessibility` installs them. Without them these tests fail: nothing is skipped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use harness::browser::Browser;
use harness::{Gate, Response, Server, wait_for};
use serde_json::Value;

/// Jobs of every kind; `slow` waits at its gate.
const JOBS: &str = r#"
[jobs.slow]
description = "Takes its time"
command = "echo begun; read _ < gate; echo done"

[jobs.alone]
overlap = "refuse"
command = "read _ < gate"

[jobs.empty]
command = "true"

[jobs.colours]
group = "Output & more"
description = "What a terminal shows, <escaped>"
command = '''
for code in 0 1 2 3 4 7 8 9 31 32 33 34 35 36 37 90 91 92 93 94 95 96 97 41 42 43 44 45 46 47 '38;5;208' '48;2;1;2;3'; do
  printf '\033[%smcode %s\033[0m plain\n' "$code" "$code"
done
printf '  10 %%\r  50 %%\r 100 %%\n'
printf 'tab\tbell\a <b>not bold</b> & \377 \342\200\256 reversed\n'
echo 'warning: this is stderr' >&2
sleep 1000 &
printf 'no newline at the end'
'''
drain = "100ms"

[jobs.failing]
group = "Output & more"
description = "Ends with exit code 3"
command = "echo 'this will not end well' >&2; exit 3"
methods = ["POST"]

[jobs.late]
group = "Output & more"
command = "sleep 1000"
timeout = "100ms"

[jobs.cut]
group = "Output & more"
command = "seq 1 10000"
max_output = "1KiB"

[jobs.a-name-of-64-letters-is-the-longest-there-can-be-and-it-must-fit]
group = "Output & more"
description = "Prints_a_word_that_is_as_long_as_a_line_and_has_no_place_where_it_could_be_broken_in_two_or_more"
command = "seq 1 6000; printf '%0500d\n' 1"

[jobs.told]
group = "Parameters"
description = "One of each kind"
command = "echo $PARAM_TARGET"
params.target = { choices = ["daily", "full"], description = "What to save" }
params.count = { type = "int", min = 1, max = 9, default = 1, description = "How often" }
params.note = { pattern = "^[\\w ]{0,80}$", default = "" }
params.lines = { default = "one\ntwo" }
params.force = { type = "bool", default = false, description = "Whether to go on after a mistake" }
params.must = { type = "bool" }
params.token = { type = "secret" }

[jobs.offers]
group = "Parameters"
command = ["echo", "{branch}"]
params.branch = { choices_from = ["printf", "main\nnext\n"] }

[jobs.fed]
group = "Parameters"
command = "cat"
stdin = "body"
methods = ["POST"]
params.when = { default = "now" }

[feeds.app]
description = "Lines that are pushed, <escaped>"
push = true
[feeds.all]
merge = ["app"]
[feeds.empty]
push = true
[feeds.logs]
description = "What the programs of the shop write, <escaped>"
directory = "logs"
[feeds.nothing]
directory = "nothing"
[feeds.records]
python_logging = { http = true }
"#;

/// The files of the feed `logs`.
const FILES: [&str; 8] = [
    "app.log",
    "a b & <c>.log",
    "größe, 日本語.log",
    "a_name_without_any_place_where_it_could_be_broken_in_two_which_is_much_longer_than_the_smallest_phone_is_wide.log",
    "a-name-of-many-words-with-a-date-and-a-number-behind-it-2026-11-21-0000000001.log.1.gz",
    "monday/foo.log",
    "monday/deeper/and-deeper/a_folder_with_a_name_that_has_no_place_where_it_could_be_broken_in_two/bar.log",
    "a_folder_with_a_name_that_has_no_place_where_it_could_be_broken_in_two_at_all_or_more/bar.log",
];

/// What the feed `app` has.
const LINES: &str = "2026-11-21 13:00:00,1 - app.db - INFO - begun\nERROR:app.db:gone <b>\nTraceback (most recent call last):\n  \
    File \"a.py\", line 1\nKeyError: 1\n\u{1b}[33mWARNING\u{1b}[0m:other:in \u{1b}[1;32mcolours\u{1b}[0m\n\
    CRITICAL:app:bell\u{7}\nDEBUG:app:d\n{\"level\":\"notice\",\"logger\":\"json\"}\nplain\n";

/// What the feed `records` has.
const RECORD: &str = r#"{"message":"gone","level":"error","logger":"app.db","pathname":"/srv/app/db.py","lineno":7,"funcName":"connect",
    "process":42,"threadName":"main","traceback":"Traceback\nKeyError: 1","run":42,"user_agent":"Mozilla/5.0 (X11; Linux x86_64) <b> & more",
    "a_name_that_is_as_long_as_a_line_and_has_no_place_where_it_could_be_broken":"0123456789012345678901234567890123456789"}"#;

/// The job with the longest name.
const LONG: &str = "a-name-of-64-letters-is-the-longest-there-can-be-and-it-must-fit";

/// What a run of `told` is given, so that it is good.
const TOLD: &str = "target=full&token=hidden&must=true&note=for%20those%20who%20read%20the%20history";

/// A server with a history, two runs that are on and one that waits, and the addresses of its pages.
struct Stage {
    server: Server,
    gate: Gate,
    /// What is shown, and an element that is there once it is.
    pages: Vec<(String, &'static str)>,
    /// The addresses of the runs that have not ended.
    live: Vec<String>,
}

impl Stage {
    fn new() -> Stage {
        let builder = Server::with(JOBS).server("max_running = 2");
        for file in FILES.map(|file| builder.path("logs").join(file)) {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, LINES.repeat(1000)).unwrap();
        }
        fs::create_dir_all(builder.path("logs/empty")).unwrap();
        fs::create_dir(builder.path("nothing")).unwrap();
        let server = builder.start();
        let gate = server.gate("gate");
        server.request("PUT", "/feeds/app/lines").body("text/plain", LINES).send().expect(200);
        let record = server.request("POST", "/feeds/records/records").body("application/json", RECORD);
        record.send().expect(204);
        let ended: Vec<String> = ["colours", "failing", "late", "cut", "empty", LONG]
            .map(|job| server.post(&format!("/jobs/{job}?wait")).run())
            .into_iter()
            .chain([server.get(&format!("/jobs/told?wait&{TOLD}")).expect(200).run()])
            .collect();
        let live: Vec<String> =
            ["alone", "slow", "slow"].iter().map(|job| format!("/runs/{}", server.detach(job))).collect();
        server.wait_for_state(live[2].trim_start_matches("/runs/"), "queued");
        let mut pages: Vec<(String, &'static str)> = [
            "/",
            "/?filter=output",
            "/?filter=nothing+is+called+so",
            "/jobs/told/form",
            "/jobs/told?target=other&count=12&note=%21&colour=red",
            "/jobs/told?target=other&count=twelve&must=maybe&lines=&colour=red",
            "/jobs/offers/form",
            "/jobs/fed/form",
            "/jobs/empty/form",
            "/jobs/failing",
            "/runs",
            "/runs?job=colours&state=succeeded&limit=100",
            "/runs?state=lost",
            "/runs?limit=2",
            "/nowhere",
            "/jobs/nosuchjob",
            "/jobs/alone",
            "/runs?colour=red",
        ]
        .map(|target| (target.to_owned(), "main h1"))
        .into();
        pages.push((format!("{}/cancel", live[0]), "main h1"));
        pages.push((format!("/runs?limit=2&before={}", ended[2]), "main h1"));
        pages.extend(ended.iter().map(|run| (format!("/runs/{run}"), "#end")));
        pages.push((format!("/runs/{}?from=2&time=1", ended[0]), "#end"));
        pages.push((format!("/runs/{}?q=code&stream=stdout", ended[0]), "#end"));
        pages.push((format!("{}?follow=0", live[1]), "footer.paused"));
        for target in [
            "/feeds/app?follow=0",
            "/feeds/app?order=newest",
            "/feeds/app?follow=0&level=warning&x=nothing&logger=app&rate=1000",
            "/feeds/app?follow=0&field=logger%3Djson&since=1h&until=2999-01-01T00:00:00Z&level=info,notice",
            "/feeds/records?follow=0",
            "/feeds/all?follow=0",
            "/feeds/empty?follow=0",
        ] {
            pages.push((target.to_owned(), "#end"));
        }
        pages.push(("/feeds/logs/monday/foo.log?follow=0&tail=5".to_owned(), "#end"));
        let deep = FILES[6].trim_end_matches("bar.log");
        for folder in ["logs/", "logs/monday/", &format!("logs/{deep}"), "logs/empty/", "nothing/", "logs/nowhere/"] {
            pages.push((format!("/feeds/{folder}"), "main h1"));
        }
        Stage { server, gate, pages, live }
    }

    /// A page as a browser gets it.
    fn visit(&self, target: &str) -> Response {
        let response = self.server.visit(target);
        let is_page = response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        assert!(is_page, "{target}: {response:?}");
        response
    }
}

/// A server that has nothing to show.
fn bare() -> Server {
    Server::start("")
}

/// A file of one of the checkers.
fn checker(path: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accessibility/node_modules").join(path);
    assert!(
        file.exists(),
        "{} is not there; install it with: npm ci --ignore-scripts --prefix tests/accessibility",
        file.display()
    );
    file
}

/// The rules that are judged by: WCAG 2.0 to 2.2, levels A and AA, and what axe calls best practice.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// What axe finds on the page that the browser is at: the rule, the elements, and why; one string each.
fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    let script = format!(
        "const done = arguments[0];
         {axe};
         const is_drawn = () => [...document.querySelectorAll('link[rel=stylesheet]')].every(link => link.sheet);
         const wait = () => is_drawn() ? Promise.resolve() : new Promise(requestAnimationFrame).then(wait);
         const tell = found => found.violations.map(rule => [rule.id, rule.help,
             ...rule.nodes.map(node => node.html + ' ' + node.failureSummary)].join('\\n    '));
         wait().then(() => axe.run(document, {{ runOnly: {RULES}, resultTypes: ['violations'] }}))
             .then(found => done({{ judged: found.passes.length, violations: tell(found) }}),
                   error => done({{ error: String(error) }}));"
    );
    let found = browser.evaluate_later(&script);
    assert!(found["judged"].as_u64().is_some_and(|rules| rules > 0), "axe judged nothing: {found}");
    let violations = found["violations"].as_array().unwrap();
    violations.iter().map(|violation| violation.as_str().unwrap().to_owned()).collect()
}

/// Opens a page anew and waits until it shows `css`.
fn open(browser: &Browser, url: &str, css: &str) {
    browser.open("about:blank");
    wait_for("an empty page", || browser.url() == "about:blank");
    browser.open(url);
    wait_for(&format!("{css} on {url}"), || browser.url() == url && browser.is_shown(css));
}

/// Every page in a browser: its address, and an element that is there once it is.
fn addresses(stage: &Stage, bare: &Server) -> Vec<(String, &'static str)> {
    let of_stage = stage.pages.iter().map(|(target, css)| (stage.server.url(target), *css));
    let of_live = stage.live.iter().map(|target| (stage.server.url(target), "#lines"));
    let of_bare = ["/", "/runs"].map(|target| (bare.url(target), "main h1"));
    of_stage.chain(of_live).chain(of_bare).collect()
}

/// How a page is looked at: width, height, scheme.
const LOOKS: [(u32, u32, &str); 4] =
    [(1180, 800, "light"), (1180, 800, "dark"), (390, 844, "light"), (390, 844, "dark")];

#[test]
fn no_page_breaks_a_rule_of_accessibility() {
    let axe = fs::read_to_string(checker("axe-core/axe.min.js")).unwrap();
    let (stage, bare) = (Stage::new(), bare());
    let pages = addresses(&stage, &bare);

    let judge = |looks: &[(u32, u32, &str)]| {
        let browser =
            Browser::with_scripts().expect("Chromium judges the pages: apt-get install chromium chromium-driver");
        browser.open("data:text/html,<title>x</title><img src=x>");
        wait_for("a page with mistakes", || browser.url().starts_with("data:"));
        assert!(!violations(&browser, &axe).is_empty(), "axe finds mistakes where there are some");
        let mut found = Vec::new();
        for &(width, height, scheme) in looks {
            browser.size(width, height);
            browser.scheme(scheme);
            for (url, css) in &pages {
                open(&browser, url, css);
                let violations = violations(&browser, &axe);
                found.extend(violations.into_iter().map(|rule| format!("{url} ({width}, {scheme})\n  {rule}")));
            }
        }
        found
    };
    let (desk, phone) = LOOKS.split_at(2);
    let found = thread::scope(|scope| {
        let judges = [desk, phone].map(|looks| scope.spawn(move || judge(looks)));
        judges.map(|judge| judge.join().unwrap()).concat()
    });
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_page_is_wider_than_the_smallest_phone() {
    const WIDTH: u32 = 320;
    let browser = Browser::with_scripts().expect("Chromium judges the pages: apt-get install chromium chromium-driver");
    let (stage, bare) = (Stage::new(), bare());
    browser.size(WIDTH, 568);
    let width = |browser: &Browser| browser.value("document.documentElement.scrollWidth").as_u64().unwrap();
    browser.open("data:text/html,<meta name=viewport content=width=device-width><div style=width:330px>wide</div>");
    wait_for("a page that is too wide", || browser.url().starts_with("data:"));
    assert!(width(&browser) > WIDTH.into(), "a page that is too wide is found to be so");

    let mut found = Vec::new();
    for (url, css) in addresses(&stage, &bare) {
        open(&browser, &url, css);
        browser.wait_until("[...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.sheet)");
        let open_all = "document.querySelectorAll('details').forEach((details) => (details.open = true))";
        for script in ["null", open_all] {
            browser.value(script);
            let width = width(&browser);
            if width > WIDTH.into() {
                found.push(format!("{url}: {width} px ({script})"));
            }
        }
    }
    assert!(found.is_empty(), "wider than {WIDTH} px:\n{}", found.join("\n"));
}

/// What the Nu checker says that is no fault of the page: a part of its message, and why it is let pass.
const KNOWN: [(&str, &str); 0] = [];

/// What the Nu HTML checker has to say about the files in a folder: file and message.
fn judge_html(folder: &Path) -> Vec<(String, String)> {
    let mut java = Command::new("java");
    java.arg("-jar").arg(checker("vnu-jar/build/dist/vnu.jar"));
    // what language an output is in is not the page's affair
    let told =
        java.args(["--stdout", "--exit-zero-always", "--no-langdetect", "--format", "json"]).arg(folder).output();
    let told = told.expect("the Nu HTML checker runs on Java: apt-get install default-jre-headless");
    let report: Value = serde_json::from_slice(&told.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&[told.stdout, told.stderr].concat())));
    let messages = report["messages"].as_array().unwrap().iter().map(|message| {
        let file = message["url"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned();
        (file, message.to_string())
    });
    messages.filter(|(_, message)| !KNOWN.iter().any(|(part, _)| message.contains(part))).collect()
}

#[test]
fn every_page_is_valid_html() {
    let (stage, bare) = (Stage::new(), bare());
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, page: &[u8]| fs::write(folder.path().join(name), page).unwrap();
    let watched: Vec<Response> = stage.live.iter().map(|target| stage.visit(target)).collect();
    for (number, (target, _)) in stage.pages.iter().enumerate() {
        save(&format!("page-{number}.html"), &stage.visit(target).whole());
    }
    for (number, target) in stage.live.iter().enumerate() {
        save(&format!("so-far-{number}.html"), &stage.visit(&format!("{target}?follow=0")).whole());
    }
    for (number, target) in ["/", "/runs"].iter().enumerate() {
        save(&format!("bare-{number}.html"), &bare.visit(target).whole());
    }
    stage.gate.pass_many(3);
    for (number, page) in watched.into_iter().enumerate() {
        save(&format!("watched-{number}.html"), &page.whole());
    }
    save("mistaken.html", b"<!DOCTYPE html><title>x</title><p><div>");

    let told = judge_html(folder.path());
    assert!(told.iter().any(|(file, _)| file == "mistaken.html"), "it finds mistakes where there are some");
    let found: Vec<_> = told.into_iter().filter(|(file, _)| file != "mistaken.html").collect();
    let named = |file: &str| {
        let number = file.strip_prefix("page-").and_then(|rest| rest.strip_suffix(".html")?.parse::<usize>().ok());
        number.map_or(file.to_owned(), |number| stage.pages[number].0.clone())
    };
    let lines: Vec<_> = found.iter().map(|(file, message)| format!("{}: {message}", named(file))).collect();
    assert!(found.is_empty(), "{} messages:\n{}", found.len(), lines.join("\n"));
}

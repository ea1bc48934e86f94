//! Takes the pictures of the pages: runs that are on, failed and finished, the jobs, a form as it is and with mistakes, the
//! history, an error; a run's page with what the script adds, in each of its states; in both themes, on a desk and on a
//! phone; and what is printed.
//!
//! They go to `target/tmp/pictures`, or to the folder that `JOBLINES_PICTURES` names (relative to the project).
//! `docs/front.png` is `front-desk-light` of them, `docs/phone.png` `scripted-filtered-phone-dark`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;
use std::path::{Path, PathBuf};

use harness::browser::Browser;
use harness::{Gate, Server, wait_for};
use serde_json::json;

/// Jobs that look like something; `deploy` waits at its gate.
const JOBS: &str = r#"
[jobs.deploy]
group = "Shop"
description = "Build, test and roll out the shop"
command = '''
printf '\033[1m==> Fetching\033[0m origin/main\n'
echo 'HEAD is now at 3f2a91c Take the basket along after login'
printf '\033[1m==> Building\033[0m\n'
printf '\033[32m   Compiling\033[0m basket v2.3.1\n\033[32m   Compiling\033[0m shop v7.0.4\n'
sleep 0.1
echo 'warning: unused variable: `coupon`' >&2
echo '  --> src/basket.rs:118:9' >&2
sleep 0.1
printf '\033[32m    Finished\033[0m release in 12.4 s\n'
printf '\033[1m==> Testing\033[0m\n'
echo 'test checkout::empty_basket ... ok'
echo 'test checkout::price_is_rounded_once ... ok'
printf '[#####               ]  25%%\r[##########          ]  50%%\r[###############     ]  75%% of 214 tests'
read _ < gate
printf '\r[####################] 100%% of 214 tests\n'
printf '\033[1m==> Rolling out\033[0m\n'
echo 'web-1 \342\234\223   web-2 \342\234\223   web-3 \342\234\223'
echo 'Done: https://shop.example.org runs 3f2a91c'
'''
[jobs.migrate]
group = "Database"
methods = ["POST"]
description = "Bring the database up to date"
command = '''
echo 'Applying 0041_add_coupons ... ok'
echo 'Applying 0042_split_address ...'
sleep 0.1
echo 'ERROR: column "street" contains null values' >&2
echo 'STATEMENT: ALTER TABLE address ALTER COLUMN street SET NOT NULL' >&2
exit 3
'''
[jobs.backup]
group = "Database"
description = "Save the database, then start the watcher"
command = "seq -f 'table %02g saved' 1 6; sleep 1000 &"
drain = "200ms"
[jobs.restore]
group = "Database"
description = "Put a saved database in the place of the one in use, once nobody writes to it any more"
command = ["./restore", "{when}", "{tables}"]
params.when = { pattern = "^\\d{4}-\\d{2}-\\d{2}$", description = "The day of the backup" }
params.tables = { choices = ["all", "orders", "customers"], default = "all", description = "What comes back" }
params.jobs = { type = "int", min = 1, max = 8, default = 4, description = "How many tables at once" }
params.force = { type = "bool", default = false, description = "Whether to go on after a table that fails" }
params.password = { type = "secret", description = "Of the database; it is kept nowhere" }
params.note = { default = "", description = "For those who read the history" }
[jobs.import-prices-of-all-suppliers-from-their-nightly-spreadsheets]
group = "Shop"
description = "Reads the spreadsheets of the night, compares each price with the one of the day before, and says which ones differ by more than a tenth"
command = "seq 1 12000"
[jobs.release]
group = "Shop"
description = "One at a time"
overlap = "queue"
command = "echo begun; sleep 1000"
[jobs.watch]
description = "Follow the queue of orders"
command = "echo watching; sleep 1000"
[feeds.shop]
description = "Everything that the shop says"
push = true
[feeds.everything]
description = "All of it, each line with where it came from"
merge = ["shop"]
"#;

/// What the feed says, after many lines of the same.
const LINES: &str = "\
INFO:shop.basket:user 42 put sku-118 into the basket
DEBUG:shop.db.pool:SELECT * FROM basket WHERE user = 42 AND open ORDER BY added
WARNING:shop.prices:the prices of the night are late by 12 minutes
ERROR:shop.basket:the basket of user 42 cannot be priced
Traceback (most recent call last):
  File \"/srv/shop/basket.py\", line 118, in add_to_basket
    price = prices[item]
            ~~~~~~^^^^^^
KeyError: 'sku-118'
2026-11-21 13:00:00,123 - shop.checkout.payment - INFO - payment of 12.50 EUR by card ending in 4242 accepted after 1.2 s
\u{1b}[32m   Compiling\u{1b}[0m basket v2.3.1 <shop@example.org>
{\"level\":\"fatal\",\"logger\":\"worker\",\"msg\":\"out of memory\"}
";

/// The pages that hold still: name, address, and an element that says that it is there.
const STILL: [(&str, &str, &str); 10] = [
    ("front", "/", "main h1"),
    ("found", "/?filter=database", ".found"),
    ("form", "/jobs/restore/form", "form.start"),
    ("mistakes", "/jobs/restore?when=yesterday&tables=prices&jobs=12&note=before+the+sale", ".problem"),
    ("history", "/runs", "table.runs"),
    ("error", "/jobs/restroe", ".error"),
    ("feed", "/feeds/shop?from=200&follow=0", "#end"),
    ("feed-newest", "/feeds/everything?order=newest", "#end"),
    ("feed-filtered", "/feeds/shop?follow=0&level=warning&x=late&rate=1000#L203", "#end"),
    ("feed-full", "/feeds/shop?from=1", "#end.full"),
];

/// Where the pictures go.
fn folder() -> PathBuf {
    let folder = match std::env::var_os("JOBLINES_PICTURES") {
        Some(folder) => Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures"),
    };
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Takes one picture, and checks that it is one: a PNG of the window's width that is not of one colour alone.
fn take(browser: &Browser, name: &str, width: u32) {
    let png = browser.screenshot();
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!(png[16..20], width.to_be_bytes(), "{name}");
    assert!(png.len() > 3000, "{name}: nothing to see in {} bytes", png.len());
    fs::write(folder().join(format!("{name}.png")), png).unwrap();
}

/// Fills the feed: a few hundred lines, those worth a picture, and more than a page may have.
fn push(server: &Server) {
    let some = |count: usize| "INFO:shop.health:all is well\n".repeat(count);
    let lines = some(200) + LINES + &some(5500) + LINES;
    server.request("PUT", "/feeds/shop/lines").body("text/plain", lines).send().expect(200);
}

/// Shows `deploy` while it runs and after it has ended.
fn take_deploy(browser: &Browser, server: &Server, gate: &Gate, name: &str, width: u32) {
    browser.open(&server.url("/jobs/deploy"));
    browser.wait_for_text("#lines", "75%");
    take(browser, &format!("running-{name}"), width);
    gate.pass();
    browser.wait_for_text("#end", "finished");
    take(browser, &format!("finished-{name}"), width);
}

#[test]
fn pictures_of_every_page_are_taken() {
    let Some(browser) = Browser::without_scripts() else { return };
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    let failed = server.post("/jobs/migrate?wait").run();
    let left_behind = server.post("/jobs/backup?wait").run();
    server.get("/jobs/import-prices-of-all-suppliers-from-their-nightly-spreadsheets?wait").expect(200);
    server.get("/jobs/restore?wait&when=2026-11-01&password=hidden&note=before%20the%20sale");
    server.detach("watch");
    push(&server);
    for (device, width, height) in [("desk", 1100, 640), ("phone", 390, 844)] {
        for theme in ["light", "dark"] {
            let name = format!("{device}-{theme}");
            browser.size(width, height);
            browser.scheme(theme);
            take_deploy(&browser, &server, &gate, &name, width);
            for (run, page) in [(&failed, "failed"), (&left_behind, "left-behind")] {
                browser.open(&server.url(&format!("/runs/{run}")));
                browser.wait_for_text("#end", "finished");
                take(&browser, &format!("{page}-{name}"), width);
            }
            for (page, target, css) in STILL {
                let url = server.url(target);
                browser.open(&url);
                wait_for(page, || browser.url() == url && browser.is_shown(css));
                assert_eq!(browser.content_size()[0], f64::from(width), "{page} is as wide as the window");
                take(&browser, &format!("{page}-{name}"), width);
            }
        }
    }
}

/// Types into the script's filter.
fn filter(browser: &Browser, text: &str, hits: &str) {
    browser.value("document.getElementById('filter').value = ''");
    browser.type_in("#filter", text);
    browser.wait_until(&format!("document.getElementById('hits').textContent.includes('{hits}')"));
}

/// Shows `deploy` in every state that the script knows.
fn take_scripted(browser: &Browser, server: &Server, gate: &Gate, name: &str, width: u32) {
    let take = |page: &str| {
        let right = browser.content_size()[0];
        assert_eq!(right, f64::from(width), "{page} is as wide as the window");
        take(browser, &format!("scripted-{page}-{name}"), width);
    };
    browser.open(&server.url("/jobs/deploy"));
    browser.wait_for_text("#lines", "75%");
    browser.wait_until("!document.querySelector('.elapsed').hidden");
    take("running");
    filter(browser, "warning", "1 of 12");
    take("filtered");
    filter(browser, "/(war", "expression");
    take("mistyped");
    browser.press("\u{E00C}");
    browser.click("#pause");
    browser.wait_until("document.getElementById('pause').ariaPressed === 'true'");
    gate.pass();
    browser.wait_for_text("#end", "finished");
    take("paused");
    browser.click("#pause");
    browser.wait_until("document.getElementById('pause').hidden");
    take("finished");
}

#[test]
fn pictures_of_what_the_script_adds_are_taken() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    let failed = server.post("/jobs/migrate?wait").run();
    server.wait_for_state(&server.detach("release"), "running");
    let queued = server.detach("release");
    for (device, width, height) in [("desk", 1180, 700), ("phone", 390, 844)] {
        for theme in ["light", "dark"] {
            let name = format!("{device}-{theme}");
            browser.size(width, height);
            browser.scheme(theme);
            take_scripted(&browser, &server, &gate, &name, width);
            for (page, target, title) in [
                ("failed", format!("/runs/{failed}"), "✗ failed"),
                ("sifted", format!("/runs/{failed}?q=ERROR&stream=stderr"), "✗ failed"),
                ("queued", format!("/runs/{queued}"), "… queued"),
            ] {
                let url = server.url(&target);
                browser.open(&url);
                wait_for(page, || browser.url() == url);
                browser.wait_until(&format!("document.title.startsWith('{title}')"));
                assert_eq!(browser.content_size()[0], f64::from(width), "{page} is as wide as the window");
                take(&browser, &format!("scripted-{page}-{name}"), width);
            }
        }
    }
}

#[test]
fn pictures_of_what_is_printed_are_taken() {
    let Some(browser) = Browser::with_scripts() else { return };
    let server = Server::start(JOBS);
    let failed = server.post("/jobs/migrate?wait").run();
    browser.size(720, 1000);
    for (page, target, css) in [
        ("failed", format!("/runs/{failed}"), "#end"),
        ("front", "/".to_owned(), "main h1"),
        ("form", "/jobs/restore/form".to_owned(), "main h1"),
        ("history", "/runs".to_owned(), "main h1"),
    ] {
        let url = server.url(&target);
        browser.open(&url);
        wait_for(page, || browser.url() == url && browser.is_shown(css));
        let dark = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
        browser.devtools("Emulation.setEmulatedMedia", &json!({ "media": "print", "features": dark }));
        browser.wait_until("[...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.sheet)");
        for tool in ["#tools", "button", "summary", "input", "select", "header nav"] {
            assert!(!browser.is_shown(tool), "{page}: {tool} is of no use on paper");
        }
        assert_eq!(browser.style("body", "background-color").as_deref(), Some("rgba(255, 255, 255, 1)"), "{page}");
        assert_eq!(browser.content_size()[0], 720.0, "{page} is as wide as the paper");
        take(&browser, &format!("printed-{page}"), 720);
    }
}

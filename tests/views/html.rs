//! The streamed page: its rows, its colours, its footer.

use crate::harness::{Server, html};
use crate::{page, run};

#[test]
fn each_line_is_a_row_with_its_number() {
    let page = page(&Server::with_job("echo one; echo two; echo three"));
    for (number, text) in [(1, "one\n"), (2, "two\n"), (3, "three\n")] {
        assert_eq!(html::text_of(&page, &format!("L{number}")), text);
    }
    assert_eq!(html::text_of(&page, "lines"), "one\ntwo\nthree\n");
}

#[test]
fn stderr_and_system_lines_have_their_class() {
    let server = Server::start(
        "[jobs.job]\ncommand = 'echo told; echo warned >&2; sleep 1000 & echo $! >&2'\ndrain = '100ms'\n",
    );
    let run = run(&server);
    let page = server.visit(&run).text();
    assert!(html::classes_around(&page, "warned").contains(&"stderr".to_owned()), "{page}");
    assert!(html::classes_around(&page, "sleep 1000").contains(&"system".to_owned()), "{page}");
    assert!(!html::classes_around(&page, "told").iter().any(|class| class == "stderr" || class == "system"), "{page}");
}

#[test]
fn the_page_ends_with_the_footer() {
    let page = page(&Server::with_job("echo one"));
    let end = page.split_once("</pre>").unwrap().1;
    assert!(end.trim_start().starts_with("<footer"), "the footer follows the lines at once: {end}");
    assert!(page.trim_end().ends_with("</footer></body></html>"), "{page}");
    assert_eq!(html::attribute_of(&page, "end", "class").as_deref(), Some("succeeded"));
    assert_eq!(html::attribute_of(&page, "end", "data-exit-code").as_deref(), Some("0"));
}

#[test]
fn the_footer_tells_a_signal_and_a_timeout() {
    let killed = page(&Server::with_job("kill -9 $$"));
    assert!(html::text_of(&killed, "end").contains("SIGKILL"), "{killed}");
    assert_eq!(html::attribute_of(&killed, "end", "class").as_deref(), Some("failed"));
    let late = page(&Server::start("[jobs.job]\ncommand = 'sleep 1000'\ntimeout = '200ms'\n"));
    assert_eq!(html::attribute_of(&late, "end", "class").as_deref(), Some("timed_out"));
    assert!(html::text_of(&late, "end").trim().starts_with("finished"), "{late}");
}

#[test]
fn colours_become_classes() {
    let page = page(&Server::with_job(
        r"printf 'plain \033[31mred\033[0m \033[1;32mbold green\033[m \033[38;5;208morange\033[0m finis\n'",
    ));
    assert_eq!(html::text_of(&page, "L1"), "plain red bold green orange finis\n");
    let classes = |needle: &str| html::classes_around(&page, needle).join(" ");
    assert_ne!(classes("red"), classes("plain"), "{page}");
    assert_ne!(classes("bold green"), classes("red"), "{page}");
    assert_ne!(classes("orange"), classes("plain"), "{page}");
    assert_eq!(classes(" finis"), classes("plain"), "the colour ends where it was reset: {page}");
    assert!(!page.contains('\u{1b}') && !page.contains("[31m") && !page.contains("style="), "{page}");
}

#[test]
fn a_colour_that_is_left_on_reaches_over_lines_and_not_into_the_page() {
    let page = page(&Server::with_job(r"printf '\033[31mred\nstill red\n'"));
    let classes = |needle: &str| html::classes_around(&page, needle).join(" ");
    assert_eq!(classes("still red"), classes("red"), "{page}");
    assert_ne!(classes("finished"), classes("red"), "{page}");
}

#[test]
fn a_carriage_return_rewrites_its_line() {
    let server = Server::with_job(r"printf ' 10%%\r 50%%\r100%%\n'; printf 'next\r\n'");
    let run = run(&server);
    let page = server.visit(&run).text();
    assert_eq!(html::text_of(&page, "lines"), "100%\nnext\n");
    assert_eq!(server.get(&run).text(), " 10%\r 50%\r100%\nnext\r\n", "text keeps the bytes");
}

#[test]
fn a_progress_bar_is_seen_while_it_moves() {
    let server =
        Server::with_job(r"printf ' 10%%\r'; read _ < gate; printf ' 50%%\r'; read _ < gate; printf '100%%\n'");
    let gate = server.gate("gate");
    let mut page = server.visit("/jobs/job");
    page.until("10%");
    gate.pass();
    page.until("50%");
    gate.pass();
    page.until("100%");
}

#[test]
fn a_page_names_its_job_and_leads_back() {
    let page = page(&Server::with_job("echo one"));
    let title = page.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
    assert!(title.contains("job"), "{title}");
    assert!(page.contains("href=\"/\""), "a link to the front page: {page}");
    assert!(page.contains("charset") && page.contains("viewport"), "{page}");
}

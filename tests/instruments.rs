//! The harness itself, against a server of a few lines: a test can only be trusted if its instruments are.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::process::Command;

use harness::browser::Browser;
use harness::stub::stub;
use harness::{Gate, html, processes, run_to_end, wait_for};

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Joblines-State\r\n\r\n";

#[test]
fn a_chunked_body_is_read_as_it_comes_with_its_trailers() {
    let (address, say) = stub();
    say.send([CHUNKED, b"4\r\none\n\r\n3\r\ntwo\r\n"].concat()).unwrap();
    let mut response = address.request("GET", "/").send().expect(200);
    assert_eq!(response.line(), "one");
    say.send(b"6\r\n\nthree\r\n0\r\nJoblines-State: succeeded\r\n\r\n".to_vec()).unwrap();
    assert_eq!(response.until("thr"), "two\nthr");
    assert_eq!(response.rest(), b"ee");
    assert!(!response.is_broken_off());
    assert_eq!(response.trailer("joblines-state"), Some("succeeded"));
}

#[test]
fn a_body_that_breaks_off_is_told_from_one_that_ends() {
    for (wire, broken) in [
        (&b"Transfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n0\r\n\r\n"[..], false),
        (b"Transfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n", true),
        (b"Transfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n5\r\nab", true),
        (b"Content-Length: 4\r\n\r\none\n", false),
        (b"Content-Length: 5\r\n\r\none\n", true),
        (b"\r\none\n", false),
    ] {
        let (address, say) = stub();
        say.send([b"HTTP/1.1 200 OK\r\n", wire].concat()).unwrap();
        drop(say);
        let mut response = address.request("GET", "/").send();
        assert_eq!(response.rest().get(..4).unwrap_or(b"one\n"), b"one\n");
        assert_eq!(response.is_broken_off(), broken, "{}", String::from_utf8_lossy(wire));
    }
}

#[test]
fn an_answer_to_head_has_no_body() {
    let (address, say) = stub();
    say.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec()).unwrap();
    assert_eq!(address.request("HEAD", "/").send().text(), "");
}

#[test]
fn a_real_server_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "a\n").unwrap();
    let mut python = Command::new("python3");
    python.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(folder.path()).arg("0");
    let Ok(mut child) = python.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn() else {
        return harness::cannot("python3 is not installed");
    };
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let port: u16 = line.split_whitespace().nth(5).unwrap().parse().unwrap();
    let address = harness::Address::Tcp(([127, 0, 0, 1], port).into());
    let found = address.request("GET", "/a.txt").send();
    assert_eq!((found.status, found.header("content-length")), (200, Some("2")));
    assert_eq!(found.text(), "a\n");
    assert_eq!(address.request("GET", "/b.txt").send().status, 404);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_gate_holds_a_shell_until_it_is_passed() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::new(&folder.path().join("gate"));
    let mut shell = Command::new("sh");
    shell.args(["-c", "read _ < gate; read _ < gate; touch through"]).current_dir(folder.path());
    let mut shell = shell.spawn().unwrap();
    gate.pass();
    assert!(shell.try_wait().unwrap().is_none());
    assert!(!folder.path().join("through").exists());
    gate.pass();
    assert!(shell.wait().unwrap().success());
    assert!(folder.path().join("through").exists());
}

#[test]
fn processes_are_seen_by_state_group_and_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut sleeper = Command::new("sleep").arg("1000").current_dir(folder.path()).spawn().unwrap();
    let pid = sleeper.id();
    wait_for("the sleeper to be there", || processes::around(folder.path()) == [pid]);
    assert!(processes::is_alive(pid));
    assert_eq!(processes::see(pid).unwrap().parent, std::process::id());
    assert!(processes::memory(pid).peak > 0);
    processes::send(pid, rustix::process::Signal::KILL);
    wait_for("the sleeper to be a zombie", || processes::zombies_of(std::process::id()).iter().any(|z| z.pid == pid));
    assert!(!processes::is_alive(pid));
    sleeper.wait().unwrap();
    assert!(processes::see(pid).is_none());
}

#[test]
fn a_program_that_ends_leaves_its_code_and_what_it_said() {
    let ended = run_to_end(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]));
    assert_eq!((ended.code, ended.text().as_str(), ended.one_line()), (Some(3), "out\n", "err"));
}

#[test]
fn a_page_is_checked_and_read() {
    let page = "<!doctype html>\n<html><head><title>a > b</title><meta charset=utf-8></head><body class='x y'>\
                <!-- <b> --><pre id=\"lines\"><span id=L1>1 &lt; 2 &amp;&#39;\n</span><span id=L2 class=\"stderr a\">e</span>\
                </pre></body></html>";
    html::assert_whole(page);
    assert_eq!(html::text_of(page, "lines"), "1 < 2 &'\ne");
    assert_eq!(html::text_of(page, "L1"), "1 < 2 &'\n");
    assert_eq!(html::attribute_of(page, "L2", "class").as_deref(), Some("stderr a"));
    assert_eq!(html::classes_around(page, "e"), ["x y", "stderr a"]);
    for broken in ["<b><i></b></i>", "<b>", "</b>"] {
        let page = page.replace("</body>", &format!("{broken}</body>"));
        assert!(std::panic::catch_unwind(|| html::assert_whole(&page)).is_err(), "{broken}");
    }
}

#[test]
fn a_browser_shows_a_page_while_it_comes() {
    let Some(browser) = Browser::without_scripts() else { return };
    let (address, say) = stub();
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
    let start = b"<!doctype html><title>t</title><meta name=viewport content='width=device-width'>\
                  <pre id=lines><b class=x style='color:#ff0000'>one\n</b>";
    say.send([&head[..], start].concat()).unwrap();
    browser.size(390, 800);
    browser.scheme("dark");
    browser.open(&format!("http://{}/", address.host()));
    browser.wait_for_text("#lines", "one");
    assert!(browser.text("#lines").is_some_and(|text| !text.contains("two")));
    say.send(b"two\n<script>document.getElementById('lines').textContent = 'script'</script>".to_vec()).unwrap();
    browser.wait_for_text("#lines", "two");
    drop(say);
    assert!(browser.is_shown("#lines") && !browser.is_shown("#none"));
    assert_eq!(browser.style("#lines .x", "color").as_deref(), Some("rgba(255, 0, 0, 1)"));
    assert_eq!(browser.content_size()[0], 390.0);
    assert!(browser.place("#lines").is_some_and(|[x, _, width, _]| x >= 0.0 && width <= 390.0));
    assert_eq!(browser.screenshot()[..8], *b"\x89PNG\r\n\x1a\n");
}

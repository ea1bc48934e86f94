//! Feeds of a real Redis server: signed in to, lost and found again, encrypted, by a socket.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Server, cannot, processes, run_to_end, wait_for};
use crate::live::{Running, lines, path, record, said, texts, wait_for_lines, wait_for_records};

/// A Redis server in a folder of its own.
struct Redis {
    folder: TempDir,
    port: u16,
    arguments: Vec<String>,
    running: Option<Running>,
}

impl Redis {
    /// Starts one, if it is installed.
    fn start(arguments: &[&str]) -> Option<Redis> {
        // nobody else is given it meanwhile, or this fails loudly
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
        let mut redis = Redis { folder: tempfile::tempdir().unwrap(), port, arguments, running: None };
        redis.restart().then_some(redis)
    }

    fn restart(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--unixsocket", "redis.sock"]);
        command.arg("--dir").arg(self.folder.path()).current_dir(self.folder.path());
        if !self.arguments.iter().any(|word| word == "--tls-port") {
            command.args(["--port", &self.port.to_string()]);
        }
        command.args(self.arguments.iter().map(|word| word.replace("PORT", &self.port.to_string())));
        self.running = Running::start(&mut command);
        if self.running.is_none() {
            cannot("redis-server is not installed");
            return false;
        }
        wait_for("redis to listen", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
        true
    }

    fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    fn signal(&self, signal: Signal) {
        processes::send(self.running.as_ref().unwrap().pid(), signal);
    }

    fn client(&self) -> Client {
        Client(BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap()))
    }
}

/// A client that says one command after the other.
struct Client(BufReader<TcpStream>);

impl Client {
    /// The first line of the answer.
    fn try_do(&mut self, words: &[&[u8]]) -> std::io::Result<String> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend([format!("${}\r\n", word.len()).as_bytes(), word, b"\r\n"].concat());
        }
        self.0.get_mut().write_all(&request)?;
        let mut answer = String::new();
        self.0.read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }

    fn publish(&mut self, channel: &str, payload: &[u8]) {
        let answer = self.try_do(&[b"PUBLISH", channel.as_bytes(), payload]).unwrap();
        assert_eq!(answer, ":1", "somebody listens");
    }
}

fn feed(url: &str, more: &str) -> String {
    format!("[feeds.red]\nredis = \"{url}\"\nchannel = \"my:channel\"\n{more}\n")
}

/// Waits until the feed has subscribed for the `times`th time.
fn wait_for_subscription(server: &Server, times: usize) {
    let subscribed = || server.log().matches("subscribed to channels").count();
    wait_for("the subscription", || subscribed() >= times);
}

#[test]
fn any_payload_is_one_line_or_one_record() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = Server::start(&feed(&format!("redis://127.0.0.1:{}", redis.port), ""));
    wait_for_subscription(&server, 1);
    let mut client = redis.client();
    let mut names: Vec<_> =
        fs::read_dir(path("fixtures/redis-log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    names.sort();
    for name in &names {
        client.publish("my:channel", &fs::read(name).unwrap());
    }
    let known = names.len();
    wait_for_records(&server, "red", known as u64);
    for (name, line) in names.iter().zip(lines(&server, "red")) {
        assert_eq!(line["stream"], "record", "{name:?}");
        assert!(line["record"]["file"].is_string() && line["logger"].is_string(), "{line}");
    }
    let payloads: [&[u8]; 9] = [
        b"plain ERROR text",
        b"with its newline\n",
        b"",
        b"two\nlines",
        b"\xff\xfe not text",
        b"\xff\nnot text",
        b"{\"msg\": NaN}",
        b"[1, 2]",
        b"{\n  \"msg\": \"pretty\",\n  \"level\": \"error\"\n}\n",
    ];
    for payload in payloads {
        client.publish("my:channel", payload);
    }
    wait_for_records(&server, "red", (known + payloads.len()) as u64);
    let lines = &lines(&server, "red")[known..];
    let streams: Vec<_> = lines.iter().map(|line| line["stream"].as_str().unwrap()).collect();
    let (plain, record) = ("stdout", "record");
    assert_eq!(streams, [plain, plain, plain, record, plain, record, plain, plain, record]);
    let texts: Vec<_> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts[..4], ["plain ERROR text", "with its newline", "", "two\nlines"]);
    assert_eq!((texts[7], texts[8]), ("[1, 2]", "pretty"));
    assert_eq!(
        (&lines[4]["base64"], &lines[5]["record"]["extra"]["base64"]),
        (&"//4gbm90IHRleHQ=".into(), &"/wpub3QgdGV4dA==".into())
    );
}

#[test]
fn what_python_redis_log_publishes_leaves_as_it_came_with_its_message_merged() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = Server::start(&feed(&format!("redis://127.0.0.1:{}", redis.port), ""));
    wait_for_subscription(&server, 1);
    let mut events = server.get("/feeds/red/events").expect(200);
    let mut client = redis.client();
    let mut names: Vec<_> =
        fs::read_dir(path("fixtures/redis-log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let payload = fs::read(&name).unwrap();
        client.publish("my:channel", &payload);
        let event = events.until("\n\n");
        let (_, data) = event.split_once("data: ").unwrap();
        let object: Value = serde_json::from_str(data).unwrap();
        let mut sent: Value = serde_json::from_slice(&payload).unwrap();
        let (msg, is_merged) = (sent["msg"].clone(), sent["args"].as_array().unwrap().is_empty());
        assert_eq!(object["msg"] == msg, is_merged, "{object}");
        if sent["traceback"] == "None" {
            sent["traceback"] = Value::Null;
        }
        (sent["msg"], sent["args"]) = (object["msg"].clone(), json!([]));
        assert_eq!(object, sent, "{name:?}");
        if name.ends_with("args.json") {
            assert_eq!(object["msg"], "job build took 1234 ms (0.50)");
        }
    }
    client.publish("my:channel", b"plain");
    let event = events.until("\n\n");
    assert!(event.contains("\"name\":\"red\"") && event.contains("\"msg\":\"plain\""), "{event}");
}

#[test]
fn a_server_that_is_killed_under_load_is_lost_and_found_and_nothing_is_torn() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    let server = Server::start(&feed(&format!("redis://127.0.0.1:{}", redis.port), ""));
    wait_for_subscription(&server, 1);
    let (received, go_on) = (AtomicU64::new(0), AtomicBool::new(true));
    thread::scope(|scope| {
        let load = |mut client: Client| {
            let (received, go_on) = (&received, &go_on);
            scope.spawn(move || {
                for number in 0_u64.. {
                    let payload = format!("{{\"msg\":\"number %d\",\"args\":[{number}],\"level\":\"info\",\"name\":\"load\",\"line_no\":1,\"funcname\":\"f\"}}");
                    match client.try_do(&[b"PUBLISH", b"my:channel", payload.as_bytes()]) {
                        Ok(answer) if answer == ":1" => received.fetch_add(1, Ordering::SeqCst),
                        Ok(answer) if answer == ":0" => 0,
                        _ => return,
                    };
                    if !go_on.load(Ordering::SeqCst) {
                        return;
                    }
                }
            })
        };
        let first = load(redis.client());
        wait_for_records(&server, "red", 2000);
        redis.kill();
        first.join().unwrap();
        wait_for("the loss to be said", || said(&server, "red").len() == 1);
        assert!(redis.restart());
        let second = load(redis.client());
        wait_for_subscription(&server, 2);
        let before = record(&server, "red")["brought"]["records"].as_u64().unwrap();
        wait_for_records(&server, "red", before + 2000);
        go_on.store(false, Ordering::SeqCst);
        second.join().unwrap();
    });
    let said = said(&server, "red");
    assert!(said[0].starts_with("source lost: ") && said.len() >= 2, "{said:?}");
    assert_eq!(said.last().unwrap(), "source back: lines may be missing");
    let texts = texts(&server, "red");
    assert!(texts.iter().all(|text| text.starts_with("number ")));
    // what was in flight when it was killed is the server's loss
    assert!(texts.len() as u64 <= received.load(Ordering::SeqCst) + 1, "{} of {received:?}", texts.len());
    let numbers: Vec<u64> = texts.iter().map(|text| text["number ".len()..].parse().unwrap()).collect();
    let again = numbers.windows(2).filter(|two| two[1] != two[0] + 1).count();
    assert_eq!(again, 1, "in order, without a gap but the one");
}

#[test]
fn a_user_signs_in_and_a_wrong_password_is_said() {
    let arguments = ["--requirepass", "top", "--user", "anna", "on", ">secret", "~*", "&*", "+@all"];
    let Some(redis) = Redis::start(&arguments) else { return };
    let at = format!("127.0.0.1:{}", redis.port);
    let anna = Server::start(&feed(&format!("redis://anna:secret@{at}"), ""));
    let nobody = Server::start(&feed(&format!("redis://:top@{at}"), ""));
    wait_for_subscription(&anna, 1);
    wait_for_subscription(&nobody, 1);
    for (url, expected) in [(format!("redis://anna:wrong@{at}"), "takes neither"), (format!("redis://{at}"), "NOAUTH")]
    {
        let server = Server::start(&feed(&url, ""));
        wait_for_lines(&server, "red", 1);
        let said = said(&server, "red");
        assert!(said[0].starts_with("source lost: ") && said[0].contains(expected), "{said:?}");
        assert!(!said[0].contains(":wrong") && !server.log().contains("secret"));
    }
    let mut client = redis.client();
    assert_eq!(client.try_do(&[b"AUTH", b"top"]).unwrap(), "+OK");
    assert_eq!(client.try_do(&[b"PUBLISH", b"my:channel", b"x"]).unwrap(), ":2");
    for server in [&anna, &nobody] {
        wait_for_records(server, "red", 1);
        assert_eq!(texts(server, "red"), ["x"]);
    }
}

#[test]
fn patterns_say_their_channel_and_a_list_is_read_the_first_time_alone() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    redis.client().try_do(&[b"RPUSH", b"my:list", b"{\"msg\":\"old\"}", b"older\nstill", b"plain"]).unwrap();
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let config = format!("[feeds.red]\nredis = \"{url}\"\nchannel = [\"one\", \"logs:*\"]\nlist = \"my:list\"\n");
    let mut server = Server::start(&config);
    wait_for_records(&server, "red", 3);
    redis.client().publish("logs:web", b"{\"msg\":\"new\"}");
    redis.client().publish("one", b"{\"msg\":\"newer\"}");
    wait_for_records(&server, "red", 5);
    assert_eq!(texts(&server, "red"), ["old", "older\nstill", "plain", "new", "newer"]);
    let channel = |at: usize| lines(&server, "red")[at]["record"]["extra"]["channel"].clone();
    assert_eq!([channel(0), channel(3), channel(4)], ["my:list", "logs:web", "one"]);
    server.stop();
    server.restart();
    wait_for_subscription(&server, 2);
    redis.kill();
    assert!(redis.restart());
    redis.client().try_do(&[b"RPUSH", b"my:list", b"again"]).unwrap();
    wait_for_subscription(&server, 3);
    redis.client().publish("one", b"last");
    wait_for_records(&server, "red", 1);
    assert_eq!(texts(&server, "red").last().unwrap(), "last");
    assert_eq!(texts(&server, "red").len(), 6);
}

#[test]
fn a_list_is_read_though_the_server_was_not_there_at_first_and_joblines_was_restarted() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    redis.kill();
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let mut server = Server::start(&feed(&url, "list = \"my:list\""));
    wait_for("the loss to be said", || said(&server, "red").len() == 1);
    server.stop();
    assert!(redis.restart());
    redis.client().try_do(&[b"RPUSH", b"my:list", b"one", b"two"]).unwrap();
    server.restart();
    wait_for_records(&server, "red", 2);
    server.stop();
    server.restart();
    wait_for_subscription(&server, 2);
    redis.client().publish("my:channel", b"three");
    wait_for_records(&server, "red", 1);
    assert_eq!(texts(&server, "red"), ["one", "two", "three"]);
}

#[test]
fn of_a_list_of_large_elements_the_last_are_read_and_none_is_held_whole() {
    let Some(redis) = Redis::start(&[]) else { return };
    let mut client = redis.client();
    let large = vec![b'x'; 1 << 20];
    for _ in 0..70 {
        client.try_do(&[b"RPUSH", b"my:list", &large]).unwrap();
    }
    client.try_do(&[b"RPUSH", b"my:list", &vec![b'y'; 100 << 20], b"last"]).unwrap();
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let server = Server::start(&feed(&url, "list = \"my:list\"\nkeep_bytes = \"1GiB\""));
    wait_for_records(&server, "red", 9);
    let told = record(&server, "red");
    assert_eq!((&told["brought"]["records"], &told["lines"]), (&9.into(), &10.into()));
    assert_eq!(texts(&server, "red").last().unwrap(), "last");
    let said = said(&server, "red");
    assert_eq!(said, ["a message of 104857600 bytes on `my:list` is not kept: 1048576 are the most"]);
}

#[test]
fn a_server_that_falls_silent_is_lost_and_found() {
    let Some(redis) = Redis::start(&[]) else { return };
    let server = Server::start(&feed(&format!("redis://127.0.0.1:{}", redis.port), ""));
    wait_for_subscription(&server, 1);
    redis.signal(Signal::STOP);
    wait_for("the loss to be said", || !said(&server, "red").is_empty());
    assert_eq!(said(&server, "red")[0], "source lost: the server did not answer within 5 s");
    redis.signal(Signal::CONT);
    wait_for_subscription(&server, 2);
    assert_eq!(said(&server, "red").last().unwrap(), "source back: lines may be missing");
    redis.client().publish("my:channel", b"awake");
    wait_for_records(&server, "red", 1);
    assert_eq!(texts(&server, "red"), ["awake"]);
}

#[test]
fn a_payload_beyond_the_bound_is_said_and_the_next_one_comes() {
    let Some(redis) = Redis::start(&["--client-output-buffer-limit", "pubsub 0 0 0"]) else { return };
    let server = Server::start(&feed(&format!("redis+unix://{}/redis.sock", redis.folder.path().display()), ""));
    wait_for_subscription(&server, 1);
    let mut client = redis.client();
    client.publish("my:channel", &vec![b'x'; 1 << 20]);
    wait_for_records(&server, "red", 1);
    let grown = server.growth_during(|| {
        client.publish("my:channel", &vec![b'y'; 200 << 20]);
        client.publish("my:channel", b"next");
        wait_for_records(&server, "red", 2);
    });
    assert!(grown < 50 << 20, "{grown} bytes for what is not kept");
    let said = said(&server, "red");
    assert_eq!(said, ["a message of 209715200 bytes on `my:channel` is not kept: 1048576 are the most"]);
    assert_eq!(texts(&server, "red").last().unwrap(), "next");
    assert_eq!(record(&server, "red")["brought"]["bad_frames"], 1);
}

/// A certificate of an authority of our own for 127.0.0.1, and its key.
fn make_certificates(folder: &std::path::Path) -> bool {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority 2>&1 && \
                  openssl req -newkey rsa:2048 -nodes -keyout key.pem -out csr.pem -subj /CN=redis 2>&1 && \
                  printf 'subjectAltName=IP:127.0.0.1\\n' > ext && \
                  openssl x509 -req -in csr.pem -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out crt.pem 2>&1";
    run_to_end(Command::new("sh").args(["-c", script]).current_dir(folder)).code == Some(0)
}

#[test]
fn tls_wants_a_certificate_that_this_machine_trusts() {
    let folder = tempfile::tempdir().unwrap();
    if !make_certificates(folder.path()) {
        return cannot("openssl is not installed");
    }
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (crt, key, ca) = (file("crt.pem"), file("key.pem"), file("ca.crt"));
    let tls = ["--port", "0", "--tls-port", "PORT", "--tls-auth-clients", "no"];
    let files = ["--tls-cert-file", &crt, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let Some(redis) = Redis::start(&[&tls[..], &files].concat()) else { return };
    let config = feed(&format!("rediss://127.0.0.1:{}", redis.port), "");
    let trusting = Server::with(&config).env("SSL_CERT_FILE", &ca).start();
    wait_for_subscription(&trusting, 1);
    let socket = redis.folder.path().join("redis.sock");
    let ended = run_to_end(Command::new("redis-cli").arg("-s").arg(socket).args(["publish", "my:channel", "hidden"]));
    assert_eq!(ended.text().trim(), "1", "{}", ended.stderr);
    wait_for_records(&trusting, "red", 1);
    assert_eq!(texts(&trusting, "red"), ["hidden"]);

    let doubting = Server::start(&config);
    wait_for_lines(&doubting, "red", 1);
    let said = said(&doubting, "red");
    assert!(said[0].starts_with("source lost: ") && !said[0].contains("back"), "{said:?}");
}

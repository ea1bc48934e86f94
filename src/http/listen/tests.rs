//! Connections from the client's side: raw bytes through real sockets, because what is asked here is about bytes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::{get, post};
use http_body::Frame;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::config::Listen;

/// Bounds a hang; nothing waits for it otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    address: String,
    stop: Stop,
    served: JoinHandle<()>,
}

impl Running {
    fn start(router: Router, limits: Limits) -> Running {
        let listener = Listener::bind(&Listen::Tcp("127.0.0.1:0".to_owned())).unwrap();
        let address = listener.url("").replace("http://", "");
        let stop = Stop::default();
        let served = tokio::spawn(serve(vec![listener], router.into(), limits, stop.clone()));
        Running { address, stop, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    async fn ended(self) {
        timeout(PATIENCE, self.served).await.expect("it ends").unwrap();
    }
}

fn limits(head: u64, idle: u64) -> Limits {
    let timeouts = Timeouts { head: Duration::from_millis(head), idle: Duration::from_millis(idle) };
    Limits { max_connections: 100, timeouts }
}

/// `/` says who asks; `/large` is 32 MiB in one piece.
fn router() -> Router {
    let who = |request: Request| async move { format!("{:?}!", request.extensions().get::<Peer>()) };
    let large = || async { Bytes::from(vec![b'x'; 32 << 20]) };
    Router::new().route("/", get(who)).route("/large", get(large))
}

/// What writes the body of an answer, until it is dropped.
type Pen = mpsc::UnboundedSender<&'static str>;

struct Written(mpsc::UnboundedReceiver<&'static str>);

impl http_body::Body for Written {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|text| text.map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}

/// A router whose every answer is written by the test, and the pens of the answers it began.
fn written_by_hand() -> (Router, mpsc::UnboundedReceiver<Pen>) {
    let (pens, begun) = mpsc::unbounded_channel();
    let answer = move || {
        let (pen, text) = mpsc::unbounded_channel();
        pens.send(pen).unwrap();
        async { Body::new(Written(text)) }
    };
    (Router::new().route("/", get(answer)), begun)
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Reads until `end` has come; what was read.
async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let count = timeout(PATIENCE, stream.take(1).read_buf(&mut read)).await.expect("more comes").unwrap();
        assert_ne!(count, 0, "ended after {:?}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}

/// Reads until the server closes the connection; what was read.
async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut read = Vec::new();
    // a reset ends a connection too
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("it ends");
    read
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    stream.write_all(REQUEST).await.unwrap();
    read_until(stream, "!").await
}

#[tokio::test]
async fn a_request_knows_its_peer_and_how_it_came_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    let listeners = vec![
        Listener::bind(&Listen::Tcp("127.0.0.1:0".to_owned())).unwrap(),
        Listener::bind(&Listen::Unix(path.clone())).unwrap(),
    ];
    let address = listeners[0].url("").replace("http://", "");
    let stop = Stop::default();
    let served = tokio::spawn(serve(listeners, router().into(), limits(10_000, 10_000), stop.clone()));

    let mut tcp = TcpStream::connect(&address).await.unwrap();
    let expected = format!("Some(Tcp({}))!", tcp.local_addr().unwrap());
    assert!(ask(&mut tcp).await.ends_with(&expected));
    assert!(ask(&mut UnixStream::connect(&path).await.unwrap()).await.ends_with("Some(Unix)!"));

    stop.gently.cancel();
    timeout(PATIENCE, served).await.expect("it ends").unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn http_2_is_spoken_without_tls_and_rests_no_longer_than_allowed() {
    let server = Running::start(router(), limits(5_000, 200));
    let io = TokioIo::new(server.connect().await);
    let (mut client, connection) =
        hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get(format!("http://{}/", server.address)).body(Empty::new()).unwrap();
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.version(), axum::http::Version::HTTP_2);
    assert!(response.into_body().collect().await.unwrap().to_bytes().starts_with(b"Some(Tcp("));
    let _ = timeout(PATIENCE, connection).await.expect("the server closes it").unwrap();
}

#[tokio::test]
async fn a_head_that_trickles_in_is_not_waited_for() {
    let server = Running::start(router(), limits(300, 60_000));
    let begun = Instant::now();
    let mut first = server.connect().await;
    first.write_all(b"GET / HT").await.unwrap();
    let mut silent = server.connect().await;
    let mut second = server.connect().await;
    ask(&mut second).await;
    second.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    for stream in [&mut first, &mut silent, &mut second] {
        assert_eq!(read_to_end(stream).await, b"");
    }
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_head_that_begins_behind_another_in_one_write_is_not_waited_for_longer() {
    let server = Running::start(router(), limits(300, 60_000));
    let mut stream = server.connect().await;
    stream.write_all(&[REQUEST, b"GET / HTTP/1.1\r\nHo"].concat()).await.unwrap();
    read_until(&mut stream, "!").await;
    assert_eq!(read_to_end(&mut stream).await, b"");
}

/// A router that says whether a request was ambiguous, once its body is there.
fn judging() -> Router {
    let judge = |request: Request| async move {
        let is_ambiguous = request.extensions().get::<Ambiguous>().is_some();
        let body = request.into_body().collect().await.map(|body| body.to_bytes());
        format!("{is_ambiguous} {}!", String::from_utf8_lossy(&body.unwrap_or_default()))
    };
    Router::new().route("/", get(judge).post(judge))
}

#[tokio::test]
async fn every_request_is_judged_however_many_come_at_once() {
    const LONG: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab\r\n\r\n";
    const BOTH: &[u8] =
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    let server = Running::start(judging(), limits(60_000, 60_000));
    for before in [&[][..], &[REQUEST], &[LONG], &[REQUEST, LONG, LONG, REQUEST]] {
        let mut stream = server.connect().await;
        stream.write_all(&[&before.concat(), BOTH, REQUEST].concat()).await.unwrap();
        for request in before {
            let expected = if *request == LONG { "false ab\r\n\r\n!" } else { "false !" };
            assert!(read_until(&mut stream, "!").await.ends_with(&format!("\r\n\r\n{expected}")));
        }
        let last = String::from_utf8(read_to_end(&mut stream).await).unwrap();
        assert!(last.contains("connection: close\r\n") && last.ends_with("\r\n\r\ntrue x!"), "{last}");
    }
}

#[tokio::test]
async fn a_request_that_comes_while_another_is_answered_is_judged() {
    let (router, mut begun) = written_by_hand();
    let server = Running::start(router.merge(Router::new().nest("/judged", judging())), limits(60_000, 60_000));
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    let pen = begun.recv().await.unwrap();
    let head = b"POST /judged HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    stream.write_all(head).await.unwrap();
    // hyper has read it by the time it writes
    pen.send("written\n").unwrap();
    read_until(&mut stream, "written\n\r\n").await;
    drop(pen);
    read_until(&mut stream, "0\r\n\r\n").await;
    assert!(read_to_end(&mut stream).await.ends_with(b"true !"));
}

#[tokio::test]
async fn what_comes_in_chunks_is_followed_by_further_requests() {
    let server = Running::start(judging(), limits(60_000, 60_000));
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    read_until(&mut stream, "!").await;
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    stream.write_all(&[&head[..], REQUEST].concat()).await.unwrap();
    assert!(read_until(&mut stream, "x!").await.ends_with("\r\n\r\nfalse x!"));
    assert!(read_until(&mut stream, "!").await.ends_with("\r\n\r\nfalse !"));
}

#[tokio::test]
async fn a_connection_at_rest_is_kept_longer_than_a_head_is_waited_for() {
    let server = Running::start(router(), limits(100, 600));
    let mut stream = server.connect().await;
    ask(&mut stream).await;
    let begun = Instant::now();
    assert_eq!(read_to_end(&mut stream).await, b"");
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_may_take_as_long_as_it_takes() {
    let (router, mut begun) = written_by_hand();
    let server = Running::start(router, limits(100, 100));
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    let pen = begun.recv().await.unwrap();
    sleep(Duration::from_millis(400)).await;
    pen.send("late\n").unwrap();
    read_until(&mut stream, "late\n\r\n").await;
    drop(pen);
    assert_eq!(read_to_end(&mut stream).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn a_body_may_take_as_long_as_it_takes_even_after_the_answer() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let answer = move |request: Request| async move {
        tokio::spawn(async move { tell.send(request.into_body().collect().await.ok().map(|body| body.to_bytes())) });
        "ok!"
    };
    let server = Running::start(Router::new().route("/", post(answer)), limits(100, 100));
    let mut stream = server.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab").await.unwrap();
    read_until(&mut stream, "ok!").await;
    sleep(Duration::from_millis(400)).await;
    stream.write_all(b"cd").await.unwrap();
    assert_eq!(told.recv().await.unwrap().as_deref(), Some(&b"abcd"[..]));
    assert_eq!(read_to_end(&mut stream).await, b"", "then it rests no longer than any other");
}

#[tokio::test]
async fn a_slow_reader_gets_every_byte_even_after_the_stop() {
    let server = Running::start(router(), limits(100, 100));
    let mut stream = server.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).await.unwrap();
    server.stop.gently.cancel();
    sleep(LONGER_THAN_LINGERING).await;
    assert!(read_to_end(&mut stream).await.len() > 32 << 20);
    server.ended().await;
}

const LONGER_THAN_LINGERING: Duration = Duration::from_millis(1300);

#[tokio::test]
async fn a_stop_lets_answers_end_and_closes_what_rests() {
    let (router, mut begun) = written_by_hand();
    let server = Running::start(router, limits(60_000, 60_000));
    let mut busy = server.connect().await;
    busy.write_all(REQUEST).await.unwrap();
    let pen = begun.recv().await.unwrap();
    let mut resting = server.connect().await;
    resting.write_all(REQUEST).await.unwrap();
    drop(begun.recv().await.unwrap());
    read_until(&mut resting, "0\r\n\r\n").await;
    let mut silent = server.connect().await;
    let mut hesitating = server.connect().await;
    hesitating.write_all(b"GET / HT").await.unwrap();

    server.stop.gently.cancel();
    for stream in [&mut resting, &mut silent, &mut hesitating] {
        assert_eq!(read_to_end(stream).await, b"");
    }
    assert!(TcpStream::connect(&server.address).await.is_err());
    assert!(!server.served.is_finished());
    pen.send("the end\n").unwrap();
    drop(pen);
    assert!(read_to_end(&mut busy).await.ends_with(b"the end\n\r\n0\r\n\r\n"));
    server.ended().await;
}

#[tokio::test]
async fn a_second_word_cuts_what_is_left() {
    let (router, mut begun) = written_by_hand();
    let server = Running::start(router, limits(60_000, 60_000));
    let mut busy = server.connect().await;
    busy.write_all(REQUEST).await.unwrap();
    let _pen = begun.recv().await.unwrap();
    server.stop.gently.cancel();
    server.stop.now.cancel();
    assert!(!read_to_end(&mut busy).await.ends_with(b"0\r\n\r\n"));
    server.ended().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let (router, mut begun) = written_by_hand();
    let server = Running::start(router, Limits { max_connections: 1, ..limits(60_000, 60_000) });
    let mut first = server.connect().await;
    first.write_all(REQUEST).await.unwrap();
    let pen = begun.recv().await.unwrap();
    let mut second = server.connect().await;
    second.write_all(REQUEST).await.unwrap();
    assert!(timeout(Duration::from_millis(200), begun.recv()).await.is_err());
    drop(first);
    timeout(PATIENCE, begun.recv()).await.expect("its turn has come");
    assert!(pen.is_closed());
}

#[tokio::test]
async fn a_head_has_its_bounds() {
    let server = Running::start(router(), limits(60_000, 60_000));
    let head = |target: usize, field: usize| {
        let (target, field) = ("x".repeat(target), "y".repeat(field));
        format!("GET /?{target} HTTP/1.1\r\nHost: localhost\r\nField: {field}\r\n\r\n")
    };
    for (target, field, status) in [(65_000, 64_000, "200"), (66_000, 1, "414"), (1, 140_000, "431")] {
        let mut stream = server.connect().await;
        let (mut reading, mut writing) = stream.split();
        let head = head(target, field);
        // the server may answer, and close, before it has all of it
        let (_, answer) = tokio::join!(writing.write_all(head.as_bytes()), read_until(&mut reading, " "));
        let mut code = [0; 3];
        reading.read_exact(&mut code).await.unwrap();
        assert_eq!((answer.as_str(), &code[..]), ("HTTP/1.1 ", status.as_bytes()));
    }
}

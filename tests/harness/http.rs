//! A small HTTP/1.1 client over plain sockets: it reads a body as it comes and knows how it ended. It never reconnects,
//! follows or retries.

use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use memchr::memmem;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::DEADLINE;

/// Where a server listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// A connection that gives up at the deadline.
    pub fn connect(&self) -> std::io::Result<Box<dyn Socket>> {
        match self {
            Address::Tcp(address) => {
                let socket = TcpStream::connect(address)?;
                socket.set_read_timeout(Some(DEADLINE))?;
                socket.set_write_timeout(Some(DEADLINE))?;
                Ok(Box::new(socket))
            }
            Address::Unix(path) => {
                let socket = UnixStream::connect(path)?;
                socket.set_read_timeout(Some(DEADLINE))?;
                socket.set_write_timeout(Some(DEADLINE))?;
                Ok(Box::new(socket))
            }
        }
    }

    /// What a client says in `Host`.
    pub fn host(&self) -> String {
        match self {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        }
    }

    /// A request to be sent there.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request {
            to: self.clone(),
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

/// Both kinds of socket.
pub trait Socket: Read + Write + Send {}
impl<S: Read + Write + Send> Socket for S {}

/// A request that has not been sent.
#[derive(Clone)]
pub struct Request {
    to: Address,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn accept(self, types: &str) -> Self {
        self.header("Accept", types)
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// Sends it and waits for the head of the answer.
    pub fn send(&self) -> Response {
        match self.try_send() {
            Ok(response) => response,
            Err(error) => panic!("{} {}: {error}", self.method, self.target),
        }
    }

    /// Sends it, and waits for the head of the answer elsewhere: for answers that come late.
    pub fn send_head_later(self) -> JoinHandle<Response> {
        let mut socket = self.to.connect().expect("the server listens");
        socket.write_all(&self.wire()).expect("the server takes a request");
        thread::spawn(move || {
            let head = Response::read_head(BufReader::with_capacity(64 * 1024, socket), &self);
            head.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
        })
    }

    /// The same, for a server that may not be there.
    pub fn try_send(&self) -> std::io::Result<Response> {
        let mut socket = self.to.connect()?;
        // a server may refuse before it has read everything: what counts is its answer
        let _ = socket.write_all(&self.wire());
        Response::read_head(BufReader::with_capacity(64 * 1024, socket), self)
    }

    fn wire(&self) -> Vec<u8> {
        let has = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !has("Host") {
            head += &format!("Host: {}\r\n", self.to.host());
        }
        if !has("Accept") {
            head += "Accept: */*\r\n";
        }
        if !has("Content-Length") && (!self.body.is_empty() || self.method == "POST") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// How the end of a body is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// How a body ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Whole,
    BrokenOff,
}

/// An answer whose head has been read, and its body as far as somebody asked for it.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    asked: String,
    source: BufReader<Box<dyn Socket>>,
    framing: Framing,
    unread: Vec<u8>,
    end: Option<End>,
    trailers: Vec<(String, String)>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} {:?}", self.asked, self.status, self.headers)
    }
}

impl Response {
    /// Reads the head of an answer to `request` from `source`.
    pub fn read_head(mut source: BufReader<Box<dyn Socket>>, request: &Request) -> std::io::Result<Self> {
        let mut status_line = wire_line(&mut source)?;
        while status_line.contains(" 100 ") {
            read_fields(&mut source)?;
            status_line = wire_line(&mut source)?;
        }
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status: u16 = status.ok_or_else(|| std::io::Error::other(format!("no status in {status_line:?}")))?;
        let headers = read_fields(&mut source)?;
        let framing = if request.method == "HEAD" || status == 204 || status == 304 {
            Framing::Length(0)
        } else if find(&headers, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            Framing::Chunked
        } else if let Some(length) = find(&headers, "content-length") {
            Framing::Length(length.parse().map_err(std::io::Error::other)?)
        } else {
            Framing::UntilClose
        };
        let asked = format!("{} {}", request.method, request.target.chars().take(200).collect::<String>());
        Ok(Response { status, headers, asked, source, framing, unread: Vec::new(), end: None, trailers: Vec::new() })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The run that this answer shows, from `Joblines-Run`.
    pub fn run(&self) -> String {
        self.header("joblines-run").unwrap_or_else(|| panic!("no Joblines-Run in {self:?}")).to_owned()
    }

    /// Fails unless the status is `status`, and then tells what came instead.
    pub fn expect(mut self, status: u16) -> Self {
        if self.status != status {
            let body = String::from_utf8_lossy(&self.rest()).into_owned();
            panic!("expected {status}: {self:?}\n{body}");
        }
        self
    }

    /// Reads on until there is more to look at; false at the end of the body.
    fn read_more(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        match self.next_piece() {
            Ok(None) => self.end = Some(End::Whole),
            Ok(Some(piece)) => self.unread.extend_from_slice(&piece),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("{}: nothing more came; unread so far: {}", self.asked, self.unread_tail())
            }
            Err(_) => self.end = Some(End::BrokenOff),
        }
        self.end.is_none()
    }

    fn next_piece(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        match self.framing {
            Framing::Length(0) => Ok(None),
            Framing::Length(left) => {
                let piece = read_up_to(&mut self.source, left)?;
                self.framing = Framing::Length(left - piece.len() as u64);
                Ok(Some(piece))
            }
            Framing::UntilClose => match read_up_to(&mut self.source, u64::MAX) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
                read => read.map(Some),
            },
            Framing::Chunked => self.next_chunk(),
        }
    }

    fn next_chunk(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let line = wire_line(&mut self.source)?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(std::io::Error::other)?;
        if size == 0 {
            self.trailers = read_fields(&mut self.source)?;
            return Ok(None);
        }
        let mut piece = vec![0; size + 2];
        self.source.read_exact(&mut piece)?;
        piece.truncate(size);
        Ok(Some(piece))
    }

    /// The next line without its newline; `None` at the end of the body.
    pub fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.unread) {
                let line: Vec<u8> = self.unread.drain(..=at).collect();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if !self.read_more() {
                let last = std::mem::take(&mut self.unread);
                return (!last.is_empty()).then(|| String::from_utf8_lossy(&last).into_owned());
            }
        }
    }

    /// The next line, which has to come.
    pub fn line(&mut self) -> String {
        self.next_line().unwrap_or_else(|| panic!("{}: the body ended before the next line", self.asked))
    }

    /// Everything up to and with the first `pattern`, which has to come.
    pub fn until(&mut self, pattern: &str) -> String {
        let start = Instant::now();
        let mut searched = 0;
        loop {
            if let Some(at) = memmem::find(&self.unread[searched..], pattern.as_bytes()) {
                let taken: Vec<u8> = self.unread.drain(..searched + at + pattern.len()).collect();
                return String::from_utf8_lossy(&taken).into_owned();
            }
            searched = self.unread.len().saturating_sub(pattern.len());
            let goes_on = self.read_more();
            assert!(goes_on, "{}: ended before {pattern:?}; last: {}", self.asked, self.unread_tail());
            assert!(start.elapsed() < DEADLINE, "{}: no {pattern:?}; last: {}", self.asked, self.unread_tail());
        }
    }

    /// What has come by now, or comes next; `None` at the end of the body.
    pub fn next_bytes(&mut self) -> Option<Vec<u8>> {
        if self.unread.is_empty() {
            self.read_more();
        }
        (!self.unread.is_empty()).then(|| std::mem::take(&mut self.unread))
    }

    /// Everything that is still to come, however it ends.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.read_more() {}
        std::mem::take(&mut self.unread)
    }

    /// Everything that is still to come, which has to end properly.
    pub fn whole(mut self) -> Vec<u8> {
        let bytes = self.rest();
        assert!(!self.is_broken_off(), "{} was broken off after {} bytes", self.asked, bytes.len());
        bytes
    }

    /// The same as text.
    pub fn text(self) -> String {
        String::from_utf8_lossy(&self.whole()).into_owned()
    }

    /// The same as one JSON value.
    pub fn json(self) -> Value {
        let asked = self.asked.clone();
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{asked}: {error} in {text:?}"))
    }

    /// The same as one JSON value a line.
    pub fn ndjson(self) -> Vec<Value> {
        let text = self.text();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line:?}"))).collect()
    }

    /// Reads to the proper end without keeping it: how many bytes came, and their digest.
    pub fn digest(mut self) -> (u64, [u8; 32]) {
        let (mut count, mut hasher) = (0, Sha256::new());
        loop {
            count += self.unread.len() as u64;
            hasher.update(&self.unread);
            self.unread.clear();
            if !self.read_more() {
                assert!(!self.is_broken_off(), "{} was broken off after {count} bytes", self.asked);
                return (count, hasher.finalize().into());
            }
        }
    }

    /// Whether the connection went away before the body's end; known once the body has been read.
    pub fn is_broken_off(&self) -> bool {
        assert!(self.end.is_some() || self.framing == Framing::Length(0), "{}: not read to the end", self.asked);
        self.end == Some(End::BrokenOff)
    }

    /// A trailer; known once the body has been read.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name)
    }

    fn unread_tail(&self) -> String {
        let tail = self.unread.len().saturating_sub(2000);
        format!("{:?}", String::from_utf8_lossy(&self.unread[tail..]))
    }
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// At least one byte, at most `limit`; the end of the stream is an error.
fn read_up_to(source: &mut impl BufRead, limit: u64) -> std::io::Result<Vec<u8>> {
    let buffer = source.fill_buf()?;
    if buffer.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let count = buffer.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
    let piece = buffer[..count].to_vec();
    source.consume(count);
    Ok(piece)
}

fn wire_line(source: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = Vec::new();
    source.read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\r\n") {
        Some(text) => Ok(String::from_utf8_lossy(text).into_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn read_fields(source: &mut impl BufRead) -> std::io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = wire_line(source)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| std::io::Error::other(format!("field {line:?}")))?;
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
}

//! The client: one server, asked over HTTP/1.1, and the verbs that ask it. It follows no redirect, uses no proxy and
//! speaks no TLS.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

mod events;
pub mod run;
mod server;
mod terminal;

pub use events::{Event, Events, NotEvents, Text};
pub use server::{BadServer, Server};
pub use terminal::{Side, Terminal};

/// How long a server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a server that says nothing is asked whether it is still there.
const PROBE: Duration = Duration::from_secs(30);
/// The most of a refusal that is read.
const MAX_REFUSAL: usize = 64 * 1024;

/// A way to ask one server.
#[derive(Clone, Debug)]
pub struct Client {
    server: Server,
}

/// Why a request got no answer.
#[derive(Debug, Error)]
pub enum Failure {
    /// Nobody took the connection.
    #[error("cannot connect to {server} ({error}): is `joblines serve` running there?")]
    Connect {
        /// The server as it was named.
        server: Server,
        /// What the system said.
        error: io::Error,
    },
    /// Somebody did, but gave no answer in HTTP.
    #[error("{server} gave no answer ({error}): is it a joblines server?")]
    Answer {
        /// The server as it was named.
        server: Server,
        /// What was wrong.
        error: hyper::Error,
    },
    /// The path cannot be asked for.
    #[error("`{path}` cannot be asked for ({error})")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        error: hyper::http::Error,
    },
}

impl Client {
    /// A client of `server`. Nothing is connected yet.
    pub fn new(server: Server) -> Self {
        Client { server }
    }

    /// Asks for `path`, which begins with a slash and may have a query, in the format `accept`.
    pub async fn get(&self, path: &str, accept: &str) -> Result<Response<Incoming>, Failure> {
        self.send(Method::GET, path, accept).await
    }

    /// Posts an empty body to `path`.
    pub async fn post(&self, path: &str, accept: &str) -> Result<Response<Incoming>, Failure> {
        self.send(Method::POST, path, accept).await
    }

    /// How a person can reach `path`.
    pub fn address_of(&self, path: &str) -> String {
        self.server.address_of(path)
    }

    async fn send(&self, method: Method, path: &str, accept: &str) -> Result<Response<Incoming>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(self.server.target(path))
            .header(header::HOST, self.server.host())
            .header(header::ACCEPT, accept)
            .header(header::USER_AGENT, concat!("joblines/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|error| Failure::Path { path: path.to_owned(), error })?;
        let answer = match &self.server {
            Server::Tcp { host, port, .. } => {
                let stream = self.connect(TcpStream::connect((host.as_str(), *port))).await?;
                let probes = TcpKeepalive::new().with_time(PROBE).with_interval(PROBE / 3);
                // without it a server that vanished is noticed late, and that is all
                let _ = SockRef::from(&stream).set_tcp_keepalive(&probes);
                exchange(stream, request).await
            }
            Server::Unix { path } => exchange(self.connect(UnixStream::connect(path)).await?, request).await,
        };
        answer.map_err(|error| Failure::Answer { server: self.server.clone(), error })
    }

    async fn connect<S>(&self, stream: impl Future<Output = io::Result<S>>) -> Result<S, Failure> {
        let connected = timeout(CONNECT, stream).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        connected.map_err(|error| Failure::Connect { server: self.server.clone(), error })
    }
}

/// One connection, one request, one answer.
async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> hyper::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // its failure comes out at the answer or in the answer's body
    tokio::spawn(connection);
    sender.send_request(request).await
}

/// What a server said when it refused, in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused(String);

impl Refused {
    /// Reads the refusal that `response` is: the detail and the remedy of a problem (RFC 9457), else the first line of
    /// a plain text, else the status.
    pub async fn read(response: Response<Incoming>) -> Refused {
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_plain = kind.is_some_and(|kind| kind.starts_with("text/plain"));
        let body = Limited::new(response.into_body(), MAX_REFUSAL).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let text = match serde_json::from_slice(&body) {
            Ok(Problem { detail, remedy: Some(remedy) }) => format!("{detail}; {remedy}"),
            Ok(Problem { detail, remedy: None }) => detail,
            Err(_) if is_plain => String::from_utf8_lossy(&body).lines().next().unwrap_or_default().to_owned(),
            Err(_) => String::new(),
        };
        if text.is_empty() { Refused(format!("the server answered {status}")) } else { Refused(text) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
    remedy: Option<String>,
}

//! The client: one server, asked over HTTP/1.1, and the verbs that ask it. It follows no redirect, uses no proxy and
//! speaks no TLS.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

pub mod cancel;
mod events;
mod find;
mod follow;
mod input;
pub mod list;
pub mod logs;
mod records;
mod refused;
pub mod run;
pub mod runs;
mod sending;
mod server;
mod shown;
mod spinner;
mod table;
mod terminal;

pub use events::{Event, Events, NotEvents, Text, parse};
pub use find::{Unfound, find_run};
pub use follow::{Broken, Following, Seen};
pub use input::Input;
pub use records::{JobRecord, RunRecord, ago, took};
pub use refused::Refused;
pub use sending::{Sending, Unsent};
pub use server::{BadServer, Server};
pub use shown::Shown;
pub use spinner::Spinner;
pub use table::{Cell, Column, Look, Table};
pub use terminal::{Side, Terminal};

/// Something went wrong here or on the way.
pub const FAILED: u8 = 1;
/// Nothing was asked for, or it was refused.
pub const REFUSED: u8 = 2;

/// The format of everything that is asked for.
pub const NDJSON: &str = "application/x-ndjson";

/// How long a server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a server that says nothing is asked whether it is still there.
const PROBE: Duration = Duration::from_secs(30);
/// The most of an answer that is no stream.
const MAX_ANSWER: usize = 64 << 20;

/// Which server a verb asks, and how it tells what came.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct Asking {
    /// Where the server is: http://host:port or unix:/path
    #[arg(long, env = "JOBLINES_SERVER", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub server: Server,
    /// Print the server's own JSON objects, one a line
    #[arg(long)]
    pub json: bool,
}

/// The body of a request.
pub enum Sent {
    /// None.
    Nothing,
    /// A JSON document.
    Json(String),
    /// What our own standard input brings, as it comes.
    Input,
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// An answer, and the request's body, which may still be on its way.
pub type Answer = (Response<Incoming>, Sending);

/// A way to ask one server.
#[derive(Clone, Debug)]
pub struct Client {
    server: Server,
}

/// Why a verb does not get what it asked for.
#[derive(Debug, Error)]
pub enum Trouble {
    /// There was no answer.
    #[error("{0}")]
    Failure(#[from] Failure),
    /// The server refused.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The answer did not come to its end.
    #[error("the answer of the server broke off ({0})")]
    Cut(Box<dyn std::error::Error + Send + Sync>),
    /// Another kind of server.
    #[error("the server answered with something else ({0}): is it a joblines server?")]
    Strange(#[from] serde_json::Error),
}

impl Trouble {
    /// What to exit with: whether anything was asked for at all.
    pub fn exit_code(&self) -> u8 {
        match self {
            Trouble::Refused(_) | Trouble::Failure(Failure::Connect { .. } | Failure::Path { .. }) => REFUSED,
            Trouble::Failure(Failure::Answer { .. } | Failure::Unsent(_)) | Trouble::Cut(_) | Trouble::Strange(_) => {
                FAILED
            }
        }
    }
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
    /// The server has not got all that there was to send.
    #[error("{0}")]
    Unsent(Unsent),
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
        Ok(self.send(Method::GET, path, accept, Sent::Nothing).await?.0)
    }

    /// Posts `sent` to `path`.
    pub async fn post(&self, path: &str, accept: &str, sent: Sent) -> Result<Response<Incoming>, Failure> {
        Ok(self.post_long(path, accept, sent).await?.0)
    }

    /// Posts `sent` to `path`, where the answer may come before all of it has been sent.
    pub async fn post_long(&self, path: &str, accept: &str, sent: Sent) -> Result<Answer, Failure> {
        self.send(Method::POST, path, accept, sent).await
    }

    /// The whole answer to a GET of `path`, where it is one.
    pub async fn read(&self, path: &str, accept: &str) -> Result<Bytes, Trouble> {
        let response = self.get(path, accept).await?;
        if !response.status().is_success() {
            return Err(Refused::read(response).await.into());
        }
        collect(response).await
    }

    /// The JSON objects that `path` answers with, one a line: as they came, and as what they mean.
    pub async fn read_lines<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<(String, T)>, Trouble> {
        let body = self.read(path, NDJSON).await?;
        let lines = body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| Ok((String::from_utf8_lossy(line).into_owned(), serde_json::from_slice(line)?))).collect()
    }

    /// How a person can reach `path`.
    pub fn address_of(&self, path: &str) -> String {
        self.server.address_of(path)
    }

    async fn send(&self, method: Method, path: &str, accept: &str, sent: Sent) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method);
        let (kind, body) = sent.into_body();
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request
            .uri(self.server.target(path))
            .header(header::HOST, self.server.host())
            .header(header::ACCEPT, accept)
            .header(header::USER_AGENT, concat!("joblines/", env!("CARGO_PKG_VERSION")))
            .body(body)
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
        answer.map_err(|error| match Unsent::from(error) {
            Unsent::Untaken(error) => Failure::Answer { server: self.server.clone(), error },
            unreadable @ Unsent::Unreadable(_) => Failure::Unsent(unreadable),
        })
    }

    async fn connect<S>(&self, stream: impl Future<Output = io::Result<S>>) -> Result<S, Failure> {
        let connected = timeout(CONNECT, stream).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        connected.map_err(|error| Failure::Connect { server: self.server.clone(), error })
    }
}

/// One connection, one request, one answer.
async fn exchange<S>(stream: S, request: Request<Body>) -> hyper::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // its failure comes out at the answer, in the answer's body or, once that is whole, here
    let sending = Sending::new(tokio::spawn(connection));
    Ok((sender.send_request(request).await?, sending))
}

/// All of an answer that is no stream.
pub async fn collect(response: Response<Incoming>) -> Result<Bytes, Trouble> {
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    Ok(body.map_err(Trouble::Cut)?.to_bytes())
}

impl Sent {
    /// Its content type and its bytes.
    fn into_body(self) -> (Option<&'static str>, Body) {
        match self {
            Sent::Nothing => (None, Empty::new().map_err(|never| match never {}).boxed_unsync()),
            Sent::Json(text) => {
                (Some("application/json"), Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync())
            }
            Sent::Input => (Some("application/octet-stream"), Input::new(tokio::io::stdin()).boxed_unsync()),
        }
    }
}

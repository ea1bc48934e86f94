//! One connection from its first byte to its end: HTTP/1 or HTTP/2, and how long it may keep us waiting. It never
//! looks into a request or an answer.
//!
//! hyper has one clock for a head, and starts it as soon as it waits for one: it cannot tell a kept-alive connection at
//! rest from a head that trickles in. So the clock is ours. What it needs to know passes through here anyway: bytes
//! read, a write that had to wait, a request begun, its answer handed over.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{Framing, Seen};

/// The most bytes of a head that are read at all. Its parts have bounds of their own, which are checked with the
/// request; a target and headers that keep to them fit.
const MAX_HEAD: usize = 128 * 1024 + 512;
/// How long a connection that is to be closed may take to finish what it has begun to ask.
const LINGER: Duration = Duration::from_secs(1);
/// What an HTTP/2 client opens a connection with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a connection may keep us waiting. An answer may take as long as it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// For the head of a request, from its first byte; the first one from the connection's beginning.
    pub head: Duration,
    /// For the next request, from the end of the last answer.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { head: Duration::from_secs(10), idle: Duration::from_secs(75) }
    }
}

/// Among the extensions of a request whose head says in two ways where its body ends.
#[derive(Clone, Copy, Debug)]
pub struct Ambiguous;

/// Serves the connection `io` with `router` until either end closes it. After `stop` it ends with the answers that are
/// under way. `peer` is put among the extensions of every request. Where it ended with a request that nobody saw, for its
/// head is longer than is read, this returns how the first line of that begins.
pub(super) async fn serve<I, P>(
    io: I,
    peer: P,
    (router, timeouts): (Router, Timeouts),
    stop: CancellationToken,
) -> Option<Box<[u8]>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: Clone + Send + Sync + 'static,
{
    let activity = Arc::new(Activity::new(timeouts));
    let mut io = Watched { io, opening: Bytes::new(), activity: activity.clone() };
    let first_head = Instant::now() + timeouts.head;
    let speaks_http2 = tokio::select! {
        opened = timeout_at(first_head, io.read_preface()) => match opened {
            Ok(Ok(speaks_http2)) => speaks_http2,
            Ok(Err(_)) | Err(_) => return None,
        },
        () = stop.cancelled() => return None,
    };
    let answering = activity.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (in_flight, seen) = InFlight::begin(&answering, request.version());
        let in_flight = Arc::new(in_flight);
        request.extensions_mut().insert(peer.clone());
        if seen.is_ambiguous {
            request.extensions_mut().insert(Ambiguous);
        }
        let asking = Arc::clone(&in_flight);
        let answer = router.clone().oneshot(request.map(|body| Body::new(WatchedBody::new(body, asking))));
        async move {
            let mut response = answer.await?;
            if seen.is_last {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| WatchedBody::new(body, in_flight)))
        }
    });
    let io = TokioIo::new(io);
    let ended = if speaks_http2 {
        // rare and large: not to be a part of every other connection's memory
        Box::pin(drive(http2_builder().serve_connection(io, service), &activity, &stop)).await
    } else {
        drive(http1_builder().serve_connection(io, service), &activity, &stop).await
    };
    // hyper has answered it: 414 or 431
    let is_too_long = ended.is_err_and(|error| error.is_parse_too_large());
    is_too_long.then(|| activity.now().framing.beginning().into())
}

fn http1_builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_header_size(MAX_HEAD);
    builder
}

fn http2_builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).max_header_list_size(MAX_HEAD as u32);
    builder.keep_alive_interval(Duration::from_secs(30)).keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Polls `connection` to its end, and ends it when its time is up.
async fn drive<C>(connection: C, activity: &Activity, stop: &CancellationToken) -> hyper::Result<()>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let mut stopped = pin!(stop.cancelled());
    // never later than what is due: it is set earlier when that comes earlier, and looks again when it fires
    let mut timer = pin!(sleep_until(activity.due()));
    let mut is_closing = false;
    poll_fn(move |cx| {
        loop {
            // first, for it is what somebody waits for
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            if !is_closing && stopped.as_mut().poll(cx).is_ready() {
                is_closing = true;
                activity.close();
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let due = activity.due();
            if due < timer.deadline() {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
            if due > Instant::now() {
                timer.as_mut().reset(due);
            } else if is_closing || activity.reads_head() {
                return Poll::Ready(Ok(()));
            } else {
                is_closing = true;
                activity.close();
                connection.as_mut().graceful_shutdown();
            }
        }
    })
    .await
}

/// What a connection is doing, as far as its clock has to know.
#[derive(Debug)]
struct Activity {
    timeouts: Timeouts,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    /// Requests whose answer has not been handed over.
    in_flight: usize,
    /// Bytes of an answer wait for the client to read.
    is_write_blocked: bool,
    /// A head has begun (from the start: the first one is expected).
    reads_head: bool,
    /// Frames come at any time, and none of them means that a head has begun.
    is_http2: bool,
    /// It is to end as soon as nothing is under way.
    is_closing: bool,
    /// When it last came to rest, or when the head began.
    since: Instant,
    /// What the heads say of their bodies.
    framing: Framing,
}

impl Activity {
    fn new(timeouts: Timeouts) -> Self {
        let now = Now {
            in_flight: 0,
            is_write_blocked: false,
            reads_head: true,
            is_http2: false,
            is_closing: false,
            since: Instant::now(),
            framing: Framing::default(),
        };
        Activity { timeouts, now: Mutex::new(now) }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connection's time is up, if nothing happens until then. While an answer is under way: not soon.
    fn due(&self) -> Instant {
        let now = self.now();
        if now.in_flight > 0 || now.is_write_blocked {
            Instant::now() + self.timeouts.idle
        } else if now.is_closing {
            now.since + LINGER
        } else if now.reads_head {
            now.since + self.timeouts.head
        } else {
            now.since + self.timeouts.idle
        }
    }

    fn reads_head(&self) -> bool {
        self.now().reads_head
    }

    fn close(&self) {
        let mut now = self.now();
        now.is_closing = true;
        now.since = Instant::now();
    }

    fn read(&self, bytes: &[u8]) {
        let mut now = self.now();
        if now.is_http2 {
            return;
        }
        now.framing.look(bytes);
        if now.in_flight == 0 && !now.reads_head {
            now.reads_head = true;
            now.since = Instant::now();
        }
    }

    fn write_polled(&self, is_blocked: bool) {
        let mut now = self.now();
        if now.is_write_blocked != is_blocked {
            now.is_write_blocked = is_blocked;
            now.since = Instant::now();
        }
    }
}

/// A request that has been read and whose answer has not been handed over yet.
struct InFlight(Arc<Activity>);

impl InFlight {
    /// And what was seen of its head.
    fn begin(activity: &Arc<Activity>, version: Version) -> (InFlight, Seen) {
        let mut now = activity.now();
        now.in_flight += 1;
        now.reads_head = false;
        now.is_http2 = version == Version::HTTP_2;
        let seen = if now.is_http2 { Seen::default() } else { now.framing.begin() };
        drop(now);
        (InFlight(activity.clone()), seen)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut now = self.0.now();
        now.in_flight = now.in_flight.saturating_sub(1);
        // hyper may have read that ahead
        now.reads_head = now.in_flight == 0 && !now.is_http2 && now.framing.is_within_head();
        now.since = Instant::now();
    }
}

/// The body of a request or of its answer. The request is in flight until both have come to their ends, or hyper and the
/// handler have let go of them: an answer may be over while its request still brings what a command reads.
struct WatchedBody<B> {
    body: B,
    in_flight: Option<Arc<InFlight>>,
}

impl<B> WatchedBody<B> {
    fn new(body: B, in_flight: Arc<InFlight>) -> Self {
        WatchedBody { body, in_flight: Some(in_flight) }
    }
}

impl<B: http_body::Body + Unpin> http_body::Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        // hyper tells of the end of a body whose length is known only with the next head, or as an error with the end of
        // the connection, where the answer was over before: nobody is to wait for that
        if self.in_flight.is_none() {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || self.body.is_end_stream() {
            self.in_flight = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket whose comings and goings are told to its [`Activity`].
struct Watched<I> {
    io: I,
    /// What was read to tell HTTP/1 from HTTP/2, to be read again.
    opening: Bytes,
    activity: Arc<Activity>,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Watched<I> {
    /// Whether the client speaks HTTP/2: whether it opens with [`PREFACE`].
    async fn read_preface(&mut self) -> io::Result<bool> {
        let mut opening = Vec::new();
        while opening.len() < PREFACE.len() && PREFACE.starts_with(&opening) {
            let wanted = (PREFACE.len() - opening.len()) as u64;
            if (&mut self.io).take(wanted).read_buf(&mut opening).await? == 0 {
                break;
            }
        }
        let speaks_http2 = opening == PREFACE;
        if !speaks_http2 {
            self.activity.now().framing.look(&opening);
        }
        self.opening = Bytes::from(opening);
        Ok(speaks_http2)
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.opening.is_empty() {
            let wanted = self.opening.len().min(buffer.remaining());
            buffer.put_slice(&self.opening.split_to(wanted));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            self.activity.read(bytes);
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.activity.write_polled(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, buffers);
        self.activity.write_polled(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

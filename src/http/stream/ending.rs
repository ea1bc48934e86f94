//! The end of a response: the trailers that tell how a run ended, or the break that does. It renders nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::oneshot;

use super::{Stage, Stream, TRAILERS};
use crate::record::{End, State};

impl Stream {
    /// What comes after the last frame of a run that has ended.
    pub(super) fn finish(&mut self, end: &End) -> Option<Frame<Bytes>> {
        self.show.tie = None;
        if self.show.abort && end.state != State::Succeeded {
            self.stage = Stage::Breaking { why: None, flushed: false };
            return None;
        }
        self.stage = Stage::Done;
        self.show.subject.rows().is_none().then(|| Frame::trailers(trailers(end)))
    }

    /// Waits until the kernel has every byte, then breaks off.
    pub(super) fn poll_break(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(sent) = &mut self.sent {
            // an error means that the frame was dropped: it is as gone as a sent one
            let _ = ready!(Pin::new(sent).poll(context));
            self.sent = None;
        }
        let Stage::Breaking { why, flushed } = &mut self.stage else { return Poll::Ready(None) };
        if !std::mem::replace(flushed, true) {
            // a pause lets go out what no frame tells of: the head
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let why = why.take().unwrap_or_else(|| io::Error::other("the run did not succeed"));
        self.stage = Stage::Done;
        Poll::Ready(Some(Err(why)))
    }

    pub(super) fn pop(&mut self) -> Option<Frame<Bytes>> {
        let bytes = self.frames.pop_front()?;
        if !self.show.abort {
            return Some(Frame::data(bytes));
        }
        let (dropped, sent) = oneshot::channel();
        self.sent = Some(sent);
        Some(Frame::data(Bytes::from_owner(Handed { bytes, _dropped: dropped })))
    }
}

/// Bytes whose end of life is heard of: hyper drops them once the kernel has them.
struct Handed {
    bytes: Bytes,
    _dropped: oneshot::Sender<()>,
}

impl AsRef<[u8]> for Handed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn trailers(end: &End) -> HeaderMap {
    let [state, exit_code] = TRAILERS;
    let mut trailers = HeaderMap::new();
    trailers.insert(state, HeaderValue::from_static(end.state.name()));
    if let Some(code) = end.outcome.exit_code() {
        trailers.insert(exit_code, HeaderValue::from(code));
    }
    trailers
}

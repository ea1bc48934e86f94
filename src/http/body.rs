//! The body of a request: read as a whole where it holds parameters, or handed on as it comes where it is a command's
//! standard input. It never keeps more than its bound, and half of a body never ends like a whole one.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Refusal;

/// So long a form or a JSON document may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What nobody wants any more is read for so long all the same: a client that is cut off while it sends may never read
/// its answer.
const DRAIN: Duration = Duration::from_secs(10);

/// The whole body, of at most `max` bytes.
pub(super) async fn read(body: Body, max: usize) -> Result<Bytes, Refusal> {
    match timeout(PATIENCE, Limited::new(body, max).collect()).await {
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, format!("the body did not come within {PATIENCE:?}"))),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::body_too_large(max as u64)),
        Ok(Err(error)) => Err(Refusal::bad_request(format!("the body cannot be read: {error}"))),
    }
}

/// A body as a command's input: its bytes as they come.
pub(super) struct Upload {
    body: Option<Body>,
    /// What has come and has not been read yet.
    piece: Bytes,
    /// So many more bytes may come.
    left: u64,
    max: u64,
    /// Why the rest does not come.
    broken: Option<Broken>,
    /// Lets go of [`Upload::taken`].
    taking: Option<DropGuard>,
    taken: CancellationToken,
}

/// Why the rest of a body does not come.
#[derive(Clone, Copy)]
enum Broken {
    /// The connection ended before it.
    Left,
    /// It is more than was allowed.
    TooLarge,
}

impl Upload {
    /// `body`, of which at most `max` bytes are taken.
    ///
    /// # Errors
    /// Where it says beforehand that it is longer.
    pub(super) fn of(body: Body, max: u64) -> Result<Upload, Refusal> {
        let length = body.size_hint().lower();
        let taken = CancellationToken::new();
        let taking = Some(taken.clone().drop_guard());
        let upload = Upload { body: Some(body), piece: Bytes::new(), left: max, max, broken: None, taking, taken };
        if length > max { Err(Refusal::body_too_large(max)) } else { Ok(upload) }
    }

    /// Cancelled once all of it has been read, or nobody wants more of it.
    pub(super) fn taken(&self) -> CancellationToken {
        self.taken.clone()
    }

    /// Asks for the body, and lets the connection say so. A client that waits for `100 Continue` gets it now: once the
    /// head of the answer is out, it could not be sent any more.
    pub(super) async fn invite(&mut self) {
        let mut asked = false;
        poll_fn(|context| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            // what came already is kept
            let _ = self.poll_piece(context);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Ready where there is a piece, or never will be another.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.piece.is_empty() && self.broken.is_none() {
            let Some(body) = &mut self.body else { break };
            // a connection that is given up ends its body as if it were whole
            let missing = body.size_hint().lower() > 0;
            match ready!(Pin::new(body).poll_frame(context)) {
                None if missing => self.broken = Some(Broken::Left),
                None => self.body = None,
                Some(Ok(frame)) => self.take(frame),
                Some(Err(_)) => self.broken = Some(Broken::Left),
            }
        }
        Poll::Ready(())
    }

    fn take(&mut self, frame: Frame<Bytes>) {
        let Ok(data) = frame.into_data() else { return };
        match self.left.checked_sub(data.len() as u64) {
            Some(left) => (self.left, self.piece) = (left, data),
            None => self.broken = Some(Broken::TooLarge),
        }
    }

    fn error(&self, broken: Broken) -> io::Error {
        match broken {
            Broken::Left => io::Error::new(io::ErrorKind::UnexpectedEof, "the client left in the middle of it"),
            Broken::TooLarge => io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it has more than {} bytes, its max_body", self.max),
            ),
        }
    }
}

impl AsyncRead for Upload {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_piece(context));
        if self.piece.is_empty() {
            self.taking = None;
            return Poll::Ready(self.broken.map_or(Ok(()), |broken| Err(self.error(broken))));
        }
        let count = self.piece.len().min(buffer.remaining());
        buffer.put_slice(&self.piece.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl Drop for Upload {
    /// What nobody reads any more is read off the connection, so that its client gets its answer.
    fn drop(&mut self) {
        if matches!(self.broken, Some(Broken::Left)) {
            return;
        }
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        let (left, runtime) = (self.left, tokio::runtime::Handle::try_current());
        if let Ok(runtime) = runtime {
            runtime.spawn(timeout(DRAIN, drain(body, left)));
        }
    }
}

async fn drain(mut body: Body, mut left: u64) {
    while let Some(Ok(frame)) = body.frame().await {
        let Some(still) = left.checked_sub(frame.data_ref().map_or(0, |data| data.len() as u64)) else { return };
        left = still;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::sync::mpsc;

    use super::*;

    type Piece = Result<Frame<Bytes>, io::Error>;

    /// A body whose pieces are sent by hand.
    struct Sent(mpsc::UnboundedReceiver<Piece>);

    impl http_body::Body for Sent {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
            self.0.poll_recv(context)
        }
    }

    fn body() -> (mpsc::UnboundedSender<Piece>, Body) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Body::new(Sent(receiver)))
    }

    fn piece(text: &'static str) -> Piece {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    async fn read_all(mut upload: Upload) -> (String, Option<io::ErrorKind>) {
        let mut read = Vec::new();
        let error = upload.read_to_end(&mut read).await.err();
        (String::from_utf8(read).unwrap(), error.map(|error| error.kind()))
    }

    #[tokio::test]
    async fn the_pieces_of_a_body_are_read_as_they_come() {
        let (sender, body) = body();
        let mut upload = Upload::of(body, 10).unwrap();
        let mut buffer = [0; 3];
        for text in ["abc", "de"] {
            sender.send(piece(text)).unwrap();
            let count = upload.read(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..count], text.as_bytes());
        }
        sender.send(piece("fghij")).unwrap();
        drop(sender);
        assert_eq!(read_all(upload).await, ("fghij".to_owned(), None));
    }

    #[tokio::test]
    async fn one_byte_more_than_the_bound_is_an_error_and_no_end() {
        let (sender, body) = body();
        sender.send(piece("abc")).unwrap();
        sender.send(piece("def")).unwrap();
        drop(sender);
        let upload = Upload::of(body, 5).unwrap();
        assert_eq!(read_all(upload).await, ("abc".to_owned(), Some(io::ErrorKind::FileTooLarge)));
    }

    #[tokio::test]
    async fn half_a_body_is_an_error_every_time_it_is_asked_for_more() {
        let (sender, body) = body();
        sender.send(piece("abc")).unwrap();
        sender.send(Err(io::ErrorKind::ConnectionReset.into())).unwrap();
        let mut upload = Upload::of(body, 5).unwrap();
        let mut read = [0; 8];
        assert_eq!(upload.read(&mut read).await.unwrap(), 3);
        for _ in 0..3 {
            assert_eq!(upload.read(&mut read).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[tokio::test]
    async fn a_length_beyond_the_bound_is_refused_before_a_byte_is_read() {
        let refusal = Upload::of(Body::from("abcdef"), 5).err().unwrap();
        assert_eq!((refusal.status.as_u16(), refusal.remedy.as_deref()), (413, Some("at most 5 bytes")));
        assert_eq!(read_all(Upload::of(Body::from("abcde"), 5).unwrap()).await, ("abcde".to_owned(), None));
    }

    #[tokio::test]
    async fn to_invite_a_body_loses_nothing_of_it() {
        let mut upload = Upload::of(Body::from("abcde"), 5).unwrap();
        upload.invite().await;
        upload.invite().await;
        assert_eq!(read_all(upload).await, ("abcde".to_owned(), None));
        let (sender, body) = body();
        sender.send(Err(io::ErrorKind::ConnectionReset.into())).unwrap();
        let mut broken = Upload::of(body, 5).unwrap();
        broken.invite().await;
        assert_eq!(read_all(broken).await, (String::new(), Some(io::ErrorKind::UnexpectedEof)));
    }

    #[tokio::test]
    async fn it_tells_when_it_has_been_read_to_its_end_or_given_up() {
        let upload = Upload::of(Body::from("abcde"), 5).unwrap();
        let taken = upload.taken();
        assert!(!taken.is_cancelled());
        read_all(upload).await;
        assert!(taken.is_cancelled());
        let (_sender, body) = body();
        let upload = Upload::of(body, 5).unwrap();
        let taken = upload.taken();
        drop(upload);
        assert!(taken.is_cancelled());
    }

    #[tokio::test]
    async fn what_is_not_read_is_drained() {
        let (sender, body) = body();
        sender.send(piece("abc")).unwrap();
        drop(Upload::of(body, 10).unwrap());
        while !sender.is_closed() {
            sender.send(piece("x")).ok();
            tokio::task::yield_now().await;
        }
    }
}

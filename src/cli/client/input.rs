//! Our own standard input as the body of a request, sent as it comes. It does not know what for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::io::{AsyncRead, ReadBuf};

/// The largest piece that is sent at a time.
const PIECE: usize = 64 << 10;

/// Bytes that come from `R` until its end.
pub struct Input<R> {
    from: R,
    piece: Box<[u8]>,
    is_over: bool,
}

impl<R: AsyncRead + Unpin> Input<R> {
    /// What `from` brings.
    pub fn new(from: R) -> Self {
        Input { from, piece: vec![0; PIECE].into(), is_over: false }
    }
}

impl<R: AsyncRead + Unpin> Body for Input<R> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        let mut buffer = ReadBuf::new(&mut this.piece);
        let read = ready!(Pin::new(&mut this.from).poll_read(context, &mut buffer));
        let bytes = Bytes::copy_from_slice(buffer.filled());
        this.is_over = read.is_err() || bytes.is_empty();
        Poll::Ready(match read {
            Err(error) => Some(Err(error)),
            Ok(()) if this.is_over => None,
            Ok(()) => Some(Ok(Frame::data(bytes))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn every_byte_comes_through_and_an_error_breaks_it_off() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * PIECE + 7).collect();
        assert_eq!(Input::new(&bytes[..]).collect().await.unwrap().to_bytes(), bytes);
        let broken = breaking();
        let mut body = Input::new(broken);
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "some");
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }

    /// Reads `some`, then fails.
    fn breaking() -> impl AsyncRead + Unpin {
        struct Broken(bool);
        impl AsyncRead for Broken {
            fn poll_read(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                if std::mem::replace(&mut self.0, true) {
                    return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
                }
                buffer.put_slice(b"some");
                Poll::Ready(Ok(()))
            }
        }
        Broken(false)
    }
}

//! The frames in what SocketHandler and DatagramHandler send: a length of four bytes, big-endian, and so many bytes of
//! pickle. It cuts them out and never looks at what is in them.

use std::fmt;

use bytes::{Buf, BytesMut};
use thiserror::Error;

/// The bytes of the length.
const PREFIX: usize = 4;

/// Cuts one connection's stream into frames.
#[derive(Debug)]
pub struct Frames {
    buffer: BytesMut,
    longest: usize,
    /// How much of the front of the buffer was given out already.
    given: usize,
}

impl Frames {
    /// Of a stream whose frames have at most so many bytes behind their length.
    pub fn new(longest: usize) -> Self {
        Frames { buffer: BytesMut::new(), longest, given: 0 }
    }

    /// Where the bytes of the stream are to be appended. It holds less than one frame when [`Frames::cut`] has given all.
    pub fn buffer(&mut self) -> &mut BytesMut {
        self.drop_given();
        &mut self.buffer
    }

    /// The next whole frame, without its length; `None` until more bytes have come. Empty frames are passed over.
    ///
    /// # Errors
    ///
    /// A length that cannot be. Nothing behind it makes sense, and the same error comes from then on.
    pub fn cut(&mut self) -> Result<Option<&[u8]>, NoFrame> {
        self.drop_given();
        while let Some((prefix, behind)) = self.buffer.split_first_chunk::<PREFIX>() {
            let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
            if length > self.longest {
                return Err(NoFrame { prefix: *prefix, longest: self.longest });
            }
            if behind.len() < length {
                return Ok(None);
            }
            if length > 0 {
                self.given = PREFIX + length;
                return Ok(self.buffer.get(PREFIX..self.given));
            }
            self.buffer.advance(PREFIX);
        }
        Ok(None)
    }

    /// How many bytes of a frame that is not whole are there: what is lost where the stream ends now.
    pub fn unfinished(&self) -> usize {
        self.buffer.len() - self.given
    }

    fn drop_given(&mut self) {
        self.buffer.advance(std::mem::take(&mut self.given));
    }
}

/// What stands where a length should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a frame of {length} bytes is announced, and {longest} are the most (`max_frame`): {likely}",
    length = u32::from_be_bytes(*prefix), likely = self.likely())]
pub struct NoFrame {
    prefix: [u8; PREFIX],
    longest: usize,
}

impl NoFrame {
    /// What the sender probably is.
    pub fn likely(&self) -> Likely {
        match &self.prefix {
            b"GET " | b"POST" | b"HEAD" | b"PUT " | b"OPTI" | b"DELE" | b"CONN" | b"PATC" | b"PRI " => Likely::Http,
            [0x16, 3, ..] => Likely::Tls,
            prefix if prefix.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')) => Likely::Text,
            // the longest that anybody can allow
            [0 | 1, ..] => Likely::LongRecord,
            _ => Likely::Unknown,
        }
    }
}

/// What sends something other than frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Likely {
    /// A browser, or HTTPHandler.
    Http,
    /// Anything over TLS.
    Tls,
    /// Lines of text.
    Text,
    /// SocketHandler, with a record that is too long.
    LongRecord,
    /// Who knows.
    Unknown,
}

impl fmt::Display for Likely {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Likely::Http => "these are the first bytes of an HTTP request, and this is the port of SocketHandler",
            Likely::Tls => "these are the first bytes of a TLS connection, and SocketHandler has none",
            Likely::Text => "this looks like text, not like a stream of pickled records",
            Likely::LongRecord => "a very long record, or no stream of pickled records",
            Likely::Unknown => "this is no stream of pickled records",
        })
    }
}

/// What one datagram holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Datagram<'a> {
    /// A pickle.
    Pickle(&'a [u8]),
    /// Text, or a pickle without its length: one that reads as a pickle is one.
    Bare(&'a [u8]),
    /// Text.
    Text(&'a [u8]),
    /// A frame that is longer than the datagram: it says so many bytes, and so many are there.
    Cut {
        /// The length that it says.
        said: u32,
        /// How many bytes are behind the length.
        there: usize,
    },
    /// Nothing.
    Empty,
}

/// What a datagram holds: DatagramHandler sends one frame in each, other programs a bare pickle or text.
pub fn datagram(bytes: &[u8]) -> Datagram<'_> {
    match bytes {
        [] | [0, 0, 0, 0] => Datagram::Empty,
        // no text begins with a zero, and no datagram is so long that its length does not
        [0, b, c, d, behind @ ..] => {
            let said = u32::from_be_bytes([0, *b, *c, *d]);
            let frame = usize::try_from(said).ok().and_then(|length| behind.get(..length));
            frame.map_or(Datagram::Cut { said, there: behind.len() }, Datagram::Pickle)
        }
        [0x80, ..] => Datagram::Pickle(bytes),
        [b'}' | b']' | b'(', ..] => Datagram::Bare(bytes),
        _ => Datagram::Text(bytes),
    }
}

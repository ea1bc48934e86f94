//! A journal's records rendered for a client: html, text, ndjson, sse, and the pages that do not stream. Values in,
//! bytes out; nothing here waits, reads or writes.

use std::mem;

use bytes::{Bytes, BytesMut};

/// The formats a journal can be streamed in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// A page.
    Html,
    /// The child's bytes.
    Text,
    /// One JSON object a line.
    Ndjson,
    /// Server-sent events (WHATWG HTML §9.2).
    Sse,
}

/// What a view has rendered and nobody has sent yet: a few buffers, in order.
#[derive(Default, Debug)]
pub struct Frames {
    done: Vec<Bytes>,
    buffer: BytesMut,
}

impl Frames {
    /// Bytes from here on are worth a buffer of their own rather than a copy.
    const WORTH_SHARING: usize = 4096;

    /// The buffer to append rendered bytes to.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Appends `bytes` as they are, without a copy where they are many.
    pub fn share(&mut self, bytes: &Bytes) {
        if bytes.len() < Self::WORTH_SHARING {
            self.buffer.extend_from_slice(bytes);
            return;
        }
        self.close();
        self.done.push(bytes.clone());
    }

    /// Everything rendered since the last call, in order; empty where nothing was.
    pub fn take(&mut self) -> Vec<Bytes> {
        self.close();
        mem::take(&mut self.done)
    }

    fn close(&mut self) {
        if !self.buffer.is_empty() {
            self.done.push(self.buffer.split().freeze());
        }
    }
}

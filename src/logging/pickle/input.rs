//! The bytes of a frame, one operand after the other. Every length is held against what is left before it is used.

use super::{Span, Wrong};

/// What is left of a frame.
#[derive(Clone, Copy)]
pub(super) struct Input<'f> {
    frame: &'f [u8],
    at: usize,
}

impl<'f> Input<'f> {
    pub(super) fn new(frame: &'f [u8]) -> Self {
        Input { frame, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes there are in all.
    pub(super) fn length(&self) -> usize {
        self.frame.len()
    }

    pub(super) fn bytes_of(&self, span: Span) -> &'f [u8] {
        self.frame.get(span.at as usize..(span.at + span.length) as usize).unwrap_or_default()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Wrong> {
        let byte = *self.frame.get(self.at).ok_or(Wrong::Short)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let (array, _) = self.frame.get(self.at..).and_then(<[u8]>::split_first_chunk).ok_or(Wrong::Short)?;
        self.at += N;
        Ok(*array)
    }

    /// A length of four bytes, little-endian, and so many bytes.
    pub(super) fn long(&mut self) -> Result<Span, Wrong> {
        let length = u32::from_le_bytes(self.array()?);
        self.span(u64::from(length))
    }

    /// A length of one byte, and so many bytes.
    pub(super) fn short(&mut self) -> Result<Span, Wrong> {
        let length = self.byte()?;
        self.span(u64::from(length))
    }

    /// A length of eight bytes, little-endian, and so many bytes.
    pub(super) fn very_long(&mut self) -> Result<Span, Wrong> {
        let length = u64::from_le_bytes(self.array()?);
        self.span(length)
    }

    fn span(&mut self, length: u64) -> Result<Span, Wrong> {
        let left = self.frame.len() - self.at;
        let length = usize::try_from(length).ok().filter(|length| *length <= left).ok_or(Wrong::Short)?;
        let span = span(self.at, length);
        self.at += length;
        Ok(span)
    }

    /// What stands before the next line feed; that one is taken too.
    pub(super) fn line(&mut self) -> Result<Span, Wrong> {
        let left = self.frame.get(self.at..).ok_or(Wrong::Short)?;
        let length = memchr::memchr(b'\n', left).ok_or(Wrong::Short)?;
        let span = span(self.at, length);
        self.at += length + 1;
        Ok(span)
    }
}

/// A frame is shorter than 4 GiB, hence these fit.
fn span(at: usize, length: usize) -> Span {
    Span { at: u32::try_from(at).unwrap_or(u32::MAX), length: u32::try_from(length).unwrap_or(0) }
}

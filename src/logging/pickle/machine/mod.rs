//! The machine that a pickle is a program for. It makes nodes of what Python would make objects of.

mod attach;

use super::{Children, Id, Input, NOTHING, Node, Reader, Span, Wrong, integer};
use attach::Slot;

pub(super) struct Machine<'r, 'f> {
    input: Input<'f>,
    /// Where the operation at hand begins.
    begun: usize,
    reader: &'r mut Reader,
    /// Below this height the stack belongs to the values before the last mark.
    floor: usize,
}

impl<'r, 'f> Machine<'r, 'f> {
    pub(super) fn new(input: Input<'f>, reader: &'r mut Reader) -> Self {
        Machine { input, begun: 0, reader, floor: 0 }
    }

    /// Where the last operation began.
    pub(super) fn at(&self) -> usize {
        self.begun
    }

    /// Runs until STOP: what is on the stack then.
    pub(super) fn run(&mut self) -> Result<Id, Wrong> {
        loop {
            self.begun = self.input.at();
            match self.input.byte()? {
                b'.' => return self.pop(),
                operation => self.step(operation)?,
            }
        }
    }

    /// The operations of which nearly every record is made, then all others.
    fn step(&mut self, operation: u8) -> Result<(), Wrong> {
        match operation {
            b'X' => self.spanned(Input::long, Node::Text), // BINUNICODE
            0x8C => self.spanned(Input::short, Node::Text),
            b'U' => self.spanned(Input::short, Node::Str), // SHORT_BINSTRING
            b'q' => {
                let number = self.input.byte()?;
                self.remember(u32::from(number))
            }
            0x94 => self.remember(self.reader.memo.count),
            b'h' => {
                let number = self.input.byte()?;
                self.recall(u32::from(number))
            }
            b'N' => self.push(Node::None),
            b'K' => {
                let number = self.input.byte()?;
                self.push(Node::Int(i64::from(number)))
            }
            b'M' => {
                let number = u16::from_le_bytes(self.input.array()?);
                self.push(Node::Int(i64::from(number)))
            }
            b'J' => {
                let number = i32::from_le_bytes(self.input.array()?);
                self.push(Node::Int(i64::from(number)))
            }
            b'G' => {
                let number = f64::from_be_bytes(self.input.array()?);
                self.push(Node::Float(number))
            }
            b'(' => {
                self.floor = self.reader.stack.len();
                self.reader.marks.push(self.floor);
                Ok(())
            }
            _ => self.number_or_text(operation),
        }
    }

    fn number_or_text(&mut self, operation: u8) -> Result<(), Wrong> {
        match operation {
            b'L' | b'I' => {
                let span = self.input.line()?;
                let node = match (operation, self.input.bytes_of(span)) {
                    (b'I', b"01") => Node::Bool(true),
                    (b'I', b"00") => Node::Bool(false),
                    (_, digits) => integer(digits).ok_or(Wrong::Malformed)?.map_or(Node::Digits(span), Node::Int),
                };
                self.push(node)
            }
            0x88 | 0x89 => self.push(Node::Bool(operation == 0x88)),
            0x8A => self.wide(Input::short),
            0x8B => self.wide(Input::long), // a negative length is a very long one here: refused as well
            b'F' => {
                let span = self.input.line()?;
                let text = std::str::from_utf8(self.input.bytes_of(span)).map_err(|_| Wrong::Malformed)?;
                let number = text.trim().parse().map_err(|_| Wrong::Malformed)?;
                self.push(Node::Float(number))
            }
            b'V' => self.spanned(Input::line, Node::RawText),
            b'S' => self.quoted(),
            b'T' => self.spanned(Input::long, Node::Str),
            b'B' => self.spanned(Input::long, Node::Bytes),
            b'C' => self.spanned(Input::short, Node::Bytes),
            0x8D => self.spanned(Input::very_long, Node::Text),
            0x8E => self.spanned(Input::very_long, Node::Bytes),
            0x96 => self.spanned(Input::very_long, Node::ByteArray),
            _ => self.container(operation),
        }
    }

    fn container(&mut self, operation: u8) -> Result<(), Wrong> {
        match operation {
            b'}' => self.push(Node::Dict(Children::NONE)),
            b']' => self.push(Node::List(Children::NONE)),
            b')' => self.push(Node::Tuple(Children::NONE)),
            0x8F => self.push(Node::Set(Children::NONE)),
            b't' => self.marked(Node::Tuple),
            b'l' => self.marked(Node::List),
            0x91 => self.marked(Node::Set), // FROZENSET
            b'd' => self.dict(),
            0x85..=0x87 => self.tuple(usize::from(operation - 0x84)),
            b'a' => {
                let from = self.height_above(1)?;
                self.attach(from, Slot::Items)
            }
            b'e' | 0x90 => {
                let from = self.pop_mark()?;
                self.attach(from, Slot::Items)
            }
            b's' => {
                let from = self.height_above(2)?;
                self.attach(from, Slot::Pairs)
            }
            b'u' => {
                let from = self.pop_mark()?;
                self.attach(from, Slot::Pairs)
            }
            _ => self.stack_or_memo(operation),
        }
    }

    fn stack_or_memo(&mut self, operation: u8) -> Result<(), Wrong> {
        match operation {
            b'0' if self.reader.stack.len() == self.floor => self.pop_mark().map(drop),
            b'0' => self.pop().map(drop),
            b'1' => {
                let from = self.pop_mark()?;
                self.reader.stack.truncate(from);
                Ok(())
            }
            b'2' => {
                let top = self.pop()?;
                self.reader.stack.extend([top, top]);
                Ok(())
            }
            b'r' => {
                let number = u32::from_le_bytes(self.input.array()?);
                self.remember(number)
            }
            b'j' => {
                let number = u32::from_le_bytes(self.input.array()?);
                self.recall(number)
            }
            b'p' => {
                let number = self.memo_number()?;
                self.remember(number)
            }
            b'g' => {
                let number = self.memo_number()?;
                self.recall(number)
            }
            0x80 => self.input.byte().map(drop),
            0x95 => self.input.array::<8>().map(drop),
            _ => self.object(operation),
        }
    }

    fn object(&mut self, operation: u8) -> Result<(), Wrong> {
        match operation {
            b'c' => {
                let name = self.name()?;
                self.reader.stack.push(name);
                Ok(())
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                self.push(Node::Name { module, name })
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.push(Node::Call { function, arguments, more: NOTHING })
            }
            0x92 => {
                let (named, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                let more = self.add(Node::More { state: named, items: NOTHING, pairs: NOTHING });
                self.push(Node::Call { function, arguments, more })
            }
            b'i' => {
                let function = self.name()?;
                let from = self.pop_mark()?;
                self.call(function, from)
            }
            b'o' => {
                let from = self.pop_mark()?;
                let function = *self.reader.stack.get(from).ok_or(Wrong::Underflow)?;
                self.call(function, from + 1)?;
                // the class itself lay below its arguments
                let made = self.pop()?;
                self.reader.stack.truncate(from);
                self.reader.stack.push(made);
                Ok(())
            }
            b'b' => self.build(),
            b'P' | b'Q' | 0x82..=0x84 | 0x97 | 0x98 => Err(Wrong::Outside(operation)),
            _ => Err(Wrong::Unknown(operation)),
        }
    }

    fn add(&mut self, node: Node) -> Id {
        self.reader.arena.add(node)
    }

    fn push(&mut self, node: Node) -> Result<(), Wrong> {
        let id = self.add(node);
        self.reader.stack.push(id);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, Wrong> {
        let from = self.height_above(1)?;
        let id = self.reader.stack.get(from).copied().ok_or(Wrong::Underflow)?;
        self.reader.stack.truncate(from);
        Ok(id)
    }

    /// The height of the stack below its uppermost values, all of which lie above the last mark.
    fn height_above(&self, count: usize) -> Result<usize, Wrong> {
        let height = self.reader.stack.len().checked_sub(count).ok_or(Wrong::Underflow)?;
        if height < self.floor { Err(Wrong::Underflow) } else { Ok(height) }
    }

    /// Takes the last mark away: how high the stack was there.
    fn pop_mark(&mut self) -> Result<usize, Wrong> {
        let from = self.reader.marks.pop().ok_or(Wrong::Underflow)?;
        self.floor = self.reader.marks.last().copied().unwrap_or(0);
        Ok(from)
    }

    fn spanned(
        &mut self,
        read: impl FnOnce(&mut Input<'f>) -> Result<Span, Wrong>,
        node: impl FnOnce(Span) -> Node,
    ) -> Result<(), Wrong> {
        let span = read(&mut self.input)?;
        self.push(node(span))
    }

    fn wide(&mut self, read: impl FnOnce(&mut Input<'f>) -> Result<Span, Wrong>) -> Result<(), Wrong> {
        let span = read(&mut self.input)?;
        let bytes = self.input.bytes_of(span);
        let is_negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
        let mut word = [if is_negative { 0xFF } else { 0 }; 8];
        let node = match word.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(bytes);
                Node::Int(i64::from_le_bytes(word))
            }
            None => Node::Wide(span),
        };
        self.push(node)
    }

    fn quoted(&mut self) -> Result<(), Wrong> {
        let Span { at, length } = self.input.line()?;
        let bytes = self.input.bytes_of(Span { at, length });
        match bytes {
            [first @ (b'\'' | b'"'), .., last] if first == last => {
                self.push(Node::Quoted(Span { at: at + 1, length: length - 2 }))
            }
            _ => Err(Wrong::Malformed),
        }
    }

    /// A class or function named by two lines.
    fn name(&mut self) -> Result<Id, Wrong> {
        let (module, name) = (self.input.line()?, self.input.line()?);
        let (module, name) = (self.add(Node::Text(module)), self.add(Node::Text(name)));
        Ok(self.add(Node::Name { module, name }))
    }

    /// A call with what lies on the stack from this height on.
    fn call(&mut self, function: Id, from: usize) -> Result<(), Wrong> {
        let arguments = self.gather(from);
        let arguments = self.add(Node::Tuple(arguments));
        self.push(Node::Call { function, arguments, more: NOTHING })
    }

    /// Everything on the stack from this height on, as children.
    fn gather(&mut self, from: usize) -> Children {
        let mut children = Children::NONE;
        self.link_from(&mut children, from);
        children
    }

    fn link_from(&mut self, children: &mut Children, from: usize) {
        let Reader { arena, stack, .. } = &mut *self.reader;
        for id in stack.drain(from.min(stack.len())..) {
            arena.link(children, id);
        }
    }

    fn marked(&mut self, node: impl FnOnce(Children) -> Node) -> Result<(), Wrong> {
        let from = self.pop_mark()?;
        let children = self.gather(from);
        self.push(node(children))
    }

    fn dict(&mut self) -> Result<(), Wrong> {
        let from = self.pop_mark()?;
        self.even(from)?;
        let children = self.gather(from);
        self.push(Node::Dict(children))
    }

    fn tuple(&mut self, count: usize) -> Result<(), Wrong> {
        let from = self.height_above(count)?;
        let children = self.gather(from);
        self.push(Node::Tuple(children))
    }

    fn even(&self, from: usize) -> Result<(), Wrong> {
        let count = self.reader.stack.len() - from.min(self.reader.stack.len());
        if count.is_multiple_of(2) { Ok(()) } else { Err(Wrong::Underflow) }
    }

    fn memo_number(&mut self) -> Result<u32, Wrong> {
        let span = self.input.line()?;
        let number = integer(self.input.bytes_of(span)).flatten();
        number.and_then(|number| u32::try_from(number).ok()).ok_or(Wrong::Malformed)
    }

    fn remember(&mut self, number: u32) -> Result<(), Wrong> {
        let top = self.height_above(1)?;
        let id = *self.reader.stack.get(top).ok_or(Wrong::Underflow)?;
        self.reader.memo.put(number, id, self.input.length());
        Ok(())
    }

    fn recall(&mut self, number: u32) -> Result<(), Wrong> {
        let id = self.reader.memo.take(number).ok_or(Wrong::Forgotten(number))?;
        self.reader.stack.push(id);
        Ok(())
    }
}

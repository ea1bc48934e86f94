//! A reader of Python's pickles, protocols 0 to 5, for bytes that anybody may have sent. A pickle is a program for a
//! machine with a stack and a memory; here the machine only builds a tree of what it would have made. It never resolves
//! a name, never calls, never imports.
//!
//! The tree lies flat: nodes refer to each other by number and to texts by their place in the frame, so that a value that
//! is used twice costs nothing twice, a cycle is nothing special, and a tree is dropped without recursion. All memory is
//! a small multiple of the frame's length, whatever lengths the frame claims. What a tree can blow up to is bounded where
//! it is written out ([`Budget`]).
//!
//! The opcodes are those of CPython's `Lib/pickletools.py`.

mod input;
mod known;
mod machine;
mod number;
mod render;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;

use thiserror::Error;

use input::Input;
use known::{Known, Object};
use machine::Machine;
use number::{Decimal, integer, of_bytes, of_digits};

use super::Value;

pub use render::Budget;

/// Why a frame is no record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("at byte {at}: {what}")]
pub struct BadPickle {
    /// Where the operation begins that went wrong.
    pub at: usize,
    /// What went wrong.
    pub what: Wrong,
}

/// What can be wrong with a pickle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Wrong {
    /// It ends before its STOP, or claims more bytes than it has.
    #[error("the pickle ends before its time")]
    Short,
    /// It is longer than what numbers of 32 bits can count the nodes of.
    #[error("the pickle is longer than 256 MiB")]
    Long,
    /// No operation of any protocol.
    #[error("{0:#04x} is no operation of a pickle")]
    Unknown(u8),
    /// It wants something that is not in it: a persistent object, an extension, a buffer.
    #[error("operation {0:#04x} asks for something outside the pickle")]
    Outside(u8),
    /// An operation finds too little on the stack.
    #[error("an operation finds too few values")]
    Underflow,
    /// An operation finds a value of a kind it cannot be done to.
    #[error("an operation finds the wrong kind of value")]
    Kind,
    /// A value is asked for that was never remembered.
    #[error("value {0} was never remembered")]
    Forgotten(u32),
    /// What should be a number, or a text in quotes, is none.
    #[error("a number or a text is malformed")]
    Malformed,
    /// It is sound, but no dict.
    #[error("the pickle is no dict, hence no log record")]
    NoRecord,
}

/// The number of a node.
type Id = u32;

/// No node.
const NOTHING: Id = Id::MAX;

/// A stretch of the frame.
#[derive(Clone, Copy)]
struct Span {
    at: u32,
    length: u32,
}

/// The children of a node: the first and the last of a chain of links.
#[derive(Clone, Copy)]
struct Children {
    first: u32,
    last: u32,
}

impl Children {
    const NONE: Children = Children { first: NOTHING, last: NOTHING };
}

/// One child, and where the next one is.
#[derive(Clone, Copy)]
struct Link {
    node: Id,
    next: u32,
}

/// One value.
#[derive(Clone, Copy)]
enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, in decimal digits.
    Digits(Span),
    /// An integer beyond 64 bits, little-endian in two's complement.
    Wide(Span),
    Float(f64),
    /// A text in UTF-8 in which lone surrogates may stand.
    Text(Span),
    /// A text in Python's raw-unicode-escape.
    RawText(Span),
    /// A `str` of Python 2.
    Str(Span),
    /// A `str` of Python 2, as it is written in a program, without its quotes.
    Quoted(Span),
    Bytes(Span),
    ByteArray(Span),
    List(Children),
    Tuple(Children),
    Set(Children),
    /// Key, value, key, value.
    Dict(Children),
    /// The name of a class or function.
    Name {
        module: Id,
        name: Id,
    },
    /// What a class or function would have made.
    Call {
        function: Id,
        arguments: Id,
        more: Id,
    },
    /// What was given to a call's object afterwards: its state, its items (a list), its pairs (a dict).
    More {
        state: Id,
        items: Id,
        pairs: Id,
    },
}

/// Reads one frame after the other and keeps its memory for the next one.
#[derive(Default)]
pub struct Reader {
    arena: Arena,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Memo,
}

/// No pickle makes ten times as many nodes as it has bytes, hence numbers of 32 bits do for one that is no longer.
const LONGEST: usize = 1 << 28;

/// Up to so many of anything a reader keeps its memory from one frame to the next.
const KEPT: usize = 1 << 16;

impl Reader {
    /// A reader with no memory yet.
    pub fn new() -> Reader {
        Reader::default()
    }

    /// The dict that this pickle holds. Bytes behind its end are ignored, as Python does.
    pub fn read<'r, 'f>(&'r mut self, frame: &'f [u8]) -> Result<Tree<'r, 'f>, BadPickle> {
        self.clear();
        if frame.len() > LONGEST {
            return Err(BadPickle { at: 0, what: Wrong::Long });
        }
        let mut machine = Machine::new(Input::new(frame), self);
        let top = machine.run().map_err(|what| BadPickle { at: machine.at(), what })?;
        let tree = Tree { frame, arena: &self.arena, top };
        match tree.node(top) {
            Node::Dict(_) => Ok(tree),
            _ => Err(BadPickle { at: 0, what: Wrong::NoRecord }),
        }
    }

    fn clear(&mut self) {
        let Reader { arena, stack, marks, memo } = &*self;
        let capacities = [arena.nodes.capacity(), arena.links.capacity(), stack.capacity(), marks.capacity()];
        let most = capacities.into_iter().max().unwrap_or(0);
        if most.max(memo.dense.capacity()).max(memo.sparse.capacity()) > KEPT {
            *self = Reader::default();
        }
        self.arena.nodes.clear();
        self.arena.links.clear();
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
    }
}

/// All nodes of one tree.
#[derive(Default)]
struct Arena {
    nodes: Vec<Node>,
    links: Vec<Link>,
}

impl Arena {
    fn add(&mut self, node: Node) -> Id {
        let id = self.nodes.len();
        self.nodes.push(node);
        Id::try_from(id).expect("LONGEST bounds the nodes")
    }

    /// The node of this number; there is always one, for only [`Arena::add`] makes numbers.
    fn node(&self, id: Id) -> Node {
        self.nodes.get(id as usize).copied().unwrap_or(Node::None)
    }

    /// Hangs a child behind the others.
    fn link(&mut self, children: &mut Children, node: Id) {
        let at = u32::try_from(self.links.len()).expect("LONGEST bounds the links");
        self.links.push(Link { node, next: NOTHING });
        match self.links.get_mut(children.last as usize) {
            Some(last) => last.next = at,
            None => children.first = at,
        }
        children.last = at;
    }

    /// The children in their order.
    fn children(&self, children: Children) -> impl Iterator<Item = Id> + use<'_> {
        let mut next = children.first;
        std::iter::from_fn(move || {
            let link = self.links.get(next as usize)?;
            next = link.next;
            Some(link.node)
        })
    }

    /// The children of a list, tuple or set.
    fn items(&self, id: Id) -> impl Iterator<Item = Id> + use<'_> {
        self.children(match self.node(id) {
            Node::List(children) | Node::Tuple(children) | Node::Set(children) => children,
            _ => Children::NONE,
        })
    }
}

/// What a pickle remembers, by number. Numbers may have gaps, and any 32 bits may be one: those that a frame of this
/// length can have counted up to are in a vector, others in a map.
#[derive(Default)]
struct Memo {
    dense: Vec<Id>,
    sparse: HashMap<u32, Id>,
    count: u32,
}

impl Memo {
    fn clear(&mut self) {
        self.dense.clear();
        self.sparse.clear();
        self.count = 0;
    }

    fn put(&mut self, number: u32, id: Id, limit: usize) {
        let at = number as usize;
        if at > limit {
            self.count += u32::from(self.sparse.insert(number, id).is_none());
            return;
        }
        if self.dense.len() <= at {
            self.dense.resize(at + 1, NOTHING);
        }
        if let Some(slot) = self.dense.get_mut(at) {
            self.count += u32::from(*slot == NOTHING);
            *slot = id;
        }
    }

    fn take(&self, number: u32) -> Option<Id> {
        let dense = self.dense.get(number as usize).copied().filter(|id| *id != NOTHING);
        dense.or_else(|| self.sparse.get(&number).copied())
    }
}

/// What one pickle holds: a dict.
#[derive(Clone, Copy)]
pub struct Tree<'r, 'f> {
    frame: &'f [u8],
    arena: &'r Arena,
    top: Id,
}

/// A value in a tree, to be asked about there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item(Id);

impl<'r, 'f> Tree<'r, 'f> {
    /// The keys and values of the dict, in the order in which they came; a key may come again.
    pub fn pairs(&self) -> impl Iterator<Item = (Item, Item)> + use<'r> {
        let children = match self.node(self.top) {
            Node::Dict(children) => children,
            _ => Children::NONE,
        };
        let arena = self.arena;
        pairs(arena.children(children)).map(|(key, value)| (Item(key), Item(value)))
    }

    fn node(&self, id: Id) -> Node {
        self.arena.node(id)
    }

    fn children(&self, children: Children) -> impl Iterator<Item = Id> + use<'r> {
        self.arena.children(children)
    }

    /// The bytes of a stretch; it lies in the frame, for there it was found.
    fn bytes(&self, span: Span) -> &'f [u8] {
        let (at, length) = (span.at as usize, span.length as usize);
        self.frame.get(at..at + length).unwrap_or_default()
    }
}

/// Every two as one.
fn pairs(mut ids: impl Iterator<Item = Id>) -> impl Iterator<Item = (Id, Id)> {
    std::iter::from_fn(move || Some((ids.next()?, ids.next()?)))
}

//! Trees written out: as JSON, and what JSON has no word for as Python's own `repr`. What a small frame can blow up to by
//! using a value over and over is bounded here, in size and in depth.

mod json;
mod show;

use std::borrow::Cow;

use super::{Children, Decimal, Id, Item, Known, NOTHING, Node, Object, Tree, Value, of_bytes, of_digits, pairs};

/// How much of one tree may be written out: four times what its frame has, and some. Only a tree that uses its values
/// over and over has more, and what is over is left out, with `…` in its place.
#[derive(Clone, Copy, Debug)]
pub struct Budget(usize);

/// What every tree may have.
const LEAST: usize = 64 * 1024;

/// So many values may lie in each other.
const DEPTH: usize = 32;

/// What brackets, commas and the like may take, beside what stands between them.
const AROUND: usize = 3;

const LEFT_OUT: &str = "…";

impl Budget {
    /// For a frame of this length.
    pub fn new(length: usize) -> Budget {
        Budget(LEAST + length * 4)
    }

    /// Whether nothing more may be written out.
    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Takes so many bytes away; `false` where there are not so many, and then there are none any more.
    fn pay(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes + 1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

impl<'r, 'f> Tree<'r, 'f> {
    /// The budget for writing out this tree.
    pub fn budget(&self) -> Budget {
        Budget::new(self.frame.len())
    }

    /// The text that this is; what is no text as Python's `repr`.
    pub fn name(&self, item: Item, budget: &mut Budget) -> Cow<'f, str> {
        match self.text(item.0) {
            Some(text) if budget.pay(text.len()) => text,
            Some(_) => LEFT_OUT.into(),
            None => Writer::new(self, budget).shown(item.0).into(),
        }
    }

    /// The bytes of a text that stands in the frame as it is, of which names of fields are made.
    pub fn plain(&self, item: Item) -> Option<&'f [u8]> {
        match self.node(item.0) {
            Node::Text(span) | Node::Str(span) => Some(self.bytes(span)),
            _ => None,
        }
    }

    /// The whole number that this is, or that an object of one such argument stands for: a member of an enumeration.
    pub fn whole(&self, item: Item) -> Option<i64> {
        match self.node(item.0) {
            Node::Int(number) => Some(number),
            Node::Call { .. } => {
                let object = self.object(item.0).ok()?;
                let mut arguments = self.arguments(object);
                match (self.node(arguments.next()?), arguments.next()) {
                    (Node::Int(number), None) => Some(number),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The value. Known objects are what they stand for: bytes, dates, decimals, paths are texts, a set is an array.
    pub fn value(&self, item: Item, budget: &mut Budget) -> Value<'f> {
        let mut id = item.0;
        for _ in 0..DEPTH {
            match self.node(id) {
                Node::None => return Value::None,
                Node::Bool(is) => return Value::Json(if is { "true" } else { "false" }.into()),
                Node::Int(number) => return Value::Int(number),
                Node::Float(number) => return Value::Float(number),
                Node::Call { .. } => match self.known(id) {
                    Some(Known::Same(value)) => id = value,
                    Some(Known::Text(text)) if budget.pay(text.len()) => return Value::Text(text),
                    _ => break,
                },
                _ => match self.text(id) {
                    Some(text) if budget.pay(text.len()) => return Value::Text(text),
                    Some(_) => return Value::Text(LEFT_OUT.into()),
                    None => break,
                },
            }
        }
        let mut writer = Writer::new(self, budget);
        writer.json(id);
        Value::Json(writer.out.into())
    }

    fn arguments(&self, object: Object) -> impl Iterator<Item = Id> + use<'r> {
        self.arena.items(object.arguments).skip(object.skipped)
    }
}

struct Writer<'b, 'r, 'f> {
    tree: &'b Tree<'r, 'f>,
    budget: &'b mut Budget,
    /// The nodes that the one at hand lies in.
    path: Vec<Id>,
    out: String,
}

impl<'b, 'r, 'f> Writer<'b, 'r, 'f> {
    fn new(tree: &'b Tree<'r, 'f>, budget: &'b mut Budget) -> Self {
        Writer { tree, budget, path: Vec::new(), out: String::new() }
    }

    /// Goes into a node; `false` where that would be too deep, too much, or a circle.
    fn begin(&mut self, id: Id) -> bool {
        let may = self.path.len() < DEPTH && !self.path.contains(&id) && self.budget.pay(AROUND);
        if may {
            self.path.push(id);
        }
        may
    }

    /// Writes all of them with commas between, until the budget is spent.
    fn each<T>(&mut self, all: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        for (at, one) in all.enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            write(self, one);
            if self.budget.is_spent() {
                break;
            }
        }
    }

    /// The pairs of a dict, or of a list of lists of two.
    fn pairs_of(&self, id: Id) -> Box<dyn Iterator<Item = (Id, Id)> + 'r> {
        let arena = self.tree.arena;
        match arena.node(id) {
            Node::Dict(children) => Box::new(pairs(arena.children(children))),
            // the first that is no pair ends them, so that nothing is passed over that nobody pays for
            _ => Box::new(arena.items(id).map_while(move |two| {
                let mut two = arena.items(two);
                Some((two.next()?, two.next()?))
            })),
        }
    }

    /// A text, for which is paid here.
    fn text(&mut self, id: Id) -> Cow<'f, str> {
        let text = self.tree.text(id).unwrap_or_default();
        if self.budget.pay(text.len()) { text } else { LEFT_OUT.into() }
    }

    fn decimal(&mut self, id: Id) -> Decimal {
        match self.tree.node(id) {
            Node::Int(number) => Decimal::Number(number.to_string()),
            Node::Digits(span) if self.budget.pay(span.length as usize) => of_digits(self.tree.bytes(span)),
            Node::Wide(span) if self.budget.pay(span.length as usize) => of_bytes(self.tree.bytes(span)),
            _ => Decimal::TooLong(LEFT_OUT.to_owned()),
        }
    }
}

fn float(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { number.to_string().to_lowercase() }
}

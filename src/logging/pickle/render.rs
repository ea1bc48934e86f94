//! Trees written out: as JSON, and what JSON has no word for as Python's own `repr`. What a small frame can blow up to by
//! using a value over and over is bounded here, in size and in depth.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::to_string;

use super::known::{Known, Object};
use super::number::{Decimal, of_bytes, of_digits};
use super::{Children, Id, Item, NOTHING, Node, Tree, pairs};
use crate::logging::Value;

/// How much of one tree may be written out: four times what its frame has, and some. Only a tree that uses its values
/// over and over has more, and what is over is left out, with `…` in its place.
#[derive(Clone, Copy, Debug)]
pub struct Budget(usize);

/// What every tree may have.
const LEAST: usize = 64 * 1024;

/// So many values may lie in each other.
const DEPTH: usize = 32;

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

    fn json(&mut self, id: Id) {
        if !self.begin(id) {
            return self.quote(LEFT_OUT);
        }
        match self.tree.node(id) {
            Node::None | Node::More { .. } => self.out.push_str("null"),
            Node::Bool(is) => self.out.push_str(if is { "true" } else { "false" }),
            Node::Int(_) | Node::Digits(_) | Node::Wide(_) => match self.decimal(id) {
                Decimal::Number(number) => self.out.push_str(&number),
                Decimal::TooLong(said) => self.quote(&said),
            },
            Node::Float(number) => match to_string(&number) {
                Ok(text) if number.is_finite() => self.out.push_str(&text),
                _ => self.quote(&float(number)),
            },
            Node::Text(_) | Node::RawText(_) | Node::Str(_) | Node::Quoted(_) => {
                let text = self.text(id);
                self.quote(&text);
            }
            Node::List(children) | Node::Tuple(children) | Node::Set(children) => {
                self.array(self.tree.children(children));
            }
            Node::Dict(children) => self.map(pairs(self.tree.children(children))),
            Node::Call { .. } => self.json_of_call(id),
            Node::Bytes(_) | Node::ByteArray(_) | Node::Name { .. } => self.quote_shown(id),
        }
        self.path.pop();
    }

    /// Goes into a node; `false` where that would be too deep, too much, or a circle.
    fn begin(&mut self, id: Id) -> bool {
        let may = self.path.len() < DEPTH && !self.path.contains(&id) && self.budget.pay(0);
        if may {
            self.path.push(id);
        }
        may
    }

    fn json_of_call(&mut self, id: Id) {
        match self.tree.known(id) {
            Some(Known::Same(value)) => self.json(value),
            Some(Known::Text(text)) if self.budget.pay(text.len()) => self.quote(&text),
            Some(Known::Items([given, added])) => {
                let arena = self.tree.arena;
                self.array(arena.items(given).chain(arena.items(added)));
            }
            Some(Known::Pairs([given, added])) => self.map(self.pairs_of(given).chain(self.pairs_of(added))),
            _ => self.quote_shown(id),
        }
    }

    fn array(&mut self, items: impl Iterator<Item = Id>) {
        self.out.push('[');
        self.each(items, Self::json);
        self.out.push(']');
    }

    fn map(&mut self, pairs: impl Iterator<Item = (Id, Id)>) {
        self.out.push('{');
        self.each(pairs, |writer, (key, value)| {
            match writer.tree.text(key) {
                Some(_) => {
                    let name = writer.text(key);
                    writer.quote(&name);
                }
                None => writer.quote_shown(key),
            }
            writer.out.push(':');
            writer.json(value);
        });
        self.out.push('}');
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
            _ => Box::new(arena.items(id).filter_map(move |two| {
                let mut two = arena.items(two);
                Some((two.next()?, two.next()?))
            })),
        }
    }

    fn quote(&mut self, text: &str) {
        self.out.push_str(&to_string(text).expect("a text is JSON"));
    }

    /// The `repr` as a string of JSON.
    fn quote_shown(&mut self, id: Id) {
        let shown = self.shown(id);
        self.quote(&shown);
    }

    fn shown(&mut self, id: Id) -> String {
        let before = std::mem::take(&mut self.out);
        // the node itself may be the last of the path already
        let is_inside = self.path.pop_if(|last| *last == id).is_some();
        self.show(id);
        if is_inside {
            self.path.push(id);
        }
        std::mem::replace(&mut self.out, before)
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

    /// As Python's `repr`.
    fn show(&mut self, id: Id) {
        if !self.begin(id) {
            return self.out.push_str(LEFT_OUT);
        }
        match self.tree.node(id) {
            Node::None | Node::More { .. } => self.out.push_str("None"),
            Node::Bool(is) => self.out.push_str(if is { "True" } else { "False" }),
            Node::Int(_) | Node::Digits(_) | Node::Wide(_) => match self.decimal(id) {
                Decimal::Number(text) | Decimal::TooLong(text) => self.out.push_str(&text),
            },
            Node::Float(number) => self.out.push_str(&float(number)),
            Node::Text(_) | Node::RawText(_) | Node::Str(_) | Node::Quoted(_) => {
                let text = self.text(id);
                show_text(&mut self.out, &text);
            }
            Node::Bytes(span) => self.show_bytes(self.tree.bytes(span)),
            Node::ByteArray(span) => self.show_byte_array(self.tree.bytes(span)),
            Node::List(children) => self.show_all("[", children, "]"),
            Node::Set(children) => self.show_all("{", children, "}"),
            Node::Tuple(children) => {
                let is_one = children.first == children.last && children.first != NOTHING;
                self.show_all("(", children, if is_one { ",)" } else { ")" });
            }
            Node::Dict(children) => self.show_pairs(pairs(self.tree.children(children))),
            Node::Name { module, name } => self.show_name(module, name),
            Node::Call { .. } => self.show_call(id),
        }
        self.path.pop();
    }

    fn show_bytes(&mut self, bytes: &[u8]) {
        self.out.push('b');
        let bytes = if self.budget.pay(bytes.len()) { bytes } else { b"" };
        let quote = quote_of(bytes.contains(&b'\''), bytes.contains(&b'"'));
        self.out.push(quote);
        for byte in bytes {
            match byte {
                b' '..=b'~' => show_character(&mut self.out, char::from(*byte), quote),
                b'\n' | b'\r' | b'\t' => show_character(&mut self.out, char::from(*byte), quote),
                _ => write!(self.out, "\\x{byte:02x}").expect("a text takes everything"),
            }
        }
        self.out.push(quote);
    }

    fn show_byte_array(&mut self, bytes: &[u8]) {
        self.out.push_str("bytearray(");
        self.show_bytes(bytes);
        self.out.push(')');
    }

    fn show_all(&mut self, open: &str, children: Children, close: &str) {
        self.out.push_str(open);
        self.each_spaced(self.tree.children(children), Self::show);
        self.out.push_str(close);
    }

    fn show_pairs(&mut self, all: impl Iterator<Item = (Id, Id)>) {
        self.out.push('{');
        self.each_spaced(all, |writer, (key, value)| {
            writer.show(key);
            writer.out.push_str(": ");
            writer.show(value);
        });
        self.out.push('}');
    }

    fn each_spaced<T>(&mut self, all: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        let first = self.out.len();
        self.each(all, |writer, one| {
            if writer.out.len() > first {
                writer.out.push(' ');
            }
            write(writer, one);
        });
    }

    fn show_name(&mut self, module: Id, name: Id) {
        let (module, name) = (self.text(module), self.text(name));
        if !matches!(&*module, "builtins" | "__builtin__" | "exceptions") {
            self.out.push_str(&module);
            self.out.push('.');
        }
        self.out.push_str(&name);
    }

    fn show_call(&mut self, id: Id) {
        match self.tree.known(id) {
            Some(Known::Same(value)) => self.show(value),
            Some(Known::Text(text)) if self.budget.pay(text.len()) => self.out.push_str(&text),
            Some(Known::Bytes(bytes)) => self.show_bytes(&bytes),
            Some(Known::ByteArray(bytes)) => self.show_byte_array(&bytes),
            Some(Known::Pairs([given, added])) => self.show_pairs(self.pairs_of(given).chain(self.pairs_of(added))),
            Some(Known::Items([given, added])) => {
                self.out.push('[');
                let arena = self.tree.arena;
                self.each_spaced(arena.items(given).chain(arena.items(added)), Self::show);
                self.out.push(']');
            }
            _ => {
                if let Ok(object) = self.tree.object(id) {
                    self.show_object(object);
                }
            }
        }
    }

    /// `module.Class(argument, …, attribute=value, …, [item, …], {key: value, …})`
    fn show_object(&mut self, object: Object) {
        self.show(object.function);
        self.out.push('(');
        let arguments = self.tree.arguments(object).map(Part::Value);
        let added = [object.items, object.pairs].into_iter().filter(|id| *id != NOTHING).map(Part::Value);
        self.each_spaced(arguments.chain(self.attributes(object.state)).chain(added), |writer, part| match part {
            Part::Value(id) => writer.show(id),
            Part::Attribute(name, value) => {
                match writer.tree.text(name) {
                    Some(_) => {
                        let name = writer.text(name);
                        writer.out.push_str(&name);
                    }
                    None => writer.show(name),
                }
                writer.out.push('=');
                writer.show(value);
            }
        });
        self.out.push(')');
    }

    /// The attributes in an object's state: a dict, or two of them in a tuple where it has slots, or any value.
    fn attributes(&self, state: Id) -> Box<dyn Iterator<Item = Part> + 'r> {
        let arena = self.tree.arena;
        let attributes =
            move |children| pairs(arena.children(children)).map(|(key, value)| Part::Attribute(key, value));
        match arena.node(state) {
            Node::Dict(children) => Box::new(attributes(children)),
            Node::Tuple(two) => {
                Box::new(arena.children(two).flat_map(move |one| -> Box<dyn Iterator<Item = Part> + 'r> {
                    match arena.node(one) {
                        Node::Dict(children) => Box::new(attributes(children)),
                        Node::None => Box::new(std::iter::empty()),
                        _ => Box::new(std::iter::once(Part::Value(one))),
                    }
                }))
            }
            Node::None => Box::new(std::iter::empty()),
            _ => Box::new(std::iter::once(Part::Value(state))),
        }
    }
}

/// One thing between the brackets of a call.
enum Part {
    Value(Id),
    Attribute(Id, Id),
}

fn float(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { number.to_string().to_lowercase() }
}

fn quote_of(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

fn show_text(out: &mut String, text: &str) {
    let quote = quote_of(text.contains('\''), text.contains('"'));
    out.push(quote);
    text.chars().for_each(|character| show_character(out, character, quote));
    out.push(quote);
}

fn show_character(out: &mut String, character: char, quote: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        _ if character == quote => out.extend(['\\', quote]),
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' => {
            write!(out, "\\x{:02x}", u32::from(character)).expect("a text takes everything");
        }
        _ => out.push(character),
    }
}

//! A tree as Python's `repr` shows it: for what JSON has no word for.

use std::fmt::Write;

use super::{Children, Decimal, Id, Known, LEFT_OUT, NOTHING, Node, Object, Writer, float, pairs};

impl<'r> Writer<'_, 'r, '_> {
    /// As Python's `repr`.
    pub(super) fn show(&mut self, id: Id) {
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
                Box::new(arena.children(two).take(2).flat_map(move |one| -> Box<dyn Iterator<Item = Part> + 'r> {
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

//! A tree as JSON.

use serde_json::to_string;

use super::{Decimal, Id, Known, LEFT_OUT, Node, Writer, float, pairs};

impl Writer<'_, '_, '_> {
    pub(super) fn json(&mut self, id: Id) {
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

    fn quote(&mut self, text: &str) {
        self.out.push_str(&to_string(text).expect("a text is JSON"));
    }

    /// The `repr` as a string of JSON.
    fn quote_shown(&mut self, id: Id) {
        let shown = self.shown(id);
        self.quote(&shown);
    }

    pub(super) fn shown(&mut self, id: Id) -> String {
        let before = std::mem::take(&mut self.out);
        // the node itself may be the last of the path already
        let is_inside = self.path.pop_if(|last| *last == id).is_some();
        self.show(id);
        if is_inside {
            self.path.push(id);
        }
        std::mem::replace(&mut self.out, before)
    }
}

//! What is hung on a value after it was made: items, pairs, the state of an object.

use super::{Children, Id, Machine, NOTHING, Node, Wrong};

/// Where on an object something is hung.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Items,
    Pairs,
}

impl Machine<'_, '_> {
    /// Hangs what lies on the stack from this height on to the value below it.
    pub(super) fn attach(&mut self, from: usize, slot: Slot) -> Result<(), Wrong> {
        if let Slot::Pairs = slot {
            self.even(from)?;
        }
        let below = from.checked_sub(1).filter(|below| *below >= self.floor).ok_or(Wrong::Underflow)?;
        let target = *self.reader.stack.get(below).ok_or(Wrong::Underflow)?;
        let target = match self.reader.arena.node(target) {
            Node::Call { .. } => self.slot_of(target, slot)?,
            _ => target,
        };
        let node = match (self.reader.arena.node(target), slot) {
            (Node::List(mut children), Slot::Items) => {
                self.link_from(&mut children, from);
                Node::List(children)
            }
            (Node::Set(mut children), Slot::Items) => {
                self.link_from(&mut children, from);
                Node::Set(children)
            }
            (Node::Dict(mut children), Slot::Pairs) => {
                self.link_from(&mut children, from);
                Node::Dict(children)
            }
            _ => return Err(Wrong::Kind),
        };
        self.replace(target, node);
        Ok(())
    }

    fn replace(&mut self, id: Id, node: Node) {
        if let Some(place) = self.reader.arena.nodes.get_mut(id as usize) {
            *place = node;
        }
    }

    /// What was given to the object of a call afterwards.
    fn more_of(&mut self, call: Id) -> Result<(Id, [Id; 3]), Wrong> {
        let Node::Call { function, arguments, more } = self.reader.arena.node(call) else { return Err(Wrong::Kind) };
        if let Node::More { state, items, pairs } = self.reader.arena.node(more)
            && more != NOTHING
        {
            return Ok((more, [state, items, pairs]));
        }
        let more = self.add(Node::More { state: NOTHING, items: NOTHING, pairs: NOTHING });
        self.replace(call, Node::Call { function, arguments, more });
        Ok((more, [NOTHING; 3]))
    }

    /// The list or dict of what was added to the object of a call.
    fn slot_of(&mut self, call: Id, slot: Slot) -> Result<Id, Wrong> {
        let (more, [state, items, pairs]) = self.more_of(call)?;
        match slot {
            Slot::Items if items != NOTHING => Ok(items),
            Slot::Pairs if pairs != NOTHING => Ok(pairs),
            Slot::Items => {
                let items = self.add(Node::List(Children::NONE));
                self.replace(more, Node::More { state, items, pairs });
                Ok(items)
            }
            Slot::Pairs => {
                let pairs = self.add(Node::Dict(Children::NONE));
                self.replace(more, Node::More { state, items, pairs });
                Ok(pairs)
            }
        }
    }

    /// Gives the object of a call its state. Nothing else that a pickle can make has one to show.
    pub(super) fn build(&mut self) -> Result<(), Wrong> {
        let state = self.pop()?;
        let below = self.height_above(1)?;
        let target = *self.reader.stack.get(below).ok_or(Wrong::Underflow)?;
        if let Node::Call { .. } = self.reader.arena.node(target) {
            let (more, [_, items, pairs]) = self.more_of(target)?;
            self.replace(more, Node::More { state, items, pairs });
        }
        Ok(())
    }
}

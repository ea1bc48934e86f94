//! Objects that programs often log, as the values they stand for. All others are shown as the calls that would have made
//! them.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Id, NOTHING, Node, Tree, pairs};

/// What an object stands for.
pub(super) enum Known<'f> {
    Text(Cow<'f, str>),
    Bytes(Cow<'f, [u8]>),
    ByteArray(Cow<'f, [u8]>),
    /// Another node.
    Same(Id),
    /// The items of these nodes, one behind the other.
    Items([Id; 2]),
    /// The pairs of these nodes, one behind the other.
    Pairs([Id; 2]),
}

/// What a call would have made, `copyreg`'s detours undone.
#[derive(Clone, Copy)]
pub(super) struct Object {
    pub(super) function: Id,
    /// How many of the arguments belong to the detour.
    pub(super) skipped: usize,
    /// The other arguments; `NOTHING` where there are none.
    pub(super) arguments: Id,
    pub(super) state: Id,
    pub(super) items: Id,
    pub(super) pairs: Id,
}

/// Known objects have no more arguments that matter.
const LOOKED_AT: usize = 3;

impl<'f> Tree<'_, 'f> {
    /// The object of a call; `Err` with the value where the detour only carried that.
    pub(super) fn object(&self, call: Id) -> Result<Object, Id> {
        let Node::Call { function, arguments, more } = self.node(call) else { return Err(call) };
        let (state, items, pairs) = match self.node(more) {
            Node::More { state, items, pairs } => (state, items, pairs),
            _ => (NOTHING, NOTHING, NOTHING),
        };
        let made = Object { function, skipped: 0, arguments, state, items, pairs };
        let Some((_, name)) = self.names(function).filter(|(module, _)| matches!(&**module, "copy_reg" | "copyreg"))
        else {
            return Ok(made);
        };
        match (&*name, self.first(arguments, 0)) {
            ("_reconstructor", [class, _, value]) if value != NOTHING => match self.node(value) {
                Node::None => Ok(Object { function: class, skipped: 3, ..made }),
                _ => Err(value),
            },
            ("__newobj__", [class, ..]) if class != NOTHING => Ok(Object { function: class, skipped: 1, ..made }),
            _ => Ok(made),
        }
    }

    /// Module and name of a class or function.
    pub(super) fn names(&self, function: Id) -> Option<(Cow<'f, str>, Cow<'f, str>)> {
        let Node::Name { module, name } = self.node(function) else { return None };
        Some((self.text(module)?, self.text(name)?))
    }

    fn first(&self, arguments: Id, skipped: usize) -> [Id; LOOKED_AT] {
        let mut first = [NOTHING; LOOKED_AT];
        for (place, id) in first.iter_mut().zip(self.arena.items(arguments).skip(skipped)) {
            *place = id;
        }
        first
    }

    /// What a call stands for; `None` where that is nothing known.
    pub(super) fn known(&self, call: Id) -> Option<Known<'f>> {
        let object = match self.object(call) {
            Ok(object) => object,
            Err(value) => return Some(Known::Same(value)),
        };
        let (module, name) = self.names(object.function)?;
        let arguments = self.first(object.arguments, object.skipped);
        match &*module {
            "_codecs" | "__builtin__" | "builtins" => self.known_builtin(&name, arguments),
            "collections" => known_collection(&name, arguments, object),
            "datetime" => self.known_time(&name, arguments).map(|text| Known::Text(text.into())),
            "decimal" if name == "Decimal" => self.text(arguments[0]).map(Known::Text),
            "uuid" if name == "UUID" => self.uuid(object.state).map(|text| Known::Text(text.into())),
            "ipaddress" => self.address(&name, arguments[0]).map(|text| Known::Text(text.into())),
            "pathlib" | "pathlib._local" => self.path(&name, object).map(|text| Known::Text(text.into())),
            _ => None,
        }
    }

    fn known_builtin(&self, name: &str, [first, second, _]: [Id; LOOKED_AT]) -> Option<Known<'f>> {
        match name {
            "encode" => self.latin1(first, second).map(Known::Bytes),
            "bytes" | "bytearray" => {
                let bytes = match first {
                    NOTHING => Cow::Borrowed(&b""[..]),
                    _ => self.latin1(first, second).or_else(|| self.raw(first))?,
                };
                Some(if name == "bytes" { Known::Bytes(bytes) } else { Known::ByteArray(bytes) })
            }
            "set" | "frozenset" | "list" | "tuple" => Some(Known::Items([first, NOTHING])),
            "dict" => Some(Known::Pairs([first, NOTHING])),
            _ => None,
        }
    }

    /// `encode(text, "latin1")`, which is how old protocols write bytes.
    fn latin1(&self, text: Id, encoding: Id) -> Option<Cow<'f, [u8]>> {
        let encoding = self.text(encoding)?;
        let text = self.text(text).filter(|_| matches!(&*encoding, "latin1" | "latin-1"))?;
        text.chars().map(|character| u8::try_from(character).ok()).collect::<Option<Vec<u8>>>().map(Cow::Owned)
    }

    /// The bytes that a node is.
    fn raw(&self, id: Id) -> Option<Cow<'f, [u8]>> {
        match self.node(id) {
            Node::Bytes(span) | Node::ByteArray(span) | Node::Str(span) => Some(Cow::Borrowed(self.bytes(span))),
            Node::Quoted(_) => self.quoted_bytes(id).map(Cow::Owned),
            Node::Call { function, arguments, .. } => {
                let (module, name) = self.names(function)?;
                let [text, encoding, _] = self.first(arguments, 0);
                self.latin1(text, encoding).filter(|_| module == "_codecs" && name == "encode")
            }
            _ => None,
        }
    }

    fn int(&self, id: Id) -> Option<i64> {
        match self.node(id) {
            Node::Int(number) => Some(number),
            _ => None,
        }
    }

    /// Times as `str()` shows them.
    fn known_time(&self, name: &str, [first, second, third]: [Id; LOOKED_AT]) -> Option<String> {
        match name {
            "datetime" => {
                let bytes: [u8; 10] = self.raw(first)?.as_ref().try_into().ok()?;
                let [y1, y2, month, day, rest @ ..] = bytes;
                Some(format!("{} {}{}", date([y1, y2, month, day]), time(rest), self.zone(second)?))
            }
            "date" => Some(date(self.raw(first)?.as_ref().try_into().ok()?)),
            "time" => Some(format!("{}{}", time(self.raw(first)?.as_ref().try_into().ok()?), self.zone(second)?)),
            "timedelta" => Some(span(self.int(first)?, self.int(second)?, self.int(third)?)),
            "timezone" => self.offset(first).map(|offset| format!("UTC{offset}")),
            _ => None,
        }
    }

    /// What stands behind a time: nothing, or its distance from UTC; `None` for a zone that only Python knows.
    fn zone(&self, id: Id) -> Option<String> {
        if id == NOTHING {
            return Some(String::new());
        }
        let object = self.object(id).ok()?;
        let (module, name) = self.names(object.function)?;
        let [delta, ..] = self.first(object.arguments, object.skipped);
        match (&*module, &*name) {
            ("datetime", "timezone") => self.offset(delta),
            ("pytz", "_UTC") => Some("+00:00".to_owned()),
            _ => None,
        }
    }

    /// A `timedelta` as a distance from UTC.
    fn offset(&self, delta: Id) -> Option<String> {
        let object = self.object(delta).ok()?;
        let (_, name) = self.names(object.function)?;
        let [days, seconds, _] = self.first(object.arguments, object.skipped).map(|id| self.int(id));
        let seconds = days?.checked_mul(86_400)?.checked_add(seconds?).filter(|_| name == "timedelta")?;
        let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
        Some(format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60))
    }

    /// The number in a UUID's state.
    fn uuid(&self, state: Id) -> Option<String> {
        let Node::Dict(children) = self.node(state) else { return None };
        let is_int = |key: Id| match self.node(key) {
            Node::Text(span) | Node::Str(span) | Node::RawText(span) | Node::Quoted(span) => self.bytes(span) == b"int",
            _ => false,
        };
        let (_, value) = pairs(self.children(children)).take(LOOKED_AT).find(|(key, _)| is_int(*key))?;
        let hex = format!("{:032x}", self.wide_unsigned(value)?);
        let (a, rest) = hex.split_at_checked(8)?;
        let (b, rest) = rest.split_at_checked(4)?;
        let (c, rest) = rest.split_at_checked(4)?;
        let (d, e) = rest.split_at_checked(4)?;
        Some(format!("{a}-{b}-{c}-{d}-{e}"))
    }

    /// An integer of up to 128 bits.
    fn wide_unsigned(&self, id: Id) -> Option<u128> {
        match self.node(id) {
            Node::Int(number) => u128::try_from(number).ok(),
            Node::Digits(span) if span.length <= 42 => {
                std::str::from_utf8(self.bytes(span)).ok()?.trim_end_matches('L').parse().ok()
            }
            Node::Wide(span) => {
                let bytes = self.bytes(span);
                let (low, high) = bytes.split_at(bytes.len().min(16));
                let mut word = [0; 16];
                word.get_mut(..low.len())?.copy_from_slice(low);
                matches!(high, [] | [0]).then(|| u128::from_le_bytes(word))
            }
            _ => None,
        }
    }

    fn address(&self, name: &str, number: Id) -> Option<String> {
        let number = self.wide_unsigned(number)?;
        match name {
            "IPv4Address" => u32::try_from(number).ok().map(|number| Ipv4Addr::from(number).to_string()),
            "IPv6Address" => Some(Ipv6Addr::from(number).to_string()),
            _ => None,
        }
    }

    /// A path from its parts, the first of which may be a root.
    fn path(&self, name: &str, object: Object) -> Option<String> {
        let separator = match name {
            "PurePosixPath" | "PosixPath" => '/',
            "PureWindowsPath" | "WindowsPath" => '\\',
            _ => return None,
        };
        let mut path = String::new();
        for part in self.arena.items(object.arguments).skip(object.skipped) {
            if !path.is_empty() && !path.ends_with(separator) {
                path.push(separator);
            }
            // an empty part is no part of a path, and would cost nothing
            path.push_str(self.text(part).as_deref().filter(|part| !part.is_empty())?);
        }
        Some(if path.is_empty() { ".".to_owned() } else { path })
    }
}

fn known_collection<'f>(name: &str, [first, ..]: [Id; LOOKED_AT], object: Object) -> Option<Known<'f>> {
    match name {
        "deque" => Some(Known::Items([first, object.items])),
        "OrderedDict" | "Counter" => Some(Known::Pairs([first, object.pairs])),
        "defaultdict" => Some(Known::Pairs([NOTHING, object.pairs])),
        _ => None,
    }
}

fn date([y1, y2, month, day]: [u8; 4]) -> String {
    // the month's high bit says which of two equal hours it is, at the end of summer
    format!("{:04}-{:02}-{day:02}", u16::from_be_bytes([y1, y2]), month & 0x7F)
}

fn time([hour, minute, second, m1, m2, m3]: [u8; 6]) -> String {
    let micros = u32::from_be_bytes([0, m1, m2, m3]);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{:02}:{minute:02}:{second:02}{fraction}", hour & 0x7F)
}

/// A `timedelta` as `str()` shows it; its seconds are less than a day.
fn span(days: i64, seconds: i64, micros: i64) -> String {
    let days = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{days}{}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

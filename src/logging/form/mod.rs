//! The form that Python's HTTPHandler sends: `urlencode` of a record's attributes, every value by its `str()`. Its bytes
//! come from a query or from a body; it reads neither.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use form_urlencoded::parse;

use super::{Fields, Saying, Value, merge_repr};
use crate::record::Entry;

/// More fields than this are none of a record: the rest is left out, and one field says so.
const MOST: usize = 1000;

/// The record in `form`, which is `application/x-www-form-urlencoded`; `None` where it has neither a `msg` nor a
/// `message`.
///
/// The message is put together from `msg` and `args` where no handler did so before; where they do not fit, both are
/// shown. Bytes that are not UTF-8 become U+FFFD.
pub fn read_form(form: &[u8]) -> Option<Entry<'_>> {
    let (mut msg, mut args, mut message) = (None, None, None);
    let mut fields = Fields::new(Saying::Texts);
    let mut others = 0;
    for (name, value) in parse(form) {
        match &*name {
            "msg" => msg = Some(value),
            "args" => args = Some(value),
            "message" => message = Some(value),
            _ if others > MOST => {}
            _ if others == MOST => {
                others += 1;
                fields.set("…".into(), Value::Text("there were too many fields: some were left out".into()));
            }
            _ => {
                others += 1;
                fields.set(name, Value::Text(value));
            }
        }
    }
    let text = message.or_else(|| msg.map(|msg| merged(msg, args)))?;
    fields.set("message".into(), Value::Text(text));
    Some(fields.into_entry())
}

/// The message with its arguments in it; where they do not fit, behind it.
fn merged<'a>(msg: Cow<'a, str>, args: Option<Cow<'a, str>>) -> Cow<'a, str> {
    let Some(args) = args else { return msg };
    match merge_repr(&msg, &args) {
        Some(Cow::Owned(merged)) => Cow::Owned(merged),
        Some(Cow::Borrowed(_)) => msg,
        None => Cow::Owned(format!("{msg} {args}")),
    }
}

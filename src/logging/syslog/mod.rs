//! syslog: messages out of a stream of bytes, and records out of messages. It takes what Python's SysLogHandler sends,
//! which is no more than `<PRI>text`, and both RFC 3164 and RFC 5424.

mod framing;
mod header;
mod message;
mod structured;
#[cfg(test)]
mod tests;

pub use framing::Framer;
pub use message::{read_syslog, read_syslog_datagram};

use header::{Header, read_header};
use structured::{Elements, read_structured};

/// The number between the angle brackets that a message begins with (RFC 5424 §6.2.1), 0 to 191, and what follows them.
fn read_priority(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let digits = bytes.strip_prefix(b"<")?;
    let end = digits.iter().take(4).position(|byte| *byte == b'>')?;
    let number = &digits[..end];
    let is_number = number.iter().all(u8::is_ascii_digit) && (number.len() == 1 || number.first() != Some(&b'0'));
    let priority = std::str::from_utf8(number).ok().filter(|_| is_number)?.parse().ok()?;
    (priority <= 191).then_some((priority, &digits[end + 1..]))
}

/// Whether a message could begin with these bytes once there are more of them; or does.
fn may_be_priority(bytes: &[u8]) -> bool {
    match bytes {
        [] => true,
        [b'<', digits @ ..] if digits.len() < 4 => {
            digits.iter().all(u8::is_ascii_digit) || read_priority(bytes).is_some()
        }
        _ => read_priority(bytes).is_some(),
    }
}

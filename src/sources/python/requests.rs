//! What HTTPHandler has sent and nobody has looked at yet: a sender waits for its answer, and gets it before that. It holds
//! a bounded number of bytes, and refuses what is beyond.

use std::mem::take;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{Peer, Records};
use crate::logging::{read_form, read_records};

/// So many bytes may wait; one request may have more, where none waits.
const MOST_WAITING: usize = 16 << 20;

/// What a request counts for beside its body.
const OVERHEAD: usize = 256;

/// One request that brings records.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who sent it.
    pub peer: Peer,
    /// The user that it names.
    pub user: Option<String>,
    /// What it holds.
    pub content: Content,
}

/// The records of a request, as they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// One record as `application/x-www-form-urlencoded`.
    Form(Bytes),
    /// An object, an array of objects, or one object to a line.
    Json(Bytes),
}

impl Request {
    fn size(&self) -> usize {
        let (Content::Form(bytes) | Content::Json(bytes)) = &self.content;
        bytes.len() + OVERHEAD
    }
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Requests {
    waiting: Mutex<(Vec<Request>, usize)>,
    news: Notify,
}

impl Requests {
    /// Puts one behind the others; whether there was room for it.
    pub(super) fn put(&self, request: Request) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (requests, bytes) = &mut *waiting;
        if *bytes > 0 && *bytes + request.size() > MOST_WAITING {
            return false;
        }
        *bytes += request.size();
        requests.push(request);
        self.news.notify_one();
        true
    }

    /// Waits until there are any.
    pub(super) async fn come(&self) {
        self.news.notified().await;
    }

    /// Hands on what is in all of them.
    pub(super) fn pass(&self, records: &mut Records) {
        let (requests, _) = take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for request in &requests {
            read(records, request);
        }
        if !requests.is_empty() {
            records.send();
        }
    }
}

fn read(records: &mut Records, request: &Request) {
    records.turn_to(&request.peer);
    let user = request.user.as_deref();
    match &request.content {
        Content::Form(form) => {
            records.count_bytes(form.len());
            match read_form(form) {
                Some(entry) => records.add_of(user, entry),
                None => records.spoil("the form has neither `msg` nor `message`"),
            }
        }
        Content::Json(body) => {
            records.count_bytes(body.len());
            for record in read_records(body) {
                match record {
                    Ok(entry) => records.add_of(user, entry),
                    Err(bad) => records.spoil(bad),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(bytes: usize) -> Request {
        Request { peer: Peer::Unix, user: None, content: Content::Form(vec![0; bytes].into()) }
    }

    #[test]
    fn what_waits_has_a_bound_and_one_request_always_fits() {
        let requests = Requests::default();
        assert!(requests.put(request(MOST_WAITING + 1)));
        assert!(!requests.put(request(0)));
        let requests = Requests::default();
        let room = MOST_WAITING / (1000 + OVERHEAD);
        assert_eq!((0..2 * room).filter(|_| requests.put(request(1000))).count(), room);
    }
}

//! What a source would say again and again, said now and then: the first time at once, and then how often it was. It
//! never forgets a count.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Sink;

/// The same is not said again before so much time.
const PAUSE: Duration = Duration::from_secs(10);

/// What can happen any number of times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Notice {
    /// Something came that is no record.
    BadRecord,
    /// Somebody may not send.
    Refused,
    /// The kernel had no room for datagrams.
    LostDatagrams,
    /// A datagram was longer than what is read of one.
    CutDatagram,
    /// A connection brought what cannot be cut into records, and was closed.
    Closed,
}

impl Notice {
    const COUNT: usize = 5;

    /// Everything that happened, in one line; `last` is about the last time.
    fn text(self, times: u64, last: &str) -> String {
        match (self, times) {
            (Notice::LostDatagrams, 1) => format!("1 datagram lost: {last}"),
            (Notice::LostDatagrams, _) => format!("{times} datagrams lost: {last}"),
            (_, 1) => last.to_owned(),
            (Notice::BadRecord, _) => format!("{times} records could not be read; the last: {last}"),
            (Notice::CutDatagram, _) => format!("{times} datagrams were cut; the last: {last}"),
            (Notice::Refused, _) => format!("{times} senders were refused; the last: {last}"),
            (Notice::Closed, _) => format!("{times} connections were closed; the last: {last}"),
        }
    }
}

/// What has not been said yet.
#[derive(Clone, Default, Debug)]
struct Held {
    said: Option<Instant>,
    times: u64,
    last: String,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Notices {
    sink: Sink,
    held: Mutex<[Held; Notice::COUNT]>,
    news: Notify,
}

const ALL: [Notice; Notice::COUNT] =
    [Notice::BadRecord, Notice::Refused, Notice::LostDatagrams, Notice::CutDatagram, Notice::Closed];

impl Notices {
    pub(super) fn new(sink: Sink) -> Notices {
        Notices { sink, held: Mutex::default(), news: Notify::new() }
    }

    /// Whether it would be said now: what came before it should be in the feed by then.
    pub(super) fn is_due(&self, notice: Notice) -> bool {
        self.lock()[notice as usize].said.is_none_or(|said| said.elapsed() >= PAUSE)
    }

    /// Says it now, or when it is time.
    pub(super) fn tell(&self, notice: Notice, times: u64, last: impl FnOnce() -> String) {
        let mut all = self.lock();
        let held = &mut all[notice as usize];
        held.times += times;
        held.last = last();
        if held.said.is_none_or(|said| said.elapsed() >= PAUSE) {
            self.say(notice, held);
        } else {
            self.news.notify_one();
        }
    }

    /// Says what was held back when it is time, and never ends.
    pub(super) async fn keep_time(&self) -> Infallible {
        loop {
            match self.next() {
                Some(due) => sleep_until(due).await,
                None => self.news.notified().await,
            }
            self.say_all(|said| said.elapsed() >= PAUSE);
        }
    }

    /// Says what was held back, now.
    pub(super) fn finish(&self) {
        self.say_all(|_| true);
    }

    fn next(&self) -> Option<Instant> {
        let all = self.lock();
        all.iter().filter(|held| held.times > 0).filter_map(|held| held.said.map(|said| said + PAUSE)).min()
    }

    fn say_all(&self, is_due: impl Fn(Instant) -> bool) {
        for (notice, held) in ALL.into_iter().zip(&mut *self.lock()) {
            if held.times > 0 && held.said.is_none_or(&is_due) {
                self.say(notice, held);
            }
        }
    }

    fn say(&self, notice: Notice, held: &mut Held) {
        self.sink.say(&notice.text(held.times, &held.last));
        *held = Held { said: Some(Instant::now()), ..Held::default() };
    }

    fn lock(&self) -> MutexGuard<'_, [Held; Notice::COUNT]> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The life of a subscription: found, lost, found again, and what was published meanwhile on the way to the feed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use redis::aio::{PubSubSink, PubSubStream};
use redis::{ErrorKind, Msg, RedisError};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::{
    Batch, Count, Counters, Gate, LONGEST, Notice, Notices, Peer, Server, Settings, Sink, add_payload, length_of,
};

/// A server that has said nothing for so long is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(15);

/// It has so much time to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Between two tries to reach it: at first, doubled each time, and at most.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// Why nothing comes any more.
#[derive(Debug)]
pub(super) struct Lost(String);

impl Lost {
    pub(super) fn new(why: impl Into<String>) -> Lost {
        Lost(why.into())
    }
}

impl From<RedisError> for Lost {
    /// What the server answered, or what the library says.
    fn from(error: RedisError) -> Lost {
        if error.kind() == ErrorKind::AuthenticationFailed {
            return Lost::new("the server takes neither this user nor this password, or wants none");
        }
        match (error.code(), error.detail()) {
            (Some(code), Some(detail)) => Lost(format!("the server says: {code} {detail}")),
            (Some(code), None) => Lost(format!("the server says: {code}")),
            (None, _) => Lost(error.to_string()),
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace(char::is_control, " "))
    }
}

/// Where a source stands with its server.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Contact {
    /// It was not reached yet.
    Never,
    Reached,
    /// It has said that it was lost, and why.
    Lost(String),
}

/// See the module.
pub(super) struct Following {
    settings: Settings,
    sink: Sink,
    counters: Counters,
    notices: Arc<Notices>,
    peer: Peer,
    batch: Batch,
    contact: Contact,
    /// Nothing has come yet, ever: the list is still to be read.
    wants_list: bool,
    pause: Duration,
}

impl Following {
    pub(super) fn new(settings: Settings, sink: Sink, counters: Counters, notices: Arc<Notices>) -> Following {
        let (peer, batch) = (Peer::Server(settings.url.as_str().into()), Batch::new(sink.clone()));
        let (contact, [pause, _], wants_list) = (Contact::Never, PAUSES, false);
        Following { settings, sink, counters, notices, peer, batch, contact, wants_list, pause }
    }

    /// Subscribes, over and over. May be dropped at any time: nothing waits in it.
    pub(super) async fn run(mut self) -> ! {
        self.wants_list = self.settings.list.is_some() && is_empty(&self.sink).await;
        loop {
            let Err(lost) = self.subscribe().await;
            self.lose(&lost);
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(PAUSES[1]);
        }
    }

    fn lose(&mut self, lost: &Lost) {
        let why = lost.to_string();
        if self.contact != Contact::Lost(why.clone()) {
            warn!(why, "a Redis server was lost");
            self.sink.say(&format!("source lost: {why}"));
            self.contact = Contact::Lost(why);
        }
    }

    fn reach(&mut self) {
        [self.pause, _] = PAUSES;
        info!(server = self.settings.url, "subscribed to channels of a Redis server");
        if let Contact::Lost(_) = std::mem::replace(&mut self.contact, Contact::Reached) {
            self.sink.say("source back: lines may be missing");
        }
    }

    /// Subscribes once, and follows until it ends.
    async fn subscribe(&mut self) -> Result<std::convert::Infallible, Lost> {
        let server = Server::of(&self.settings)?;
        let (pubsub, gate) = server.listen().await?;
        let (mut asking, messages) = pubsub.split();
        let (channels, patterns) = (&self.settings.channels, &self.settings.patterns);
        if !channels.is_empty() {
            in_time(asking.subscribe(channels)).await?;
        }
        if !patterns.is_empty() {
            in_time(asking.psubscribe(patterns)).await?;
        }
        self.reach();
        // what is published meanwhile waits
        self.read_list(&server).await;
        self.follow(asking, messages, &gate).await
    }

    /// Reads the list, as long as nothing has come.
    async fn read_list(&mut self, server: &Server) {
        let Some(key) = self.settings.list.clone().filter(|_| self.wants_list) else { return };
        match server.read_list(&key).await {
            Ok(elements) => {
                elements.iter().for_each(|element| self.add(element, &key));
                self.batch.send();
            }
            Err(lost) => self.sink.say(&format!("the list `{key}` cannot be read: {lost}")),
        }
    }

    /// Takes messages until none come any more.
    async fn follow(
        &mut self,
        mut asking: PubSubSink,
        mut messages: PubSubStream,
        gate: &Gate,
    ) -> Result<std::convert::Infallible, Lost> {
        loop {
            tokio::select! {
                message = messages.next() => {
                    let message = message.ok_or_else(|| Lost::new("the connection ended"))?;
                    self.take(&message);
                }
                () = gate.shut() => {}
                () = sleep(SILENCE) => self.ask(&mut asking, &mut messages).await?,
            }
            // all that is there: the gate keeps it from being more than a bound
            while let Some(Some(message)) = tokio::task::coop::unconstrained(messages.next()).now_or_never() {
                self.take(&message);
            }
            self.batch.send();
            gate.open();
        }
    }

    /// Asks a silent server whether it is there. A message is an answer too, and may stand before the other one.
    async fn ask(&mut self, asking: &mut PubSubSink, messages: &mut PubSubStream) -> Result<(), Lost> {
        tokio::select! {
            answer = in_time(asking.ping::<redis::Value>()) => answer.map(drop),
            message = messages.next() => {
                let message = message.ok_or_else(|| Lost::new("the connection ended"))?;
                self.take(&message);
                Ok(())
            }
        }
    }

    fn take(&mut self, message: &Msg) {
        self.add(message.get_payload_bytes(), message.get_channel_name());
    }

    /// Adds one payload, or element of a list.
    fn add(&mut self, payload: &[u8], channel: &str) {
        let bytes = length_of(payload);
        let mut count = Count { bytes, ..Count::default() };
        if bytes > LONGEST as u64 {
            count.bad_frames = 1;
            let tell = || format!("a message of {bytes} bytes on `{channel}` is not kept: {LONGEST} are the most");
            self.notices.tell(Notice::BadRecord, 1, tell);
        } else {
            count.records = 1;
            self.wants_list = false;
            let is_one = self.settings.patterns.is_empty() && self.settings.channels.len() == 1;
            add_payload(&mut self.batch, payload, (!is_one).then_some(channel));
        }
        self.counters.count(&self.peer, count);
    }
}

/// Whether nothing was ever brought to the journal of `sink`: what was said of a server that was not there does not count.
async fn is_empty(sink: &Sink) -> bool {
    let journal = Arc::clone(sink.journal());
    let brought = spawn_blocking(move || journal.was_brought_anything()).await;
    match brought {
        Ok(Ok(anything)) => !anything,
        Ok(Err(error)) => {
            warn!(%error, "the journal of a feed cannot be read: its list is not either");
            false
        }
        Err(_) => false,
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, RedisError>>) -> Result<T, Lost> {
    let late = || Lost::new(format!("the server did not answer within {} s", ANSWER.as_secs()));
    Ok(timeout(ANSWER, work).await.map_err(|_| late())??)
}

//! When a stream has been silent for so long that something is said of it. It only renders, and sends nothing.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::Show;
use crate::views::Frames;

/// How often something is sent, so that proxies keep a silent page open.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A run that printed nothing for so long is spoken of.
const SILENCE: Duration = Duration::from_secs(30);

/// Notices silence: on the line, which proxies do not like, and of the run, which people wonder about.
pub(super) struct Clock {
    /// The run goes on.
    pub(super) live: bool,
    /// The format has something to say while there are no lines.
    speaks: bool,
    alarm: Option<Pin<Box<Sleep>>>,
    /// When something was last sent.
    pub(super) sent: Instant,
    /// When the run last printed something, as far as this page knows.
    pub(super) output: Instant,
    /// Its silence has been spoken of.
    spoken: bool,
    /// It waits for its turn: its silence is nobody's doubt.
    pub(super) queued: bool,
}

impl Clock {
    pub(super) fn new(live: bool, speaks: bool, is_wondered_at: bool) -> Clock {
        let now = Instant::now();
        // nobody wonders about the silence of a run that has ended, nor of a feed
        Clock { live, speaks, alarm: None, sent: now, output: now, spoken: !is_wondered_at, queued: false }
    }

    /// Ready where the view has rendered something about the silence.
    pub(super) fn poll_silence(&mut self, context: &mut Context<'_>, show: &mut Show, out: &mut Frames) -> Poll<()> {
        if !self.speaks {
            return Poll::Pending;
        }
        loop {
            let (heartbeat, silence) = (self.sent + HEARTBEAT, self.output + SILENCE);
            let only_heartbeat = self.spoken || self.queued;
            let due = if only_heartbeat { heartbeat } else { heartbeat.min(silence) };
            if due > Instant::now() {
                // the alarm may ring early: something was sent since it was set, and it is set anew then
                let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(due)));
                ready!(alarm.as_mut().poll(context));
                alarm.as_mut().reset(due);
                continue;
            }
            if only_heartbeat || heartbeat < silence {
                show.view.heartbeat(out);
            } else {
                self.spoken = true;
                show.view.notice(silence_note(show.on_pipes), out);
            }
            self.sent = Instant::now();
            return Poll::Ready(());
        }
    }
}

fn silence_note(on_pipes: bool) -> &'static str {
    if on_pipes {
        "no output for 30 s. A program that holds its output back when it is not on a terminal wants `pty = true` in \
         jobs.toml."
    } else {
        "no output for 30 s."
    }
}

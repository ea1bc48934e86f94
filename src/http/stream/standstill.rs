//! When it is said how many lines wait of a stream that stands still. It never sees a line.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How soon it is said again at first, if it has changed; then after twice as long each time.
const FIRST: Duration = Duration::from_secs(2);

/// It is looked at so often at the least: a page that stands still for days does not grow without bound.
const LAST: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Standstill {
    alarm: Option<Pin<Box<Sleep>>>,
    pause: Duration,
    told: Option<u64>,
}

impl Standstill {
    pub(super) fn new() -> Standstill {
        Standstill { alarm: None, pause: FIRST, told: None }
    }

    /// Ready where it is to be said that `remaining` lines wait.
    pub(super) fn poll_count(&mut self, context: &mut Context<'_>, remaining: u64) -> Poll<()> {
        loop {
            let next = Instant::now() + self.pause;
            let alarm = match &mut self.alarm {
                Some(alarm) => {
                    ready!(alarm.as_mut().poll(context));
                    alarm
                }
                none => none.insert(Box::pin(sleep_until(next))),
            };
            alarm.as_mut().reset(next);
            if self.look(remaining) {
                return Poll::Ready(());
            }
        }
    }

    /// Whether so many were not told of; the next look comes later than this one did.
    fn look(&mut self, remaining: u64) -> bool {
        self.pause = (2 * self.pause).min(LAST);
        self.told.replace(remaining) != Some(remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_said_less_and_less_often_and_only_where_it_has_changed() {
        let mut standstill = Standstill::new();
        let mut pauses = Vec::new();
        for (remaining, is_said) in [(7, true), (7, false), (8, true), (0, true), (0, false), (1, true), (2, true)] {
            pauses.push(standstill.pause.as_secs());
            assert_eq!(standstill.look(remaining), is_said, "{remaining}");
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
    }

    #[tokio::test]
    async fn the_first_count_is_said_at_once() {
        let mut standstill = Standstill::new();
        std::future::poll_fn(|context| standstill.poll_count(context, 7)).await;
        assert!(standstill.alarm.is_some() && standstill.told == Some(7));
    }
}

//! At most so many lines a second, evenly: says how many may go now, and waits until more may. It never sees a line.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Where many lines go in a second, they go in shares of so long.
const SHARE: Duration = Duration::from_millis(50);

/// The pace of one stream.
pub(super) struct Pace {
    /// What one line takes.
    line: Duration,
    /// What the lines of one share take: at least one line.
    share: Duration,
    /// When the next line may go.
    due: Instant,
    /// Nothing has gone yet.
    is_first: bool,
    /// Nothing ever goes.
    stands_still: bool,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// Of so many lines a second, from 1 to 1,000,000, of which the first may go now; of none with 0.
    pub(super) fn new(lines_a_second: u32) -> Pace {
        let line = Duration::from_secs(1) / lines_a_second.max(1);
        let lines = SHARE.as_nanos() / line.as_nanos().max(1);
        let share = line * u32::try_from(lines).unwrap_or(1).max(1);
        let stands_still = lines_a_second == 0;
        Pace { line, share, due: Instant::now(), is_first: true, stands_still, alarm: None }
    }

    /// Whether no line ever may go.
    pub(super) fn stands_still(&self) -> bool {
        self.stands_still
    }

    /// How many lines may go now; at least one.
    pub(super) fn poll_lines(&mut self, context: &mut Context<'_>) -> Poll<u64> {
        if self.stands_still {
            return Poll::Pending;
        }
        loop {
            let full = match self.allow(Instant::now()) {
                Ok(lines) => return Poll::Ready(lines),
                Err(full) => full,
            };
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(full)));
            if alarm.deadline() != full {
                alarm.as_mut().reset(full);
            }
            ready!(alarm.as_mut().poll(context));
        }
    }

    /// How many lines may go at the time `now`; or when a share of them may, for not each goes by itself where they are
    /// many.
    fn allow(&mut self, now: Instant) -> Result<u64, Instant> {
        let full = self.due + (self.share - self.line);
        if now < full && !self.is_first {
            return Err(full);
        }
        self.is_first = false;
        // what was missed while there was nothing to send is not made up for
        let behind = now.saturating_duration_since(self.due).min(self.share);
        self.due = now - behind;
        let more = behind.as_nanos() / self.line.as_nanos().max(1);
        Ok(u64::try_from(more).unwrap_or(u64::MAX).saturating_add(1))
    }

    /// So many lines go.
    pub(super) fn spend(&mut self, lines: u64) {
        self.due += self.line * u32::try_from(lines).unwrap_or(u32::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many lines take from `now` on, and the most that went at once.
    fn send(pace: &mut Pace, now: &mut Instant, lines: u64) -> (Duration, u64) {
        let begun = *now;
        let (mut left, mut most) = (lines, 0);
        while left > 0 {
            match pace.allow(*now) {
                Ok(some) => {
                    pace.spend(some.min(left));
                    (left, most) = (left - some.min(left), most.max(some));
                }
                Err(later) => {
                    assert!(later > *now);
                    *now = later;
                }
            }
        }
        (*now - begun, most)
    }

    #[test]
    fn the_first_line_goes_at_once_and_the_others_follow_evenly() {
        for (rate, lines, seconds, share) in [
            (1, 4, 3.0, 1),
            (3, 10, 3.0, 1),
            (10, 31, 3.0, 1),
            (1000, 3001, 3.0, 50),
            (1_000_000, 3_000_001, 3.0, 50_000),
        ] {
            let mut pace = Pace::new(rate);
            let mut now = pace.due;
            assert_eq!(send(&mut pace, &mut now, 1), (Duration::ZERO, 1));
            let (taken, most) = send(&mut pace, &mut now, lines - 1);
            assert!((taken.as_secs_f64() - seconds).abs() < 0.06, "{rate} a second: {taken:?}");
            assert_eq!(most, share, "{rate} a second");
        }
    }

    #[test]
    fn what_was_not_sent_in_time_is_not_made_up_for() {
        let mut pace = Pace::new(100);
        let mut now = pace.due;
        send(&mut pace, &mut now, 1);
        now += Duration::from_secs(3600);
        let (taken, most) = send(&mut pace, &mut now, 1000);
        assert!(most <= 6 && taken > Duration::from_secs_f64(9.8), "{most} at once, {taken:?}");
    }
}

//! The places of a run that waits for its turn, one after the other. It only watches them, and never moves a run.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use crate::runs::{Place, Run};

/// The next place of a run in the queue, and what tells of those after it.
pub(super) type NextPlace = Pin<Box<dyn Future<Output = (Option<Place>, Places)> + Send>>;

/// A run that waits for its turn, and where it stands.
pub(super) struct Places {
    run: Arc<Run>,
    places: watch::Receiver<Option<Place>>,
}

impl Places {
    /// The places of `run`; where it stands now is the first that is told.
    pub(super) fn of(run: Arc<Run>) -> Places {
        let mut places = run.place();
        places.mark_changed();
        Places { run, places }
    }

    /// Waits until the place is another one; or, where there is none any more, until the command runs, or never will.
    pub(super) async fn next(mut self) -> (Option<Place>, Places) {
        // an error: who tells of it is gone with the run
        let place = self.places.changed().await.ok().and_then(|()| *self.places.borrow_and_update());
        if place.is_none() {
            self.run.running().await;
        }
        (place, self)
    }
}

//! `/feeds/{feed}/events`: a feed as Elva's server sends it, for its page and for whatever else reads what python-redis-log
//! publishes. It is the feed's own stream in other words.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{
    App, Asked, Everywhere, FeedEvents, FeedName, FeedWords, FilterWords, Name, Refusal, Wanted, answer_feed,
    find_feed, show_file, watch_feed,
};
use crate::views::View;

/// A feed's lines, each an event with the object that python-redis-log would publish.
#[utoipa::path(
    get,
    path = "/feeds/{feed}/events",
    operation_id = "showFeedEvents",
    tag = "feeds",
    params(FeedName, FilterWords, FeedWords),
    responses(Everywhere, FeedEvents)
)]
pub(super) async fn show(State(app): State<Arc<App>>, Name(name): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let feed = find_feed(&app, &name)?;
    if feed.files().is_some() {
        // a file that happens to be called so
        return show_file(State(app), Name((name, "events".to_owned())), asked).await;
    }
    let watched = watch_feed(&feed)?;
    let asked = Asked { wanted: Wanted::Sse, ..asked };
    answer_feed(&app, (&feed, watched), &asked, |_, _| View::published()).await
}

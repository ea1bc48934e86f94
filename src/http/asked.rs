//! A request as every handler reads it: who asks, in what way, with which query, for which format.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Version};
use serde::de::DeserializeOwned;

use super::{EventId, Peer, Query, Refusal, Visit, Wanted, choose};
use crate::sources;

/// What a handler knows of a request besides its path and its body.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) query: Query,
    pub(super) wanted: Wanted,
    pub(super) visit: Visit,
    /// Who asks, for the history.
    pub(super) peer: String,
    /// The same, for a feed that it brings lines to.
    pub(super) sender: sources::Peer,
}

/// Who sends a request, as the counters of feeds know senders.
pub(super) fn sender(parts: &Parts) -> sources::Peer {
    sender_of(parts.extensions.get().copied().unwrap_or(Peer::Unix))
}

/// The same of who is at the other end of a connection.
pub(super) fn sender_of(peer: Peer) -> sources::Peer {
    match peer {
        Peer::Tcp(address) => sources::Peer::Machine(address.ip().to_canonical()),
        Peer::Unix => sources::Peer::Unix,
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = Query::parse(parts.uri.query().unwrap_or_default())?;
        let wanted = choose(query.value("format"), &parts.headers)?;
        let peer = match parts.extensions.get::<Peer>() {
            Some(Peer::Tcp(address)) => address.ip().to_string(),
            Some(Peer::Unix) => "a unix socket".to_owned(),
            None => "nowhere".to_owned(),
        };
        Ok(Asked {
            visit: Visit::classify(parts),
            method: parts.method.clone(),
            version: parts.version,
            headers: parts.headers.clone(),
            query,
            wanted,
            peer,
            sender: sender(parts),
        })
    }
}

/// The name in a path: of a job, a run, a file; or a feed's and a file's, both.
pub(super) struct Name<T = String>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Name<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Name(name)),
            Err(_) => Err(Refusal::bad_request(format!("the path {} is not UTF-8", parts.uri.path()))),
        }
    }
}

impl Asked {
    /// Refuses any method but `allowed` (and HEAD with GET).
    pub(super) fn allow(&self, allowed: &'static str) -> Result<(), Refusal> {
        let given = if self.method == Method::HEAD { "GET" } else { self.method.as_str() };
        if allowed.split(", ").any(|method| method == given) {
            return Ok(());
        }
        Err(Refusal::method_not_allowed(format!("{} is not answered here", self.method), allowed))
    }

    /// Refuses what another site made a browser send.
    pub(super) fn of_own_will(&self) -> Result<(), Refusal> {
        match self.visit {
            Visit::Direct => Ok(()),
            Visit::Prefetch => Err(Refusal::unavailable(
                "nothing is fetched ahead here: it would start or change something",
                std::time::Duration::from_secs(1),
            )),
            Visit::CrossSiteNavigation | Visit::CrossSite => {
                Err(Refusal::forbidden("another site made this request, and only this one's own pages may")
                    .remedy("open the page here and press its button"))
            }
        }
    }

    /// How far a client of server-sent events has come that lost its connection. A request that says so never starts
    /// anything: what it says is understood, or it is refused.
    pub(super) fn last_event(&self) -> Result<Option<EventId>, Refusal> {
        let Some(id) = self.header("last-event-id").filter(|id| !id.is_empty()) else { return Ok(None) };
        let known = id.parse().map(Some);
        known.map_err(|()| {
            Refusal::bad_request(format!("Last-Event-ID cannot be `{id}`")).remedy("allowed: an id that a stream sent")
        })
    }

    /// Whether a browser goes to a page with this, as far as its headers tell: `Sec-Fetch-Mode` comes over HTTPS and
    /// from this machine alone.
    pub(super) fn is_navigation(&self) -> bool {
        let accepts_html = matches!(choose(None, &self.headers), Ok(Wanted::Html));
        accepts_html && self.header("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
    }

    /// A header's value as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

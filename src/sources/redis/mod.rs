//! Redis channels as a source: what is published to them, for as long as it takes to stop. It publishes nothing.

use std::fmt;

/// Which channels, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `redis://host:port/db`, `rediss://host:port/db` or `redis+unix:///path?db=db`, the database only where one is named;
    /// neither user nor password is in it.
    pub url: String,
    /// As whom to sign in, where it is not the default user.
    pub user: Option<String>,
    /// What to sign in with. Never `None` where there is a user.
    pub password: Option<Password>,
    /// Names of channels.
    pub channels: Vec<String>,
    /// Patterns of names, as PSUBSCRIBE takes them.
    pub patterns: Vec<String>,
    /// A list that holds the last records (RedisListHandler), read whenever the source begins.
    pub list: Option<String>,
}

/// A password, as the server takes it. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// This text as a password.
    pub fn new(text: impl Into<String>) -> Self {
        Password(text.into())
    }

    /// The text, for the server alone.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

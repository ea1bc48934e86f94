//! Redis channels as a source: what is published to them, for as long as it takes to stop. It publishes nothing.

/// Which channels, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `redis://` or `rediss://`, with the user and the password if there are any.
    pub url: String,
    /// Names of channels.
    pub channels: Vec<String>,
    /// Patterns of names, as PSUBSCRIBE takes them.
    pub patterns: Vec<String>,
    /// A list that holds the last records (RedisListHandler), read whenever the source begins.
    pub list: Option<String>,
}

//! Loads `jobs.toml` anew into a server that runs. What has begun goes on as it began; a file with mistakes changes
//! nothing.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::{error, info, warn};

use crate::config::{self, Config, Server};
use crate::feeds::Feeds;
use crate::http::App;
use crate::runs::Runs;

/// What a running server needs to load its file anew.
pub(super) struct Reload {
    pub(super) path: PathBuf,
    pub(super) app: Arc<App>,
    pub(super) runs: Arc<Runs>,
    pub(super) feeds: Arc<Feeds>,
    /// The `[server]` table that it was started with.
    pub(super) started: Server,
    /// The same with what the command line said instead.
    pub(super) effective: Server,
}

impl Reload {
    /// Loads the file. The log and every page say what came of it, where that is not everything.
    pub(super) async fn load(&self) {
        let path = self.path.clone();
        let loaded = match tokio::task::spawn_blocking(move || config::load(&path)).await {
            Ok(loaded) => loaded,
            Err(error) => return error!(%error, "jobs.toml cannot be loaded"),
        };
        match loaded {
            Ok(config) => self.take(config).await,
            Err(mistakes) => {
                error!("{} has mistakes and the one before stays in use:\n{mistakes}", self.path.display());
                let list = mistakes.summary().join("; ");
                self.app
                    .complain(format!("{} has mistakes, and the one before is in use: {list}", self.path.display()));
            }
        }
    }

    async fn take(&self, mut config: Config) {
        let fixed = self.fixed(&config.server);
        let problem = (!fixed.is_empty()).then(|| {
            let keys = fixed.join("`, `");
            format!("{} has another `{keys}`, which only a restart takes over", self.path.display())
        });
        if let Some(problem) = &problem {
            warn!("{problem}");
        }
        config.server.listen.clone_from(&self.effective.listen);
        self.runs.apply(super::limits(&config.server));
        self.feeds.apply(&config.feeds).await;
        self.app.replace(&config, problem);
        info!(jobs = config.jobs.len(), feeds = config.feeds.len(), "loaded {} anew", self.path.display());
    }

    /// The keys that differ and that a server takes at its start only.
    fn fixed(&self, new: &Server) -> Vec<&'static str> {
        let old = &self.started;
        [
            ("listen", old.listen != new.listen),
            ("state_dir", old.state_dir != new.state_dir),
            ("base_path", old.base_path != new.base_path),
            ("max_connections", old.max_connections != new.max_connections),
        ]
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
    }
}

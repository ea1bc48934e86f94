//! What every handler knows: where joblines is mounted, the runs, and what `jobs.toml` says now.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{Hosts, encode};
use crate::config::{Config, Job};
use crate::feeds::Feeds;
use crate::record::{FeedStart, RunId};
use crate::runs::Runs;

/// What every handler knows.
pub struct App {
    pub(super) base_path: String,
    /// Scheme, host and port of the first address, for the curl lines that pages show.
    pub(super) origin: String,
    pub(super) runs: Arc<Runs>,
    pub(super) feeds: Arc<Feeds>,
    current: ArcSwap<Current>,
}

/// What `jobs.toml` says. A request that has one sees nothing of a later one.
pub(super) struct Current {
    pub(super) jobs: Vec<Arc<Job>>,
    by_name: HashMap<String, Arc<Job>>,
    pub(super) hosts: Hosts,
    /// Why the file as it is now is not in use, wholly or in part.
    pub(super) problem: Option<String>,
}

impl Current {
    fn new(config: &Config, problem: Option<String>) -> Current {
        Current {
            jobs: config.jobs.clone(),
            by_name: config.jobs.iter().map(|job| (job.name.clone(), Arc::clone(job))).collect(),
            hosts: Hosts::new(&config.server.listen, &config.server.hosts),
            problem,
        }
    }

    /// The job of this name.
    pub(super) fn job(&self, name: &str) -> Option<Arc<Job>> {
        self.by_name.get(name).cloned()
    }
}

impl App {
    /// Of a configuration, its runs and its feeds; `origin` is its first address.
    pub fn new(config: &Config, (runs, feeds): (Arc<Runs>, Arc<Feeds>), origin: String) -> Arc<App> {
        Arc::new(App {
            base_path: config.server.base_path.clone(),
            origin,
            runs,
            feeds,
            current: ArcSwap::from_pointee(Current::new(config, None)),
        })
    }

    /// Answers by `config` from here on; runs that have begun keep the job that they began with. `problem` is what of it
    /// could not be taken over. Where it listens and where it is mounted stay as they are.
    pub fn replace(&self, config: &Config, problem: Option<String>) {
        self.current.store(Arc::new(Current::new(config, problem)));
    }

    /// Says on every page why the file as it is now is not in use.
    pub fn complain(&self, problem: String) {
        let now = self.current();
        let (jobs, by_name, hosts) = (now.jobs.clone(), now.by_name.clone(), now.hosts.clone());
        self.current.store(Arc::new(Current { jobs, by_name, hosts, problem: Some(problem) }));
    }

    /// The URL of a run, without scheme and host.
    pub(super) fn place_of(&self, run: RunId) -> String {
        format!("{}/runs/{run}", self.base_path)
    }

    /// The path of a feed, or of a file of its folder.
    pub(super) fn place_of_feed(&self, start: &FeedStart) -> String {
        let path = start.path.iter().flat_map(|path| path.split('/'));
        let path: String = path.map(|part| format!("/{}", encode(part))).collect();
        format!("{}/feeds/{}{path}", self.base_path, start.feed)
    }

    /// What `jobs.toml` says now.
    pub(super) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }
}

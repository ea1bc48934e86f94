//! Whole files, right and wrong: what they mean, and exactly what is said about them.

mod feeds;
mod meant;
mod schema;
mod wrong;

use super::*;

fn parsed(text: &str) -> Result<Config, Mistakes> {
    parse(text, Path::new("jobs.toml"), Path::new("/srv/app"))
}

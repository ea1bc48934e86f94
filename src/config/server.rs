//! The `[server]` table as written → [`Server`] as meant. It never binds an address or makes a folder.

use std::path::Path;

use super::{Invalid, Listen, Mistake, Server, Table, Value, absolute, base_path, host, positive_duration, size};

/// Every key of the table.
pub(super) const KEYS: [&str; 10] = [
    "listen",
    "state_dir",
    "hosts",
    "base_path",
    "max_running",
    "max_queued",
    "max_connections",
    "keep_runs",
    "keep_for",
    "keep_bytes",
];

/// More than any machine runs, and far below what a counter of permits overflows at.
const MOST: u32 = 1_000_000;

/// Reads the table; without one, the defaults.
pub(super) fn read(table: Option<Table<'_, '_>>, folder: &Path) -> Server {
    let Some(mut table) = table else { return Server::default() };
    let mut server = Server::default();
    if let Some(listen) = take_listen(&mut table, folder) {
        server.listen = listen;
    }
    server.state_dir = table.take("state_dir", |value| value.parsed("state", None, |path| absolute(folder, path)));
    let hosts =
        table.take_list("hosts", 0, "[\"jobs.example.org\"]", |item| item.parsed("jobs.example.org", None, host));
    server.hosts = hosts.unwrap_or_default();
    server.base_path = table.take("base_path", |value| value.parsed("/joblines", None, base_path)).unwrap_or_default();
    for (key, least, setting) in [
        ("max_running", 1, &mut server.max_running),
        ("max_queued", 0, &mut server.max_queued),
        ("max_connections", 1, &mut server.max_connections),
        ("keep_runs", 1, &mut server.keep_runs),
    ] {
        if let Some(number) = table.take(key, |value| value.integer(least..=MOST, &setting.to_string())) {
            *setting = number as usize;
        }
    }
    server.keep_for = table.take("keep_for", |value| value.parsed("30d", Some("d"), positive_duration));
    server.keep_bytes = table.take("keep_bytes", |value| value.parsed("10GiB", Some("B"), size));
    table.finish(|_, _| None);
    server
}

impl Default for Server {
    fn default() -> Self {
        Server {
            listen: vec![Listen::Tcp("127.0.0.1:8080".to_owned())],
            state_dir: None,
            hosts: Vec::new(),
            base_path: String::new(),
            max_running: 64,
            max_queued: 1000,
            max_connections: 10_000,
            keep_runs: 200,
            keep_for: None,
            keep_bytes: None,
        }
    }
}

fn take_listen(table: &mut Table<'_, '_>, folder: &Path) -> Option<Vec<Listen>> {
    let mut seen = Vec::new();
    table.take_list("listen", 1, "[\"127.0.0.1:8080\"]", |item| {
        let listen = read_listen(item, folder)?;
        // two free ports are two addresses
        let picked_later = matches!(&listen, Listen::Tcp(address) if address.ends_with(":0"));
        if !picked_later && seen.contains(&listen) {
            return Err(item.mistake(format!("`{listen}` is listed twice"), "take one of the two out"));
        }
        seen.push(listen.clone());
        Ok(listen)
    })
}

fn read_listen(item: &Value<'_>, folder: &Path) -> Result<Listen, Mistake> {
    item.parsed("127.0.0.1:8080", None, |text| {
        let listen = text.parse::<Listen>()?.beneath(folder)?;
        listen.check_local()?;
        Ok::<_, Invalid>(listen)
    })
}

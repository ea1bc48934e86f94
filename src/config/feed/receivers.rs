//! Feeds that others send to, Python's logging and syslog, as written → as meant. It never binds an address.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::config::{Invalid, Listen, Mistake, Table, Value, absolute, is_loopback, size, socket_address};
use crate::sources::{python, syslog};

use super::Reading;

/// Every key of `python_logging`.
pub(in crate::config) const PYTHON_KEYS: [&str; 6] = ["tcp", "udp", "unix", "http", "from", "max_frame"];

/// Every key of `syslog`.
pub(in crate::config) const SYSLOG_KEYS: [&str; 4] = ["tcp", "udp", "unix", "from"];

const DEFAULT_MAX_FRAME: u32 = 1 << 20;

/// The bounds of `max_frame`: an ordinary record has some hundred bytes.
const MAX_FRAMES: std::ops::RangeInclusive<u64> = 1 << 10..=16 << 20;

/// Where senders can come to.
struct Ways {
    tcp: Option<String>,
    udp: Option<String>,
    unix: Option<PathBuf>,
}

/// Reads `python_logging`; `None` only together with a mistake.
pub(super) fn take_python<'t>(table: &mut Table<'t, '_>, reading: &mut Reading<'t, '_>) -> Option<python::Settings> {
    let (value, header) = (table.value("python_logging")?, table.header_below("python_logging"));
    let mut keys = table.take_table("python_logging", &header)?;
    let http = keys.take("http", Value::boolean);
    // where it is written and wrong, that is said already
    let over_http = Some(http.unwrap_or_else(|| keys.value("http").is_some()));
    let from = take_from(&mut keys, over_http);
    let examples = ["127.0.0.1:9020", "127.0.0.1:9021", "py.sock"];
    let Ways { tcp, udp, unix } = take_ways(&mut keys, examples, reading);
    let max_frame = keys.take("max_frame", |value| value.parsed("1MiB", Some("B"), frame_size));
    if http == Some(false) || keys.value("http").is_none() {
        let remedy =
            "write one of `tcp = \"127.0.0.1:9020\"`, `udp = \"127.0.0.1:9021\"`, `unix = \"py.sock\"`, `http = true`";
        check_any_way(&mut keys, &PYTHON_KEYS, &value, remedy);
    }
    keys.finish(|_, _| None);
    let (http, max_frame) = (http.unwrap_or(false), max_frame.unwrap_or(DEFAULT_MAX_FRAME));
    Some(python::Settings { tcp, udp, unix, http, from, max_frame })
}

/// Reads `syslog`; `None` only together with a mistake.
pub(super) fn take_syslog<'t>(table: &mut Table<'t, '_>, reading: &mut Reading<'t, '_>) -> Option<syslog::Settings> {
    let (value, header) = (table.value("syslog")?, table.header_below("syslog"));
    let mut keys = table.take_table("syslog", &header)?;
    let from = take_from(&mut keys, None);
    let Ways { tcp, udp, unix } = take_ways(&mut keys, ["127.0.0.1:5514", "127.0.0.1:5514", "sys.sock"], reading);
    let remedy = "write one of `udp = \"127.0.0.1:5514\"`, `tcp = \"127.0.0.1:5514\"`, `unix = \"sys.sock\"`";
    check_any_way(&mut keys, &SYSLOG_KEYS, &value, remedy);
    keys.finish(|_, _| None);
    Some(syslog::Settings { tcp, udp, unix, from })
}

/// Reads the addresses, with an example for each of TCP, UDP and a socket's path.
fn take_ways<'t>(table: &mut Table<'t, '_>, examples: [&str; 3], reading: &mut Reading<'t, '_>) -> Ways {
    let [tcp, udp, unix] = examples;
    let is_closed = table.value("from").is_none();
    let mut address = |key, example| {
        table.take(key, |value| {
            let address = value.parsed(example, None, |text| read_address(text, example))?;
            take_place(value, (key, &address), reading)?;
            if is_closed && !is_loopback(&address) { Err(open_to_all(value, &address)) } else { Ok(address) }
        })
    };
    let (tcp, udp) = (address("tcp", tcp), address("udp", udp));
    let unix = table.take("unix", |value| {
        let path = value.parsed(unix, None, |text| socket_path(text, reading))?;
        take_place(value, ("unix", &path.to_string_lossy()), reading)?;
        Ok(path)
    });
    Ways { tcp, udp, unix }
}

fn read_address(text: &str, example: &str) -> Result<String, Invalid> {
    socket_address(text, &format!("write one such as `{example}`")).map(|()| text.to_owned())
}

fn socket_path(text: &str, reading: &Reading<'_, '_>) -> Result<PathBuf, Invalid> {
    let path = absolute(reading.folder, text)?;
    Listen::Unix(path.clone()).beneath(reading.folder)?;
    Ok(path)
}

/// Takes an address for the feed that is being read, unless another has it.
fn take_place<'t>(
    value: &Value<'t>,
    (protocol, address): (&'static str, &str),
    reading: &mut Reading<'t, '_>,
) -> Result<(), Mistake> {
    // two free ports are two addresses
    if protocol != "unix" && address.rsplit(':').next().is_some_and(|port| port.parse() == Ok(0)) {
        return Ok(());
    }
    let same = if protocol == "unix" { address.to_owned() } else { address.to_ascii_lowercase() };
    match reading.addresses.insert((protocol, same), reading.name()) {
        None => Ok(()),
        Some(other) => {
            let problem = format!("feed `{other}` listens on `{address}` already");
            Err(value.mistake(problem, "give each of them an address of its own, and `merge` them to see them as one"))
        }
    }
}

fn open_to_all(value: &Value<'_>, address: &str) -> Mistake {
    let everybody = if address.starts_with('[') { "[\"0.0.0.0/0\", \"::/0\"]" } else { "[\"0.0.0.0/0\"]" };
    value.mistake(
        format!("anybody on the network could write lines here through {address}"),
        format!("name who may with `from = [\"10.0.0.0/8\"]`, or `from = {everybody}` for everybody"),
    )
}

/// Reads who may send; `over_http` says whether requests may bring records, where the receiver has that key.
fn take_from(table: &mut Table<'_, '_>, over_http: Option<bool>) -> Vec<IpNet> {
    let mut seen = HashSet::new();
    let networks = table.take_list("from", 1, "[\"10.0.0.0/8\"]", |item| {
        let network = item.parsed("10.0.0.0/8", None, network)?;
        if !seen.insert(network) {
            return Err(item.mistake(format!("`{network}` is listed twice"), "take one of the two out"));
        }
        Ok(network)
    });
    if table.value("tcp").is_none() && table.value("udp").is_none() && over_http != Some(true) {
        table.take("from", |value| {
            let problem = "`from` is who may send over the network, where this feed does not listen";
            let ways = if over_http.is_some() { "`tcp`, `udp` or `http = true`" } else { "`tcp` or `udp`" };
            Err::<(), _>(value.mistake_about_key(problem, format!("write {ways} as well, or take it out")))
        });
    }
    networks.unwrap_or_default()
}

/// A network, or one address as a network of its own.
fn network(text: &str) -> Result<IpNet, Invalid> {
    let written = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let Some(network) = written else {
        let remedy = "write one such as `\"10.0.0.0/8\"`, `\"192.0.2.7\"` or `\"2001:db8::/32\"`";
        return Err(Invalid::new(format!("`{text}` is not a network"), remedy));
    };
    if let IpNet::V6(six) = network
        && let Some(four) = six.addr().to_ipv4_mapped()
    {
        let remedy = format!("write it as `\"{four}/{}\"`", six.prefix_len().saturating_sub(96).min(32));
        return Err(Invalid::new(format!("`{text}` is a network of IPv4 addresses"), remedy));
    }
    if network.addr() != network.network() {
        let remedy =
            format!("write `\"{}\"` for the network, or `\"{}\"` for the one address", network.trunc(), network.addr());
        return Err(Invalid::new(format!("`{text}` is an address within its network"), remedy));
    }
    Ok(network)
}

fn frame_size(text: &str) -> Result<u32, Invalid> {
    let bytes =
        Some(size(text)?).filter(|bytes| MAX_FRAMES.contains(bytes)).and_then(|bytes| u32::try_from(bytes).ok());
    bytes.ok_or_else(|| Invalid::new(format!("a record cannot have `{text}`"), "it may be `\"1KiB\"` to `\"16MiB\"`"))
}

/// Finds a receiver that nobody can reach.
fn check_any_way(table: &mut Table<'_, '_>, keys: &[&str], receiver: &Value<'_>, remedy: &str) {
    let ways = ["tcp", "udp", "unix"];
    if ways.iter().chain(&["http"]).any(|way| keys.contains(way) && table.seems_to_have(way, keys)) {
        return;
    }
    if ways.iter().all(|way| table.value(way).is_none()) {
        table.miss(receiver.mistake_about_key("nobody can send to this feed", remedy));
    }
}

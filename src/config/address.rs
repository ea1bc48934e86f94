//! Addresses: where to listen, which names to answer to, below which path. Text in, value out; it never resolves a name.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::str::FromStr;

use super::{Invalid, Listen};

/// sun_path of unix(7) holds 108 bytes, the NUL at its end among them.
const LONGEST_SOCKET_PATH: usize = 107;

const LISTEN_REMEDY: &str = "write one such as `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/joblines.sock`";

impl FromStr for Listen {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.contains('\0') {
            return Err(Invalid::new("the address contains a NUL", LISTEN_REMEDY));
        }
        match text.strip_prefix("unix:") {
            Some("") => Err(Invalid::new("`unix:` has no path", LISTEN_REMEDY)),
            Some(path) => Ok(Listen::Unix(path.into())),
            None => socket_address(text, LISTEN_REMEDY).map(|()| Listen::Tcp(text.to_owned())),
        }
    }
}

/// Whether this is `host:port`; `remedy` is what to write where nothing better can be said.
pub(super) fn socket_address(text: &str, remedy: &str) -> Result<(), Invalid> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let address = rest.trim_end_matches('/');
        return Err(Invalid::new(format!("`{text}` is a URL"), format!("leave `{scheme}://` away: `{address}`")));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(Invalid::new(format!("`{text}` has no port"), format!("write `[{text}]:8080`")));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        let remedy = match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => remedy.to_owned(),
            false => format!("write `{text}:8080`"),
        };
        return Err(Invalid::new(format!("`{text}` is not host:port"), remedy));
    };
    let number = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse::<u16>().ok()).flatten();
    if number.is_none() {
        return Err(Invalid::new(format!("`{port}` in `{text}` is not a port"), "a port is a number from 0 to 65535"));
    }
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let known = match bracketed {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4()) || is_host_name(host),
    };
    if known {
        return Ok(());
    }
    let problem = if host.is_empty() { format!("`{text}` has no host") } else { format!("`{host}` is not a host") };
    Err(Invalid::new(problem, remedy))
}

/// Whether only this machine's own users can reach this `host:port`.
pub(super) fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp(address) => f.write_str(address),
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Listen {
    /// The same address; a relative socket path starts at `folder`.
    pub fn beneath(self, folder: &Path) -> Result<Self, Invalid> {
        let Listen::Unix(written) = self else { return Ok(self) };
        let joined = folder.join(written);
        let path = std::path::absolute(&joined).unwrap_or(joined);
        if path.as_os_str().len() > LONGEST_SOCKET_PATH {
            let problem = format!("the socket path `{}` is too long", path.display());
            return Err(Invalid::new(problem, format!("at most {LONGEST_SOCKET_PATH} bytes, from `/` on")));
        }
        Ok(Listen::Unix(path))
    }

    /// Refuses an address that others than this machine's own users can reach: there is no `[auth]` to keep them out yet.
    pub fn check_local(&self) -> Result<(), Invalid> {
        let Listen::Tcp(address) = self else { return Ok(()) };
        if is_loopback(address) {
            return Ok(());
        }
        Err(Invalid::new(
            format!("listening on {address} would let anyone on the network run these jobs"),
            "[auth] is not supported yet, so listen on a loopback address or a unix socket and put an authenticating proxy in front",
        ))
    }
}

/// A Host name to answer to: lower case, an IPv6 address in brackets.
pub(super) fn host(text: &str) -> Result<String, Invalid> {
    if let Some(host) = bare_host(text) {
        return Ok(host);
    }
    let without_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = without_scheme.split('/').next().unwrap_or_default();
    let before_port = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let meant = bare_host(authority).or_else(|| bare_host(before_port));
    let remedy = match meant {
        Some(host) => format!("write `\"{host}\"`: a name alone, without scheme, port or path"),
        None if text.starts_with("*.") => "wildcards are not supported; write each name".to_owned(),
        None if !text.is_ascii() => "write it in its ASCII form, which begins with `xn--`".to_owned(),
        None => "write one such as `\"jobs.example.org\"` or `\"192.0.2.7\"`".to_owned(),
    };
    Err(Invalid::new(format!("`{text}` is not a host name"), remedy))
}

fn bare_host(text: &str) -> Option<String> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match (bracketed, text.parse::<IpAddr>()) {
        (Some(inner), _) => inner.parse::<Ipv6Addr>().ok().map(|ip| format!("[{ip}]")),
        (None, Ok(IpAddr::V6(ip))) => Some(format!("[{ip}]")),
        (None, Ok(IpAddr::V4(ip))) => Some(ip.to_string()),
        (None, Err(_)) => is_host_name(text).then(|| text.to_ascii_lowercase()),
    }
}

/// RFC 1123 §2.1, and the underscore that many inner networks use.
fn is_host_name(text: &str) -> bool {
    let label_is_right = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    // a last label of digits is a mistyped IPv4 address
    let numeric = text.rsplit('.').next().is_none_or(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && !numeric && text.split('.').all(label_is_right)
}

/// The path below which a reverse proxy mounts the server: `""`, or one that begins with `/` and does not end with it.
pub(super) fn base_path(text: &str) -> Result<String, Invalid> {
    let trimmed = text.trim_end_matches('/');
    if trimmed.is_empty() && text.len() <= 1 {
        return Ok(String::new());
    }
    let right = |segment: &str| {
        // RFC 3986 §2.3
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(unreserved)
    };
    let path = trimmed.strip_prefix('/').unwrap_or(trimmed);
    if !path.split('/').all(right) {
        let remedy = "write a path such as `\"/joblines\"`: letters, digits, `-`, `.`, `_`, `~` between single slashes";
        return Err(Invalid::new(format!("`{text}` cannot be a base path"), remedy));
    }
    if format!("/{path}") != text {
        let problem = format!("`{text}` must begin with a slash and not end with one");
        return Err(Invalid::new(problem, format!("write `\"/{path}\"`")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_takes_host_and_port_or_a_socket_path() {
        for text in
            ["127.0.0.1:8080", "[::1]:0", "localhost:65535", "0.0.0.0:80", "my_host.example:1", "unix:/run/x.sock"]
        {
            assert_eq!(text.parse::<Listen>().map(|listen| listen.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_write() {
        for (text, message) in [
            ("", "`` is not host:port; write one such as"),
            ("8080", "`8080` is not host:port; write one such as"),
            ("127.0.0.1", "`127.0.0.1` is not host:port; write `127.0.0.1:8080`"),
            (":8080", "`:8080` has no host; write one such as"),
            ("::1", "`::1` has no port; write `[::1]:8080`"),
            ("fe80::1:x:8080", "`fe80::1:x` is not a host; "),
            ("127.0.0.1:+80", "`+80` in `127.0.0.1:+80` is not a port; "),
            ("127.0.0.1:", "`` in `127.0.0.1:` is not a port; "),
            ("127.0.0.1:65536", "`65536` in `127.0.0.1:65536` is not a port; "),
            ("300.0.0.1:80", "`300.0.0.1` is not a host; "),
            ("http://localhost:80/", "`http://localhost:80/` is a URL; leave `http://` away: `localhost:80`"),
            ("unix:", "`unix:` has no path; "),
        ] {
            let shown = text.parse::<Listen>().map_err(|invalid| invalid.to_string());
            assert!(shown.as_ref().is_err_and(|shown| shown.starts_with(message)), "{text}: {shown:?}");
        }
    }

    #[test]
    fn only_loopback_addresses_and_sockets_are_local() {
        let local = |text: &str| text.parse::<Listen>().map(|listen| listen.check_local().is_ok());
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "LocalHost:1", "unix:/x"] {
            assert_eq!(local(text), Ok(true), "{text}");
        }
        for text in ["0.0.0.0:1", "[::]:1", "192.168.0.1:1", "example.org:1", "[::ffff:10.0.0.1]:1", "localhost.evil:1"]
        {
            assert_eq!(local(text), Ok(false), "{text}");
        }
    }

    #[test]
    fn a_relative_socket_starts_at_the_folder_and_fits_the_kernel() {
        let socket = |text: &str| text.parse::<Listen>().and_then(|listen| listen.beneath(Path::new("/srv/app")));
        assert_eq!(socket("unix:run/./x.sock"), Ok(Listen::Unix("/srv/app/run/x.sock".into())));
        assert_eq!(socket("unix:/x.sock"), Ok(Listen::Unix("/x.sock".into())));
        assert!(socket(&format!("unix:/{}", "x".repeat(106))).is_ok());
        assert!(socket(&format!("unix:/{}", "x".repeat(107))).is_err());
    }

    #[test]
    fn hosts_are_names_or_addresses_alone() {
        for (text, meant) in [
            ("Jobs.Example.ORG", "jobs.example.org"),
            ("box", "box"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8::1", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(host(text), Ok(meant.to_owned()));
        }
        for (text, remedy) in [
            ("https://jobs.example.org/", "write `\"jobs.example.org\"`: a name alone"),
            ("jobs.example.org:8080", "write `\"jobs.example.org\"`: a name alone"),
            ("[2001:db8::1]:80", "write `\"[2001:db8::1]\"`: a name alone"),
            ("*.example.org", "wildcards are not supported"),
            ("jöbs.example", "write it in its ASCII form"),
            ("", "write one such as"),
            ("-x", "write one such as"),
            ("a..b", "write one such as"),
            ("1.2.3", "write one such as"),
        ] {
            let shown = host(text).map_err(|invalid| invalid.remedy);
            assert!(shown.as_ref().is_err_and(|shown| shown.starts_with(remedy)), "{text}: {shown:?}");
        }
    }

    #[test]
    fn a_base_path_begins_with_a_slash_and_does_not_end_with_one() {
        for (text, meant) in [("", ""), ("/", ""), ("/joblines", "/joblines"), ("/a/b-c.d_~", "/a/b-c.d_~")] {
            assert_eq!(base_path(text), Ok(meant.to_owned()));
        }
        for text in ["//", "a", "/a/", "a/", "/a//b", "/a b", "/a/../b", "/.", "/%20", "/ä", "/a?b"] {
            assert!(base_path(text).is_err(), "{text}");
        }
        assert_eq!(base_path("jobs/").map_err(|invalid| invalid.remedy), Err("write `\"/jobs\"`".to_owned()));
    }
}

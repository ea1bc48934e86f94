//! Who may ask: the name a request was sent to, its size, and the site it came from. Pure functions on the head of a
//! request; nothing here answers one.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Version};

use crate::config::Listen;

/// The most bytes of a request's target.
pub const MAX_TARGET: usize = 64 * 1024 - 2;
/// The most bytes of all header names and values together.
pub const MAX_HEADERS: usize = 64 * 1024;

/// What is too large in the head of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooLarge {
    /// The target: 414.
    Target,
    /// The header fields: 431.
    Headers,
}

/// Whether the head of a request keeps to [`MAX_TARGET`] and [`MAX_HEADERS`].
pub fn check_size(parts: &Parts) -> Result<(), TooLarge> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let headers: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if target > MAX_TARGET {
        return Err(TooLarge::Target);
    }
    if headers > MAX_HEADERS { Err(TooLarge::Headers) } else { Ok(()) }
}

/// The names a server answers to. Any other name may be a stranger's that was made to point here (DNS rebinding).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hosts {
    names: Vec<String>,
    any_address: bool,
}

/// Why a request's Host is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadHost {
    /// There is none, though the protocol asks for it: 400.
    Missing,
    /// It is not a host, or there are several: 400.
    Malformed(String),
    /// It is not a name of this server: 421.
    Unknown(String),
}

impl Hosts {
    /// The names of a server that listens on `listen` and has been told of `hosts`.
    ///
    /// Loopback names and addresses are always among them. Where it listens on every address (`0.0.0.0`, `::`) every
    /// address is: a name can be made to point here, an address cannot.
    pub fn new(listen: &[Listen], hosts: &[String]) -> Self {
        let listened = listen.iter().filter_map(|listen| match listen {
            Listen::Tcp(address) => parse_host(address),
            Listen::Unix(_) => None,
        });
        let names: Vec<String> = listened.chain(hosts.iter().filter_map(|host| parse_host(host))).collect();
        let any_address = names.iter().filter_map(|name| name.parse().ok()).any(|ip: IpAddr| ip.is_unspecified());
        Hosts { names, any_address }
    }

    /// Whether a request that came in over TCP was sent to one of these names. Over a Unix socket there is nothing to
    /// check: no name leads there.
    pub fn check(&self, parts: &Parts) -> Result<(), BadHost> {
        let mut given = parts.headers.get_all(header::HOST).iter();
        let header = given.next().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        if let (Some(first), Some(_)) = (&header, given.next()) {
            return Err(BadHost::Malformed(first.clone()));
        }
        // RFC 9112 §3.2.2: an absolute target's authority goes before the header. Both are held to be known.
        let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
        if header.is_none() && authority.is_none() {
            return if parts.version <= Version::HTTP_10 { Ok(()) } else { Err(BadHost::Missing) };
        }
        authority.into_iter().chain(header).try_for_each(|host| self.check_host(host))
    }

    fn check_host(&self, host: String) -> Result<(), BadHost> {
        match parse_host(&host) {
            None => Err(BadHost::Malformed(host)),
            Some(name) if self.knows(&name) => Ok(()),
            Some(_) => Err(BadHost::Unknown(host)),
        }
    }

    fn knows(&self, name: &str) -> bool {
        let address = name.parse::<IpAddr>().map(|address| address.to_canonical());
        name == "localhost"
            || name.ends_with(".localhost")
            || address.is_ok_and(|address| address.is_loopback() || self.any_address)
            || self.names.iter().any(|known| known == name)
    }
}

/// The host of `host[:port]` in lower case, an IPv6 address without its brackets, a name without its last dot.
fn parse_host(text: &str) -> Option<String> {
    let (host, port) = split_port(text);
    if !port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    if let Some(inside) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inside.parse::<Ipv6Addr>().ok().map(|address| address.to_string());
    }
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return Some(address.to_string());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    is_name.then(|| name.to_ascii_lowercase())
}

/// `host` and `port` of `host[:port]`; a colon within an IPv6 address is not one before a port.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

/// What kind of visit a request is that would start or change something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visit {
    /// From our own pages, typed by a person, or sent by a program that is no browser.
    Direct,
    /// A browser fetching or rendering ahead what nobody has asked for yet.
    Prefetch,
    /// A link, a redirect or a form on another site led a browser here by GET or HEAD.
    CrossSiteNavigation,
    /// Anything else that another site made a browser send.
    CrossSite,
}

impl Visit {
    /// What kind of visit a request is.
    ///
    /// `Sec-Fetch-Site` decides where it is sent: no page can set it, and it is right behind a proxy that changes the
    /// Host and for a page whose referrer policy makes its `Origin` null. Without it (plain HTTP from another machine,
    /// old browsers) `Origin`, then `Referer` are held against the Host.
    pub fn classify(parts: &Parts) -> Visit {
        let headers = &parts.headers;
        let navigates = matches!(parts.method, Method::GET | Method::HEAD);
        if is_prefetch(headers) {
            return Visit::Prefetch;
        }
        match text(headers, "sec-fetch-site") {
            Some("same-origin" | "none") => Visit::Direct,
            Some(_) if navigates && text(headers, "sec-fetch-mode") == Some("navigate") => Visit::CrossSiteNavigation,
            Some(_) => Visit::CrossSite,
            None if headers.contains_key(header::ORIGIN) => match text(headers, "origin") {
                Some(origin) if is_own(origin, parts) => Visit::Direct,
                _ => Visit::CrossSite,
            },
            None => match text(headers, "referer") {
                Some(referer) if referer.contains("://") && !is_own(referer, parts) => {
                    if navigates {
                        Visit::CrossSiteNavigation
                    } else {
                        Visit::CrossSite
                    }
                }
                _ => Visit::Direct,
            },
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok())
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().filter_map(|name| text(headers, name)).any(|purpose| {
        let purpose = purpose.to_ascii_lowercase();
        ["prefetch", "prerender", "preview"].into_iter().any(|word| purpose.contains(word))
    })
}

/// Whether a URL's host and port are those the request was sent to, whatever its scheme (a proxy may speak TLS for us).
fn is_own(url: &str, parts: &Parts) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority_sent_to = parts.uri.authority().map(|authority| authority.as_str());
    let Some(own) = authority_sent_to.or_else(|| text(&parts.headers, "host")) else { return false };
    let default_port = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    let port = |text| split_port(text).1.filter(|port: &&str| !port.is_empty()).unwrap_or(default_port).to_owned();
    parse_host(authority).is_some() && parse_host(authority) == parse_host(own) && port(authority) == port(own)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;

    fn parts(uri: &str, version: Version, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn hosts() -> Hosts {
        let listen = ["192.0.2.7:8080", "builds:80", "[2001:db8::7]:80"].map(|address| Listen::Tcp(address.to_owned()));
        Hosts::new(&listen, &["jobs.example.org".to_owned()])
    }

    #[test]
    fn only_names_of_this_server_are_answered() {
        for (host, known) in [
            ("localhost", true),
            ("LOCALHOST:8080", true),
            ("localhost.", true),
            ("app.localhost:1", true),
            ("127.0.0.1", true),
            ("127.8.9.1:99", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]", true),
            ("192.0.2.7:8080", true),
            ("192.0.2.7:1", true),
            ("[2001:db8:0::7]", true),
            ("builds", true),
            ("Jobs.Example.org:443", true),
            ("192.0.2.8", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("notlocalhost", false),
            ("127.0.0.1.evil.example", false),
            ("127.1", false),
        ] {
            let result = hosts().check(&parts("/", Version::HTTP_11, &[("host", host)]));
            let expected = if known { Ok(()) } else { Err(BadHost::Unknown(host.to_owned())) };
            assert_eq!(result, expected, "{host}");
        }
    }

    #[test]
    fn a_host_that_is_none_is_malformed() {
        for host in ["", "a b", "user@localhost", "localhost:80:80", "localhost:x", "[::1", "[nope]", "a/b"] {
            let result = hosts().check(&parts("/", Version::HTTP_11, &[("host", host)]));
            assert_eq!(result, Err(BadHost::Malformed(host.to_owned())), "{host}");
        }
        let twice = parts("/", Version::HTTP_11, &[("host", "localhost"), ("host", "localhost")]);
        assert_eq!(hosts().check(&twice), Err(BadHost::Malformed("localhost".to_owned())));
    }

    #[test]
    fn a_host_may_be_missing_only_in_http_1_0() {
        assert_eq!(hosts().check(&parts("/", Version::HTTP_11, &[])), Err(BadHost::Missing));
        assert_eq!(hosts().check(&parts("/", Version::HTTP_10, &[])), Ok(()));
        assert_eq!(hosts().check(&parts("http://localhost/", Version::HTTP_2, &[])), Ok(()));
    }

    #[test]
    fn an_absolute_target_is_checked_as_well_as_the_header() {
        let host = [("host", "localhost")];
        assert!(hosts().check(&parts("http://evil.example/", Version::HTTP_11, &host)).is_err());
        assert!(hosts().check(&parts("http://localhost/", Version::HTTP_11, &[("host", "evil.example")])).is_err());
        assert!(hosts().check(&parts("http://localhost/", Version::HTTP_11, &host)).is_ok());
    }

    #[test]
    fn a_server_on_every_address_answers_to_every_address_but_not_to_every_name() {
        let hosts = Hosts::new(&[Listen::Tcp("0.0.0.0:80".to_owned())], &[]);
        assert_eq!(hosts.check(&parts("/", Version::HTTP_11, &[("host", "192.0.2.8")])), Ok(()));
        assert!(hosts.check(&parts("/", Version::HTTP_11, &[("host", "evil.example")])).is_err());
    }

    #[test]
    fn a_head_has_its_bounds() {
        let long = "x".repeat(40_000);
        fn head(uri: &str, headers: &[(&'static str, &str)]) -> Result<(), TooLarge> {
            check_size(&parts(uri, Version::HTTP_11, headers))
        }
        assert_eq!(head("/", &[("a", &long)]), Ok(()));
        assert_eq!(head("/", &[("a", &long), ("b", &long)]), Err(TooLarge::Headers));
        assert_eq!(head(&format!("/{}", "x".repeat(MAX_TARGET - 1)), &[]), Ok(()));
    }

    #[test]
    fn visits_are_told_apart() {
        use Visit::{CrossSite, CrossSiteNavigation, Direct, Prefetch};
        type Case = (&'static str, &'static [(&'static str, &'static str)], Visit);
        let table: [Case; 26] = [
            ("GET", &[], Direct),
            ("POST", &[("user-agent", "curl/8")], Direct),
            ("GET", &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")], Direct),
            ("POST", &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")], Direct),
            ("POST", &[("sec-fetch-site", "same-origin"), ("origin", "null")], Direct),
            ("GET", &[("sec-purpose", "prefetch"), ("sec-fetch-site", "none")], Prefetch),
            ("GET", &[("sec-purpose", "prefetch;prerender")], Prefetch),
            ("GET", &[("purpose", "prefetch")], Prefetch),
            ("GET", &[("x-moz", "Prefetch")], Prefetch),
            ("GET", &[("x-purpose", "preview")], Prefetch),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], CrossSiteNavigation),
            ("HEAD", &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")], CrossSiteNavigation),
            ("POST", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], CrossSite),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], CrossSite),
            ("GET", &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")], CrossSite),
            ("GET", &[("sec-fetch-site", "new-word")], CrossSite),
            ("POST", &[("origin", "http://localhost:8080")], Direct),
            ("POST", &[("origin", "https://LOCALHOST:8080")], Direct),
            ("POST", &[("origin", "http://localhost")], CrossSite),
            ("POST", &[("origin", "http://evil.example")], CrossSite),
            ("GET", &[("origin", "http://evil.example")], CrossSite),
            ("POST", &[("origin", "null")], CrossSite),
            ("GET", &[("referer", "http://evil.example/page")], CrossSiteNavigation),
            ("POST", &[("referer", "http://evil.example/page")], CrossSite),
            ("GET", &[("referer", "http://localhost:8080/jobs/x/form?a=b")], Direct),
            ("GET", &[("referer", "android-app://com.example")], CrossSiteNavigation),
        ];
        for (method, headers, expected) in table {
            let mut parts = parts("/", Version::HTTP_11, headers);
            parts.method = method.parse().unwrap();
            parts.headers.insert("host", HeaderValue::from_static("localhost:8080"));
            assert_eq!(Visit::classify(&parts), expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn the_authority_of_http_2_is_its_host() {
        let own = [("origin", "http://localhost:8080")];
        assert_eq!(Visit::classify(&parts("http://localhost:8080/", Version::HTTP_2, &own)), Visit::Direct);
        assert_eq!(Visit::classify(&parts("http://localhost:8081/", Version::HTTP_2, &own)), Visit::CrossSite);
    }

    #[test]
    fn a_port_that_goes_without_saying_is_the_same_port() {
        let table = [
            ("https://a.example", "a.example", true),
            ("https://a.example", "a.example:443", true),
            ("http://a.example:80", "a.example", true),
            ("http://a.example", "a.example:8080", false),
            ("https://a.example:8443", "a.example", false),
            ("http://[::1]:80", "[::1]", true),
            ("ftp://a.example", "a.example", false),
            ("http://user@a.example", "a.example", false),
            ("null", "a.example", false),
        ];
        for (origin, host, own) in table {
            let parts = parts("/", Version::HTTP_11, &[("host", host)]);
            assert_eq!(is_own(origin, &parts), own, "{origin} at {host}");
        }
    }
}

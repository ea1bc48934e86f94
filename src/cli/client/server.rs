//! The address of a server as it is given on the command line: `http://host:port/base` or `unix:/path`. It connects to
//! nothing.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use hyper::Uri;
use thiserror::Error;

/// Where a server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Server {
    /// `http://host[:port][/base]`.
    Tcp {
        /// A name or an address, without the brackets of an IPv6 address.
        host: String,
        /// The port; 80 where none is given.
        port: u16,
        /// `""` or the path it is mounted at, without a slash at its end.
        base: String,
    },
    /// `unix:/path`.
    Unix {
        /// The socket's file.
        path: PathBuf,
    },
}

/// Why a text is not the address of a server.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BadServer {
    /// `https://`.
    #[error("`{0}`: https is not supported yet; use http, or a tunnel such as `ssh -L 8080:localhost:8080 HOST`")]
    Tls(String),
    /// Anything else.
    #[error("`{0}` is not the address of a server; it looks like http://127.0.0.1:8080 or unix:/path")]
    Malformed(String),
}

impl FromStr for Server {
    type Err = BadServer;

    fn from_str(text: &str) -> Result<Self, BadServer> {
        let malformed = || BadServer::Malformed(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.as_os_str().is_empty() { Err(malformed()) } else { Ok(Server::Unix { path }) };
        }
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(BadServer::Tls(text.to_owned())),
            _ => return Err(malformed()),
        }
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') || authority.host().is_empty() || uri.query().is_some() {
            return Err(malformed());
        }
        // a port that is none is no port to the parser
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str().len() == authority.host().len() => 80,
            None => return Err(malformed()),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Server::Tcp { host, port, base: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl Server {
    /// The target of a request for `path`, which begins with a slash.
    pub(super) fn target(&self, path: &str) -> String {
        match self {
            Server::Tcp { base, .. } => format!("{base}{path}"),
            Server::Unix { .. } => path.to_owned(),
        }
    }

    /// The Host header for it.
    pub(super) fn host(&self) -> String {
        match self {
            Server::Tcp { host, port, .. } if host.contains(':') => format!("[{host}]:{port}"),
            Server::Tcp { host, port, .. } => format!("{host}:{port}"),
            Server::Unix { .. } => "localhost".to_owned(),
        }
    }

    /// How a person can reach `path`, which begins with a slash.
    pub(super) fn address_of(&self, path: &str) -> String {
        match self {
            Server::Tcp { .. } => format!("http://{}{}", self.host(), self.target(path)),
            Server::Unix { .. } => format!("{path} at {self}"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Server::Tcp { base, .. } => write!(f, "http://{}{base}", self.host()),
            Server::Unix { path } => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, host, target) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", "/runs"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080", "/runs"),
            ("http://jobs.example.org/joblines/", "jobs.example.org:80", "/joblines/runs"),
            ("http://[::1]:8080", "[::1]:8080", "/runs"),
            ("HTTP://localhost:1", "localhost:1", "/runs"),
            ("unix:/run/joblines.sock", "localhost", "/runs"),
            ("unix:sock", "localhost", "/runs"),
        ] {
            let server: Server = text.parse().unwrap();
            assert_eq!((server.host().as_str(), server.target("/runs").as_str()), (host, target), "{text}");
        }
    }

    #[test]
    fn an_address_comes_back_as_a_person_would_write_it() {
        let server: Server = "http://[::1]:8080/joblines/".parse().unwrap();
        assert_eq!(server.to_string(), "http://[::1]:8080/joblines");
        assert_eq!(server.address_of("/runs/1"), "http://[::1]:8080/joblines/runs/1");
        let server: Server = "unix:/s".parse().unwrap();
        assert_eq!(server.address_of("/runs/1"), "/runs/1 at unix:/s");
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in
            ["", "localhost:8080", "/path", "unix:", "ftp://host", "http://", "http://a:b", "http://u@h", "http://h:"]
        {
            assert_eq!(text.parse::<Server>(), Err(BadServer::Malformed(text.to_owned())));
        }
        assert!(matches!("https://a".parse::<Server>(), Err(BadServer::Tls(_))));
    }
}

//! A connection to a Redis server: by TCP, TLS or a Unix socket, signed in to. It asks for nothing yet.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::PubSub;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Duplex, Gate, Gated, Lost, Settings};

/// A server that does not answer for so long while one connects is not there.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many bytes of messages are read at most before somebody has looked at all of them. Redis itself gives up a reader
/// that leaves it with too many (`client-output-buffer-limit`).
const MOST_WAITING: usize = 4 << 20;

/// The most elements of a list that are read.
const MOST_ELEMENTS: usize = 10_000;

/// And the most bytes, for they come as one answer.
const MOST_OF_A_LIST: usize = 64 << 20;

/// Where the server is, and how to sign in to it.
#[derive(Debug)]
pub(super) struct Server {
    address: ConnectionAddr,
    is_tls: bool,
    sign_in: RedisConnectionInfo,
}

impl Server {
    /// The server that the settings name.
    pub(super) fn of(settings: &Settings) -> Result<Server, Lost> {
        // TLS is ours: the library would want its own
        let (url, is_tls) = match settings.url.strip_prefix("rediss://") {
            Some(rest) => (format!("redis://{rest}"), true),
            None => (settings.url.clone(), false),
        };
        let info: ConnectionInfo = url.as_str().into_connection_info()?;
        let mut sign_in = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name();
        if let Some(user) = &settings.user {
            sign_in = sign_in.set_username(user);
        }
        if let Some(password) = &settings.password {
            sign_in = sign_in.set_password(password.text());
        }
        Ok(Server { address: info.addr().clone(), is_tls, sign_in })
    }

    /// A connection that channels can be subscribed to on, and what holds it back.
    pub(super) async fn listen(&self) -> Result<(PubSub, Arc<Gate>), Lost> {
        let gate = Arc::new(Gate::new(MOST_WAITING));
        let opening = async {
            let stream = Gated::new(self.open().await?, Arc::clone(&gate));
            Ok(PubSub::new(&self.sign_in, stream).await?)
        };
        Ok((in_time(opening).await?, gate))
    }

    /// The last elements of a list, the oldest first, as many as are read of one.
    pub(super) async fn read_list(&self, key: &str) -> Result<Vec<Vec<u8>>, Lost> {
        let mut most = MOST_ELEMENTS;
        loop {
            // ten always fit, for each has a bound
            match in_time(self.read_last(key, most)).await? {
                Some(list) => return Ok(list),
                None => most /= 10,
            }
        }
    }

    /// The last `most` elements of a list; `None` where they have too many bytes.
    async fn read_last(&self, key: &str, most: usize) -> Result<Option<Vec<Vec<u8>>>, Lost> {
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let gate = Arc::new(Gate::new(MOST_OF_A_LIST));
        let stream = Gated::new(self.open().await?, Arc::clone(&gate));
        let (mut connection, driver) =
            redis::aio::MultiplexedConnection::new_with_config(&self.sign_in, stream, config).await?;
        let mut range = redis::cmd("LRANGE");
        range.arg(key).arg(-i64::try_from(most).unwrap_or(i64::MAX)).arg(-1);
        tokio::select! {
            list = range.query_async(&mut connection) => Ok(Some(list?)),
            () = driver => Err(Lost::new("the server closed the connection")),
            () = gate.shut() => Ok(None),
        }
    }

    async fn open(&self) -> Result<Box<dyn Duplex>, Lost> {
        match &self.address {
            ConnectionAddr::Unix(path) => Ok(Box::new(open_unix(path).await?)),
            ConnectionAddr::Tcp(host, port) if self.is_tls => {
                let name = ServerName::try_from(host.clone());
                let name = name.map_err(|_| Lost::new(format!("`{host}` is no name of a server")))?;
                let connector = TlsConnector::from(Arc::new(trust().await?));
                let stream = connector.connect(name, open_tcp(host, *port).await?).await;
                Ok(Box::new(stream.map_err(|error| Lost::new(format!("no TLS with {host}:{port}: {error}")))?))
            }
            ConnectionAddr::Tcp(host, port) => Ok(Box::new(open_tcp(host, *port).await?)),
            _ => Err(Lost::new("it is no address that can be connected to")),
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Lost>>) -> Result<T, Lost> {
    let late = || Lost::new(format!("the server did not answer within {} s", PATIENCE.as_secs()));
    timeout(PATIENCE, work).await.map_err(|_| late())?
}

async fn open_unix(path: &Path) -> Result<UnixStream, Lost> {
    UnixStream::connect(path).await.map_err(|error| Lost::new(format!("{}: {}", path.display(), reason(&error))))
}

async fn open_tcp(host: &str, port: u16) -> Result<TcpStream, Lost> {
    let stream = TcpStream::connect((host, port)).await;
    let stream = stream.map_err(|error| Lost::new(format!("{host}:{port}: {}", reason(&error))))?;
    let probes = TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
    // where that cannot be set, the server is still asked whenever it is silent
    let _ = SockRef::from(&stream).set_tcp_keepalive(&probes);
    Ok(stream)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        _ => error.to_string(),
    }
}

/// Whom this machine trusts: its certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
async fn trust() -> Result<ClientConfig, Lost> {
    let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let found = found.map_err(|error| Lost::new(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(found.certs).0 == 0 {
        let why = found.errors.first().map_or_else(String::new, |error| format!(" ({error})"));
        return Err(Lost::new(format!("this machine trusts no certificate{why}; name some with SSL_CERT_FILE")));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Lost::new(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

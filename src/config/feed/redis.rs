//! A feed of Redis channels as written → as meant. It never connects, and never shows a password.

use std::path::Path;

use percent_encoding::percent_decode_str;

use crate::config::{Invalid, Mistake, Table, Unreadable, Value, absolute, host, read_text, variable_name};
use crate::sources::redis::{Password, Settings};

use super::{KEYS, Reading};

const EXAMPLE: &str = "redis://127.0.0.1:6379";

const URL_REMEDY: &str = "write one such as `\"redis://127.0.0.1:6379\"`, `\"rediss://redis.example.org\"` with TLS, or `\"redis+unix:///run/redis.sock\"`";

/// Where Redis listens where nothing is said.
const PORT: u16 = 6379;

/// Where a server is, and who signs in to it.
struct Server {
    /// Without user and password.
    url: String,
    user: Option<String>,
    password: Option<String>,
}

/// Reads the server and its channels; `None` only together with a mistake.
pub(super) fn take<'t>(table: &mut Table<'t, '_>, reading: &Reading<'t, '_>) -> Option<Settings> {
    let server = table.take("redis", |value| value.parsed(EXAMPLE, None, read_url));
    let password = take_password(table, reading.folder);
    let names = take_channels(table, reading);
    let list = table.take("list", |value| value.parsed("my:list", None, key_name));
    let server = server?;
    check_sign_in(table, &server);
    let (patterns, channels) = names?.into_iter().partition(|name| name.contains(['*', '?', '[']));
    let password = password.or(server.password).map(Password::new);
    Some(Settings { url: server.url, user: server.user, password, channels, patterns, list })
}

/// Finds two passwords, or a user without any.
fn check_sign_in(table: &mut Table<'_, '_>, server: &Server) {
    let keys = ["password_file", "password_env"];
    let written: Vec<_> = keys.into_iter().filter(|key| table.value(key).is_some()).collect();
    let said = match (written.first(), &server.password, &server.user) {
        (Some(key), Some(_), _) => {
            Invalid::new(format!("this URL has a password, and `{key}` another"), "take it out of the URL")
        }
        (None, None, Some(user)) => {
            let remedy = "write `password_file` or `password_env` as well";
            Invalid::new(format!("the user `{user}` has no password"), remedy)
        }
        _ => return,
    };
    table.take("redis", |value| Err::<(), _>(value.mistake(said.problem, said.remedy)));
}

/// Reads the names of channels and patterns; `None` only together with a mistake.
fn take_channels<'t>(table: &mut Table<'t, '_>, reading: &Reading<'t, '_>) -> Option<Vec<String>> {
    let Some(value) = table.value("channel") else {
        if !table.seems_to_have("channel", &KEYS) {
            let remedy = "write `channel = \"my:channel\"`, or a list of them; `*` stands for any text";
            table.miss(reading.missing("`channel`", remedy));
        }
        return None;
    };
    let items = if value.is_list() { value.items(1, "[\"my:channel\", \"logs:*\"]") } else { Ok(vec![value]) };
    let mut seen: Vec<String> = Vec::new();
    let names = table.keep(items)?;
    Some(table.keep_all(names.iter().map(|item| {
        let name = item.parsed("my:channel", None, key_name)?;
        if seen.contains(&name) {
            return Err(item.mistake(format!("`{name}` is listed twice"), "take one of the two out"));
        }
        seen.push(name.clone());
        Ok(name)
    })))
}

fn key_name(text: &str) -> Result<String, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("the name is empty", "write one such as `\"my:channel\"`"));
    }
    Ok(text.to_owned())
}

/// Reads the password that does not stand in the file.
fn take_password(table: &mut Table<'_, '_>, folder: &Path) -> Option<String> {
    let of_file = table.take("password_file", |value| read_password(value, folder));
    let of_env = table.take("password_env", |value| {
        value.parsed("REDIS_PASSWORD", None, |name| variable_name(name).and_then(|()| password_of_variable(name)))
    });
    if let Some(value) = table.value("password_env").filter(|_| table.value("password_file").is_some()) {
        let problem = "`password_file` and `password_env` are two passwords";
        table.keep(Err::<(), _>(value.mistake_about_key(problem, "take one of the two out")));
    }
    of_file.or(of_env)
}

fn read_password(value: &Value<'_>, folder: &Path) -> Result<String, Mistake> {
    let path = value.parsed("redis.password", None, |path| absolute(folder, path))?;
    let name = path.display();
    // a pipe or a device would be waited for; what is missing is told by the reading
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(value
            .mistake(format!("`{name}` is not a file"), "`password_file` names a file that has the password alone"));
    }
    let text = read_text(&path).map_err(|why| {
        let why = match why {
            Unreadable::Io(error) => error.to_string(),
            Unreadable::TooLarge => "it is larger than 16 MiB".to_owned(),
            Unreadable::NotUtf8(_) => "it is not UTF-8".to_owned(),
        };
        value.mistake(format!("cannot read `{name}`: {why}"), "a relative path starts at the folder of this file")
    })?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() || line.contains('\n') {
        let problem = format!("`{name}` is {}", if line.is_empty() { "empty" } else { "of several lines" });
        return Err(value.mistake(problem, "the file has the password on its only line"));
    }
    Ok(line.to_owned())
}

fn password_of_variable(name: &str) -> Result<String, Invalid> {
    let problem = match std::env::var(name) {
        Ok(password) if !password.is_empty() => return Ok(password),
        Ok(_) => "is empty",
        Err(std::env::VarError::NotPresent) => "is not set",
        Err(std::env::VarError::NotUnicode(_)) => "is not UTF-8",
    };
    let remedy = "set it where joblines is started, or write `password_file`";
    Err(Invalid::new(format!("the variable `{name}` {problem}"), remedy))
}

/// A server's URL, taken apart. What is said about it shows no part of it that could be a password.
fn read_url(text: &str) -> Result<Server, Invalid> {
    let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
        return Err(Invalid::new("this is not the URL of a Redis server", URL_REMEDY));
    };
    let (sign_in, place) = match rest.rsplit_once('@') {
        Some((sign_in, place)) => (Some(sign_in), place),
        None => (None, rest),
    };
    let (user, password) = match sign_in {
        Some(sign_in) => read_sign_in(sign_in)?,
        None => (None, None),
    };
    let place = if scheme == "redis+unix" { read_socket(place)? } else { read_host(place)? };
    Ok(Server { url: format!("{scheme}://{place}"), user, password })
}

fn is_scheme(scheme: &str) -> bool {
    matches!(scheme, "redis" | "rediss" | "redis+unix")
}

/// `user:password` with either of them empty (RFC 3986 §3.2.1).
fn read_sign_in(text: &str) -> Result<(Option<String>, Option<String>), Invalid> {
    let decode = |part: &str| {
        if !is_encoded(part, b"") {
            let remedy = "write all but letters, digits and `-._~` in them with percent signs, `%40` for `@`; or `password_file`";
            return Err(Invalid::new(
                "the user or the password of this URL has a character that a URL cannot have",
                remedy,
            ));
        }
        let decoded = percent_decode_str(part).decode_utf8();
        let decoded = decoded.ok().filter(|text| !text.contains('\0'));
        let not_text =
            || Invalid::new("the user or the password of this URL is not text", "write it in UTF-8, without NUL");
        decoded.map(|text| Some(text.into_owned()).filter(|text| !text.is_empty())).ok_or_else(not_text)
    };
    match text.split_once(':') {
        Some((user, password)) => Ok((decode(user)?, decode(password)?)),
        None => Ok((decode(text)?, None)),
    }
}

/// Whether these are characters that stand for themselves in a URL (RFC 3986 §2), these `further` ones, and percent signs
/// before two digits.
fn is_encoded(text: &str, further: &[u8]) -> bool {
    let stands =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte) || further.contains(&byte);
    let mut parts = text.split('%');
    let plain = parts.next().is_none_or(|part| part.bytes().all(stands));
    plain
        && parts.all(|part| {
            let digits = part.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
            digits == 2 && part.bytes().all(stands)
        })
}

/// `host`, `host:port`, `host/db` or `host:port/db`, with its port.
fn read_host(text: &str) -> Result<String, Invalid> {
    let (authority, database) = text.split_once('/').unwrap_or((text, ""));
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !authority.ends_with(']') => (name, read_port(port)?),
        _ => (authority, PORT),
    };
    // without `@` a password may stand where a host is looked for
    let name = host(name).map_err(|_| Invalid::new("this URL names no host", URL_REMEDY))?;
    match database {
        "" => Ok(format!("{name}:{port}")),
        number => Ok(format!("{name}:{port}/{}", read_database(number)?)),
    }
}

fn read_port(text: &str) -> Result<u16, Invalid> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|port| *port > 0).ok_or_else(|| {
        Invalid::new(
            "this URL has no port after its last `:`",
            "a port is a number from 1 to 65535, 6379 where there is none",
        )
    })
}

/// `/path` or `/path?db=db`.
fn read_socket(text: &str) -> Result<String, Invalid> {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    if !path.starts_with('/') || path.ends_with('/') || !is_encoded(path, b"/") {
        let remedy = "write `\"redis+unix:///path\"`, with three slashes, and `%20` for a blank";
        return Err(Invalid::new("this URL names no socket", remedy));
    }
    match query.strip_prefix("db=") {
        Some(number) => Ok(format!("{path}?db={}", read_database(number)?)),
        None if query.is_empty() => Ok(path.to_owned()),
        None => Err(Invalid::new(
            "this URL asks for something unknown after its `?`",
            "there is `?db=0`, a database, alone",
        )),
    }
}

fn read_database(text: &str) -> Result<u16, Invalid> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| {
        Invalid::new("the database of this URL is not a number", "write `/0` after the port, or nothing")
    })
}

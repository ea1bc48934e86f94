//! The schema of a feed. It judges no file.

use serde_json::{Value, json};

use super::{NAME, table, where_there_is};

/// The table of a feed.
pub(super) fn feed() -> Value {
    let keys = [common(), files(), redis(), receivers()];
    let mut feed = table("A feed: lines that no job printed", &keys);
    if let Some(feed) = feed.as_object_mut() {
        let sources = ["file", "files", "directory", "redis", "python_logging", "syslog", "push", "merge"];
        let one_of_them: Vec<_> = sources.into_iter().map(has).collect();
        let mut rules = vec![json!({ "oneOf": one_of_them })];
        rules.extend(["allow", "paths"].map(|key| where_there_is(key, has("directory"))));
        let of_many = json!({ "anyOf": [has("directory"), has("files")] });
        rules.extend(["follow_symlinks", "hidden", "deny"].map(|key| where_there_is(key, of_many.clone())));
        rules.extend(["channel", "list", "password_file", "password_env"].map(|key| where_there_is(key, has("redis"))));
        rules.push(where_there_is("redis", has("channel")));
        rules.push(where_there_is("password_file", json!({ "properties": { "password_env": false } })));
        feed.insert("allOf".into(), json!(rules));
    }
    feed
}

fn has(key: &str) -> Value {
    json!({ "required": [key] })
}

fn common() -> Value {
    json!({
        "description": { "description": "What people read about it", "type": "string" },
        "text": {
            "description": "How a record is written as text: {time}, {level}, {logger}, {message} and others",
            "type": "string",
            "pattern": "^[^\\n\\r]*$",
            "examples": ["{time} - {level} - {message}"],
        },
        "keep_bytes": {
            "description": "How much of it is kept, at least 1MiB; the oldest goes first",
            "$ref": "#/$defs/size",
            "default": "64MiB",
        },
        "push": { "description": "Whoever may, sends lines to its URL", "const": true },
        "merge": {
            "description": "Other feeds as one, in order of arrival, each line with its source",
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "items": { "type": "string", "pattern": NAME },
        },
    })
}

fn files() -> Value {
    let patterns = |description: &str| {
        json!({
            "description": description,
            "type": "array",
            "items": { "type": "string", "pattern": "^[^/]", "examples": ["*.log", "*.gz"] },
            "default": [],
        })
    };
    json!({
        "file": { "description": "A file that is followed over rotation", "$ref": "#/$defs/path" },
        "files": {
            "description": "Several files as one feed, in order of arrival, each line with its file; patterns mean later ones too",
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "items": { "type": "string", "pattern": "[^/]$", "examples": ["/var/log/app-*.log", "worker.log"] },
        },
        "directory": { "description": "A folder, any of whose files can be followed", "$ref": "#/$defs/path" },
        "follow_symlinks": {
            "description": "Follow symbolic links that stay beneath the folder, or the fixed part of a pattern of `files`",
            "type": "boolean",
            "default": false,
        },
        "hidden": {
            "description": "Show files and folders whose names begin with a dot; or have patterns of `files` match them",
            "type": "boolean",
            "default": false,
        },
        "allow": patterns("Only files whose path below the folder matches one of these; without them, all"),
        "deny": patterns("And none that matches one of these"),
        "paths": {
            "description": "The addresses of flask-log-viewer lead to these files too: below /logs/, or below a path of their own",
            "anyOf": [
                { "const": "flask" },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["flask"],
                    "properties": {
                        "flask": {
                            "description": "What they begin with: nothing that joblines' own addresses begin with",
                            "type": "string",
                            "pattern": "^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*/?)?$",
                            "examples": ["/logs"],
                        },
                    },
                },
            ],
        },
    })
}

fn redis() -> Value {
    let name = json!({ "type": "string", "minLength": 1, "examples": ["my:channel", "logs:*"] });
    json!({
        "redis": {
            "description": "A Redis server: redis://host:port, rediss:// with TLS, or redis+unix:///path",
            "type": "string",
            "pattern": "^(rediss?://.+|redis\\+unix://.*/.+)$",
            "examples": ["redis://127.0.0.1:6379"],
        },
        "channel": {
            "description": "Its channel, or a list of them; one with *, ? or [ is a pattern of names",
            "anyOf": [&name, { "type": "array", "minItems": 1, "uniqueItems": true, "items": name }],
        },
        "list": {
            "description": "A list that holds the last records, read as long as nothing has come",
            "type": "string",
            "minLength": 1,
        },
        "password_file": { "description": "A file that has the password on its only line", "$ref": "#/$defs/path" },
        "password_env": {
            "description": "The variable that has the password",
            "type": "string",
            "pattern": "^[^=]+$",
        },
    })
}

fn receivers() -> Value {
    let python = json!({
        "http": {
            "description": "HTTPHandler may send to the feed's /records",
            "type": "boolean",
            "default": false,
        },
        "max_frame": {
            "description": "The most that a record may have, 1KiB to 16MiB",
            "$ref": "#/$defs/size",
            "default": "1MiB",
        },
    });
    let over_http = json!({ "required": ["http"], "properties": { "http": { "const": true } } });
    json!({
        "python_logging": receiver(
            "Records of Python's SocketHandler, DatagramHandler and HTTPHandler",
            &[ways("SocketHandler, host:port", "DatagramHandler, host:port", "SocketHandler on this machine, a path"), python],
            &[over_http],
        ),
        "syslog": receiver(
            "Messages of SysLogHandler and other syslog senders",
            &[ways("Streams, host:port", "Datagrams, host:port", "Datagrams on this machine, a path, as /dev/log is one")],
            &[],
        ),
    })
}

fn ways(tcp: &str, udp: &str, unix: &str) -> Value {
    let address = |description: &str| json!({ "description": description, "type": "string", "pattern": "^.+:[0-9]+$" });
    json!({
        "tcp": address(tcp),
        "udp": address(udp),
        "unix": { "description": unix, "$ref": "#/$defs/path" },
        "from": {
            "description": "The networks that may send, beside this machine; an address that is not loopback needs it",
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "items": { "type": "string", "pattern": "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$", "examples": ["10.0.0.0/8"] },
        },
    })
}

/// A receiver that can be reached in one of the `ways` that all have, or in one of these `further` ones.
fn receiver(description: &str, keys: &[Value], further: &[Value]) -> Value {
    let mut receiver = table(description, keys);
    if let Some(receiver) = receiver.as_object_mut() {
        let network: Vec<_> = [has("tcp"), has("udp")].iter().chain(further).cloned().collect();
        let any_way: Vec<_> = network.iter().cloned().chain([has("unix")]).collect();
        receiver.insert("anyOf".into(), json!(any_way));
        receiver.insert("allOf".into(), json!([where_there_is("from", json!({ "anyOf": network }))]));
    }
    receiver
}

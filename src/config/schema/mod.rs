//! The JSON Schema (draft 2020-12) of `jobs.toml`, for editors: they complete its keys, explain them and underline mistakes.
//! It judges no file; the reading does, and finds more. What the reading takes, the schema takes.

mod feed;
mod job;

use serde_json::{Map, Value, json};

use feed::feed;
use job::{job, parameter};

/// What the names of jobs and feeds look like.
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$";

/// The schema of a whole file.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jobs.toml",
        "description": "The jobs that joblines turns into pages",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "server": table("How the jobs are served", &[server_addresses(), server_bounds()]),
            "jobs": {
                "description": "The jobs, each a table with its name: [jobs.backup]",
                "type": "object",
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "$ref": "#/$defs/job" },
            },
            "feeds": {
                "description": "Lines from elsewhere, each source a table with its name: [feeds.nginx]",
                "type": "object",
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "$ref": "#/$defs/feed" },
            },
        },
        "$defs": {
            "job": job(),
            "parameter": parameter(),
            "feed": feed(),
            "duration": duration(),
            "positive_duration": { "allOf": [{ "$ref": "#/$defs/duration" }, { "pattern": "[1-9]" }] },
            "size": size(),
            "path": path(),
            "program": program(),
        },
    })
}

/// A table that has these keys and no others.
fn table(description: &str, keys: &[Value]) -> Value {
    let keys: Map<String, Value> = keys.iter().filter_map(Value::as_object).flatten().map(owned).collect();
    json!({ "description": description, "type": "object", "additionalProperties": false, "properties": keys })
}

fn owned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

fn server_addresses() -> Value {
    json!({
        "listen": {
            "description": "Where to listen: host:port on a loopback address (port 0: a free one), or unix:/path",
            "type": "array",
            "minItems": 1,
            "items": { "type": "string", "pattern": "^(unix:.+|.+:[0-9]{1,5})$" },
            "default": ["127.0.0.1:8080"],
        },
        "state_dir": {
            "description": "Where runs are kept, relative to this file",
            "$ref": "#/$defs/path",
        },
        "hosts": {
            "description": "Further Host names to answer to, such as a proxy's; loopback names always are",
            "type": "array",
            "items": { "type": "string", "minLength": 1, "examples": ["jobs.example.org"] },
            "default": [],
        },
        "base_path": {
            "description": "Where a proxy mounts it, such as /joblines: every URL is below it",
            "type": "string",
            "pattern": "^(/?|(/[A-Za-z0-9._~-]+)+)$",
        },
    })
}

fn server_bounds() -> Value {
    let count = |description: &str, least: u32, default: u32| json!({ "description": description, "type": "integer", "minimum": least, "maximum": 1_000_000, "default": default });
    json!({
        "max_running": count("Runs at once over all jobs; later ones are queued", 1, 64),
        "max_queued": count("Runs that may wait; beyond it the answer is 503", 0, 1000),
        "max_connections": count("Connections at once; further ones wait", 1, 10_000),
        "keep_runs": count("Ended runs kept of each job; older ones are deleted", 1, 200),
        "keep_for": {
            "description": "How long an ended run is kept, such as \"30d\"; without it, for ever",
            "$ref": "#/$defs/positive_duration",
        },
        "keep_bytes": {
            "description": "How much all ended runs may take together, such as \"10GiB\"; without it, all there is",
            "$ref": "#/$defs/size",
        },
    })
}

/// A rule for tables that have a key. (`dependentSchemas` says the same, but not every editor knows it.)
fn where_there_is(key: &str, then: Value) -> Value {
    json!({ "if": { "required": [key] }, "then": then })
}

fn duration() -> Value {
    json!({
        "type": "string",
        "pattern": "^\\s*([0-9]+\\s*d\\s*)?([0-9]+\\s*h\\s*)?([0-9]+\\s*m\\s*)?([0-9]+\\s*s\\s*)?([0-9]+\\s*ms\\s*)?$",
        "allOf": [{ "pattern": "[0-9]" }],
        "examples": ["90s", "10m", "1h 30m", "250ms"],
    })
}

fn size() -> Value {
    json!({
        "type": "string",
        "pattern": "^\\s*[0-9]*[1-9][0-9]*\\s*(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?\\s*$",
        "examples": ["64MiB", "1GiB", "10kB", "512B"],
    })
}

fn path() -> Value {
    json!({ "type": "string", "minLength": 1, "not": { "pattern": "^~(/|$)" } })
}

/// A program and its arguments.
fn program() -> Value {
    json!({
        "type": "array",
        "minItems": 1,
        "prefixItems": [{ "type": "string", "minLength": 1 }],
        "items": { "type": "string" },
    })
}

//! The JSON Schema (draft 2020-12) of `jobs.toml`, for editors: they complete its keys, explain them and underline mistakes.
//! It judges no file; the reading does, and finds more. What the reading takes, the schema takes.

use serde_json::{Map, Value, json};

use super::QUERY_WORDS;

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
                "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" },
                "additionalProperties": { "$ref": "#/$defs/job" },
            },
        },
        "$defs": {
            "job": job(),
            "parameter": parameter(),
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

fn job() -> Value {
    let mut job =
        table("A job: a command that a page runs and shows", &[job_command(), job_start(), job_run(), job_end()]);
    if let Some(job) = job.as_object_mut() {
        let is_body = json!({ "required": ["stdin"], "properties": { "stdin": { "const": "body" } } });
        let goes_with_it =
            json!({ "properties": { "pty": { "const": false }, "overlap": { "not": { "const": "attach" } } } });
        let rules = [where_there_is("max_body", is_body.clone()), json!({ "if": is_body, "then": goes_with_it })];
        job.insert("required".into(), json!(["command"]));
        job.insert("allOf".into(), json!(rules));
    }
    job
}

fn job_command() -> Value {
    json!({
        "description": { "description": "What people read about it", "type": "string" },
        "group": {
            "description": "The heading under which the front page lists it",
            "type": "string",
            "maxLength": 64,
            "pattern": "^[^\\x00-\\x1f\\x7f]*\\S[^\\x00-\\x1f\\x7f]*$",
        },
        "command": {
            "description": "A list is executed as it is, {name} standing for a parameter's value; a string is given to sh -c",
            "anyOf": [{ "$ref": "#/$defs/program" }, { "type": "string", "pattern": "\\S" }],
        },
        "params": {
            "description": "What it can be told, in the order in which its form asks for it",
            "type": "object",
            "propertyNames": {
                "pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$",
                "not": { "enum": QUERY_WORDS },
            },
            "additionalProperties": { "$ref": "#/$defs/parameter" },
            "default": {},
        },
    })
}

fn job_start() -> Value {
    json!({
        "methods": {
            "description": "How it is started; [\"POST\"]: visiting shows the form and a button instead of running",
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "items": { "enum": ["GET", "POST"] },
            "default": ["GET", "POST"],
        },
        "stdin": {
            "description": "Its standard input: at end of file, or the body of the request that starts it",
            "enum": ["none", "body"],
            "default": "none",
        },
        "max_body": {
            "description": "The most that the body may have, with stdin = \"body\"",
            "$ref": "#/$defs/size",
            "default": "16MiB",
        },
        "overlap": {
            "description": "Started while a run of it is on, it runs twice (allow), shows that run (attach), waits (queue), is \
                            refused (refuse), or cancels that run first (replace)",
            "enum": ["allow", "attach", "queue", "refuse", "replace"],
            "default": "allow",
        },
        "on_disconnect": {
            "description": "What happens when the client that started it leaves",
            "enum": ["continue", "cancel"],
            "default": "continue",
        },
    })
}

fn job_run() -> Value {
    let variable = "^[^=]+$";
    let one_path = json!({ "$ref": "#/$defs/path" });
    json!({
        "cwd": { "description": "The folder it runs in; without it, this file's", "$ref": "#/$defs/path" },
        "env": {
            "description": "Variables for it",
            "type": "object",
            "propertyNames": { "pattern": variable },
            "additionalProperties": { "type": "string" },
            "default": {},
        },
        "env_file": {
            "description": "Files of NAME=VALUE lines, with # comments and optional quotes; env wins",
            "anyOf": [&one_path, { "type": "array", "items": one_path }],
        },
        "inherit_env": {
            "description": "Which of the server's own variables it gets as well; PATH always",
            "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "string", "pattern": variable } }],
            "default": true,
        },
        "pty": {
            "description": "A terminal of 80×24, for programs that hold output back, or drop colours, without one",
            "type": "boolean",
            "default": false,
        },
        "merge_stderr": {
            "description": "Both streams through one pipe, in exact order",
            "type": "boolean",
            "default": false,
        },
    })
}

fn job_end() -> Value {
    json!({
        "timeout": { "description": "End it after so long", "$ref": "#/$defs/positive_duration" },
        "idle_timeout": { "description": "End it after so long without output", "$ref": "#/$defs/positive_duration" },
        "grace": {
            "description": "From SIGTERM to SIGKILL, for timeout, cancel and shutdown",
            "$ref": "#/$defs/duration",
            "default": "10s",
        },
        "drain": {
            "description": "How long processes that it left behind may hold its output open",
            "$ref": "#/$defs/duration",
            "default": "2s",
        },
        "success_codes": {
            "description": "The exit codes that count as success",
            "type": "array",
            "minItems": 1,
            "items": { "type": "integer", "minimum": 0, "maximum": 255 },
            "default": [0],
        },
        "max_output": {
            "description": "How much of its output is kept; the rest is counted, and the page says so",
            "$ref": "#/$defs/size",
            "default": "1GiB",
        },
    })
}

fn parameter() -> Value {
    let mut parameter = table("A parameter of the job", &[parameter_keys()]);
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("allOf".into(), Value::Array(parameter_rules()));
    }
    parameter
}

/// Which keys of a parameter go with which; a text is meant where there is no type.
fn parameter_rules() -> Vec<Value> {
    let types = |types: &[&str]| json!({ "enum": types });
    let is = |word: &str| json!({ "required": ["type"], "properties": { "type": types(&[word]) } });
    let literal = |allowed: &[&str]| {
        let allowed = json!({ "type": allowed });
        json!({ "properties": { "default": allowed, "choices": { "items": allowed } } })
    };
    let of_choices = json!({
        "type": types(&["text", "int"]), "choices_from": false, "pattern": false, "min": false, "max": false,
    });
    vec![
        where_there_is("min", is("int")),
        where_there_is("max", is("int")),
        where_there_is("pattern", json!({ "properties": { "type": types(&["text", "secret"]) } })),
        where_there_is("choices", json!({ "properties": of_choices })),
        where_there_is("choices_from", json!({ "properties": { "type": types(&["text"]), "pattern": false } })),
        where_there_is("default", json!({ "properties": { "type": types(&["text", "int", "bool"]) } })),
        json!({ "if": is("int"), "then": literal(&["string", "integer"]) }),
        json!({ "if": is("bool"), "then": literal(&["string", "boolean"]) }),
        json!({ "if": { "anyOf": [is("int"), is("bool")] }, "else": literal(&["string"]) }),
    ]
}

/// A rule for tables that have a key. (`dependentSchemas` says the same, but not every editor knows it.)
fn where_there_is(key: &str, then: Value) -> Value {
    json!({ "if": { "required": [key] }, "then": then })
}

fn parameter_keys() -> Value {
    json!({
        "type": {
            "description": "A secret is written nowhere, and shows as •••• where the job prints it",
            "enum": ["text", "int", "bool", "secret"],
            "default": "text",
        },
        "choices": { "description": "All that it may be", "type": "array", "minItems": 1, "uniqueItems": true },
        "choices_from": {
            "description": "A command, whose lines are all that it may be",
            "$ref": "#/$defs/program",
        },
        "pattern": {
            "description": "A regular expression that the whole of a text or secret has to match",
            "type": "string",
        },
        "min": { "description": "The least, with type = \"int\"", "type": "integer" },
        "max": { "description": "The greatest, with type = \"int\"", "type": "integer" },
        "default": {
            "description": "What it is where nothing is said; without one it has to be given",
            "type": ["string", "integer", "boolean"],
        },
        "description": { "description": "What people read about it", "type": "string" },
    })
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

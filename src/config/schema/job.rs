//! The schema of a job and of its parameters. It judges no file.

use serde_json::{Value, json};

use crate::config::QUERY_WORDS;

use super::{table, where_there_is};

/// The table of a job.
pub(super) fn job() -> Value {
    let mut job =
        table("A job: a command that a page runs and shows", &[job_command(), job_start(), job_run(), job_end()]);
    if let Some(job) = job.as_object_mut() {
        let is_body = json!({ "required": ["stdin"], "properties": { "stdin": { "const": "body" } } });
        let goes_with_it = json!({ "properties": { "overlap": { "not": { "const": "attach" } } } });
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

/// The table of a parameter.
pub(super) fn parameter() -> Value {
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

//! The schema, held to the reading: the same keys, the same defaults, and nothing refused that the reading takes.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&schema()).expect("a schema of draft 2020-12")
}

/// Whether an editor would take the file; `None` where it is not TOML.
fn takes(validator: &jsonschema::Validator, text: &str) -> Option<bool> {
    toml::from_str::<Json>(text).ok().map(|document| validator.is_valid(&document))
}

/// The properties of a table of the schema.
fn properties(table: &str) -> serde_json::Map<String, Json> {
    schema().pointer(&format!("{table}/properties")).and_then(Json::as_object).cloned().expect("a table")
}

const SERVER: &str = "/properties/server";
const JOB: &str = "/$defs/job";
const PARAMETER: &str = "/$defs/parameter";
const FEED: &str = "/$defs/feed";
const PYTHON: &str = "/$defs/feed/properties/python_logging";
const SYSLOG: &str = "/$defs/feed/properties/syslog";

/// Every table, and the keys that are read in it.
const TABLES: [(&str, &[&str]); 6] = [
    (SERVER, &server::KEYS),
    (JOB, &job::KEYS),
    (PARAMETER, &parameter::KEYS),
    (FEED, &feed::KEYS),
    (PYTHON, &feed::PYTHON_KEYS),
    (SYSLOG, &feed::SYSLOG_KEYS),
];

#[test]
fn the_keys_of_the_schema_are_those_that_are_read() {
    for (table, keys) in TABLES {
        let found: BTreeSet<_> = properties(table).into_iter().map(|(key, _)| key).collect();
        let read: BTreeSet<_> = keys.iter().map(|key| key.to_string()).collect();
        assert_eq!(found, read, "{table}");
    }
}

#[test]
fn every_key_is_described_and_every_table_closed() {
    for (table, _) in TABLES {
        for (key, value) in properties(table) {
            assert!(value["description"].as_str().is_some_and(|text| !text.is_empty()), "{table} {key}");
        }
        let closed = schema().pointer(&format!("{table}/additionalProperties")).cloned();
        assert_eq!(closed, Some(Json::Bool(false)), "{table}");
    }
    assert_eq!(schema()["additionalProperties"], false);
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn the_defaults_of_the_schema_are_those_that_are_meant() {
    let stdin = "[jobs.x]\ncommand = 'x'\nstdin = 'body'";
    for (table, plain) in [
        (SERVER, "[server]"),
        (JOB, "[jobs.x]\ncommand = 'x'"),
        (PARAMETER, "[jobs.x]\ncommand = 'x'\n[jobs.x.params.p]"),
        (FEED, "[feeds.x]\ndirectory = 'x'"),
        (PYTHON, "[feeds.x.python_logging]\ntcp = 'localhost:0'"),
    ] {
        let mut some = 0;
        for (key, value) in properties(table) {
            let Some(default) = value.get("default") else { continue };
            let plain = if key == "max_body" { stdin } else { plain };
            // strings, numbers, lists and empty tables are written in TOML as in JSON
            assert_eq!(parsed(&format!("{plain}\n{key} = {default}")), parsed(plain), "{key} = {default}");
            assert!(parsed(plain).is_ok());
            some += 1;
        }
        assert!(some > 0, "{table}");
    }
}

#[test]
fn a_good_file_is_good_to_an_editor() {
    let validator = validator();
    for text in [
        "",
        "[server]\n[jobs]",
        "[server]\nlisten = ['unix:x.sock', '[::1]:0']\nbase_path = '/a/b'\nkeep_for = ' 1d 2h3m '\nkeep_bytes = '10 GiB'",
        "[jobs.'a.b']\ncommand = 'x'\ngroup = 'Größe'\nenv = { A = '' }\nenv_file = []\ninherit_env = ['A']\ngrace = '0s'",
        "[jobs.x]\ncommand = ['x', '']\nstdin = 'body'\nmax_body = '1kB'\noverlap = 'queue'\npty = true",
        "[jobs.x]\ncommand = 'x'\nparams.a = {}\nparams.b = { type = 'int', min = 1, default = '2' }\n\
         params.c = { type = 'int', choices = [1, '2'], default = 2 }\nparams.d = { type = 'bool', default = true }\n\
         params.e = { choices_from = ['x'], default = 'y' }\nparams.f = { type = 'secret', pattern = 'x' }",
        "[feeds]\n[feeds.'a.b']\nfile = '../x'\nkeep_bytes = '1 MiB'\n[feeds.b]\nmerge = ['a.b']",
        "[feeds.a]\ndirectory = '.'\nallow = ['*.log', '{a,b}/**']\ndeny = []\npaths = 'flask'\nhidden = true",
        "[feeds.a]\ndirectory = '.'\npaths = 'flask'\n[feeds.b]\ndirectory = 'b'\npaths = { flask = '/a/b.c/' }\n\
         [feeds.c]\ndirectory = 'c'\npaths.flask = '/'",
        "[feeds.a]\nfiles = ['a', '/b/*.log', 'c/**/[d]']\nhidden = true\nfollow_symlinks = false\ndeny = ['*.gz']",
        "[feeds.a]\nredis = 'redis://u:p@h'\nchannel = ['a', 'b*']\nlist = 'l'\n[feeds.b]\npush = true\ndescription = ''",
        "[feeds.a]\nredis = 'redis+unix://:p@/x?db=1'\nchannel = 'a'",
        "[feeds.a]\npython_logging = { http = true, max_frame = '16MiB' }\n[feeds.b.syslog]\nunix = 'x'",
        "[feeds.a]\npython_logging = { http = true, from = ['10.0.0.0/8'] }",
        "[feeds.a]\npython_logging = { tcp = '0.0.0.0:00', http = false, from = ['10.0.0.0/8', '::1'] }",
    ] {
        assert_eq!(parsed(text).map_err(|mistakes| mistakes.to_string()).err(), None, "{text}");
        assert_eq!(takes(&validator, text), Some(true), "{text}");
    }
}

#[test]
fn what_an_editor_underlines_is_a_mistake() {
    let validator = validator();
    let of_job = [
        "comand = 'x'",
        "timeout = '0s'",
        "timeout = '10'",
        "timeout = '1s 1h'",
        "timeout = ''",
        "max_output = '0B'",
        "max_output = '5KB'",
        "pty = 'true'",
        "env = { 'A=B' = 'x' }",
        "env = { A = 1 }",
        "env_file = '~/x'",
        "cwd = ''",
        "inherit_env = ''",
        "success_codes = []",
        "success_codes = [256]",
        "methods = []",
        "methods = ['GET', 'GET']",
        "on_disconnect = 'x'",
        "overlap = 'x'",
        "stdin = 'body'\noverlap = 'attach'",
        "max_body = '1MiB'",
        "stdin = 'none'\nmax_body = '1MiB'",
        "group = ' '",
        "group = \"a\\nb\"",
        "params = []",
        "params.wait = {}",
        "params.a-b = {}",
        "params.p = 'x'",
        "params.p.typ = 'int'",
        "params.p.type = 'number'",
        "params.p.min = 1",
        "params.p = { type = 'int', pattern = 'x' }",
        "params.p = { type = 'bool', default = 1 }",
        "params.p = { type = 'int', default = true }",
        "params.p.default = 1",
        "params.p.choices = [1]",
        "params.p.choices = []",
        "params.p.choices = ['a', 'a']",
        "params.p = { choices = ['a'], choices_from = ['b'] }",
        "params.p = { choices = ['a'], pattern = 'a' }",
        "params.p = { type = 'int', choices = [1], min = 1 }",
        "params.p = { type = 'secret', default = 'x' }",
        "params.p = { type = 'secret', choices = ['x'] }",
        "params.p = { type = 'bool', choices_from = ['x'] }",
        "params.p.choices_from = ['']",
    ];
    let of_job = of_job.iter().map(|keys| format!("[jobs.x]\ncommand = 'x'\n{keys}"));
    let others = [
        "x = 1",
        "[job.x]\ncommand = 'x'",
        "[jobs.x]",
        "[jobs.x]\ncommand = ''",
        "[jobs.x]\ncommand = []",
        "[jobs.x]\ncommand = ['']",
        "[jobs.'a b']\ncommand = 'x'",
        "[auth]",
        "[feeds.a]",
        "[feeds.'a b']\npush = true",
        "[server]\nlisten = []",
        "[server]\nlisten = ['8080']",
        "[server]\nbase_path = 'x/'",
        "[server]\nmax_running = 0",
        "[server]\nkeep_runs = 0",
        "[server]\nkeep_for = '0d'",
        "[server]\nkeep_bytes = 10",
    ];
    let of_feed = [
        "push = false",
        "push = true\nfile = 'x'",
        "push = true\nkeep_bytes = 1",
        "push = true\nchannel = 'x'",
        "push = true\nfiles = 'x'",
        "file = ''",
        "file = ['x']",
        "files = []",
        "files = ['']",
        "files = ['x/']",
        "files = ['x', 'x']",
        "files = ['x']\nallow = ['x']",
        "files = ['x']\ndeny = ['/x']",
        "file = 'x'\nhidden = true",
        "file = 'x'\nallow = ['x']",
        "directory = '~'",
        "directory = 'x'\nallow = 'x'",
        "directory = 'x'\ndeny = ['']",
        "directory = 'x'\ndeny = ['/x']",
        "directory = 'x'\npaths = 'Flask'",
        "directory = 'x'\npaths = {}",
        "directory = 'x'\npaths.flask = 'logs'",
        "directory = 'x'\npaths.flask = '/a//b'",
        "redis = 'redis://h'",
        "redis = 'http://h'\nchannel = 'x'",
        "redis = 'redis://h'\nchannel = []",
        "redis = 'redis://h'\nchannel = ''",
        "redis = 'redis://h'\nchannel = ['a', 'a']",
        "redis = 'redis://h'\nchannel = 'x'\nlist = ''",
        "redis = 'redis://h'\nchannel = 'x'\npassword_env = ''",
        "redis = 'redis://h'\nchannel = 'x'\npassword_env = 'PATH'\npassword_file = 'x'",
        "python_logging = {}",
        "python_logging = true",
        "python_logging = { http = false }",
        "python_logging = { unix = 'x', http = false, from = ['10.0.0.0/8'] }",
        "python_logging = { tcp = '8080' }",
        "python_logging = { tpc = 'localhost:0' }",
        "python_logging = { http = true, max_frame = 1 }",
        "syslog = { http = true }",
        "syslog = { udp = 'localhost:0', from = [] }",
        "syslog = { udp = 'localhost:0', from = ['example.org'] }",
        "syslog = { unix = '' }",
        "merge = []",
        "merge = ['a b']",
    ];
    let of_feed = of_feed.iter().map(|keys| format!("[feeds.x]\n{keys}"));
    for text in of_job.chain(of_feed).chain(others.map(str::to_owned)) {
        assert!(parsed(&text).is_err(), "{text}");
        assert_eq!(takes(&validator, &text), Some(false), "{text}");
    }
}

/// A line of a job, of one of its parameters, or of the server.
fn line(keys: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = "0|1|-1|300|true|false|''|' '|'a'|'\\$x'|'~/a'|'int'|'bool'|'secret'|'text'|'none'|'body'|'queue'|'attach'|'cancel'\
                 |'[0-9]{0,2} ?(d|h|m|s|ms)'|'[0-9]{1,2} ?(h|m) ?[0-9]{1,2}(m|s)'|'[0-9]{1,3} ?(B|kB|MiB|KB|)'|\\[\\]|\\['x'\\]\
                 |'\\*\\.x'|'redis://h'|'localhost:0'|'flask'|\\{ flask = '/(a|x/y|jobs)?/?' \\}|\\['y'\\]|\\['10\\.0\\.0\\.0/8'\\]|\\{ http = true \\}|\\{ udp = '\\[::1\\]:0', from = \\['::1'\\] \\}\\
                 |\\['GET'\\]|\\['a', '1'\\]|\\[1, 2\\]|\\[0, '1'\\]|\\['localhost:0', 'unix:x'\\]|\\{\\}|\\{ A = 'x' \\}|\\{ p = \\{\\} \\}";
    (prop::sample::select(keys), value).prop_map(|(key, value)| format!("{key} = {value}\n"))
}

fn lines(keys: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(line(keys), 0..4).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_the_reading_takes_the_schema_takes(
        server in lines(&server::KEYS),
        job in lines(&job::KEYS),
        parameter in lines(&parameter::KEYS),
        feed in lines(&feed::KEYS),
        python in lines(&feed::PYTHON_KEYS),
        syslog in lines(&feed::SYSLOG_KEYS),
    ) {
        static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> = std::sync::LazyLock::new(validator);
        for text in [
            format!("[server]\n{server}"),
            format!("[jobs.x]\ncommand = ['x', '{{p}}']\n{job}"),
            format!("[jobs.x]\ncommand = ['x', '{{p}}']\n[jobs.x.params.p]\n{parameter}"),
            format!("[feeds.x]\n{feed}[feeds.y]\npush = true"),
            format!("[feeds.x]\ndirectory = 'x'\n{feed}"),
            format!("[feeds.x]\nfiles = ['x/*']\n{feed}"),
            format!("[feeds.x]\nredis = 'redis://h'\nchannel = 'x'\n{feed}"),
            format!("[feeds.x.python_logging]\n{python}"),
            format!("[feeds.x.syslog]\n{syslog}"),
        ] {
            if parsed(&text).is_ok() {
                prop_assert_eq!(takes(&VALIDATOR, &text), Some(true), "{}", text);
            }
        }
    }
}

//! Wrong feeds: a source too many or none, values that cannot be meant, and feeds at odds with each other.

use super::*;

#[test]
fn a_feed_has_one_source() {
    for (keys, said) in [
        (
            "description = 'x'",
            "1:8 feed `x` has no source; write one of `file`, `directory`, `files`, `redis`, `python_logging`, `syslog`, `push`, `merge`",
        ),
        ("channel = 'x'", "1:8 feed `x` has no `redis`; `channel` goes with it"),
        ("hidden = true", "1:8 feed `x` has no `directory`; `hidden` goes with it"),
        ("fil = 'x'", "2:1 unknown key `fil`; did you mean `file`?"),
        (
            "file = 'x'\nredis = 'nonsense'\nchannel = 5",
            "3:1 this feed has `file` and `redis`; a feed has one source: make each a feed of its own, and a further one with \
             `merge` to see them as one",
        ),
        ("file = 'x'\nchannel = 'y'", "3:1 `channel` goes with `redis`, and this feed has `file`; take it out"),
        ("files = ['x']\nallow = []", "3:1 `allow` goes with `directory`, and this feed has `files`; take it out"),
        ("allow = []\npush = true", "2:1 `allow` goes with `directory`, and this feed has `push`; take it out"),
        ("push = false", "2:8 `push = false` is no source; write `push = true`, or the source that there is"),
    ] {
        assert_eq!(summary_of_feed(keys), [said], "{keys}");
    }
}

#[test]
fn a_text_is_made_of_what_a_record_has() {
    let told = summary_of_feed("push = true\ntext = '{time} {levelname}'");
    assert!(told[0].starts_with("3:8 a record has no `{levelname}`; allowed: {time}, {level}, {logger}"), "{told:?}");
    assert_eq!(
        summary_of_feed("push = true\ntext = \"a\\nb\""),
        ["3:8 `text` has more than one line; a record's line is one"]
    );
}

#[test]
fn keys_in_the_wrong_place_are_told_where_they_belong() {
    assert_eq!(
        summary_of_feed("push = true\ntcp = 'x'\nhttp = true\npassword = 'hunter2'"),
        [
            "3:1 unknown key `tcp`; it belongs in the table of a receiver: `python_logging.tcp` or `syslog.tcp`",
            "4:1 unknown key `http`; it belongs in the table of the receiver: `python_logging.http`",
            "5:1 unknown key `password`; name a file that has it alone with `password_file`, or a variable with `password_env`",
        ]
    );
    assert_eq!(
        summary_of_feed("syslog = { http = true, udp = 'localhost:0' }"),
        ["2:12 unknown key `http`; [feeds.x.syslog] may have `from`, `tcp`, `udp`, `unix`"]
    );
    assert_eq!(summary("[feeds.'a b']\npush = true")[0].split(';').next(), Some("1:8 a feed cannot be named `a b`"));
    assert_eq!(summary("[feeds]\na = 1").len(), 1);
}

#[test]
fn values_that_cannot_be_meant_are_refused_with_their_remedy() {
    for (keys, said) in [
        ("push = true\nkeep_bytes = '1kB'", "3:14 `1kB` is too little to keep; at least `\"1MiB\"`"),
        ("push = 'true'", "2:8 `push` must be true or false, not a string; write `push = true`"),
        ("file = ['x']", "2:8 `file` is one file, not a list; write `files` for several as one feed"),
        ("files = []", "2:9 `files` is empty; write `files = [\"/var/log/app-*.log\", \"worker.log\"]`"),
        ("files = 'x'", "2:9 `files` must be a list, not a string; write `files = [\"x\"]`"),
        ("files = ['x', 'x']", "2:15 `x` is listed twice; take one of the two out"),
        ("files = ['']", "2:10 the name is empty; write one such as `\"app-*.log\"`, or take it out"),
        ("files = ['log/']", "2:10 `log/` is a folder; write `\"log/*.log\"`"),
        (
            "files = ['*/../x']",
            "2:10 no file matches `*/../x`; behind a pattern stand names alone, with one slash between them",
        ),
        (
            "files = ['log/[']",
            "2:10 `[` is not a pattern: unclosed character class; missing ']'; `*` is any text, `?` one character, `[ab]` and \
             `{a,b}` one of some; `\\\\` before it takes the meaning away",
        ),
        ("files = ['~/x*']", "2:10 `~` in `~/` is not expanded; write the whole path"),
        (
            "files = ['x']\ndeny = ['/x']",
            "3:9 no file matches `/x`; a pattern of `deny` is of the path below the folder that is written before the first `*`",
        ),
        ("file = 'x/'", "2:8 `x/` is a folder; write `directory = \"x/\"`"),
        ("file = ''", "2:8 the path is empty; leave the key out to get its default"),
        ("directory = 'x'\npaths = 'django'", "3:9 `paths` cannot be `django`; it may be `\"flask\"`"),
        (
            "directory = 'x'\nallow = ['*.log', '[']",
            "3:19 `[` is not a pattern: unclosed character class; missing ']'; `*` is any text, `?` one character, `[ab]` and \
             `{a,b}` one of some; `\\\\` before it takes the meaning away",
        ),
        (
            "directory = 'x'\ndeny = ['/x']",
            "3:9 no file matches `/x`; write `\"x\"`: a pattern is of the path below the folder",
        ),
        ("syslog = { udp = '514' }", "2:18 `514` is not host:port; write one such as `127.0.0.1:5514`"),
        (
            "python_logging = { tcp = 'unix:x' }",
            "2:26 `x` in `unix:x` is not a port; a port is a number from 0 to 65535",
        ),
        (
            "python_logging = { http = true, max_frame = '17MiB' }",
            "2:45 a record cannot have `17MiB`; it may be `\"1KiB\"` to `\"16MiB\"`",
        ),
        (
            "python_logging = { http = false }",
            "2:1 nobody can send to this feed; write one of `tcp = \"127.0.0.1:9020\"`, `udp = \"127.0.0.1:9021\"`, \
             `unix = \"py.sock\"`, `http = true`",
        ),
        (
            "syslog = {}",
            "2:1 nobody can send to this feed; write one of `udp = \"127.0.0.1:5514\"`, `tcp = \"127.0.0.1:5514\"`, \
             `unix = \"sys.sock\"`",
        ),
        ("syslog = { upd = 'localhost:0' }", "2:12 unknown key `upd`; did you mean `udp`?"),
        (
            "syslog = true",
            "2:10 `syslog` must be a table, not true or false; write `[feeds.x.syslog]` on a line of its own and its keys \
             below it",
        ),
    ] {
        assert_eq!(summary_of_feed(keys), [said], "{keys}");
    }
    let long = format!("syslog.unix = '/{}'", "x".repeat(107));
    assert!(summary_of_feed(&long)[0].ends_with("is too long; at most 107 bytes, from `/` on"));
}

#[test]
fn an_address_that_others_reach_needs_the_networks_that_may() {
    for (address, everybody) in [
        ("0.0.0.0:9020", "[\"0.0.0.0/0\"]"),
        ("[::]:0", "[\"0.0.0.0/0\", \"::/0\"]"),
        ("example.org:1", "[\"0.0.0.0/0\"]"),
    ] {
        assert_eq!(
            summary_of_feed(&format!("syslog.tcp = '{address}'")),
            [format!(
                "2:14 anybody on the network could write lines here through {address}; name who may with \
                 `from = [\"10.0.0.0/8\"]`, or `from = {everybody}` for everybody"
            )]
        );
    }
    for (from, said) in [
        ("[]", "3:15 `from` is empty; write `from = [\"10.0.0.0/8\"]`"),
        (
            "['10.0.0.0/33']",
            "3:16 `10.0.0.0/33` is not a network; write one such as `\"10.0.0.0/8\"`, `\"192.0.2.7\"` or `\"2001:db8::/32\"`",
        ),
        (
            "['10.1.2.3/8']",
            "3:16 `10.1.2.3/8` is an address within its network; write `\"10.0.0.0/8\"` for the network, or `\"10.1.2.3\"` for \
             the one address",
        ),
        (
            "['::ffff:10.0.0.0/104']",
            "3:16 `::ffff:10.0.0.0/104` is a network of IPv4 addresses; write it as `\"10.0.0.0/8\"`",
        ),
        ("['10.0.0.7', '10.0.0.7/32']", "3:28 `10.0.0.7/32` is listed twice; take one of the two out"),
    ] {
        assert_eq!(summary_of_feed(&format!("syslog.tcp = '0.0.0.0:0'\nsyslog.from = {from}")), [said]);
    }
    assert_eq!(
        summary_of_feed("syslog.unix = 'x'\nsyslog.from = ['10.0.0.0/8']"),
        [
            "3:8 `from` is who may send over the network, where this feed does not listen; write `tcp` or `udp` as well, or take \
          it out"
        ]
    );
    for http in ["", "python_logging.http = false\n"] {
        let line = if http.is_empty() { 3 } else { 4 };
        assert_eq!(
            summary_of_feed(&format!("python_logging.unix = 'x'\n{http}python_logging.from = ['10.0.0.0/8']")),
            [format!(
                "{line}:16 `from` is who may send over the network, where this feed does not listen; write `tcp`, `udp` or \
                 `http = true` as well, or take it out"
            )]
        );
    }
    assert_eq!(summary_of_feed("python_logging = { http = 1, from = ['10.0.0.0/8'] }").len(), 1);
}

#[test]
fn a_redis_server_and_its_channels_have_to_be_clear() {
    let url_remedy = "write one such as `\"redis://127.0.0.1:6379\"`, `\"rediss://redis.example.org\"` with TLS, or \
                      `\"redis+unix:///run/redis.sock\"`";
    for (url, said) in [
        ("", format!("this is not the URL of a Redis server; {url_remedy}")),
        ("http://h", format!("this is not the URL of a Redis server; {url_remedy}")),
        ("redis://", format!("this URL names no host; {url_remedy}")),
        ("redis://a b", format!("this URL names no host; {url_remedy}")),
        (
            "redis://h:0",
            "this URL has no port after its last `:`; a port is a number from 1 to 65535, 6379 where there is none".into(),
        ),
        ("redis://h/x", "the database of this URL is not a number; write `/0` after the port, or nothing".into()),
        (
            "redis+unix://run/x",
            "this URL names no socket; write `\"redis+unix:///path\"`, with three slashes, and `%20` for a blank".into(),
        ),
        (
            "redis+unix:///x?pass=hunter2",
            "this URL asks for something unknown after its `?`; there is `?db=0`, a database, alone".into(),
        ),
        ("redis://app@h", "the user `app` has no password; write `password_file` or `password_env` as well".into()),
        (
            "redis://:p%4@h",
            "the user or the password of this URL has a character that a URL cannot have; write all but letters, digits and \
             `-._~` in them with percent signs, `%40` for `@`; or `password_file`"
                .into(),
        ),
    ] {
        assert_eq!(summary_of_feed(&format!("channel = 'x'\nredis = '{url}'")), [format!("3:9 {said}")], "{url}");
    }
    for (keys, said) in [
        (
            "",
            "1:8 feed `x` has no `channel`; write `channel = \"my:channel\"`, or a list of them; `*` stands for any text",
        ),
        ("chanel = 'x'", "3:1 unknown key `chanel`; did you mean `channel`?"),
        ("channel = 5", "3:11 `channel` must be a string, not a whole number; write `channel = \"my:channel\"`"),
        ("channel = []", "3:11 `channel` is empty; write `channel = [\"my:channel\", \"logs:*\"]`"),
        ("channel = ['a', 'a']", "3:17 `a` is listed twice; take one of the two out"),
        ("channel = 'x'\nlist = ''", "4:8 the name is empty; write one such as `\"my:channel\"`"),
        (
            "channel = 'x'\npassword_env = 'JOBLINES_NO_SUCH_VARIABLE'",
            "4:16 the variable `JOBLINES_NO_SUCH_VARIABLE` is not set; set it where joblines is started, or write \
             `password_file`",
        ),
        (
            "channel = 'x'\npassword_file = 'none'",
            "4:17 cannot read `/srv/app/none`: No such file or directory (os error 2); a relative path starts at the folder of \
             this file",
        ),
        (
            "channel = 'x'\npassword_file = '/'",
            "4:17 `/` is not a file; `password_file` names a file that has the password alone",
        ),
    ] {
        assert_eq!(summary_of_feed(&format!("redis = 'redis://h'\n{keys}")), [said], "{keys}");
    }
    let twice = summary_of_feed("redis = 'redis://:a@h'\nchannel = 'x'\npassword_env = 'CARGO_MANIFEST_DIR'");
    assert_eq!(twice, ["2:9 this URL has a password, and `password_env` another; take it out of the URL"]);
}

#[test]
fn a_password_file_has_one_line_that_is_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in [("empty", "\n"), ("two", "hunter2\n\n")] {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    for (name, problem) in [("empty", "is empty"), ("two", "is of several lines")] {
        let text = format!("[feeds.x]\nredis = 'redis://h'\nchannel = 'x'\npassword_file = '{name}'");
        let rendered = parse(&text, Path::new("jobs.toml"), folder.path()).expect_err("a mistake").to_string();
        assert!(rendered.contains(problem) && !rendered.contains("hunter2"), "{rendered}");
    }
}

#[test]
fn no_mistake_shows_a_password() {
    for keys in [
        "redis = 'redis://app:hunter2@h:x'",
        "redis = 'redis://:hunter2'",
        "redis = 'redis://app:hunter2:h'",
        "redis = 'redis://:hun ter2@h'\nchannel = 'hunter3'",
        "redis = \"redis://:hunter2\\u0040h/x\"",
        "redis = ['redis://:hunter2@h']",
        "redis = 'redis+unix:///x?pass=hunter2'",
        "redis = 'redis://:hunter2@h\nchannel = 'x'",
        "password = 'hunter2'",
        "file = 'x'\nredis = 'redis://:hunter2@h'",
    ] {
        let mistakes = parsed(&format!("[feeds.x]\n{keys}")).expect_err("a mistake");
        for shown in
            [mistakes.to_string(), mistakes.summary().concat(), mistakes.render_coloured(), format!("{mistakes:?}")]
        {
            assert!(!shown.contains("ter2"), "{shown}");
        }
    }
    assert_eq!(
        shown("feeds.x = { redis = 'redis://app:hunter2@h:6379', chanel = 'x' }"),
        "\
error: unknown key `chanel`
 --> jobs.toml:1:51
  |
1 | feeds.x = { redis = 'redis://***********@h:6379', chanel = 'x' }
  |                                                   ^^^^^^
  |
  = help: did you mean `channel`?"
    );
}

#[test]
fn feeds_do_not_get_in_each_others_way() {
    assert_eq!(
        summary(
            "[feeds.a]\nsyslog = { udp = 'localhost:1', unix = 'x.sock' }\n[feeds.b]\npython_logging = { udp = 'LOCALHOST:1', \
             unix = '/srv/app/x.sock' }"
        ),
        [
            "4:26 feed `a` listens on `LOCALHOST:1` already; give each of them an address of its own, and `merge` them to see \
             them as one",
            "4:48 feed `a` listens on `/srv/app/x.sock` already; give each of them an address of its own, and `merge` them to \
             see them as one",
        ]
    );
}

#[test]
fn the_addresses_of_flask_log_viewer_lead_to_one_folder_each_and_are_none_of_ours() {
    for (paths, said) in [
        ("'nginx'", "3:9 `paths` cannot be `nginx`; it may be `\"flask\"`"),
        ("1", "3:9 `paths` must be a string, not a whole number; write `paths = \"flask\"`"),
        ("{}", "3:1 `paths` has no `flask`; write `paths = { flask = \"/logs\" }`, or take it out"),
        ("{ flaks = '/x' }", "3:11 unknown key `flaks`; did you mean `flask`?"),
        ("{ flask = true }", "3:19 `flask` must be a string, not true or false; write `flask = \"/logs\"`"),
        ("{ flask = 'logs' }", "3:19 `logs` is no path; it begins with a slash: write `\"/logs\"`"),
        ("{ flask = '' }", "3:19 `` is no path; it begins with a slash: write `\"/logs\"`"),
        (
            "{ flask = '/a//b' }",
            "3:19 no address begins with `/a//b`; it is made of names with a slash before each, of letters, digits and `-._~`",
        ),
        (
            "{ flask = '/../x' }",
            "3:19 no address begins with `/../x`; it is made of names with a slash before each, of letters, digits and `-._~`",
        ),
        (
            "{ flask = '/feeds/x' }",
            "3:19 joblines' own addresses begin with `/feeds`; choose another, such as `\"/logs\"`",
        ),
        (
            "{ flask = '/openapi.json/' }",
            "3:19 joblines' own addresses begin with `/openapi.json`; choose another, such as `\"/logs\"`",
        ),
    ] {
        assert_eq!(summary_of_feed(&format!("directory = 'a'\npaths = {paths}")), [said], "{paths}");
    }
    let two = |one: &str, other: &str| {
        summary(&format!("[feeds.a]\ndirectory = 'a'\npaths = {one}\n[feeds.b]\ndirectory = 'b'\npaths = {other}"))
    };
    let taken = |place: &str, prefix: &str| {
        let remedy = "give this one others, as in `paths = { flask = \"/more-logs\" }`, or take it out";
        [format!("{place} feed `a` has the addresses of flask-log-viewer below `{prefix}/` already; {remedy}")]
    };
    assert_eq!(two("'flask'", "'flask'"), taken("6:9", "/logs"));
    assert_eq!(two("'flask'", "{ flask = '/logs/' }"), taken("6:19", "/logs"));
    assert_eq!(two("{ flask = '/' }", "{ flask = '/view/x' }"), taken("6:19", ""));
    assert_eq!(two("{ flask = '/x/stream_log' }", "{ flask = '/x' }"), taken("6:19", "/x/stream_log"));
    for (one, other) in [("'flask'", "{ flask = '/logs/x' }"), ("{ flask = '/' }", "{ flask = '/viewer' }")] {
        let text = format!("[feeds.a]\ndirectory = 'a'\npaths = {one}\n[feeds.b]\ndirectory = 'b'\npaths = {other}");
        assert!(parsed(&text).is_ok(), "{one} {other}");
    }
}

#[test]
fn a_merge_names_other_feeds_each_once() {
    let others = "[feeds.python]\npush = true\n[feeds.logs]\ndirectory = 'x'\n";
    for (merge, said) in [
        ("[]", "6:9 `merge` is empty; write `merge = [\"app\", \"nginx\"]`"),
        ("'python'", "6:9 `merge` must be a list, not a string; write `merge = [\"python\"]`"),
        ("['pyton']", "6:10 there is no feed `pyton`; did you mean `python`?"),
        ("['nothing']", "6:10 there is no feed `nothing`; there is `logs`, `python`"),
        ("['x']", "6:10 `x` cannot merge itself; take it out"),
        ("['python', 'python']", "6:20 `python` is listed twice; take one of the two out"),
        (
            "['logs']",
            "6:10 `logs` is a folder, whose files are not one feed; make a feed with `file` of each that is meant, and merge \
             those",
        ),
    ] {
        assert_eq!(summary(&format!("{others}[feeds.x]\nmerge = {merge}")), [said]);
    }
    assert_eq!(summary_of_feed("merge = ['a']"), ["2:10 there is no feed `a`; there is no other feed in this file"]);
    // a feed that is wrong is one all the same
    assert_eq!(summary("[feeds.a]\nfile = 1\n[feeds.b]\nmerge = ['a']").len(), 1);
}

#[test]
fn no_line_goes_in_a_circle() {
    let remedy = "take one of them out of a `merge`";
    assert_eq!(
        summary(
            "[feeds.a]\nmerge = ['b', 'd']\n[feeds.b]\nmerge = ['d', 'c']\n[feeds.c]\nmerge = ['b']\n[feeds.d]\npush = true"
        ),
        [format!("6:10 a line would go in a circle: `b` merges `c` merges `b`; {remedy}")]
    );
    assert_eq!(
        summary("[feeds.a]\nmerge = ['b']\n[feeds.b]\nmerge = ['c']\n[feeds.c]\nmerge = ['a', 'b']"),
        [
            format!("6:10 a line would go in a circle: `a` merges `b` merges `c` merges `a`; {remedy}"),
            format!("6:15 a line would go in a circle: `b` merges `c` merges `b`; {remedy}"),
        ]
    );
}

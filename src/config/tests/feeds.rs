//! Right feeds: what they mean.

use super::*;
use crate::sources::redis::Password;

fn config(text: &str) -> Config {
    parsed(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The only feed of a file.
fn feed(keys: &str) -> Feed {
    let config = config(&format!("[feeds.x]\n{keys}"));
    assert_eq!(config.feeds.len(), 1);
    Feed::clone(&config.feeds[0])
}

fn source(keys: &str) -> FeedSource {
    feed(keys).source
}

fn redis(keys: &str) -> redis::Settings {
    match source(keys) {
        FeedSource::Redis(settings) => settings,
        other => panic!("{other:?}"),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

fn networks(networks: &[&str]) -> Vec<ipnet::IpNet> {
    networks.iter().map(|network| network.parse().expect("a network")).collect()
}

#[test]
fn feeds_stay_in_the_order_of_the_file_and_may_be_named_as_jobs_are() {
    let found =
        config("[feeds.b]\npush = true\n[jobs.b]\ncommand = 'x'\n[feeds.'a.b']\npush = true\n[feeds.a]\npush = true");
    let names: Vec<_> = found.feeds.iter().map(|feed| feed.name.as_str()).collect();
    assert_eq!((names, found.jobs.len()), (vec!["b", "a.b", "a"], 1));
    assert_eq!(config("[feeds]").feeds, []);
}

#[test]
fn a_feed_keeps_64_mib_unless_it_says_otherwise() {
    let plain =
        Feed { name: "x".into(), description: None, text: None, source: FeedSource::Push, keep_bytes: 64 << 20 };
    assert_eq!(feed("push = true"), plain);
    let said = Feed { description: Some("Lines".into()), keep_bytes: 1 << 20, ..plain };
    assert_eq!(feed("push = true\ndescription = 'Lines'\nkeep_bytes = '1MiB'"), said);
    assert_eq!(feed("push = true\ntext = '{time} {x y} {message}'").text.as_deref(), Some("{time} {x y} {message}"));
}

#[test]
fn a_file_starts_at_the_folder_of_the_jobs_toml() {
    let path = |keys| match source(keys) {
        FeedSource::File(file::Settings { path }) => path,
        other => panic!("{other:?}"),
    };
    assert_eq!(path("file = '/var/log/x'"), Path::new("/var/log/x"));
    assert_eq!(path("file = 'log/./x'"), Path::new("/srv/app/log/x"));
}

#[test]
fn files_are_below_the_folder_before_the_first_name_that_is_a_pattern() {
    for (written, folder, shown, below) in [
        ("app.log", "/srv/app", "", "app.log"),
        ("log/./app.log", "/srv/app/log", "log/./", "app.log"),
        ("/var/log/app-*.log", "/var/log", "/var/log/", "app-*.log"),
        ("/*", "/", "/", "*"),
        ("log/[ab]/x/{c,d}.log", "/srv/app/log", "log/", "[ab]/x/{c,d}.log"),
        ("log/**/x.log", "/srv/app/log", "log/", "**/x.log"),
        ("?", "/srv/app", "", "?"),
    ] {
        let pattern = file::Pattern { folder: folder.into(), shown: shown.into(), below: below.into() };
        let plain = file::Several { patterns: vec![pattern], follow_symlinks: false, hidden: false, deny: Vec::new() };
        assert_eq!(source(&format!("files = ['{written}']")), FeedSource::Files(plain.clone()), "{written}");
        let open = file::Several { follow_symlinks: true, hidden: true, deny: words(&["*.gz"]), ..plain };
        let keys = format!("files = ['{written}']\nfollow_symlinks = true\nhidden = true\ndeny = ['*.gz']");
        assert_eq!(source(&keys), FeedSource::Files(open), "{written}");
    }
}

#[test]
fn a_folder_is_closed_unless_it_says_otherwise() {
    let plain = file::Folder {
        path: "/app/logs".into(),
        follow_symlinks: false,
        hidden: false,
        allow: vec![],
        deny: vec![],
        flask: None,
    };
    assert_eq!(source("directory = '/app/logs/'"), FeedSource::Directory(plain.clone()));
    let open = file::Folder {
        follow_symlinks: true,
        hidden: true,
        allow: words(&["*.log", "a/**/[bc]?.{x,y}", "\\*"]),
        deny: words(&["*.gz"]),
        flask: Some("/logs".to_owned()),
        ..plain
    };
    let keys = "directory = '/app/logs'\nfollow_symlinks = true\nhidden = true\nallow = ['*.log', 'a/**/[bc]?.{x,y}', '\\*']\n\
                deny = ['*.gz']\npaths = 'flask'";
    assert_eq!(source(keys), FeedSource::Directory(open));
}

#[test]
fn a_channel_with_a_star_a_question_mark_or_a_bracket_is_a_pattern() {
    let found = redis(
        "redis = 'redis://127.0.0.1:6379'\nchannel = ['my:channel', 'logs:*', 'a?', '[ab]', 'b]']\nlist = 'last'",
    );
    let expected = redis::Settings {
        url: "redis://127.0.0.1:6379".into(),
        user: None,
        password: None,
        channels: words(&["my:channel", "b]"]),
        patterns: words(&["logs:*", "a?", "[ab]"]),
        list: Some("last".into()),
    };
    assert_eq!(found, expected);
    assert_eq!(redis("redis = 'redis://h'\nchannel = 'x'").channels, ["x"]);
}

#[test]
fn a_url_is_taken_apart_into_server_user_and_password() {
    for (written, url, user, password) in [
        ("redis://h", "redis://h:6379", None, None),
        ("redis://H/", "redis://h:6379", None, None),
        ("rediss://redis.example.org:7000/3", "rediss://redis.example.org:7000/3", None, None),
        ("redis://[::1]", "redis://[::1]:6379", None, None),
        ("redis://[::1]:1/0", "redis://[::1]:1/0", None, None),
        ("redis://:hunter2@h", "redis://h:6379", None, Some("hunter2")),
        ("redis://app:hunter2@h:1", "redis://h:1", Some("app"), Some("hunter2")),
        ("redis://a%40b:p%C3%A4:%2F@h", "redis://h:6379", Some("a@b"), Some("pä:/")),
        ("redis://@h", "redis://h:6379", None, None),
        ("redis+unix:///run/my%20redis.sock", "redis+unix:///run/my%20redis.sock", None, None),
        ("redis+unix://app:hunter2@/x?db=2", "redis+unix:///x?db=2", Some("app"), Some("hunter2")),
    ] {
        let found = redis(&format!("redis = '{written}'\nchannel = 'x'"));
        let found = (found.url.as_str(), found.user.as_deref(), found.password.as_ref().map(Password::text));
        assert_eq!(found, (url, user, password), "{written}");
    }
}

#[test]
fn a_password_may_stand_in_a_file_or_a_variable_and_is_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("secret"), "hun ter2 \r\n").expect("a file");
    let read = |keys: &str| {
        let text = format!("[feeds.x]\nchannel = 'x'\nredis = 'redis://app@h'\n{keys}");
        parse(&text, Path::new("jobs.toml"), folder.path()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    };
    let of_file = read("password_file = 'secret'");
    let FeedSource::Redis(settings) = &of_file.feeds[0].source else { panic!("{of_file:?}") };
    assert_eq!(settings.password, Some(Password::new("hun ter2 ")));
    assert_eq!(settings.user.as_deref(), Some("app"));
    assert!(!format!("{of_file:?}").contains("ter2"), "{of_file:?}");
    // cargo sets it for every test
    let of_variable = read("password_env = 'CARGO_MANIFEST_DIR'");
    let FeedSource::Redis(settings) = &of_variable.feeds[0].source else { panic!("{of_variable:?}") };
    assert_eq!(settings.password.as_ref().map(Password::text), std::env::var("CARGO_MANIFEST_DIR").ok().as_deref());
    let of_url = config("[feeds.x]\nredis = 'redis://:hunter2@h'\nchannel = 'x'");
    assert!(!format!("{of_url:?}").contains("hunter2"), "{of_url:?}");
}

#[test]
fn python_may_send_in_four_ways() {
    let plain = python::Settings { tcp: None, udp: None, unix: None, http: true, from: vec![], max_frame: 1 << 20 };
    assert_eq!(source("python_logging = { http = true }"), FeedSource::Python(plain));
    let all = python::Settings {
        tcp: Some("127.0.0.1:9020".into()),
        udp: Some("[::]:9020".into()),
        unix: Some("/srv/app/py.sock".into()),
        http: false,
        from: networks(&["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]),
        max_frame: 16 << 20,
    };
    let keys = "[feeds.x.python_logging]\ntcp = '127.0.0.1:9020'\nudp = '[::]:9020'\nunix = 'py.sock'\nmax_frame = '16MiB'\n\
                from = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']";
    assert_eq!(source(keys), FeedSource::Python(all));
}

#[test]
fn syslog_may_come_in_three_ways() {
    let all = syslog::Settings {
        tcp: Some("localhost:0".into()),
        udp: Some("0.0.0.0:514".into()),
        unix: Some("/run/sys.sock".into()),
        from: networks(&["0.0.0.0/0"]),
    };
    let keys = "syslog = { tcp = 'localhost:0', udp = '0.0.0.0:514', unix = '/run/sys.sock', from = ['0.0.0.0/0'] }";
    assert_eq!(source(keys), FeedSource::Syslog(all));
}

#[test]
fn only_the_same_address_of_one_protocol_is_the_same() {
    let found = config(
        "[feeds.a]\nsyslog = { tcp = 'localhost:1', udp = 'localhost:1' }\n[feeds.b]\nsyslog = { tcp = 'localhost:2' }\n\
         [feeds.c]\nsyslog = { tcp = 'localhost:0' }\n[feeds.d]\npython_logging = { tcp = 'localhost:0' }",
    );
    assert_eq!(found.feeds.len(), 4);
}

#[test]
fn feeds_merge_what_stands_above_and_below_them_and_merges_too() {
    let found = config(
        "[feeds.all]\nmerge = ['some', 'c', 'a']\n[feeds.a]\npush = true\n[feeds.some]\nmerge = ['c', 'a']\n[feeds.c]\npush = true",
    );
    assert_eq!(found.feeds[0].source, FeedSource::Merge(words(&["some", "c", "a"])));
}

#[test]
fn a_long_chain_of_merges_is_no_circle() {
    let chain: String = (0..5000).map(|at| format!("[feeds.a{at}]\nmerge = ['a{}']\n", at + 1)).collect();
    assert_eq!(config(&format!("{chain}[feeds.a5000]\npush = true")).feeds.len(), 5001);
}

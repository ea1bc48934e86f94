//! Reads `src/` and holds the table of who may import whom, so that the layout stays an hourglass.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod paths;
mod rules;

use std::fs;
use std::path::Path;

use rules::{Source, violations};

/// Every file of `src/`.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut sources, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                sources.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources
}

#[test]
fn imports_go_one_way_only() {
    let sources = sources();
    assert!(sources.len() > 8, "src/ was found");
    let found = violations(&sources);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// The violations of a crate of these files.
fn of(files: &[(&str, &str)]) -> Vec<String> {
    violations(&files.iter().map(|(name, text)| Source::new(name, text)).collect::<Vec<_>>())
}

#[test]
fn what_the_table_allows_is_no_violation() {
    let found = of(&[
        ("record.rs", "use bytes::Bytes;"),
        ("journal/mod.rs", "mod reader;\nuse crate::record::{Chunk, End};\npub use reader::Reader;"),
        ("journal/reader.rs", "use super::Index;\nuse crate::journal::Writer;\nuse crate::record;"),
        ("sources/process/mod.rs", "use crate::{journal, record::Chunk};\nuse tokio::process::Command;"),
        ("views/html/mod.rs", "use askama::Template;\nuse super::Frames;\nmod rows;"),
        ("views/html/rows.rs", "use super::{Html, super::Frames};"),
        ("config/mod.rs", "use crate::sources::process;"),
        ("runs/mod.rs", "use rusqlite::Connection;\nuse crate::{config::Job, journal, record, sources::process};"),
        ("http/mod.rs", "use axum::Router;\nfn f() -> crate::runs::Runs { crate::views::text() }"),
        ("cli/mod.rs", "use crate::{http, runs};"),
        ("main.rs", "use joblines::cli;"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_kind_of_violation_is_found() {
    for (file, text, named) in [
        ("journal/mod.rs", "use crate::views::Format;", "views"),
        ("journal/mod.rs", "use crate::{record, runs::{self, Run}};", "runs"),
        ("record.rs", "use crate::journal;", "journal"),
        ("views/text.rs", "fn f() { crate::journal::open() }", "journal"),
        ("sources/mod.rs", "pub use super::config::Job;", "config"),
        ("config/mod.rs", "use crate::runs;", "runs"),
        ("runs/mod.rs", "use crate::http::State;", "http"),
        ("cli/mod.rs", "use axum::Router;", "axum"),
        ("http/mod.rs", "use askama::Template;", "askama"),
        ("runs/mod.rs", "use tokio::{sync::mpsc, process::Command};", "tokio::process"),
        ("runs/mod.rs", "fn f() { tokio::process::Command::new(\"x\"); }", "tokio::process"),
        ("http/mod.rs", "use pty_process::Pty;", "pty_process"),
        ("journal/mod.rs", "use rusqlite as db;", "rusqlite"),
        ("http/mod.rs", "use crate::prelude::*;", "glob"),
    ] {
        let found = of(&[(file, text), ("journal/x.rs", ""), ("config/x.rs", "")]);
        assert_eq!(found.len(), 1, "{file}: {text}: {found:?}");
        assert!(found[0].contains(named) && found[0].contains(file), "{found:?}");
    }
}

#[test]
fn siblings_do_not_import_siblings() {
    let files = |text: &'static str| [("views/html.rs", text), ("views/text.rs", ""), ("views/mod.rs", "")];
    for text in [
        "use super::text::Text;",
        "use crate::views::text;",
        "use crate::{views::{text::Text}};",
        "fn f() { super::text::f() }",
    ] {
        let found = of(&files(text));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains("sibling"), "{found:?}");
    }
    assert_eq!(of(&files("use super::Text;\nuse crate::views::Format;")), [""; 0], "but the folder's mod.rs");
}

#[test]
fn comments_strings_and_unit_tests_do_not_count() {
    let text = r##"
        //! See [`crate::views`]; use axum::Router;
        /* use crate::views; /* use axum::x; */ */
        const A: &str = "use crate::views::x; \" axum::y";
        const B: &str = r#"use "axum"::Router;"#;
        const C: char = '"';
        fn life<'a>(x: &'a str) {}
        #[cfg(test)]
        mod tests {
            use crate::views;
            fn nested() { if true { axum::x() } }
        }
    "##;
    assert_eq!(of(&[("journal/mod.rs", text)]), [""; 0]);
    assert_eq!(of(&[("journal/mod.rs", &format!("{text}\nuse crate::views;"))]).len(), 1, "what follows does count");
    assert_eq!(of(&[("journal/tests.rs", "use crate::views;"), ("journal/tests/far.rs", "use super::*;")]), [""; 0]);
}

#[test]
fn a_cycle_is_found_however_long_it_is() {
    let arrow = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let edges = [arrow("a", "b"), arrow("b", "c"), arrow("c", "a"), arrow("c", "d")];
    assert_eq!(rules::cycle(&edges).map(|cycle| cycle.len()), Some(3));
    assert_eq!(rules::cycle(&edges[1..]), None);
}

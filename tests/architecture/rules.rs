//! The rules of the layout (the table is the one in `src/lib.rs`), and what breaks them.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::paths;

/// A module of the crate, and the modules that it may import; `main` and the crate's root may import all.
const MAY_IMPORT: [(&str, &[&str]); 11] = [
    ("record", &[]),
    ("logging", &["record"]),
    ("parameters", &[]),
    ("journal", &["record"]),
    ("sources", &["journal", "logging", "parameters", "record"]),
    ("views", &["record"]),
    ("config", &["sources", "parameters"]),
    ("runs", &["config", "sources", "journal", "parameters", "record"]),
    ("feeds", &["config", "sources", "journal", "record"]),
    ("http", &["runs", "feeds", "config", "sources", "views", "journal", "parameters", "record"]),
    ("cli", &["http", "runs", "feeds", "config", "sources", "views", "journal", "parameters", "record"]),
];

/// A crate, or a part of one, and the only module that may name it.
const ONLY: [(&[&str], &str); 6] = [
    (&["axum"], "http"),
    (&["askama"], "views"),
    (&["pty_process"], "sources"),
    (&["tokio", "process"], "sources"),
    (&["rusqlite"], "runs"),
    (&["prometheus_client"], "http"),
];

/// One file: its name, the module that it is, and the paths in it.
pub(crate) struct Source {
    name: String,
    module: Vec<String>,
    paths: Vec<Vec<String>>,
}

impl Source {
    /// The file `name`, relative to `src/`.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let stem = name.trim_end_matches(".rs").trim_end_matches("/mod");
        let module = match stem {
            "lib" => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        };
        Source { name: name.to_owned(), module, paths: paths(text) }
    }

    /// Whether the whole file is unit tests.
    fn is_unit_tests(&self) -> bool {
        self.module.iter().any(|segment| segment == "tests")
    }

    /// The module that everything in this file belongs to; `None` for the root and for `main`.
    fn top(&self) -> Option<&str> {
        self.module.first().map(String::as_str).filter(|top| *top != "main")
    }

    /// A path of this file as one from the crate's root; `None` if it leads out of the crate.
    fn within_crate(&self, path: &[String]) -> Option<Vec<String>> {
        let mut module = self.module.clone();
        let mut segments = path.iter().peekable();
        match segments.peek().map(|first| first.as_str()) {
            Some("crate") => {
                module.clear();
                segments.next();
            }
            Some("self") => drop(segments.next()),
            Some("super") => {}
            _ => return None,
        }
        for segment in segments {
            match segment.as_str() {
                "super" => drop(module.pop()),
                "self" => {}
                name => module.push(name.to_owned()),
            }
        }
        Some(module)
    }
}

/// Everything in these files that breaks a rule, each once, with its file.
pub(crate) fn violations(sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<&[String]> = sources.iter().map(|source| &source.module[..]).collect();
    let (mut found, mut edges) = (BTreeSet::new(), Vec::new());
    for source in sources.iter().filter(|source| !source.is_unit_tests()) {
        for path in &source.paths {
            let said = match source.within_crate(path) {
                Some(target) => {
                    edges.extend(edge(source, &target));
                    against_layers(source, &target).or_else(|| between_siblings(source, &target, &modules))
                }
                None => against_only(source, path),
            };
            let is_glob = path.last().is_some_and(|last| last == "*") && source.within_crate(path).is_some();
            found.extend(
                said.or_else(|| is_glob.then(|| format!("imports by a glob: {}", path.join("::"))))
                    .map(|what| format!("src/{}: {what}", source.name)),
            );
        }
    }
    found.extend(cycle(&edges).filter(|_| found.is_empty()).map(|cycle| format!("a cycle: {}", cycle.join(" → "))));
    found.into_iter().collect()
}

fn edge(source: &Source, target: &[String]) -> Option<(String, String)> {
    let (from, to) = (source.top()?, target.first()?);
    (from != to && is_layer(to)).then(|| (from.to_owned(), to.clone()))
}

fn is_layer(name: &str) -> bool {
    MAY_IMPORT.iter().any(|(layer, _)| *layer == name)
}

fn against_layers(source: &Source, target: &[String]) -> Option<String> {
    let (from, to) = (source.top()?, target.first()?);
    let (_, allowed) = MAY_IMPORT.iter().find(|(layer, _)| *layer == from)?;
    let is_wrong = from != to && is_layer(to) && !allowed.contains(&to.as_str());
    is_wrong.then(|| format!("{from} may not import {to}"))
}

/// Inside a folder, a file imports its folder's `mod.rs` and what is below itself, and never its neighbours.
fn between_siblings(source: &Source, target: &[String], modules: &BTreeSet<&[String]>) -> Option<String> {
    source.top()?;
    let module = (0..=target.len()).rev().map(|length| &target[..length]).find(|prefix| modules.contains(prefix))?;
    let common = source.module.iter().zip(module).take_while(|(a, b)| a == b).count();
    let apart = common >= 1 && common < source.module.len() && common < module.len();
    apart.then(|| format!("imports a sibling: {}", target.join("::")))
}

fn against_only(source: &Source, path: &[String]) -> Option<String> {
    let top = source.top()?;
    let (name, owner) =
        ONLY.iter().find(|(name, _)| path.iter().zip(*name).filter(|(a, b)| a == b).count() == name.len())?;
    (top != *owner).then(|| format!("only {owner} names {}", name.join("::")))
}

/// The modules of one cycle, in order, if there is any.
pub(crate) fn cycle(edges: &[(String, String)]) -> Option<Vec<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().insert(to);
    }
    let mut done = BTreeSet::new();
    next.keys().find_map(|start| walk(start, &next, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    at: &'a str,
    next: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<String>> {
    if let Some(first) = way.iter().position(|seen| *seen == at) {
        return Some(way[first..].iter().map(|name| (*name).to_owned()).collect());
    }
    if !done.insert(at) {
        return None;
    }
    way.push(at);
    let found = next.get(at).into_iter().flatten().find_map(|to| walk(to, next, way, done));
    way.pop();
    found
}

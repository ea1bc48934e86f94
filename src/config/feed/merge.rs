//! Feeds that join others, as written → as meant, and that no line of theirs comes round again.

use std::collections::{HashMap, HashSet};

use crate::config::{Feed, FeedSource, Invalid, Mistake, Table, Value, nearest};

use super::Reading;

/// A feed that joins others.
pub(super) struct Merge<'t> {
    feed: &'t str,
    /// Their names, and where those stand.
    others: Vec<(String, Value<'t>)>,
}

/// Reads which feeds are joined; `None` only together with a mistake.
pub(super) fn take<'t>(table: &mut Table<'t, '_>, reading: &mut Reading<'t, '_>) -> Option<Vec<String>> {
    let mut seen = HashSet::new();
    let others = table.take_list("merge", 1, "[\"app\", \"nginx\"]", |item| {
        let name = item.parsed("app", None, |name| check_name(name, reading))?;
        if !seen.insert(name.clone()) {
            return Err(item.mistake(format!("`{name}` is listed twice"), "take one of the two out"));
        }
        Ok((name, item.clone()))
    })?;
    let names = others.iter().map(|(name, _)| name.clone()).collect();
    reading.merges.push(Merge { feed: reading.name(), others });
    Some(names)
}

fn check_name(name: &str, reading: &Reading<'_, '_>) -> Result<String, Invalid> {
    if name == reading.name() {
        return Err(Invalid::new(format!("`{name}` cannot merge itself"), "take it out"));
    }
    if reading.names.contains(name) {
        return Ok(name.to_owned());
    }
    let others = || reading.names.iter().copied().filter(|other| *other != reading.name());
    let remedy = match nearest(name, others()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => match others().min() {
            Some(_) => format!("there is {}", listed(others().collect())),
            None => "there is no other feed in this file".to_owned(),
        },
    };
    Err(Invalid::new(format!("there is no feed `{name}`"), remedy))
}

/// The first few of these by their names.
fn listed(mut names: Vec<&str>) -> String {
    const MOST: usize = 10;
    names.sort_unstable();
    let more = if names.len() > MOST { ", …" } else { "" };
    let shown: Vec<_> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    format!("{}{more}", shown.join(", "))
}

/// Finds what can be seen once all feeds are known: folders, which have no one order of lines, and circles.
pub(super) fn check(table: &mut Table<'_, '_>, feeds: &[Feed], merges: &[Merge<'_>]) {
    let is_folder = |feed: &&Feed| matches!(feed.source, FeedSource::Directory(_));
    let folders: HashSet<_> = feeds.iter().filter(is_folder).map(|feed| feed.name.as_str()).collect();
    let joined = merges.iter().flat_map(|merge| &merge.others);
    table.keep_all(joined.filter(|(name, _)| folders.contains(name.as_str())).map(|(name, value)| {
        let problem = format!("`{name}` is a folder, whose files are not one feed");
        Err::<(), _>(value.mistake(problem, "make a feed with `file` of each that is meant, and merge those"))
    }));
    table.keep_all(circles(merges).into_iter().map(Err::<(), _>));
}

/// A mistake about each name that closes a circle.
fn circles(merges: &[Merge<'_>]) -> Vec<Mistake> {
    let by_name: HashMap<_, _> = merges.iter().map(|merge| (merge.feed, merge)).collect();
    let (mut found, mut visited) = (Vec::new(), HashSet::new());
    for start in merges {
        // the way from there, each feed with how many of its others were followed; no recursion, as a file may have any depth
        let mut way: Vec<(&Merge<'_>, usize)> = Vec::new();
        let mut on_way = HashMap::new();
        let mut next = visited.insert(start.feed).then_some(start);
        loop {
            if let Some(merge) = next.take() {
                on_way.insert(merge.feed, way.len());
                way.push((merge, 0));
            }
            let Some((merge, followed)) = way.last_mut() else { break };
            let Some((name, value)) = merge.others.get(*followed) else {
                on_way.remove(merge.feed);
                way.pop();
                continue;
            };
            *followed += 1;
            match on_way.get(name.as_str()) {
                Some(&from) => found.push(circle(way.iter().skip(from).map(|(merge, _)| merge.feed), name, value)),
                None => next = by_name.get(name.as_str()).copied().filter(|merge| visited.insert(merge.feed)),
            }
        }
    }
    found
}

fn circle<'t>(way: impl Iterator<Item = &'t str>, back: &str, value: &Value<'_>) -> Mistake {
    let way: Vec<_> = way.map(|name| format!("`{name}`")).collect();
    let problem = format!("a line would go in a circle: {} merges `{back}`", way.join(" merges "));
    value.mistake(problem, "take one of them out of a `merge`")
}

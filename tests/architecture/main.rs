//! The rooms use each other one way only, and so do the modules inside a room. The code's own imports are read: a planted
//! circle fails.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imports::Crate;

/// Which rooms a room may use. A new arrow needs a reason here; an arrow back is refused by cargo.
const ROOMS: [(&str, &[&str]); 10] = [
    // Words that all share; so it can use none of those who share them.
    ("base", &[]),
    // Requests know no table: what a body means is its reader's.
    ("client", &["base"]),
    // Bytes to Arrow, wherever the bytes come from.
    ("tables", &["base"]),
    // Decides what is read, by the client, into tables.
    ("ingest", &["base", "client", "tables"]),
    // Writes what a source holds, by the client; its tables of people and messages come from outside.
    ("deliver", &["base", "client", "journal"]),
    // Proves what comes in, keeps it, and decodes it into the tables that reading fills.
    ("listen", &["base", "client", "journal", "tables"]),
    // Files of events, whatever an event is.
    ("journal", &["base"]),
    // Follows Graph's documentation and not our client, so it shares no word with it.
    ("emulator", &[]),
    // What writing files takes; it knows no table.
    ("lake", &[]),
    // The face of all.
    ("python", &["base", "client", "deliver", "emulator", "ingest", "lake", "listen", "tables"]),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn manifest(room: &str) -> String {
    let folder = if room == "python" { root().to_path_buf() } else { root().join("src").join(room) };
    std::fs::read_to_string(folder.join("Cargo.toml")).expect("each room has a manifest")
}

/// The rooms that a manifest's `[dependencies]` name.
fn uses(manifest: &str) -> BTreeSet<&str> {
    let section = manifest.split("\n[dependencies]\n").nth(1).expect("a section of dependencies");
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| line.strip_prefix("teams-")?.split(['.', ' ']).next()).collect()
}

#[test]
fn rooms_use_only_those_they_may() {
    for (room, allowed) in ROOMS {
        let found = uses(&manifest(room)).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        let allowed = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found, allowed, "src/{room} uses other rooms than tests/architecture says");
    }
    let folders: BTreeSet<String> = std::fs::read_dir(root().join("src"))
        .expect("src")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    assert_eq!(folders, ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect(), "each folder of src is a room");
}

#[test]
fn no_modules_of_a_room_use_each_other_in_a_circle() {
    let mut found = Vec::new();
    for (room, _) in ROOMS {
        let modules = Crate::read(&root().join("src").join(room).join("lib.rs"));
        let least = if ["journal", "lake"].contains(&room) { 1 } else { 4 }; // one job each
        assert!(modules.len() >= least, "src/{room} was not read");
        found.extend(circles(&modules.uses()).into_iter().map(|circle| format!("src/{room}: {}", circle.join(" -> "))));
    }
    assert!(found.is_empty(), "modules use each other in a circle:\n{}", found.join("\n"));
}

#[test]
fn a_planted_circle_is_found() {
    let circle = |files: &[(&str, &str)]| circles(&Crate::of(files).uses());
    let straight = [
        ("", "mod a; mod b; pub use b::B;"),
        ("a", "use crate::B; fn f() -> B { B }"),
        ("b", "pub struct B; #[cfg(test)] mod tests { use crate::a::f; }"),
    ];
    assert_eq!(circle(&straight), Vec::<Vec<String>>::new(), "tests and names that a parent passes on are no arrows");

    let by_use = [("", "mod a; mod b;"), ("a", "use super::b::B;"), ("b", "use crate::a::{self, A};")];
    assert_eq!(circle(&by_use), [["a", "b"]]);

    let by_path = [("", "mod a; mod b; pub use a::A;"), ("a", "fn f() { crate::b::g() }"), ("b", "type T = crate::A;")];
    assert_eq!(circle(&by_path), [["a", "b"]]);

    let in_a_macro = [("", "mod a; mod b;"), ("a", "fn f() { assert!(crate::b::g()) }"), ("b", "use crate::a::f;")];
    assert_eq!(circle(&in_a_macro), [["a", "b"]]);

    let with_the_parent = [("", "mod a; pub struct Word; fn f() { a::g() }"), ("a", "use super::Word; pub fn g() {}")];
    assert_eq!(circle(&with_the_parent), [["(lib.rs)", "a"]]);

    let of_three = [
        ("", "mod a; mod b;"),
        ("a", "use crate::b::c::C;"),
        ("b", "pub mod c; pub mod d; pub use d::D;"),
        ("b::c", "use super::D;"),
        ("b::d", "use crate::a::A;"),
    ];
    assert_eq!(circle(&of_three), [["a", "b::c", "b::d"]]);
}

/// The sets of modules that reach each other, each sorted.
fn circles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|from| (from.as_str(), reached(uses, from))).collect();
    let mut found = BTreeSet::new();
    for (from, seen) in &reach {
        let circle: Vec<String> = seen
            .iter()
            .filter(|to| reach.get(*to).is_some_and(|back| back.contains(from)))
            .map(ToString::to_string)
            .collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reached<'a>(uses: &'a BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = uses[from].iter().map(String::as_str).collect();
    while let Some(module) = next.pop() {
        if seen.insert(module) {
            next.extend(uses.get(module).into_iter().flatten().map(String::as_str));
        }
    }
    seen
}

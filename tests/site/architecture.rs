//! The floors of `docs/architecture.md`: arrows between files point down, and none leads in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up: a folder uses those before it.
const FLOORS: [&str; 14] = [
    "base", "db", "web", "record", "people", "access", "resource", "hotel", "keys", "delivery", "host", "app", "demo",
    "cli",
];

/// Files by their module path, such as `web::page`.
fn modules(folder: &Path, path: &[String], found: &mut BTreeMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let inside: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
        if file.is_dir() {
            modules(&file, &inside, found);
        } else if file.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" { path } else { &inside };
            found.insert(module.join("::"), file);
        }
    }
}

/// The paths of a `use` tree: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn paths(tree: &str, before: &str, found: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.trim().split(" as ").next().unwrap_or_default();
        found.push(format!("{before}{path}"));
        return;
    };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let (mut depth, mut begin) = (0, 0);
    for (place, sign) in inside.char_indices().chain([(inside.len(), ',')]) {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inside[begin..place].trim().is_empty() {
                    paths(&inside[begin..place], &format!("{before}{}", head.trim()), found);
                }
                begin = place + 1;
            }
            _ => {}
        }
    }
}

/// What a file names of the crate, without its comments and unit tests; and what it names for others to use.
fn named(module: &str, file: &Path) -> (Vec<String>, Vec<String>) {
    let text = fs::read_to_string(file).unwrap();
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let above = module.rsplit_once("::").map_or("crate::".to_owned(), |(above, _)| format!("crate::{above}::"));
    let code = code.replace("super::", &above);
    let (mut used, mut offered) = (Vec::new(), Vec::new());
    for (place, _) in code.match_indices("crate::") {
        let line = code[..place].rsplit(['\n', ';']).next().unwrap_or_default().trim_start();
        let rest = &code[place + "crate::".len()..];
        if line.starts_with("use ") || line.starts_with("pub") && line.contains("use ") {
            let tree = rest.split(';').next().unwrap_or_default();
            paths(tree, "", if line.starts_with("pub") { &mut offered } else { &mut used });
        } else {
            used.push(
                rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
    (used, offered)
}

/// The file that a path leads to, and what is left of the path.
fn resolve<'a>(files: &BTreeMap<String, PathBuf>, path: &'a str) -> Option<(String, &'a str)> {
    let parts: Vec<&str> = path.split("::").collect();
    (1..=parts.len()).rev().find_map(|count| {
        let module = parts[..count].join("::");
        files.contains_key(&module).then(|| (module, parts.get(count).copied().unwrap_or_default()))
    })
}

/// Each file with those that it uses.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = BTreeMap::new();
    modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut files);
    files.retain(|module, _| module != "lib" && module != "main");
    let named: BTreeMap<&String, _> = files.iter().map(|(module, file)| (module, named(module, file))).collect();
    // What a folder offers is in the file that defines it.
    let mut offered = BTreeMap::new();
    for (module, (_, paths)) in &named {
        for path in paths {
            if let Some((to, name)) = resolve(&files, path) {
                offered.insert((module.to_string(), name.to_owned()), to);
            }
        }
    }
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, (paths, _)) in &named {
        let to = arrows.entry(module.to_string()).or_default();
        for path in paths {
            let Some((mut file, name)) = resolve(&files, path) else { continue };
            while let Some(next) = offered.get(&(file.clone(), name.to_owned())).filter(|next| **next != file) {
                file = next.clone();
            }
            if file != **module {
                to.insert(file);
            }
        }
    }
    arrows
}

fn floor(module: &str) -> usize {
    let folder = module.split("::").next().unwrap_or_default();
    FLOORS.iter().position(|floor| *floor == folder).unwrap_or_else(|| panic!("{folder} has no floor"))
}

#[test]
fn arrows_between_files_point_down_and_lead_in_no_circle() {
    let mut arrows = arrows();
    let count: usize = arrows.values().map(BTreeSet::len).sum();
    assert!(arrows.len() > 100 && count > 400, "{} files, {count} arrows", arrows.len());
    for (from, all) in &arrows {
        for to in all {
            assert!(floor(to) <= floor(from), "{from} uses {to}, which is on a floor above");
        }
    }
    // Files that use none are taken away until nothing is left.
    loop {
        let ends: Vec<String> =
            arrows.iter().filter(|(_, to)| to.is_empty()).map(|(module, _)| module.clone()).collect();
        if ends.is_empty() {
            break;
        }
        for end in &ends {
            arrows.remove(end);
        }
        for to in arrows.values_mut() {
            to.retain(|module| !ends.contains(module));
        }
    }
    assert!(arrows.is_empty(), "these use each other, or lead to such: {arrows:#?}");
}

/// Files of `src` that open files, and which: when any descriptor of a file is closed, POSIX drops the locks that SQLite has
/// on it, so that a file of a database in use is opened by SQLite and `db/version.rs` alone.
const OPENING: [(&str, &str); 7] = [
    ("base::secret_keys", "the file of secret keys and its folder"),
    ("cli::database", "creates a database before it is used, and locks its folder"),
    ("cli::other_user", "looks at the owner of a folder, before a command begins"),
    ("cli::scan", "a command that opens no database"),
    ("db::found", "looks at a database before it is used"),
    ("db::migrations", "a lock file"),
    ("db::version", "the WAL index, which is never closed"),
];

#[test]
fn nothing_but_sqlite_opens_a_file_of_a_database_in_use() {
    let mut files = BTreeMap::new();
    modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut files);
    let opens = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        ["File::open", "File::create", "OpenOptions", "fs::copy", "fs::write", "rustix::fs"]
            .iter()
            .any(|open| code.contains(open))
    };
    let opening: Vec<&str> = files.iter().filter(|(_, file)| opens(file)).map(|(module, _)| module.as_str()).collect();
    assert_eq!(opening, OPENING.map(|(module, _)| module));
}

//! `latchkey scan`, and the rules by which other programs find keys.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use regex::bytes::Regex;
use tempfile::TempDir;

use crate::command::{Said, finish};
use crate::key_form::{foreign_key, mistyped};
use crate::program::bare_latchkey;

/// How keys stand in code, JSON, shell and URLs; `{}` is the key.
const CONTEXTS: [&str; 16] = [
    "{}",
    "const KEY = \"{}\";",
    "{\"user-api-key\": \"{}\"}",
    "{\"body\": \"{\\\"key\\\":\\\"{}\\\"}\"}",
    "{\"log\": \"first\\n{}\\nlast\\t{}\\r\"}",
    "{\"html\": \"\\u003d{}\\u0026\"}",
    "export KEY={}",
    "KEY_{}_OLD",
    "curl -H 'user-api-key: {}' https://pms.example/api/v1/me",
    "https://pms.example/?key={}&page=1#{}",
    "https://user:{}@pms.example/",
    "/log?body=%7B%22key%22%3A%22{}%22%7D",
    "b'\\x22{}\\x22'",
    "[{}](<{}>), `{}`.",
    "{} {},{}",
    "é{}é",
];

/// Texts with many keys, one context a line: the text, and its keys in order.
fn text_with(keys: impl Iterator<Item = String>) -> (String, Vec<String>) {
    let (mut text, mut all) = (String::new(), Vec::new());
    let mut keys = keys.peekable();
    for context in CONTEXTS.iter().cycle() {
        let mut parts = context.split("{}");
        text.push_str(parts.next().expect("a beginning"));
        for part in parts {
            let Some(key) = keys.next() else { return (text, all) };
            text.extend([&*key, part]);
            all.push(key);
        }
        text.push('\n');
    }
    (text, all)
}

/// What looks like a key and has not its form.
fn near_miss(number: usize) -> String {
    let key = foreign_key("lk");
    let (middle, letter) = (10 + number % 40, if number.is_multiple_of(2) { 'x' } else { '7' });
    match number % 9 {
        0 => key[..key.len() - 1].to_owned(),
        1 => format!("{key}{letter}"),
        2 => format!("{letter}{key}"),
        3 => foreign_key(["l", "lkk", "kl", "LK", "Lk"][number % 5]),
        4 => key.replacen('_', ["-", "", " ", "__"][number % 4], 1),
        5 => format!("{}{}{}", &key[..middle], ["_", "-", "+", "/", "é", "\n"][number % 6], &key[middle + 1..]),
        6 => format!("{}{}", &key[..middle], &key[middle + 1..]),
        7 => format!("lk_{}", &key[..49]),
        _ => key[3..].to_owned(),
    }
}

fn run(args: &[&str]) -> Said {
    finish(bare_latchkey_in(Path::new("/"), args), "")
}

/// Without a data folder, and without one that it could make.
fn bare_latchkey_in(folder: &Path, args: &[&str]) -> std::process::Command {
    let mut command = bare_latchkey();
    command.args(args).current_dir(folder).env("LATCHKEY_DATA_DIR", "/proc/no-such-folder");
    command
}

/// The fields of GitHub's form as one expression.
fn of_github(rules: &str) -> String {
    let field = |name: &str| {
        let (_, after) = rules.split_once(&format!("{name}:\n")).unwrap_or_else(|| panic!("no {name} in {rules}"));
        after.lines().next().expect("a value").to_owned()
    };
    format!("(?:{})({})(?:{})", field("Before secret"), field("Secret format"), field("After secret"))
}

/// The rules as regular expressions, each with the program that they are for.
fn expressions(args: &[&str]) -> Vec<(&'static str, String)> {
    let rules = |format| run(&[&["scan-rules", "--format", format], args].concat()).ok();
    let between = |text: &str, start: &str, end: &str| {
        let after = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1;
        after.split_once(end).expect("an end").0.to_owned()
    };
    vec![
        ("regex", rules("regex").trim_end().to_owned()),
        ("gitleaks", between(&rules("gitleaks"), "regex = '''", "'''")),
        ("trufflehog", between(&rules("trufflehog"), "key: '", "'\n")),
        ("github", of_github(&rules("github"))),
    ]
}

/// ASCII, as RE2 and Hyperscan take `\b` and classes.
fn compiled(expression: &str) -> Regex {
    Regex::new(&format!("(?-u){expression}")).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

#[test]
fn ten_thousand_keys_are_found_by_every_rule_and_no_near_miss() {
    let prefixes = ["lk", "acme"];
    let (text, keys) = text_with((0..10_000).map(|number| foreign_key(prefixes[number % 2])));
    let (misses, _) = text_with((0..10_000).map(near_miss));
    for (program, expression) in expressions(&["--former-key-prefixes", "acme"]) {
        let expression = compiled(&expression);
        let (mut found, mut end) = (Vec::new(), 0);
        // What follows a key may also stand before the next one.
        while let Some(hit) = expression.captures_at(text.as_bytes(), end) {
            let key = hit.get(1).expect("the key");
            found.push(String::from_utf8_lossy(key.as_bytes()).into_owned());
            end = key.end();
        }
        let missed = keys.iter().zip(&found).position(|(key, found)| key != found);
        assert_eq!((found.len(), missed), (keys.len(), None), "{program}");
        let wrong = expression.find(misses.as_bytes()).map(|found| String::from_utf8_lossy(found.as_bytes()));
        assert_eq!(wrong, None, "{program}");
    }
    // Without the former prefix, keys with it are near misses.
    let other = foreign_key("acme");
    for (program, expression) in expressions(&[]) {
        assert!(!compiled(&expression).is_match(other.as_bytes()), "{program}");
    }
}

#[test]
fn scan_finds_ten_thousand_keys_where_they_are_and_no_near_miss_and_no_mistyped_key() {
    let folder = TempDir::new().expect("a folder");
    let prefixes = ["lk", "acme"];
    let (text, keys) = text_with((0..10_000).map(|number| foreign_key(prefixes[number % 2])));
    fs::write(folder.path().join("keys.txt"), &text).expect("a file");
    let said = finish(bare_latchkey_in(folder.path(), &["scan", "--former-key-prefixes", "acme", "keys.txt"]), "");
    assert_eq!(said.code, Some(1), "{}", said.err);
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(said.out.lines().count(), keys.len());
    for (printed, key) in said.out.lines().zip(&keys) {
        let tail = &key[key.len() - 6..];
        let place = printed.strip_prefix("keys.txt:").and_then(|rest| rest.strip_suffix(&format!(": ***{tail}")));
        let (line, column) = place.and_then(|place| place.split_once(':')).unwrap_or_else(|| panic!("{printed}"));
        let (line, column): (usize, usize) = (line.parse().expect("a line"), column.parse().expect("a column"));
        assert!(lines[line - 1][column - 1..].starts_with(&**key), "{printed}");
        assert!(!said.err.contains(key) && !printed.contains(key), "{printed}");
    }

    let mistyped = (0..10_000).map(|_| mistyped(&foreign_key("lk")));
    for misses in [text_with((0..10_000).map(near_miss)).0, text_with(mistyped).0] {
        let said = finish(bare_latchkey_in(folder.path(), &["scan", "-"]), &misses);
        assert_eq!((said.code, &*said.out, &*said.err), (Some(0), "", ""));
    }
}

#[test]
fn scan_says_by_its_exit_code_whether_it_has_found_or_failed() {
    let folder = TempDir::new().expect("a folder");
    let key = foreign_key("lk");
    let tail = &key[key.len() - 6..];
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    };
    write("clean.txt", b"nothing here");
    write("empty", b"");
    write("src/a.bin", &[b"\0\xff\xfe\x80", key.as_bytes(), b"\0"].concat());
    write("src/.hidden/b.json", &[vec![b'x'; 3_000_000], b" ".to_vec(), key.clone().into_bytes()].concat());
    let utf_16: Vec<u8> = format!("\u{feff}KEY={key}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("src/c.ps1", &utf_16);
    write("src/odd\nname", key.as_bytes());
    symlink("/", folder.path().join("src/everything")).expect("a link");
    symlink("src/a.bin", folder.path().join("link")).expect("a link");
    let scan = |args: &[&str], stdin: &str| finish(bare_latchkey_in(folder.path(), &[&["scan"], args].concat()), stdin);

    for clean in [&["clean.txt"][..], &["clean.txt", "empty"], &["-"]] {
        let said = scan(clean, "nothing");
        assert_eq!((said.code, &*said.out, &*said.err), (Some(0), "", ""), "{clean:?}");
    }
    let said = scan(&["src", "clean.txt"], "");
    let b = format!("src/.hidden/b.json:1:3000002: ***{tail}\n");
    let rest = format!("src/a.bin:1:5: ***{tail}\nsrc/c.ps1:1:5: ***{tail}\nsrc/odd?name:1:1: ***{tail}\n");
    assert_eq!((said.code, said.out), (Some(1), format!("{b}{rest}")));
    assert_eq!(said.err, "Found 4 API keys. Withdraw them: whoever can read this can use them.\n");
    let said = scan(&["link", "-"], &format!("a\n{key}"));
    assert_eq!((said.code, said.out), (Some(1), format!("link:1:5: ***{tail}\n-:2:1: ***{tail}\n")));

    let said = scan(&["missing.txt", "link"], "");
    assert_eq!((said.code, said.out), (Some(2), format!("link:1:5: ***{tail}\n")));
    assert!(said.err.starts_with("Cannot read missing.txt: No such file"), "{}", said.err);
    assert!(scan(&[], "").refused(2).contains("<FILE>"));
    assert!(scan(&["--key-prefix", "l1", "link"], "").refused(2).contains("a prefix is 1 to 8 letters"));
    let mut misspelt = bare_latchkey_in(folder.path(), &["scan", "link"]);
    misspelt.env("LATCHKEY_FORMER_KEY_PREFIX", "acme");
    assert!(finish(misspelt, "").refused(2).contains("LATCHKEY_FORMER_KEY_PREFIXES"));
}

#[test]
fn rules_are_complete_files_for_the_programs_that_read_them() {
    let args = ["--host-name", "Farol \"Nord\"", "--key-prefix", "FAROL", "--former-key-prefixes", "lk,FAROL,ab"];
    let rules = |format| run(&[&["scan-rules", "--format", format], &args[..]].concat()).ok();
    let key = r"(?:FAROL|lk|ab)_[0-9A-Za-z]{49}";
    for (format, lines) in [
        (
            "gitleaks",
            &["[[rules]]", "id = \"latchkey-api-key\"", "secretGroup = 1", "keywords = [\"farol_\",\"lk_\",\"ab_\"]"][..],
        ),
        ("trufflehog", &["detectors:", "  - name: latchkey-api-key", "    keywords: [\"farol_\",\"lk_\",\"ab_\"]"]),
        ("github", &["Pattern name:", "API key of Farol \"Nord\"", key, r"\z|[^0-9A-Za-z]"]),
        (
            "pre-commit",
            &[
                "        name: \"API key of Farol \\\"Nord\\\"\"",
                "        entry: latchkey scan --key-prefix FAROL --former-key-prefixes lk,ab --",
                "        language: system",
            ],
        ),
    ] {
        let printed = rules(format);
        for line in lines {
            assert!(printed.lines().any(|printed| printed == *line), "no {line} in {printed}");
        }
    }
    assert!(rules("regex").contains(&format!("({key})")) && rules("regex").lines().count() == 1);
    assert_eq!(run(&["scan-rules"]).ok(), run(&["scan-rules", "--format", "gitleaks"]).ok());
    assert!(run(&["scan-rules", "--format", "grep"]).refused(2).contains("pre-commit"));
}

//! Rules by which other programs find API keys: gitleaks, TruffleHog, GitHub's secret scanning, pre-commit. They know
//! the form of a key, not its checksum.

use clap::ValueEnum;
use serde_json::json;

use crate::{
    base::settings::Settings,
    keys::{CHECKSUM, RANDOM},
};

/// The program that the rules are for.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// A .gitleaks.toml
    Gitleaks,
    /// A config.yaml with a custom detector
    Trufflehog,
    /// The fields of a custom pattern of GitHub's secret scanning
    Github,
    /// One regular expression in the syntax of RE2, whose first group is the key
    Regex,
    /// A .pre-commit-config.yaml that runs `latchkey scan`
    PreCommit,
}

/// What may stand before a key, besides the beginning of the text: anything but a letter or digit, or an escape that
/// ends with one, as in JSON (`"\nlk_…"`) and in URLs (`%3Dlk_…`).
const BEFORE: &str = r"[^0-9A-Za-z]|\\[nrt]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}";

/// A key.
fn key(settings: &Settings) -> String {
    let prefixes = match &*settings.key_prefixes() {
        [only] => (*only).to_owned(),
        several => format!("(?:{})", several.join("|")),
    };
    format!("{prefixes}_[0-9A-Za-z]{{{}}}", RANDOM + CHECKSUM)
}

/// A key where it stands alone, for programs that have no look-around. What follows it is not consumed, so that it may
/// begin the next one.
fn pattern(settings: &Settings) -> String {
    format!(r"(?:^|{BEFORE})({})(?:\b|_)", key(settings))
}

/// The rules for a program.
pub fn rules(settings: &Settings, format: Format) -> String {
    match format {
        Format::Gitleaks => gitleaks(settings),
        Format::Trufflehog => trufflehog(settings),
        Format::Github => github(settings),
        Format::Regex => format!("{}\n", pattern(settings)),
        Format::PreCommit => pre_commit(settings),
    }
}

fn name(settings: &Settings) -> String {
    format!("API key of {}", settings.host_name)
}

/// A text in quotation marks, as JSON, TOML and YAML have it.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

/// Words without which a text need not be searched, as a list of JSON, TOML and YAML.
fn keywords(settings: &Settings) -> String {
    let prefixes = settings.key_prefixes();
    json!(prefixes.iter().map(|prefix| format!("{prefix}_").to_lowercase()).collect::<Vec<_>>()).to_string()
}

/// <https://github.com/gitleaks/gitleaks>, "Configuration".
fn gitleaks(settings: &Settings) -> String {
    let (name, pattern, keywords) = (quoted(&name(settings)), pattern(settings), keywords(settings));
    format!(
        "# Save as .gitleaks.toml, or add the rule to one.\n\
         \n\
         [extend]\n\
         useDefault = true\n\
         \n\
         [[rules]]\n\
         id = \"latchkey-api-key\"\n\
         description = {name}\n\
         regex = '''{pattern}'''\n\
         secretGroup = 1\n\
         keywords = {keywords}\n"
    )
}

/// <https://github.com/trufflesecurity/trufflehog>, "Custom Detector Setup Guide".
fn trufflehog(settings: &Settings) -> String {
    let (name, pattern, keywords) = (quoted(&name(settings)), pattern(settings), keywords(settings));
    format!(
        "# Save as config.yaml, and run: trufflehog git file://. --config=config.yaml\n\
         \n\
         detectors:\n\
         \x20 - name: latchkey-api-key\n\
         \x20   description: {name}\n\
         \x20   keywords: {keywords}\n\
         \x20   regex:\n\
         \x20     key: '{pattern}'\n"
    )
}

/// <https://docs.github.com/en/code-security/reference/secret-security/custom-patterns>: what stands before and after has
/// fields of its own.
fn github(settings: &Settings) -> String {
    let (name, key) = (name(settings), key(settings));
    format!(
        "Pattern name:\n\
         {name}\n\
         \n\
         Secret format:\n\
         {key}\n\
         \n\
         Before secret:\n\
         \\A|{BEFORE}\n\
         \n\
         After secret:\n\
         \\z|[^0-9A-Za-z]\n"
    )
}

/// <https://pre-commit.com>, "Repository local hooks".
fn pre_commit(settings: &Settings) -> String {
    let former = match &settings.key_prefixes()[1..] {
        [] => String::new(),
        former => format!(" --former-key-prefixes {}", former.join(",")),
    };
    let (name, prefix) = (quoted(&name(settings)), &settings.key_prefix);
    format!(
        "# Save as .pre-commit-config.yaml, or add the hook to one. Without pre-commit, .git/hooks/pre-commit can run:\n\
         # git diff --cached --unified=0 | grep '^+' | latchkey scan --key-prefix {prefix}{former} -\n\
         \n\
         repos:\n\
         \x20 - repo: local\n\
         \x20   hooks:\n\
         \x20     - id: latchkey-scan\n\
         \x20       name: {name}\n\
         \x20       entry: latchkey scan --key-prefix {prefix}{former} --\n\
         \x20       language: system\n"
    )
}

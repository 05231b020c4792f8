//! A short name of a client, from its `User-Agent`.

/// Browsers by their token, the most specific first: each also claims to be those it descends from.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Version/", "Safari"),
];

/// Systems by a word of theirs, the most specific first.
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

/// Maximum number of characters of what a client calls itself.
const LONGEST: usize = 40;

/// Describes a client: `Chrome on Windows`, `curl 8.5`, or else its first product.
pub fn describe(user_agent: &str) -> String {
    let agent = user_agent.trim();
    let found = |known: &[(&'static str, &'static str)]| {
        known.iter().find(|(token, _)| agent.contains(token)).map(|(_, name)| *name)
    };
    if agent.starts_with("Mozilla/") {
        let browser = found(BROWSERS).filter(|name| *name != "Safari" || agent.contains("Safari/"));
        match (browser, found(SYSTEMS)) {
            (Some(browser), Some(system)) => return format!("{browser} on {system}"),
            (Some(browser), None) => return browser.to_owned(),
            (None, Some(system)) => return format!("Browser on {system}"),
            (None, None) => {}
        }
    }
    let product = agent.split_whitespace().next().unwrap_or_default();
    let (name, version) = product.split_once('/').unwrap_or((product, ""));
    let numbers =
        version.split('.').take(2).take_while(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty());
    let version = numbers.collect::<Vec<_>>().join(".");
    let name: String = name.chars().take(LONGEST).collect();
    match (name.is_empty(), version.is_empty()) {
        (true, _) => "Unknown client".to_owned(),
        (false, true) => name,
        (false, false) => format!("{name} {}", version.chars().take(LONGEST).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn browsers_are_named_with_their_system() {
        const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, name) in [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36"), "Chrome on Windows"),
            (format!("Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"), "Edge on Windows"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36"), "Chrome on Android"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/126.0.0.0 Safari/537.36"), "Chrome on Linux"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0".to_owned(), "Firefox on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15"
                    .to_owned(),
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0 Mobile/15E148 Safari/604.1"
                    .to_owned(),
                "Chrome on iPhone",
            ),
            ("Mozilla/5.0 (compatible; Unknown 1.0; Windows)".to_owned(), "Browser on Windows"),
        ] {
            assert_eq!(describe(&agent), name, "{agent}");
        }
    }

    #[test]
    fn programs_are_named_by_their_first_product() {
        for (agent, name) in [
            ("curl/8.5.0", "curl 8.5"),
            ("PMS-X/2.1", "PMS-X 2.1"),
            ("python-requests/2.32.3 extra/1", "python-requests 2.32"),
            ("Mews", "Mews"),
            ("Tool/1.2-beta", "Tool 1"),
            ("Tool/next", "Tool"),
            ("Mozilla/5.0", "Mozilla 5.0"),
            (" /1.0", "Unknown client"),
            ("", "Unknown client"),
        ] {
            assert_eq!(describe(agent), name, "{agent}");
        }
        assert_eq!(describe(&"x".repeat(255)).len(), 40);
    }
}

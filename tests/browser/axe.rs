//! Accessibility, as far as axe-core can judge it. `tests/run` fetches axe-core.

use std::{
    fmt::Write,
    fs,
    sync::OnceLock,
    time::{Duration, Instant},
};

use actix_web::rt::time::sleep;
use serde_json::Value;

use crate::chrome::Browser;

/// Fails when the open page breaks a rule of axe-core, best practices included, and says which and where.
pub async fn assert_accessible(browser: &Browser) {
    let found = violations(browser).await;
    assert!(found.is_empty(), "{} is not accessible:\n{found}", browser.here().await);
}

/// What axe-core has against the open page, for people to read.
pub async fn violations(browser: &Browser) -> String {
    // It is large, and stays as long as the page does.
    if browser.run("return typeof axe === 'undefined'").await == Value::Bool(true) {
        browser.run(source()).await;
    }
    // Where JavaScript is off, promises are kept but timers never come due: there axe-core goes on without its pauses.
    // Elsewhere the page's own timers must stay as they are.
    let script = "if (arguments[0]) window.setTimeout = next => { next(); };
        window.axeFound = null;
        axe.run({ preload: false, resultTypes: ['violations'] },
                (error, result) => { window.axeFound = error ? String(error) : result.violations; });";
    let pauses = !browser.javascript;
    browser.execute(script, vec![pauses.into()]).await.expect("axe-core starts");
    let patience = Instant::now();
    loop {
        match browser.run("return window.axeFound").await {
            Value::Array(found) => return report(&found),
            Value::Null if patience.elapsed() < Duration::from_secs(30) => sleep(Duration::from_millis(20)).await,
            other => panic!("axe-core failed: {other}"),
        }
    }
}

fn report(violations: &[Value]) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let mut text = String::new();
    for violation in violations {
        let (rule, impact) = (word(&violation["id"]), word(&violation["impact"]));
        writeln!(text, "{rule} ({impact}): {}", word(&violation["help"])).expect("a string");
        for node in violation["nodes"].as_array().into_iter().flatten() {
            let summary = word(&node["failureSummary"]).replace('\n', "\n    ");
            writeln!(text, "  {}\n    {summary}", node["target"]).expect("a string");
        }
    }
    text
}

fn source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let file = std::env::var("LATCHKEY_TEST_AXE")
            .expect("LATCHKEY_TEST_AXE names axe.min.js; `tests/run browser` fetches it and sets the variable");
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
    })
}

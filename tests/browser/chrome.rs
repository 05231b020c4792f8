//! Chromium, driven through chromedriver. One chromedriver serves the whole test process; each [`Browser`] is a
//! Chromium of its own, with a profile that is removed again.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    ops::Deref,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    LoggingPrefsLogLevel, extensions::query::ElementPollerWithTimeout, prelude::*, support::base64_decode,
};

use crate::{people::User, probe, server::Server};

/// Why the flags: no display and no GPU on a server, no sandbox for root, little `/dev/shm` in containers, no traffic
/// but ours; and over a pipe, so that Chromium ends with chromedriver.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
];

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the pictures go.
const SCREENSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/screenshots");

/// What the person prefers; a page follows it through `prefers-color-scheme`.
#[derive(Clone, Copy)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        }
    }
}

/// One Chromium with one window. Everything that [`WebDriver`] can do is there as well.
pub struct Browser {
    driver: WebDriver,
    pub width: u32,
    scheme: Scheme,
    pub javascript: bool,
    _profile: TempDir,
}

impl Browser {
    /// How every page is looked at: on a phone by night and at a desk by day. Neither the room nor the markup changes
    /// with the colours.
    pub const LOOKS: [(u32, Scheme); 2] = [(360, Scheme::Dark), (1280, Scheme::Light)];

    /// Chromium without windows, which starts in a quarter of a second.
    pub async fn open(width: u32, scheme: Scheme, javascript: bool) -> Self {
        Self::start(width, scheme, javascript, "/usr/bin/chromium-headless-shell", "chrome-headless-shell").await
    }

    /// Chromium as people have it, which also keeps forms in memory for the way back.
    pub async fn open_whole(width: u32, scheme: Scheme, javascript: bool) -> Self {
        Self::start(width, scheme, javascript, "/usr/bin/chromium", "chrome").await
    }

    async fn start(width: u32, scheme: Scheme, javascript: bool, program: &str, name: &str) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let driver = WebDriver::builder(
            format!("http://127.0.0.1:{}", chromedriver()),
            capabilities(profile.path(), program, name).expect("capabilities"),
        )
        .poller(Arc::new(ElementPollerWithTimeout::new(PATIENCE, Duration::from_millis(20))))
        .connect()
        .await
        .expect("Chromium starts");
        let browser = Self { driver, width, scheme, javascript, _profile: profile };
        browser.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !javascript })).await;
        browser.dress().await;
        assert_eq!(
            browser.runs_scripts().await,
            javascript,
            "JavaScript should be {}",
            if javascript { "on" } else { "off" }
        );
        browser
    }

    /// Looks through another width and other colours from now on; cheaper than to open another browser.
    pub async fn look(&mut self, width: u32, scheme: Scheme) {
        (self.width, self.scheme) = (width, scheme);
        self.dress().await;
    }

    /// Below 640 px it is a phone, so that a page without a viewport looks as wrong as it would in a hand.
    async fn dress(&self) {
        let metrics = json!({
            "width": self.width,
            "height": 800,
            "deviceScaleFactor": 1,
            "mobile": self.width < 640,
        });
        let scheme = json!({ "name": "prefers-color-scheme", "value": self.scheme.word() });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [scheme] })).await;
    }

    /// A command of the Chrome DevTools protocol.
    async fn devtools(&self, command: &str, arguments: Value) -> Value {
        match self.driver.cdp().send_raw(command, arguments).await {
            Ok(answer) => answer,
            Err(error) => panic!("{command}: {error}"),
        }
    }

    /// Whether a page's own script runs, seen on a page that says so.
    async fn runs_scripts(&self) -> bool {
        self.visit(probe::url()).await;
        match self.title().await.expect("a title").as_str() {
            probe::WITH_SCRIPT => true,
            probe::WITHOUT_SCRIPT => false,
            other => panic!("the probe's title is {other:?}"),
        }
    }

    pub async fn visit(&self, url: impl AsRef<str>) {
        let url = url.as_ref();
        if let Err(error) = self.driver.goto(url).await {
            panic!("cannot open {url}: {error}");
        }
    }

    /// Signs in by the page, as the user does, and waits for the page after it.
    pub async fn sign_in(&self, server: &Server, user: &User) {
        self.visit(format!("{}/sign_in", server.base_url)).await;
        self.fill("email", &user.email).await;
        self.fill("password", &user.password).await;
        // chromedriver waits only for a page that is on its way by the end of a click.
        self.press_in("main", "Sign in").await;
        for cookie in self.get_all_cookies().await.expect("cookies") {
            server.secrets.register_cookie(&cookie.value);
        }
    }

    /// Types into the field of this name, in place of what is there.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.first(&format!("[name={name}]")).await;
        field.clear().await.expect("a field to type in");
        field.send_keys(text).await.expect("a field to type in");
    }

    /// Clicks the first element that matches, and waits for the page that this opens.
    pub async fn click(&self, css: &str) {
        self.first(css).await.click().await.unwrap_or_else(|error| panic!("{css} cannot be clicked: {error}"));
    }

    /// The first element that matches; it may take a moment to appear.
    pub async fn first(&self, css: &str) -> WebElement {
        match self.query(By::Css(css)).first().await {
            Ok(element) => element,
            Err(error) => panic!("no {css} on {}: {error}", self.here().await),
        }
    }

    /// Runs a script in the page, the page's policy notwithstanding, and returns its `return`.
    pub async fn run(&self, script: &str) -> Value {
        match self.driver.execute(script, vec![]).await {
            Ok(answer) => answer.json().clone(),
            Err(error) => panic!("the script failed: {error}\n{script}"),
        }
    }

    /// Nothing on the page sticks out to the side.
    pub async fn assert_no_sideways_scroll(&self) {
        let wide = self.run("return document.documentElement.scrollWidth").await.as_u64();
        assert!(
            wide <= Some(self.width.into()),
            "{} is {wide:?} px wide in a window of {} px",
            self.here().await,
            self.width
        );
    }

    /// The page has written no error to the console since this was last asked: no refused script or style (content
    /// security policy), no missing file, no exception.
    pub async fn assert_quiet_console(&self) {
        let entries = self.driver.browser_log().await.expect("the console");
        let errors: Vec<String> = entries.into_iter().map(|entry| entry.message).collect();
        assert!(errors.is_empty(), "{} complains in the console:\n{}", self.here().await, errors.join("\n"));
    }

    /// Lets the pages of `origin` use the clipboard without asking, as a person's click would.
    pub async fn grant_clipboard(&self, origin: &str) {
        let permissions = json!({
            "origin": origin,
            "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
        });
        self.devtools("Browser.grantPermissions", permissions).await;
    }

    /// The text on the clipboard. It needs [`Self::grant_clipboard`].
    pub async fn clipboard(&self) -> String {
        let script = "const done = arguments[0];
            navigator.clipboard.readText().then(done, error => done({ error: String(error) }));";
        let answer = self.driver.execute_async(script, vec![]).await.expect("a script that reads the clipboard");
        match answer.json().as_str() {
            Some(text) => text.to_owned(),
            None => panic!("cannot read the clipboard: {}", answer.json()),
        }
    }

    /// Keeps a picture of the whole page as `target/screenshots/NAME-WIDTH-SCHEME.png`.
    pub async fn screenshot(&self, name: &str) {
        let script = if self.javascript { "" } else { "-noscript" };
        let (width, scheme) = (self.width, self.scheme.word());
        let file = format!("{SCREENSHOTS}/{name}-{width}-{scheme}{script}.png");
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.devtools("Page.captureScreenshot", whole).await;
        let png = base64_decode(answer["data"].as_str().expect("its data")).expect("base64");
        fs::create_dir_all(SCREENSHOTS).expect("a folder for pictures");
        fs::write(&file, png).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// Which page is open and how it is looked at, for messages.
    pub async fn here(&self) -> String {
        let url = self.driver.current_url().await.expect("an address");
        format!("{url} ({} px, {})", self.width, self.scheme.word())
    }
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

/// Quits without the client of [`WebDriver`]: that one may wait for a connection whose runtime is blocked by this very
/// drop.
impl Drop for Browser {
    fn drop(&mut self) {
        let session = self.driver.session_id().to_string();
        if self.driver.clone().leak().is_err() {
            return;
        }
        let quit = || -> std::io::Result<()> {
            let mut stream = TcpStream::connect(("127.0.0.1", chromedriver()))?;
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            write!(stream, "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
            // The answer comes when Chromium has ended.
            stream.read_exact(&mut [0; 15])
        };
        if let Err(error) = quit() {
            eprintln!("Chromium did not quit: {error}");
        }
    }
}

fn capabilities(profile: &Path, program: &str, name: &str) -> WebDriverResult<Capabilities> {
    let mut chrome = DesiredCapabilities::chrome();
    chrome.set("browserName", name)?;
    chrome.set_binary(program)?;
    for flag in FLAGS {
        chrome.add_arg(flag)?;
    }
    chrome.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    chrome.set_browser_log_level(LoggingPrefsLogLevel::Severe)?;
    Ok(chrome.into())
}

/// The port of this process's chromedriver, which is started when first asked for. The kernel ends it with the
/// process, also when that is killed: `setpriv` asks for a signal when the thread that started it ends, and that
/// thread never does.
fn chromedriver() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut child = Command::new("setpriv")
                .args(["--pdeathsig", "TERM", "/usr/bin/chromedriver", "--port=0"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::inherit())
                .spawn()
                .expect("setpriv (util-linux) starts");
            let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
            for line in lines.map_while(Result::ok) {
                let port = line
                    .split_once("started successfully on port ")
                    .and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
                if let Some(port) = port {
                    tell.send(port).expect("someone waits");
                }
            }
            let end = child.wait();
            eprintln!("chromedriver has ended: {end:?}");
        });
        told.recv_timeout(Duration::from_secs(30))
            .expect("chromedriver starts and tells its port; is Debian's chromium-driver installed?")
    })
}

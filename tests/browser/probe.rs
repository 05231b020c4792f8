//! A page that tells whether scripts run. It is served over HTTP, as the pages under test are, because Chromium's
//! settings for content go by address.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::OnceLock,
    thread,
};

pub const WITH_SCRIPT: &str = "a script ran";
pub const WITHOUT_SCRIPT: &str = "no script ran";

/// The page's address.
pub fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        thread::spawn(move || serve(&listener));
        format!("http://127.0.0.1:{port}/")
    })
}

fn serve(listener: &TcpListener) {
    let page = format!(
        "<!doctype html><html lang=en><title>{WITHOUT_SCRIPT}</title><link rel=icon href='data:,'>\
         <meta name=viewport content='width=device-width'><script>document.title = '{WITH_SCRIPT}'</script>\
         <main><h1>Probe</h1><noscript><p>No script.</noscript></main>"
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    for mut stream in listener.incoming().flatten() {
        // A thread each: Chromium also opens connections that it does not use yet.
        let answer = answer.clone();
        thread::spawn(move || {
            let request = BufReader::new(&stream).lines();
            if request.map_while(Result::ok).any(|line| line.is_empty()) {
                // A browser that went away needs no answer.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
    }
}

//! How long entries are kept.

use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use crate::page::until;
use crate::people::{DESK, world};
use crate::record::Written;
use crate::server::Server;

/// So many hours before now.
fn ago(hours: u64) -> String {
    let now = UNIX_EPOCH + UNIX_EPOCH.elapsed().expect("a time after 1970");
    DateTime::<Utc>::from(now - Duration::from_secs(hours * 3600)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn writes(server: &Server, kind: &str, at: &str, count: usize) {
    for part in vec![Written { kind, at, client: "", count: 1 }; count].chunks(250) {
        server.write_activity(DESK, part).await;
    }
}

/// Waits until no entry of this kind is left.
async fn is_gone(server: &Server, kind: &str) {
    until("old entries are deleted", async || server.activity(&["--kind", kind]).is_empty().then_some(())).await;
}

#[actix_web::test]
async fn entries_are_deleted_after_400_days_however_many() {
    let (mut server, _me) = world().await;
    let before = server.activity(&[]).len();
    writes(&server, "sign_out", &ago(400 * 24 + 1), 2_300).await;
    writes(&server, "confirmed", &ago(400 * 24 - 1), 2).await;
    server.restart();
    is_gone(&server, "sign_out").await;
    assert_eq!(server.activity(&["--kind", "confirmed"]).len(), 2);
    assert_eq!(server.activity(&[]).len(), before + 2);
}

#[actix_web::test]
async fn the_host_sets_how_long_entries_are_kept() {
    let mut server = Server::options().arg("--activity-days").arg("2").start().await;
    let me = server.person(DESK).await;
    let page = me.browser.get("/user_profile/activity").await.is(200);
    assert!(page.text().contains("Entries are kept for 2 days."), "{page}");
    writes(&server, "sign_out", &ago(49), 1).await;
    writes(&server, "confirmed", &ago(47), 1).await;
    server.restart();
    is_gone(&server, "sign_out").await;
    assert_eq!(server.activity(&["--kind", "confirmed"]).len(), 1);
    server.kill();
    let another = server.serve(&["--activity-days", "1"]);
    is_gone(&another, "confirmed").await;
    for days in ["0", "x", "65536"] {
        let refused = server.run(&["serve", "--activity-days", days]).refused(2);
        assert!(refused.contains("--activity-days"), "{refused}");
    }
}

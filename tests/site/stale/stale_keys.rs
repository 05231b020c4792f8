//! Nobody gets in with a key whose withdrawal has been answered: no request that begins after the answer, at any
//! process. Each round withdraws another key while it is in use.

use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::task::spawn_blocking;

use crate::hammer::{Hammer, list_with, moment, rounds};
use crate::html;
use crate::instances::{Instances, change_at};
use crate::people::Person;
use crate::raw::{self, form, send_and_reset};
use crate::sql::TRUST;

/// A withdrawal that is not seen for so long does not come any more.
const SOON: Duration = Duration::from_millis(500);

/// Somebody with many keys.
struct Keys {
    instances: Rc<Instances>,
    me: Person,
}

/// One key of theirs.
struct Key {
    text: String,
    id: String,
}

impl Keys {
    async fn new() -> Rc<Self> {
        let instances = Instances::start().await;
        let me = instances.first().person("desk@farol.example").await;
        Rc::new(Self { instances, me })
    }

    async fn key(&self) -> Key {
        let text = self.me.browser.create_key("In use").await;
        let id = self.me.browser.key_id(&text).await;
        Key { text, id }
    }

    /// Hammers all processes with a key.
    fn hammer(&self, key: &Key) -> Hammer {
        Hammer::start(&self.instances.addresses(), list_with(&key.text))
    }

    /// Uses a key at all processes, which then remember it.
    async fn let_in(&self, key: &Key) {
        let hammer = self.hammer(key);
        hammer.is_let_in().await;
        hammer.judge(Instant::now(), &[]);
    }

    fn withdraw(&self, key: &Key) -> Vec<u8> {
        form(&self.me.browser, &format!("/user_profile/api_keys/{}/withdraw", key.id), &[])
    }

    /// Waits until the database has a key as withdrawn, and other processes know; nothing where that does not come.
    async fn is_withdrawn_soon(&self, key: &Key) -> Option<Instant> {
        let sql = format!(
            "select withdrawn_by from api_keys where withdrawn_at is not null and id = {}",
            self.instances.host.literal(&key.id)
        );
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            if self.instances.host.texts(&sql).await == ["owner"] {
                let seen = Instant::now();
                return Some(seen + if self.instances.servers.len() > 1 { TRUST } else { Duration::ZERO });
            }
        }
        None
    }

    /// Lets a key that is withdrawn go, so that the list stays short.
    async fn lets_go(&self, key: &Key) {
        let sql = format!("delete from api_keys where id = {}", self.instances.host.literal(&key.id));
        assert_eq!(self.instances.host.sql(&sql).await, 1);
    }
}

#[actix_web::test]
async fn a_key_withdrawn_on_a_page_lets_nobody_in_afterwards() {
    let keys = Keys::new().await;
    rounds("withdrawn on a page", 16, 4, move |_, _| {
        let keys = keys.clone();
        async move {
            let key = keys.key().await;
            let hammer = keys.hammer(&key);
            hammer.is_let_in().await;
            let answered = keys.instances.change(keys.withdraw(&key), 303).await;
            hammer.goes_on(answered).await;
            let judged = hammer.judge(answered, &[401]);
            keys.lets_go(&key).await;
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn a_key_withdrawn_by_a_command_lets_nobody_in_afterwards() {
    let keys = Keys::new().await;
    rounds("withdrawn by a command", 8, 4, move |_, _| {
        let keys = keys.clone();
        async move {
            let key = keys.key().await;
            let hammer = keys.hammer(&key);
            hammer.is_let_in().await;
            let ended = keys.instances.command(&["key", "withdraw", &key.id]).await;
            hammer.goes_on(ended).await;
            let judged = hammer.judge(ended, &[401]);
            keys.lets_go(&key).await;
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn a_key_whose_first_uses_meet_its_withdrawal_is_not_remembered() {
    let keys = Keys::new().await;
    rounds("first used while withdrawn", 24, 4, move |_, number| {
        let keys = keys.clone();
        async move {
            let key = keys.key().await;
            let withdraw = keys.withdraw(&key);
            let hammer = keys.hammer(&key);
            actix_web::rt::time::sleep(moment(number, Duration::from_millis(8))).await;
            let answered = keys.instances.change(withdraw, 303).await;
            hammer.goes_on(answered).await;
            let judged = hammer.judge(answered, &[401]);
            keys.lets_go(&key).await;
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn a_withdrawal_that_is_sent_twice_holds_from_the_first_answer_on() {
    let keys = Keys::new().await;
    rounds("withdrawn twice", 8, 4, move |_, number| {
        let keys = keys.clone();
        async move {
            let key = keys.key().await;
            let hammer = keys.hammer(&key);
            hammer.is_let_in().await;
            // To one process, or to two.
            let addresses = keys.instances.addresses();
            let (first, second) = (addresses[0], addresses[number % addresses.len()]);
            let once = actix_web::rt::spawn(change_at(first, keys.withdraw(&key), 303));
            actix_web::rt::time::sleep(moment(number, Duration::from_millis(8))).await;
            let again = change_at(second, keys.withdraw(&key), 303).await;
            let answered = once.await.expect("an answer").min(again);
            hammer.goes_on(answered).await;
            let judged = hammer.judge(answered, &[401]);
            keys.lets_go(&key).await;
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn a_key_that_was_rotated_at_once_lets_nobody_in_also_where_the_form_was_sent_twice() {
    let keys = Keys::new().await;
    rounds("rotated", 8, 4, move |_, number| {
        let keys = keys.clone();
        async move {
            let key = keys.key().await;
            let hammer = keys.hammer(&key);
            hammer.is_let_in().await;
            let path = format!("/user_profile/api_keys/{}/rotate", key.id);
            let rotate = form(&keys.me.browser, &path, &[("form_token", &key.id), ("overlap", "now")]);
            let once = actix_web::rt::spawn(rotated(keys.clone(), rotate.clone()));
            actix_web::rt::time::sleep(moment(number, Duration::from_millis(8))).await;
            let (again, second) = rotated(keys.clone(), rotate).await;
            let (answered, first) = once.await.expect("an answer");
            let answered = answered.min(again);
            let new: Vec<String> = first.into_iter().chain(second).collect();
            assert!(!new.is_empty(), "one of them shows the key");
            hammer.goes_on(answered).await;
            let judged = hammer.judge(answered, &[401]);
            keys.instances.first().with_key(&new[0]).get("/api/v1/properties").await.is(200);
            let new = Key { id: keys.me.browser.key_id(&new[0]).await, text: new[0].clone() };
            keys.lets_go(&new).await;
            keys.lets_go(&key).await;
            judged
        }
    })
    .await;
}

/// Sends the form that rotates a key: when it was answered, and the new key, if this answer shows it.
async fn rotated(keys: Rc<Keys>, form: Vec<u8>) -> (Instant, Option<String>) {
    let server = keys.instances.first().address();
    let answer = spawn_blocking(move || (raw::exchange(server, &form), Instant::now()));
    let (answer, moment) = answer.await.expect("an answer");
    assert!(matches!(answer.status, 200 | 409), "{answer}");
    let answer = keys.me.browser.register(answer);
    (moment, html::keys(answer.text()).first().map(|key| (*key).to_owned()))
}

#[actix_web::test]
async fn a_withdrawal_whose_client_has_gone_holds_once_it_is_seen() {
    let keys = Keys::new().await;
    rounds("client gone", 16, 4, move |_, number| {
        let keys = keys.clone();
        async move {
            let key = keys.key().await;
            let hammer = keys.hammer(&key);
            hammer.is_let_in().await;
            let server = keys.instances.first().address();
            send_and_reset(server, &keys.withdraw(&key), moment(number, Duration::from_millis(8))).await;
            let seen = match keys.is_withdrawn_soon(&key).await {
                Some(seen) => seen,
                // It came to nothing, and is sent again.
                None => keys.instances.change(keys.withdraw(&key), 303).await,
            };
            hammer.goes_on(seen).await;
            let judged = hammer.judge(seen, &[401]);
            keys.lets_go(&key).await;
            judged
        }
    })
    .await;
}

#[actix_web::test]
async fn a_key_withdrawn_after_the_database_was_set_back_lets_nobody_in() {
    let keys = Keys::new().await;
    let host = &keys.instances.host;
    let (other, key) = (keys.key().await, keys.key().await);
    keys.let_in(&key).await;
    let epoch = host.texts("select cast(epoch as text) from auth_epoch").await.remove(0);
    keys.instances.command(&["key", "withdraw", &other.id]).await;
    keys.let_in(&key).await;
    // The last change is lost, as where a backup is restored, or a standby takes over that did not have it yet.
    assert_eq!(host.sql(&format!("update auth_epoch set epoch = {epoch}")).await, 1);
    let back = "update api_keys set withdrawn_at = null, withdrawn_by = null where id";
    assert_eq!(host.sql(&format!("{back} = {}", host.literal(&other.id))).await, 1);
    let ended = keys.instances.command(&["key", "withdraw", &key.id]).await;
    let hammer = keys.hammer(&key);
    hammer.goes_on(ended).await;
    hammer.judge(ended, &[401]);
}

//! Browsers from which a user has signed in before. A cookie tells them apart, which outlives sessions. It is no
//! credential: it only decides which counter of failed attempts applies, so that guesses from elsewhere lock nobody out
//! of a browser in use (OWASP, "device cookies"), and to whom a kept form is shown.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    cookie::{Cookie, time::Duration},
};
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use crate::{
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::UserId,
        sealed::SealingKey,
        secret::{self, Digest},
    },
    db::{Statement, Tx, execute, impl_from_row},
    record::origin::Origin,
    web::cookies::{self, NewCookie},
};

/// How long the cookie lasts: the most that browsers accept.
const DAYS: i64 = 400;

/// Maximum number of browsers per user; the one that was unused longest is forgotten.
const MOST: i64 = 20;

/// The value of the cookie: a secret, so it has no `Debug`.
pub struct BrowserCookie(String);

impl BrowserCookie {
    /// The cookie that was sent, if it has the form of one.
    pub fn sent(request: &HttpRequest, base_url: &Url) -> Option<Self> {
        let value = request.cookie(&cookies::name(cookies::BROWSER, base_url))?.value().to_owned();
        let is_ours = value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric());
        is_ours.then_some(BrowserCookie(value))
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// A key that only this browser has: what is sealed with it cannot be read in the database, which has the digest alone.
    pub fn sealing_key(&self) -> SealingKey {
        SealingKey(Sha256::digest(format!("kept forms {}", self.0)).into())
    }

    /// A new cookie, which the response to this request sets.
    pub fn new_for(request: &HttpRequest, base_url: &Url) -> Self {
        let new = BrowserCookie(secret::random());
        request.extensions_mut().insert(NewCookie(new.cookie(base_url)));
        new
    }

    fn cookie(&self, base_url: &Url) -> Cookie<'static> {
        cookies::cookie(cookies::BROWSER, base_url, self.0.clone()).max_age(Duration::days(DAYS)).finish()
    }

    /// Sends the cookie with a response.
    ///
    /// # Errors
    /// `Internal` if it cannot be written.
    pub fn attach(self, base_url: &Url, response: &mut HttpResponse) -> Result<()> {
        response
            .add_cookie(&self.cookie(base_url))
            .map_err(|error| Error::Internal(format!("could not write a cookie: {error}")))
    }
}

/// The browser of a request, remembered for a user; and whether it was unknown before. A cookie that this user's browser
/// does not have is replaced, since somebody else may know it: another user of the same browser, for example. Who was known
/// there stays known.
pub async fn remember(
    tx: &mut Tx,
    user: UserId,
    sent: Option<BrowserCookie>,
    origin: &Origin,
    now: Moment,
) -> sqlx::Result<(BrowserCookie, bool)> {
    const SEEN: &str = "update browsers set last_seen_at = $3, client = $4 where user_id = $1 and digest = $2";
    const REPLACE: [&str; 2] = [
        "update browsers set digest = $2 where digest = $1",
        "update sessions set browser_digest = $2 where browser_digest = $1",
    ];
    if let Some(sent) = sent {
        if execute!(tx, SEEN, user, sent.digest(), now, &origin.client)? == 1 {
            return Ok((sent, false));
        }
        let new = BrowserCookie(secret::random());
        for sql in REPLACE {
            execute!(tx, sql, sent.digest(), new.digest())?;
        }
        hand_on_forms(tx, &sent, &new).await?;
        return insert(tx, user, new, origin, now).await;
    }
    insert(tx, user, BrowserCookie(secret::random()), origin, now).await
}

/// Remembers a browser that was unknown.
async fn insert(
    tx: &mut Tx,
    user: UserId,
    cookie: BrowserCookie,
    origin: &Origin,
    now: Moment,
) -> sqlx::Result<(BrowserCookie, bool)> {
    const INSERT: &str = "
        insert into browsers (user_id, digest, client, first_seen_at, last_seen_at) values ($1, $2, $3, $4, $4)
        on conflict (user_id, digest) do nothing";
    const FORGET_UNUSED: &str = "
        delete from browsers where user_id = $1 and digest not in (
            select digest from browsers where user_id = $1
            order by case when digest = $2 then 0 else 1 end, last_seen_at desc, digest limit $3)";
    execute!(tx, INSERT, user, cookie.digest(), &origin.client, now)?;
    execute!(tx, FORGET_UNUSED, user, cookie.digest(), MOST)?;
    Ok((cookie, true))
}

/// Seals the forms that were kept for a cookie anew, for another one.
async fn hand_on_forms(tx: &mut Tx, old: &BrowserCookie, new: &BrowserCookie) -> sqlx::Result<()> {
    const FIND: &str = "select id, sealed from kept_forms where browser_digest = $1";
    const UPDATE: &str = "update kept_forms set browser_digest = $2, sealed = $3 where id = $1";
    let kept: Vec<KeptForm> = Statement::new(FIND, vec![old.digest().into()]).fetch_all(tx).await?;
    for KeptForm { id, sealed } in kept {
        let place = id.to_string();
        if let Some(form) = old.sealing_key().open(&place, &sealed) {
            execute!(tx, UPDATE, id, new.digest(), new.sealing_key().seal(&place, &form))?;
        }
    }
    Ok(())
}

struct KeptForm {
    id: Uuid,
    sealed: Vec<u8>,
}

impl_from_row!(KeptForm { id, sealed });

/// True if this user has signed in from this browser.
pub async fn is_known_to(tx: &mut Tx, user: UserId, digest: &Digest) -> sqlx::Result<bool> {
    const SQL: &str = "select exists (select 1 from browsers where user_id = $1 and digest = $2)";
    Statement::new(SQL, vec![user.into(), digest.clone().into()]).fetch_value(tx).await
}

/// True if any user has signed in from this browser.
pub async fn is_known(tx: &mut Tx, digest: &Digest) -> sqlx::Result<bool> {
    const SQL: &str = "select exists (select 1 from browsers where digest = $1)";
    Statement::new(SQL, vec![digest.clone().into()]).fetch_value(tx).await
}

/// Deletes up to so many browsers whose cookie has expired.
pub async fn delete_forgotten(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "
        delete from browsers where digest in (select digest from browsers where last_seen_at < $1 limit $2)
            and last_seen_at < $1";
    execute!(tx, SQL, now - chrono::Duration::days(DAYS), most)
}

/// Forgets every browser of a user.
pub async fn forget_all(tx: &mut Tx, user: UserId) -> sqlx::Result<()> {
    execute!(tx, "delete from browsers where user_id = $1", user).map(drop)
}

/// Forgets every browser of a user but one.
pub async fn forget_others(tx: &mut Tx, user: UserId, kept: Option<&Digest>) -> sqlx::Result<()> {
    const SQL: &str = "delete from browsers where user_id = $1 and digest <> $2";
    match kept {
        Some(kept) => execute!(tx, SQL, user, kept).map(drop),
        None => forget_all(tx, user).await,
    }
}

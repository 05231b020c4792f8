//! What was entered into a form, kept while its user signs in or confirms who they are. It stays in the database, for the
//! browser that sent it, and never travels in an address. It is encrypted with the browser's cookie, since anything may be
//! pasted into a form. Passwords and codes are not kept at all.

use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use chrono::Duration;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    base::{
        clock::{self, Moment},
        error::{Error, Result},
    },
    db::{Bind, Statement, Tx, execute},
    people::sessions::browser::{self, BrowserCookie},
    web::{
        form::{self, Arguments},
        page::resumed_address,
        state::AppState,
    },
};

/// How long a form is kept.
const KEPT_FOR: Duration = Duration::hours(1);

/// Forms that are kept of one browser at a time.
const MOST: i64 = 20;

/// Forms that are kept of all browsers from which nobody has signed in before: anybody can send those.
const MOST_OF_STRANGERS: i64 = 200;

/// Keeps the fields of a form (`application/x-www-form-urlencoded`) with the parameters of its address, and returns the
/// address that shows it again; and whether anything was kept. Every form posts to the address that shows it. A browser without a cookie gets one with the
/// response.
pub async fn keep(state: &AppState, request: &HttpRequest, typed: &[u8]) -> Result<(String, bool)> {
    const INSERT: &str = "
        insert into kept_forms (id, browser_digest, is_known, sealed, expires_at) values ($1, $2, $3, $4, $5)";
    const DELETE_OLDEST: &str = "
        delete from kept_forms where browser_digest = $1 and id not in (
            select id from kept_forms where browser_digest = $1 order by expires_at desc, id desc limit $2)";
    const DELETE_OLDEST_OF_STRANGERS: &str = "
        delete from kept_forms where not is_known and id not in (
            select id from kept_forms where not is_known order by expires_at desc, id desc limit $1)";
    let fields = without_secrets(typed);
    if fields.is_empty() {
        return Ok((resumed_address(request), false));
    }
    let fields = match without_secrets(request.query_string().as_bytes()) {
        parameters if parameters.is_empty() => fields,
        parameters => format!("{parameters}&{fields}"),
    };
    let browser = match BrowserCookie::sent(request, &state.base_url) {
        Some(sent) => sent,
        None => BrowserCookie::new_for(request, &state.base_url),
    };
    let (id, digest) = (Uuid::new_v4(), browser.digest());
    let mut tx = state.db.write().await?;
    let is_known = browser::is_known(&mut tx, &digest).await?;
    let sealed = browser.sealing_key().seal(&id.to_string(), format!("{}\n{fields}", request.path()).as_bytes());
    execute!(&mut tx, INSERT, id, &digest, is_known, sealed, clock::now() + KEPT_FOR)?;
    execute!(&mut tx, DELETE_OLDEST, &digest, MOST)?;
    if !is_known {
        execute!(&mut tx, DELETE_OLDEST_OF_STRANGERS, MOST_OF_STRANGERS)?;
    }
    tx.commit().await?;
    Ok((format!("{}?kept={id}", request.path()), true))
}

/// Deletes up to so many forms that are not kept any longer.
pub async fn delete_expired(tx: &mut Tx, now: Moment, most: i64) -> sqlx::Result<u64> {
    const SQL: &str = "delete from kept_forms where id in (select id from kept_forms where expires_at <= $1 limit $2)";
    execute!(tx, SQL, now, most)
}

/// The fields without passwords and codes.
fn without_secrets(typed: &[u8]) -> String {
    let is_secret = |name: &str| name.contains("password") || name == "code";
    let fields = url::form_urlencoded::parse(typed).filter(|(name, _)| !is_secret(name));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The fields of a form that is shown: as they were kept, or else from the query parameters.
pub struct Typed<T>(pub T);

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    kept: String,
}

impl<T: DeserializeOwned + 'static> FromRequest for Typed<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let reference = Arguments::<Reference>::from_request(&request, payload).into_inner();
        Box::pin(async move {
            if let Ok(Arguments(Reference { kept })) = reference
                && let Ok(id) = kept.parse()
                && let Some(fields) = find(&request, id).await?
            {
                return form::read(&fields).map(Typed);
            }
            form::read(request.query_string().as_bytes()).map(Typed)
        })
    }
}

/// The fields of a kept form, if this browser sent them from this page.
async fn find(request: &HttpRequest, id: Uuid) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "
        select sealed from kept_forms where id = $1 and browser_digest = $2 and expires_at > $3";
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| Error::Internal("no state".to_owned()))?;
    let Some(browser) = BrowserCookie::sent(request, &state.base_url) else { return Ok(None) };
    let binds = vec![Bind::Id(id), browser.digest().into(), Bind::Moment(clock::now())];
    let mut tx = state.db.read().await?;
    let sealed: Option<Vec<u8>> = Statement::new(SQL, binds).fetch_values(&mut tx).await?.pop();
    let form = sealed.and_then(|sealed| browser.sealing_key().open(&id.to_string(), &sealed));
    Ok(form.and_then(|form| {
        let fields = form.strip_prefix(request.path().as_bytes())?.strip_prefix(b"\n")?;
        Some(fields.to_owned())
    }))
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn passwords_and_codes_are_not_kept() {
        let typed =
            b"title=A+b&old_password=x&new_password=y&password=z&code=123456&form_token=t&ids%5B%5D=1&ids%5B%5D=2";
        assert_eq!(without_secrets(typed), "title=A+b&form_token=t&ids%5B%5D=1&ids%5B%5D=2");
        assert_eq!(without_secrets(b"password=z"), "");
    }
}

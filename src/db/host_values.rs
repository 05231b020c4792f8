//! Values that all processes on one database share (table `host_values`).

use url::Url;

use crate::db::{Bind, Statement, Tx, execute};

/// A value that all processes share. The first one that asks for it stores `new`.
pub async fn shared_value(tx: &mut Tx, name: &str, new: Vec<u8>) -> sqlx::Result<Vec<u8>> {
    const INSERT: &str = "insert into host_values (name, value) values ($1, $2) on conflict (name) do nothing";
    const SQL: &str = "select value from host_values where name = $1";
    execute!(tx, INSERT, name, new)?;
    Statement::new(SQL, vec![Bind::Text(name.to_owned())]).fetch_value(tx).await
}

/// A shared value, if it is stored.
pub async fn find_value(tx: &mut Tx, name: &str) -> sqlx::Result<Option<Vec<u8>>> {
    const SQL: &str = "select value from host_values where name = $1";
    Ok(Statement::new(SQL, vec![Bind::Text(name.to_owned())]).fetch_values(tx).await?.pop())
}

/// The name under which the base URL is stored.
const BASE_URL: &str = "base_url";

/// Stores the base URL of the server, for commands that print links.
pub async fn store_base_url(tx: &mut Tx, base_url: &Url) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into host_values (name, value) values ($1, $2)
        on conflict (name) do update set value = excluded.value";
    execute!(tx, SQL, BASE_URL, base_url.as_str().as_bytes()).map(drop)
}

/// The name under which it is stored that the server sends mail.
pub const SENDS_MAIL: &str = "sends_mail";

/// Stores whether the server sends mail: whoever writes a mail, a command too, asks for it.
pub async fn store_sends_mail(tx: &mut Tx, sends_mail: bool) -> sqlx::Result<()> {
    const SQL: &str = "insert into host_values (name, value) values ($1, $2) on conflict (name) do nothing";
    match sends_mail {
        true => execute!(tx, SQL, SENDS_MAIL, Vec::<u8>::new()).map(drop),
        false => execute!(tx, "delete from host_values where name = $1", SENDS_MAIL).map(drop),
    }
}

/// True if the server that was started last sends mail.
pub async fn sends_mail(tx: &mut Tx) -> sqlx::Result<bool> {
    Ok(find_value(tx, SENDS_MAIL).await?.is_some())
}

/// The base URL that was stored last.
pub async fn stored_base_url(tx: &mut Tx) -> sqlx::Result<Option<Url>> {
    let stored = find_value(tx, BASE_URL).await?;
    Ok(stored.and_then(|url| Url::parse(std::str::from_utf8(&url).ok()?).ok()))
}

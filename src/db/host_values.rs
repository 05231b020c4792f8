//! Values that all processes on one database share (table `host_values`).

use url::Url;

use crate::db::{Bind, Statement, Tx, execute};

/// A value that all copies of the program share: the first to ask makes it.
pub async fn shared_value(tx: &mut Tx, name: &str, new: Vec<u8>) -> sqlx::Result<Vec<u8>> {
    const KEEP: &str = "insert into host_values (name, value) values ($1, $2) on conflict (name) do nothing";
    const SQL: &str = "select value from host_values where name = $1";
    execute!(tx, sqlx::query(KEEP).bind(name).bind(new))?;
    Statement::new(SQL, vec![Bind::Text(name.to_owned())]).fetch_value(tx).await
}

/// A shared value, if there is one.
pub async fn find_value(tx: &mut Tx, name: &str) -> sqlx::Result<Option<Vec<u8>>> {
    const SQL: &str = "select value from host_values where name = $1";
    Ok(Statement::new(SQL, vec![Bind::Text(name.to_owned())]).fetch_values(tx).await?.pop())
}

/// Where the database keeps the address of the server, so that commands know it.
const BASE_URL: &str = "base_url";

/// Keeps the base URL that is served, for commands that make links.
pub async fn keep_base_url(tx: &mut Tx, base_url: &Url) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into host_values (name, value) values ($1, $2)
        on conflict (name) do update set value = excluded.value";
    execute!(tx, sqlx::query(SQL).bind(BASE_URL).bind(base_url.as_str().as_bytes())).map(drop)
}

/// The base URL that was served last.
pub async fn kept_base_url(tx: &mut Tx) -> sqlx::Result<Option<Url>> {
    let kept = find_value(tx, BASE_URL).await?;
    Ok(kept.and_then(|kept| Url::parse(std::str::from_utf8(&kept).ok()?).ok()))
}

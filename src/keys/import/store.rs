//! Imported keys in the database.

use std::collections::HashMap;

use crate::{
    base::{
        clock::Moment,
        ids::{ApiKeyId, UserId},
        secret::{self, Digest},
    },
    db::{Bind, Statement, Tx, execute, folded, impl_from_row},
    keys::{KeyDigest, import::file::Line},
};

/// Keys that one query looks up.
const STEP: usize = 128;

/// A key that is stored already.
pub struct Known {
    digest: KeyDigest,
    pub user: UserId,
    pub email: String,
    pub title: String,
    pub is_withdrawn: bool,
    pub is_imported: bool,
}

impl_from_row!(Known, row => Known {
    digest: row.try_get("digest")?,
    user: row.try_get("user_id")?,
    email: row.try_get("email")?,
    title: row.try_get("title")?,
    is_withdrawn: row.try_get::<Option<Moment>>("withdrawn_at")?.is_some(),
    is_imported: row.try_get("imported")?,
});

/// The keys that are stored of these.
pub async fn known<'a>(
    tx: &mut Tx,
    digests: impl Iterator<Item = &'a KeyDigest>,
) -> sqlx::Result<HashMap<KeyDigest, Known>> {
    let digests: Vec<&KeyDigest> = digests.collect();
    let mut known = HashMap::new();
    for step in digests.chunks(STEP) {
        const SQL: &str = "
            select k.digest, k.user_id, u.email, k.title, k.withdrawn_at, k.imported
            from api_keys k join users u on u.id = k.user_id where k.digest in ";
        let mut select = Statement::new(SQL, Vec::new());
        let step = select.bind_all(step.iter().map(|digest| Bind::Bytes(digest.0.clone())));
        select.push(&format!("({step})"));
        let found = select.fetch_all::<Known>(tx).await?;
        known.extend(found.into_iter().map(|key| (key.digest.clone(), key)));
    }
    Ok(known)
}

/// Stores an imported key.
pub async fn insert(
    tx: &mut Tx,
    id: ApiKeyId,
    user: UserId,
    line: &Line,
    expires_at: Option<Moment>,
    now: Moment,
) -> sqlx::Result<()> {
    const SQL: &str = "
        insert into api_keys
            (id, user_id, title, sort_title, digest, tail, form_digest, all_properties, read_only, manage_users, expires_at,
            created_at, imported)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, true)";
    const LIMIT: &str = "
        insert into api_key_properties (key_id, property_id) select $1, p.id from properties p where p.id in ";
    let no_form = Digest::of(&secret::random());
    let all_properties = line.properties.is_none();
    execute!(
        tx,
        SQL,
        id,
        user,
        &line.title,
        folded(&line.title).into_bytes(),
        &line.digest,
        &line.tail,
        no_form,
        all_properties,
        line.read_only,
        // The access of its user, as far as the line does not restrict it.
        all_properties && !line.read_only,
        expires_at,
        now
    )?;
    if let Some(properties) = &line.properties {
        let mut limit = Statement::new(LIMIT, vec![Bind::Id(id.0)]);
        let ids = limit.bind_ids(tx.is_postgres(), properties.iter().map(|id| id.0));
        limit.push(&ids);
        limit.execute(tx).await?;
    }
    Ok(())
}

//! Importing the keys of another system, which their programs go on sending as they are: a file has their hashes. All of
//! it or nothing is imported.

pub mod file; // what a file says
mod store; // SQL

use std::collections::{BTreeMap, HashMap};

use chrono::Duration;
use serde_json::json;

use crate::{
    access::caller::Caller,
    base::{
        clock::Moment,
        ids::{ApiKeyId, UserId},
    },
    db::{Db, Tx},
    hotel::properties::search,
    keys::{
        KeyDigest,
        import::file::{Line, Problem},
    },
    people::users,
    record::{
        activity::Kind,
        by::{By, Change},
        origin::Origin,
    },
};

/// Random bits of a key from which on nobody can guess it.
pub const ENOUGH_BITS: u32 = 128;

/// When keys end that may have fewer.
const WEAK_KEYS_END_AFTER: Duration = Duration::days(90);

/// What became of a file.
pub enum Outcome {
    /// How many keys of how many users; and when they end at the latest, if they may be weak.
    Imported { keys: usize, users: usize, end: Option<Moment> },
    /// All its keys, this many, were imported before.
    Unchanged(usize),
    /// Nothing was imported.
    Refused(Vec<Problem>),
}

/// Imports a file. `random_bits` is how many random bits each key has at least, if the host knows. A user may have
/// `max_keys` active keys.
pub async fn import(
    db: &Db,
    file: &[u8],
    random_bits: Option<u32>,
    max_keys: i64,
    now: Moment,
) -> sqlx::Result<Outcome> {
    let (lines, mut problems) = file::read(file);
    let mut tx = db.write().await?;
    let users = users_of(&mut tx, &lines).await?;
    let known = store::known(&mut tx, lines.iter().map(|line| &line.digest)).await?;
    let is_repeated = |line: &Line| {
        let known = known.get(&line.digest).filter(|key| key.is_imported);
        known.is_some_and(|key| users.get(&line.email.key) == Some(&key.user))
    };
    if problems.is_empty() && lines.iter().all(is_repeated) {
        return Ok(Outcome::Unchanged(lines.len()));
    }
    problems.extend(unknown_users(&lines, &users));
    problems.extend(repeated_keys(&lines, &known));
    problems.extend(past_ends(&lines, now));
    problems.extend(foreign_properties(&mut tx, &lines, &users).await?);
    problems.extend(too_many_keys(&mut tx, &lines, &users, max_keys, now).await?);
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.line);
        return Ok(Outcome::Refused(problems));
    }
    let end = (random_bits.unwrap_or_default() < ENOUGH_BITS).then(|| now + WEAK_KEYS_END_AFTER);
    for line in &lines {
        let Some(user) = users.get(&line.email.key) else { continue };
        let id = ApiKeyId::new();
        let expires_at = line.expires_at.into_iter().chain(end).min();
        store::insert(&mut tx, id, *user, line, expires_at, now).await?;
        let details = json!({ "title": line.title, "imported": true, "expires_at": expires_at });
        let change = Change { kind: Kind::KeyCreated, subject: id.0, concerns: Some(*user), details };
        By::command(&Origin::default()).put(&mut tx, change, now).await?;
    }
    // Every process must learn that there are imported keys (`CredentialCache::has_imported`).
    tx.revoke_cached_access().await?;
    tx.commit().await?;
    Ok(Outcome::Imported { keys: lines.len(), users: users.len(), end })
}

/// The users of a file by the keys of their addresses, locked in order.
async fn users_of(tx: &mut Tx, lines: &[Line]) -> sqlx::Result<HashMap<String, UserId>> {
    let mut users = HashMap::new();
    for line in lines {
        if !users.contains_key(&line.email.key)
            && let Some(user) = users::store::by_email(tx, &line.email).await?
        {
            users.insert(line.email.key.clone(), user.id);
        }
    }
    let mut ids: Vec<UserId> = users.values().copied().collect();
    ids.sort_unstable();
    for id in ids {
        users::store::lock_user(tx, id).await?;
    }
    Ok(users)
}

fn unknown_users(lines: &[Line], users: &HashMap<String, UserId>) -> Vec<Problem> {
    let unknown = lines.iter().filter(|line| !users.contains_key(&line.email.key));
    let problem = |line: &Line| {
        let email = &line.email.text;
        line.problem("email", format!("There is no user {email}. Correct it, or run: latchkey user invite {email}"))
    };
    unknown.map(problem).collect()
}

fn repeated_keys(lines: &[Line], known: &HashMap<KeyDigest, store::Known>) -> Vec<Problem> {
    let mut first: HashMap<&[u8], u64> = HashMap::new();
    let mut problems = Vec::new();
    for line in lines {
        let earlier = *first.entry(&line.digest.0).or_insert(line.number);
        if earlier != line.number {
            problems.push(line.problem("sha256", format!("The same key as in line {earlier}. Remove one of them.")));
        } else if let Some(key) = known.get(&line.digest) {
            let state = if key.is_withdrawn { ", withdrawn" } else { "" };
            let text = format!("This key is here already: “{}” of {}{state}. Remove the line.", key.title, key.email);
            problems.push(line.problem("sha256", text));
        }
    }
    problems
}

fn past_ends(lines: &[Line], now: Moment) -> Vec<Problem> {
    let past = lines.iter().filter(|line| line.expires_at.is_some_and(|end| end <= now));
    let text = "This is over. Enter an end that is to come, or remove the line.";
    past.map(|line| line.problem("expires_at", text.to_owned())).collect()
}

async fn foreign_properties(
    tx: &mut Tx,
    lines: &[Line],
    users: &HashMap<String, UserId>,
) -> sqlx::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for line in lines {
        let (Some(wanted), Some(user)) = (&line.properties, users.get(&line.email.key)) else { continue };
        let found = search::among(tx, &Caller::person(*user), wanted).await?;
        if let Some(missing) = wanted.iter().find(|id| !found.iter().any(|brief| brief.id == **id)) {
            let text = format!("{} has no property with the ID {missing}. Correct it, or remove it.", line.email.text);
            problems.push(line.problem("property_ids", text));
        }
    }
    Ok(problems)
}

/// The first line of each user that is one too many.
async fn too_many_keys(
    tx: &mut Tx,
    lines: &[Line],
    users: &HashMap<String, UserId>,
    max_keys: i64,
    now: Moment,
) -> sqlx::Result<Vec<Problem>> {
    let mut of_users: BTreeMap<UserId, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        if let Some(user) = users.get(&line.email.key) {
            of_users.entry(*user).or_default().push(line);
        }
    }
    let mut problems = Vec::new();
    for (user, lines) in of_users {
        let active = crate::keys::store::count_active(tx, user, now).await?;
        let free = usize::try_from(max_keys - active).unwrap_or_default();
        if let Some(line) = lines.get(free) {
            let text = format!(
                "{} would have {} active keys, and may have {max_keys} (LATCHKEY_MAX_KEYS). Remove lines, or raise the \
                 limit for this command with --max-keys.",
                line.email.text,
                active + i64::try_from(lines.len()).unwrap_or(i64::MAX),
            );
            problems.push(line.problem("email", text));
        }
    }
    Ok(problems)
}

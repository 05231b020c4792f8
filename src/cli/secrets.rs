//! `latchkey secrets`: checks and rotates the keys with which secrets in the database are encrypted.

use clap::Subcommand;
use uuid::Uuid;

use crate::{
    base::{
        clock,
        ids::UserId,
        secret_keys::{self, CannotOpen, SecretKeys},
        settings::Settings,
    },
    cli::{Outcome, database_error},
    db::Db,
    people::second_factor::{processes, store},
    web::page::counted,
};

/// Secrets that are encrypted anew in one transaction.
const STEP: i64 = 100;

#[derive(Subcommand)]
pub enum Command {
    /// Check that every secret in the database can be decrypted
    Check,
    /// Encrypt all secrets with a new key. May be repeated after an interruption
    Rotate,
}

/// `latchkey secrets …`
pub async fn run(settings: &Settings, db: &Db, command: Command) -> Outcome {
    let keys = SecretKeys::of(settings)?;
    match command {
        Command::Check => check(db, &keys).await,
        Command::Rotate => rotate(db, &keys).await,
    }
}

async fn check(db: &Db, keys: &SecretKeys) -> Outcome {
    let mut tx = db.read().await.map_err(database_error)?;
    let in_use = store::keys_in_use(&mut tx).await.map_err(database_error)?;
    drop(tx);
    let mut found = match keys.known().is_empty() {
        true => format!("No secret keys in {}.", keys.place()),
        false => format!("Secret keys in {}, of which the first one encrypts:", keys.place()),
    };
    for key in keys.known().iter() {
        let secrets = in_use.iter().find(|(id, _)| *id == key.id).map_or(0, |(_, secrets)| *secrets);
        found = format!("{found}\n{}\t{}", key.id, counted(secrets, "secret", "secrets"));
    }
    let (mut good, mut bad, mut last) = (0_i64, Vec::new(), UserId(Uuid::nil()));
    loop {
        let mut tx = db.read().await.map_err(database_error)?;
        let some = store::after(&mut tx, last, STEP).await.map_err(database_error)?;
        drop(tx);
        let Some(end) = some.last() else { break };
        last = end.user_id;
        for stored in &some {
            match keys.open(&stored.key_id, &store::place(stored.user_id), &stored.sealed) {
                Ok(_) => good += 1,
                Err(why) => bad.push(cannot_open(stored.user_id, &why)),
            }
        }
    }
    if !bad.is_empty() {
        return Err(format!("{found}\n{}", bad.join("\n")));
    }
    println!("{found}");
    println!("All of them can be decrypted: {}.", counted(good, "secret", "secrets"));
    Ok(())
}

fn cannot_open(user: UserId, why: &CannotOpen) -> String {
    format!("The secret for one-time codes of user {user} cannot be decrypted: {why}.")
}

async fn rotate(db: &Db, keys: &SecretKeys) -> Outcome {
    let mut tx = db.read().await.map_err(database_error)?;
    let in_use = store::keys_in_use(&mut tx).await.map_err(database_error)?;
    drop(tx);
    let first = || keys.known().first().map(|key| key.id.clone());
    // Otherwise a rotation was begun, and is continued.
    let is_done = first().is_none_or(|first| in_use.iter().all(|(id, _)| *id == first));
    if is_done && keys.are_own() {
        keys.add_first()?;
    } else if is_done {
        println!("Put this line before all others into {}, for every process, and restart them:", keys.place());
        println!("{}", secret_keys::new_line());
        println!("Then run this command again.");
        return Ok(());
    }
    let Some(new) = first() else { return Err(format!("There are no secret keys in {}.", keys.place())) };
    let mut tx = db.read().await.map_err(database_error)?;
    let without = processes::without_key(&mut tx, &new, clock::now()).await.map_err(database_error)?;
    drop(tx);
    if without > 0 {
        return Err(format!(
            "{without} running processes do not encrypt with the key {new} yet. Put its line before all others in their secret \
             keys, restart those that have them in {}, and run this command again. (One that was killed counts for \
             another minute.)",
            secret_keys::VARIABLE
        ));
    }
    let sealed = reseal(db, keys, &new).await?;
    log::info!("secrets rotate: encrypted {sealed} secrets with the key {new}");
    println!("Encrypted {} with the key {new}.", counted(sealed, "secret", "secrets"));
    let mut tx = db.read().await.map_err(database_error)?;
    let in_use = store::keys_in_use(&mut tx).await.map_err(database_error)?;
    drop(tx);
    if in_use.iter().any(|(id, _)| *id != new) {
        return Err("Others were stored meanwhile: run this command again.".to_owned());
    }
    let old: Vec<String> = keys.known().iter().skip(1).map(|key| key.id.clone()).collect();
    if !old.is_empty() {
        println!(
            "Once no backup that needs them is kept, these keys can be removed from {}: {}. Run `latchkey secrets check` \
             before and after.",
            keys.place(),
            old.join(", ")
        );
    }
    Ok(())
}

/// Encrypts every secret anew that is not encrypted with this key.
async fn reseal(db: &Db, keys: &SecretKeys, new: &str) -> Result<i64, String> {
    let (mut sealed, mut last) = (0, UserId(Uuid::nil()));
    loop {
        let mut tx = db.write().await.map_err(database_error)?;
        let some = store::after(&mut tx, last, STEP).await.map_err(database_error)?;
        let Some(end) = some.last() else { return Ok(sealed) };
        last = end.user_id;
        for stored in some.iter().filter(|stored| stored.key_id != new) {
            let place = store::place(stored.user_id);
            let value =
                keys.open(&stored.key_id, &place, &stored.sealed).map_err(|why| cannot_open(stored.user_id, &why))?;
            let (key, value) = keys.seal(&place, &value)?;
            store::reseal(&mut tx, stored, &key, &value).await.map_err(database_error)?;
            sealed += 1;
        }
        tx.commit().await.map_err(database_error)?;
    }
}

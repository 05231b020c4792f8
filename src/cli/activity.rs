//! `latchkey activity`: lists what happened to accounts.

use std::io::{self, BufWriter, Write};

use chrono::{NaiveDate, NaiveTime, SecondsFormat};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    base::clock::Moment,
    cli::{Outcome, database_error, find, formatted},
    db::Db,
    people::users::Email,
    record::{
        activity::Kind,
        csv,
        entries::{self, Filter, Recorded},
        sentence::{by, sentence},
    },
};

/// Entries that are read at once.
const STEP: i64 = 1_000;

#[derive(Subcommand)]
pub enum Command {
    /// List what happened, newest first: time, kind, account, actor, subject, address and client
    List {
        /// Only what concerns the user with this email address
        email: Option<Email>,
        /// Only this kind
        #[arg(long, value_parser = kinds())]
        kind: Option<Kind>,
        /// Only from this day (UTC) on
        #[arg(long, value_name = "DATE", value_parser = day)]
        since: Option<Moment>,
        /// Print CSV with a header line
        #[arg(long)]
        csv: bool,
    },
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.name()))
        .try_map(|name| Kind::from_name(&name).ok_or("not a kind"))
}

/// Parses a day: its beginning.
fn day(text: &str) -> Result<Moment, String> {
    let day = text.parse::<NaiveDate>().map_err(|_| "not a date such as 2026-12-31".to_owned())?;
    Ok(day.and_time(NaiveTime::MIN).and_utc())
}

/// `latchkey activity …`
pub async fn run(db: &Db, command: Command) -> Outcome {
    let Command::List { email, kind, since, csv } = command;
    let user = match email {
        Some(email) => Some(find(&mut db.read().await.map_err(database_error)?, &email).await?.id),
        None => None,
    };
    let filter = Filter { user, kind, from: since, before: None };
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = print(db, &filter, csv, &mut out).await?;
    match printed.and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("Cannot print: {error}.")),
        _ => Ok(()),
    }
}

/// Prints all entries, step by step. The inner result is that of printing.
async fn print(db: &Db, filter: &Filter, csv: bool, out: &mut impl Write) -> Result<io::Result<()>, String> {
    let mut after = None;
    if csv && let Err(error) = out.write_all(HEADER) {
        return Ok(Err(error));
    }
    loop {
        let mut tx = db.read().await.map_err(database_error)?;
        let found = entries::read(&mut tx, filter, after, STEP, 0).await.map_err(database_error)?;
        drop(tx);
        if found.is_empty() && after.is_none() && !csv {
            return Ok(writeln!(out, "No activity."));
        }
        for entry in &found {
            let line = if csv { csv_line(entry) } else { line(entry) };
            if let Err(error) = out.write_all(line.as_bytes()) {
                return Ok(Err(error));
            }
        }
        match found.last() {
            Some(last) if found.len() == STEP as usize => after = Some(last.id),
            _ => return Ok(Ok(())),
        }
    }
}

/// An entry as a line of text, with tabs between its parts.
fn line(entry: &Recorded) -> String {
    let kind = match entry.count {
        1 => entry.kind.clone(),
        count => format!("{} ({count})", entry.kind),
    };
    let parts = [
        &*formatted(entry.at),
        &kind,
        entry.email.as_deref().unwrap_or_default(),
        &entry.actor,
        entry.subject(),
        entry.address.as_deref().unwrap_or_default(),
        entry.client.as_deref().unwrap_or_default(),
    ];
    // A title must not begin another line or command the terminal.
    let parts = parts.map(|part| part.replace(char::is_control, " "));
    format!("{}\n", parts.join("\t").trim_end())
}

const HEADER: &[u8] = b"time,kind,count,account,actor,by,subject,what,address,client\r\n";

fn csv_line(entry: &Recorded) -> String {
    let mut line = String::new();
    let cells = [
        &*entry.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        &entry.kind,
        &entry.count.to_string(),
        entry.email.as_deref().unwrap_or_default(),
        &entry.actor,
        &by(entry, None, "the host").to_string(),
        entry.subject(),
        &sentence(entry, None).to_string(),
        entry.address.as_deref().unwrap_or_default(),
        entry.client.as_deref().unwrap_or_default(),
    ];
    csv::write_line(&mut line, cells);
    line
}

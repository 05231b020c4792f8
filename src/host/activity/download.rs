//! The record of the signed-in user as CSV, read and sent in steps.

use actix_web::{HttpResponse, http::header, web::Data};
use chrono::SecondsFormat;
use chrono_tz::Tz;
use uuid::Uuid;

use crate::{
    access::signed_in::SignedIn,
    base::{error::Result, ids::UserId},
    db::Db,
    host::activity::{
        filter::{FilterForm, Query},
        respond,
    },
    record::{
        csv,
        entries::{self, Filter, Recorded},
        sentence::{by, sentence},
    },
    resource::steps::{self, Steps},
    web::{form::Arguments, state::AppState},
};

/// Entries of one step.
const STEP: i64 = 1_000;

const HEADER: [&str; 7] = ["time", "kind", "what", "by", "address", "client", "count"];

struct Download {
    db: Db,
    filter: Filter,
    viewer: UserId,
    host: String,
    zone: Tz,
    after: Option<Uuid>,
}

/// GET /user_profile/activity.csv
pub async fn download(state: Data<AppState>, person: SignedIn, query: Arguments<Query>) -> Result<HttpResponse> {
    let (user, zone) = (person.user.id, person.user.zone());
    let (form, filter) = FilterForm::read(query.0, user, zone);
    let Some(filter) = filter else { return respond(&state, &person, form.into()).await };
    let host = state.settings.host_name.clone();
    let download = Download { db: state.db.clone(), filter, viewer: user, host, zone, after: None };
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/csv; charset=utf-8");
    answer.insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"activity.csv\""));
    steps::respond(answer, download).await
}

impl Download {
    fn write(&self, entry: &Recorded, text: &mut String) {
        let viewer = Some(self.viewer);
        let cells = [
            &*entry.at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, true),
            &entry.kind,
            &sentence(entry, viewer).to_string(),
            &by(entry, viewer, &self.host).to_string(),
            entry.address.as_deref().unwrap_or_default(),
            entry.client.as_deref().unwrap_or_default(),
            &entry.count.to_string(),
        ];
        csv::write_line(text, cells);
    }
}

impl Steps for Download {
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        let mut tx = self.db.read().await?;
        let found = entries::read(&mut tx, &self.filter, self.after, STEP, 0).await?;
        drop(tx);
        let mut lines = String::new();
        if self.after.is_none() {
            csv::write_line(&mut lines, HEADER);
        }
        for entry in &found {
            self.write(entry, &mut lines);
        }
        text.extend_from_slice(lines.as_bytes());
        self.after = found.last().map(|entry| entry.id);
        Ok(found.len() as i64 == STEP)
    }
}

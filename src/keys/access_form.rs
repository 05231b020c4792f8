//! What a key may do: which properties it reaches, and whether it may write. Chosen in a form when the key is made.

use serde::Deserialize;

use crate::{
    access::caller::Caller,
    base::ids::PropertyId,
    db::Tx,
    hotel::properties::search::{self, Brief, MOST_IDS},
    keys::{
        ApiKey,
        scope::{KeyScope, Limits},
        store,
    },
};

/// Properties that the form offers to tick; of further ones the ids are typed.
pub const MOST_OFFERED: i64 = 200;

/// Ids that a problem names at most.
const MOST_NAMED: usize = 3;

/// The fields of the form, as they were sent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// `all` or `chosen`; a form without it asks for all.
    #[serde(default)]
    access: String,
    #[serde(default, rename = "properties[]")]
    properties: Vec<String>,
    /// Ids that were typed, one a line.
    #[serde(default)]
    further: String,
    #[serde(default)]
    read_only: String,
    /// A form without it asks for a key that may not.
    #[serde(default)]
    manage_users: String,
    /// Not everything came through a sign-in; see `web::page::Resume`.
    #[serde(default)]
    left_out: String,
}

impl Typed {
    /// The form of a key with these limits.
    pub fn of(limits: &Limits) -> Self {
        let chosen = limits.properties.as_deref();
        Typed {
            access: if chosen.is_some() { "chosen" } else { "all" }.to_owned(),
            properties: chosen.unwrap_or_default().iter().map(ToString::to_string).collect(),
            read_only: if limits.read_only { "on" } else { "" }.to_owned(),
            manage_users: if limits.manage_users { "on" } else { "" }.to_owned(),
            ..Typed::default()
        }
    }

    /// As the dialog opens: a key has its user's powers. Fields that come back through a sign-in stay as they were.
    pub fn opened(mut self) -> Self {
        if self.access.is_empty() {
            "on".clone_into(&mut self.manage_users);
        }
        self
    }

    /// True where the right to manage users was asked for together with what rules it out.
    pub fn asks_in_vain(&self, limits: &Limits) -> bool {
        !self.manage_users.is_empty() && !limits.manage_users
    }

    fn entries(&self) -> impl Iterator<Item = &str> {
        let typed = self.further.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty());
        self.properties.iter().map(String::as_str).chain(typed)
    }

    /// The limits that are asked for, or the reason why they will not do.
    pub fn read(&self) -> Result<Limits, String> {
        let read_only = !self.read_only.is_empty();
        let any = self.entries().next().is_some();
        match self.access.as_str() {
            "" | "all" if any => {
                let problem = "Properties are selected below, but “All properties” is chosen. Choose “Selected \
                    properties” for a key limited to these, or select none.";
                return Err(problem.to_owned());
            }
            "" | "all" => {
                let manage_users = !read_only && !self.manage_users.is_empty();
                return Ok(Limits { properties: None, read_only, manage_users });
            }
            "chosen" if !any => {
                return Err("Select at least one property, or choose “All properties”.".to_owned());
            }
            "chosen" => {}
            _ => return Err("Choose “All properties” or “Selected properties”.".to_owned()),
        }
        let (mut ids, mut wrong) = (Vec::new(), Vec::new());
        for entry in self.entries() {
            match entry.parse::<PropertyId>() {
                Ok(id) => ids.push(id),
                Err(_) => wrong.push(entry),
            }
        }
        if !wrong.is_empty() {
            return Err(not_yours(&wrong));
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > MOST_IDS {
            return Err(format!("Select at most {MOST_IDS} properties (you selected {}).", ids.len()));
        }
        Ok(Limits { properties: Some(ids), read_only, manage_users: false })
    }
}

/// The form's error message if the user cannot see every selected property.
pub async fn refusal(tx: &mut Tx, caller: &Caller, limits: &Limits) -> sqlx::Result<Option<String>> {
    let Some(wanted) = &limits.properties else { return Ok(None) };
    let found = search::among(tx, caller, wanted).await?;
    let missing: Vec<String> =
        wanted.iter().filter(|id| !found.iter().any(|brief| brief.id == **id)).map(ToString::to_string).collect();
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    Ok(if missing.is_empty() { None } else { Some(not_yours(&missing)) })
}

fn not_yours(ids: &[&str]) -> String {
    let short = |id: &&str| match id.chars().count() {
        0..=40 => format!("“{id}”"),
        _ => format!("“{}…”", id.chars().take(40).collect::<String>()),
    };
    let named: Vec<String> = ids.iter().take(MOST_NAMED).map(short).collect();
    let more = ids.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "You have no property with the ID {}{more}. The Properties page shows the IDs of your properties.",
        named.join(", ")
    )
}

/// The part "Access" of the form, ready to be shown.
pub struct AccessFields {
    pub chosen: bool,
    pub read_only: bool,
    pub manage_users: bool,
    pub offers: Vec<Offer>,
    /// How many properties the user reaches.
    pub total: i64,
    /// Not all of them are offered.
    pub is_cut: bool,
    pub further: String,
    pub problem: Option<String>,
}

/// A property to tick.
pub struct Offer {
    pub id: String,
    pub title: String,
    pub city: String,
    pub ticked: bool,
}

impl AccessFields {
    /// The fields as they were sent, around what the user reaches now. What is ticked is always offered.
    pub async fn new(tx: &mut Tx, caller: &Caller, typed: Typed, problem: Option<String>) -> sqlx::Result<Self> {
        let ticked: Vec<PropertyId> = typed.properties.iter().filter_map(|id| id.parse().ok()).collect();
        let (mut offered, total) = search::first(tx, caller, MOST_OFFERED).await?;
        let further: Vec<PropertyId> =
            ticked.iter().filter(|id| !offered.iter().any(|brief| brief.id == **id)).copied().collect();
        offered.extend(search::among(tx, caller, &further).await?);
        let left_out = (!typed.left_out.is_empty())
            .then(|| "Part of your selection was lost when you signed in. Please check it.".to_owned());
        Ok(AccessFields {
            chosen: typed.access == "chosen",
            read_only: !typed.read_only.is_empty(),
            manage_users: !typed.manage_users.is_empty(),
            is_cut: total > MOST_OFFERED,
            total,
            further: typed.further,
            problem: problem.or(left_out),
            offers: offered.into_iter().map(|brief| Offer::new(brief, &ticked)).collect(),
        })
    }

    /// The list is in sight also while "All properties" is ticked.
    pub fn is_shown(&self) -> bool {
        self.problem.is_some() || !self.further.is_empty()
    }
}

impl Offer {
    fn new(brief: Brief, ticked: &[PropertyId]) -> Self {
        Offer {
            ticked: ticked.contains(&brief.id),
            id: brief.id.to_string(),
            title: brief.title,
            city: brief.city.unwrap_or_default(),
        }
    }
}

/// The limits of a kept key.
pub async fn of_key(tx: &mut Tx, key: &ApiKey) -> sqlx::Result<Limits> {
    let properties = match key.scope {
        KeyScope::All => None,
        KeyScope::Chosen(_) => Some(store::properties_of(tx, key.id).await?),
    };
    Ok(Limits { properties, read_only: key.read_only, manage_users: key.manage_users })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(access: &str, properties: &[&str], further: &str) -> Result<Limits, String> {
        let properties = properties.iter().map(|id| (*id).to_owned()).collect();
        Typed { access: access.to_owned(), properties, further: further.to_owned(), ..Typed::default() }.read()
    }

    #[test]
    fn a_choice_is_read_once_and_its_contradictions_are_refused() {
        let (one, two) = (PropertyId::new(), PropertyId::new());
        let (first, second) = (one.to_string(), two.to_string());
        assert_eq!(typed("", &[], " \n"), Ok(Limits::default()));
        let both = typed("chosen", &[&first, &first], &format!("{second}\r\n {first},")).expect("two ids");
        assert_eq!(both.properties, Some(vec![one, two]));
        assert!(typed("chosen", &[], "\r\n").is_err_and(|problem| problem.contains("at least one")));
        assert!(typed("all", &[&first], "").is_err_and(|problem| problem.contains("All properties")));
        assert!(typed("none", &[], "").is_err());
        let wrong = typed("chosen", &["a", "b"], "c\nd").expect_err("no ids");
        assert!(wrong.contains("“a”, “b”, “c” and 1 more"), "{wrong}");
        let many: String = (0..=MOST_IDS).map(|_| format!("{}\n", PropertyId::new())).collect();
        assert!(typed("chosen", &[], &many).is_err_and(|problem| problem.contains("at most 1000")));
    }
}

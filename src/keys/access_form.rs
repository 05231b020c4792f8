//! The part "Access" of the form that creates a key.

use serde::Deserialize;

use crate::{
    access::caller::Caller,
    base::ids::PropertyId,
    db::Tx,
    hotel::properties::search::{self, Brief, MOST_IDS},
    keys::{
        ApiKey,
        scope::{KeyAccess, KeyScope},
        store,
    },
};

/// Properties that the form lists; ids of others are entered as text.
pub const MOST_OFFERED: i64 = 500;

/// Maximum number of ids in an error message.
const MOST_NAMED: usize = 3;

/// The fields, as they were sent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AccessForm {
    /// `all` or `chosen`; without it, all.
    #[serde(default)]
    access: String,
    #[serde(default, rename = "properties[]")]
    properties: Vec<String>,
    /// Ids that were entered, one per line.
    #[serde(default)]
    further: String,
    #[serde(default)]
    read_only: String,
    /// Without it the key may not manage users.
    #[serde(default)]
    manage_users: String,
}

impl AccessForm {
    /// The initial form: "May manage users" is ticked, unless the fields come back through a sign-in.
    pub fn opened(mut self) -> Self {
        if self.access.is_empty() {
            "on".clone_into(&mut self.manage_users);
        }
        self
    }

    /// True if "May manage users" was ticked together with an option that rules it out.
    pub fn loses_manage_users(&self, access: &KeyAccess) -> bool {
        !self.manage_users.is_empty() && !access.manage_users
    }

    fn entries(&self) -> impl Iterator<Item = &str> {
        let entered = self.further.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty());
        self.properties.iter().map(String::as_str).chain(entered)
    }

    /// Validates the fields.
    ///
    /// # Errors
    /// The error message for the form.
    pub fn read(&self) -> Result<KeyAccess, String> {
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
                return Ok(KeyAccess { properties: None, read_only, manage_users });
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
        Ok(KeyAccess { properties: Some(ids), read_only, manage_users: false })
    }
}

/// The error message for the form if the user cannot see every selected property.
pub async fn problem(tx: &mut Tx, caller: &Caller, access: &KeyAccess) -> sqlx::Result<Option<String>> {
    let Some(wanted) = &access.properties else { return Ok(None) };
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
    /// How many properties the user has access to.
    pub total: i64,
    /// Not all of them are listed.
    pub is_cut: bool,
    pub further: String,
    pub problem: Option<String>,
}

/// A property with a checkbox.
pub struct Offer {
    pub id: String,
    pub title: String,
    pub city: String,
    pub ticked: bool,
}

impl AccessFields {
    /// The fields as they were sent, with the properties that the user has access to now. Ticked ones are always
    /// listed.
    pub async fn new(tx: &mut Tx, caller: &Caller, form: AccessForm, problem: Option<String>) -> sqlx::Result<Self> {
        let ticked: Vec<PropertyId> = form.properties.iter().filter_map(|id| id.parse().ok()).collect();
        let (mut offered, total) = search::first(tx, caller, MOST_OFFERED).await?;
        let further: Vec<PropertyId> =
            ticked.iter().filter(|id| !offered.iter().any(|brief| brief.id == **id)).copied().collect();
        offered.extend(search::among(tx, caller, &further).await?);
        Ok(AccessFields {
            chosen: form.access == "chosen",
            read_only: !form.read_only.is_empty(),
            manage_users: !form.manage_users.is_empty(),
            is_cut: total > MOST_OFFERED,
            total,
            further: form.further,
            problem,
            offers: offered.into_iter().map(|brief| Offer::new(brief, &ticked)).collect(),
        })
    }

    /// True if the list is visible even while "All properties" is selected.
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

/// The access of a stored key.
pub async fn of_key(tx: &mut Tx, key: &ApiKey) -> sqlx::Result<KeyAccess> {
    let properties = match key.scope {
        KeyScope::All => None,
        KeyScope::Selected(_) => Some(store::properties_of(tx, key.id).await?),
    };
    Ok(KeyAccess { properties, read_only: key.read_only, manage_users: key.manage_users })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(access: &str, properties: &[&str], further: &str) -> Result<KeyAccess, String> {
        let properties = properties.iter().map(|id| (*id).to_owned()).collect();
        AccessForm { access: access.to_owned(), properties, further: further.to_owned(), ..AccessForm::default() }
            .read()
    }

    #[test]
    fn duplicates_are_removed_and_contradictions_refused() {
        let (one, two) = (PropertyId::new(), PropertyId::new());
        let (first, second) = (one.to_string(), two.to_string());
        assert_eq!(read("", &[], " \n"), Ok(KeyAccess::default()));
        let both = read("chosen", &[&first, &first], &format!("{second}\r\n {first},")).expect("two ids");
        assert_eq!(both.properties, Some(vec![one, two]));
        assert!(read("chosen", &[], "\r\n").is_err_and(|problem| problem.contains("at least one")));
        assert!(read("all", &[&first], "").is_err_and(|problem| problem.contains("All properties")));
        assert!(read("none", &[], "").is_err());
        let wrong = read("chosen", &["a", "b"], "c\nd").expect_err("no ids");
        assert!(wrong.contains("“a”, “b”, “c” and 1 more"), "{wrong}");
        let many: String = (0..=MOST_IDS).map(|_| format!("{}\n", PropertyId::new())).collect();
        assert!(read("chosen", &[], &many).is_err_and(|problem| problem.contains("at most 1000")));
    }
}

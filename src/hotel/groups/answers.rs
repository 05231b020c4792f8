//! Groups as they are answered. One may have thousands of properties, and is written in steps.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::{
    access::caller::Caller,
    base::{
        error::{Error, Result},
        ids::{GroupId, PropertyId},
    },
    db::{Db, Tx},
    hotel::groups::{
        Group,
        store::{self, Link},
    },
    resource::{
        collection::{self, Stored},
        json::{Meta, Named},
        steps::{LONG, Steps},
        store as resources,
    },
};

/// Groups of which one read finds the properties.
const GROUPS_A_STEP: usize = 50;

/// Properties whose titles one read finds.
const TITLES_A_STEP: usize = 1_000;

/// What stands around the groups.
enum Envelope {
    One,
    Many(Option<Meta>),
}

/// An answer with one group, or a list of them.
pub struct Answer {
    db: Db,
    caller: Caller,
    envelope: Envelope,
    ids: std::vec::IntoIter<Uuid>,
    /// What is to be written next, the last first.
    pieces: Vec<Piece>,
    /// The transaction that found the ids, as long as the answer is short.
    tx: Option<Tx>,
    written: usize,
    is_begun: bool,
    is_empty: bool,
    /// The group that is being written has no property yet.
    group_is_empty: bool,
}

/// A piece of a group.
enum Piece {
    Begin(Stored<Group>),
    Properties(Vec<PropertyId>),
    End,
}

impl Answer {
    pub fn one(db: &Db, caller: Caller, tx: Tx, id: GroupId) -> Self {
        Self::new(db, caller, tx, Envelope::One, vec![id.0])
    }

    pub fn many(db: &Db, caller: Caller, tx: Tx, ids: Vec<Uuid>, meta: Option<Meta>) -> Self {
        Self::new(db, caller, tx, Envelope::Many(meta), ids)
    }

    fn new(db: &Db, caller: Caller, tx: Tx, envelope: Envelope, ids: Vec<Uuid>) -> Self {
        Answer {
            db: db.clone(),
            caller,
            envelope,
            ids: ids.into_iter(),
            pieces: Vec::new(),
            tx: Some(tx),
            written: 0,
            is_begun: false,
            is_empty: true,
            group_is_empty: true,
        }
    }

    /// Finds the next groups and the ids of their properties.
    async fn find(&mut self, tx: &mut Tx) -> Result<()> {
        let ids: Vec<Uuid> = self.ids.by_ref().take(GROUPS_A_STEP).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut groups: HashMap<Uuid, Stored<Group>> = HashMap::new();
        for group in resources::by_ids(tx, &self.caller, &ids).await? {
            groups.insert(group.id, group);
        }
        let found: Vec<GroupId> = groups.keys().copied().map(GroupId).collect();
        let mut properties: HashMap<GroupId, Vec<PropertyId>> = HashMap::new();
        for Link { group_id, property_id } in store::property_ids_of(tx, &self.caller, &found).await? {
            properties.entry(group_id).or_default().push(property_id);
        }
        if matches!(self.envelope, Envelope::One) && groups.is_empty() {
            return Err(Error::NotFound);
        }
        for id in ids.iter().rev() {
            let Some(group) = groups.remove(id) else { continue };
            self.pieces.push(Piece::End);
            self.pieces.push(Piece::Properties(properties.remove(&GroupId(group.id)).unwrap_or_default()));
            self.pieces.push(Piece::Begin(group));
        }
        Ok(())
    }

    /// Writes pieces until the titles of one read are used up.
    async fn write(&mut self, tx: &mut Tx, text: &mut Vec<u8>) -> Result<()> {
        let mut wanted: HashSet<PropertyId> = HashSet::new();
        for piece in self.pieces.iter().rev() {
            if let Piece::Properties(ids) = piece {
                wanted.extend(ids.iter().take(TITLES_A_STEP - wanted.len().min(TITLES_A_STEP)));
            }
        }
        let mut titles: HashMap<PropertyId, String> = HashMap::new();
        if !wanted.is_empty() {
            let found = store::property_titles(tx, wanted.iter().copied()).await?;
            titles.extend(found.into_iter().map(|found| (found.id, found.title)));
        }
        while let Some(piece) = self.pieces.pop() {
            match piece {
                Piece::Begin(group) => {
                    if !std::mem::take(&mut self.is_empty) {
                        text.push(b',');
                    }
                    let attributes = serde_json::to_string(&collection::attributes(&group))?;
                    let head = format!(
                        r#"{{"type":"group","id":"{}","attributes":{attributes},"relationships":{{"properties":{{"data":["#,
                        group.id
                    );
                    text.extend_from_slice(head.as_bytes());
                    self.group_is_empty = true;
                }
                Piece::Properties(ids) => {
                    let known = ids.iter().take_while(|id| wanted.contains(id)).count();
                    for id in &ids[..known] {
                        // One that has gone meanwhile is left out.
                        let Some(title) = titles.get(id) else { continue };
                        if !std::mem::take(&mut self.group_is_empty) {
                            text.push(b',');
                        }
                        serde_json::to_writer(&mut *text, &Named::new("property", id.0, title))?;
                    }
                    if known < ids.len() {
                        self.pieces.push(Piece::Properties(ids[known..].to_vec()));
                        return Ok(());
                    }
                }
                Piece::End => text.extend_from_slice(b"]}}}"),
            }
        }
        Ok(())
    }
}

impl Steps for Answer {
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        let before = text.len();
        let mut tx = match self.tx.take() {
            Some(tx) => tx,
            None => self.db.read().await?,
        };
        if self.pieces.is_empty() {
            self.find(&mut tx).await?;
        }
        if !std::mem::replace(&mut self.is_begun, true) {
            text.extend_from_slice(match self.envelope {
                Envelope::One => br#"{"data":"#,
                Envelope::Many(_) => br#"{"data":["#,
            });
        }
        self.write(&mut tx, text).await?;
        self.written += text.len() - before;
        if self.written <= LONG {
            self.tx = Some(tx);
        }
        let more = !self.pieces.is_empty() || self.ids.len() > 0;
        if !more {
            if let Envelope::Many(meta) = &self.envelope {
                text.push(b']');
                if let Some(meta) = meta {
                    text.extend_from_slice(br#","meta":"#);
                    serde_json::to_writer(&mut *text, meta)?;
                }
            }
            text.push(b'}');
        }
        Ok(more)
    }
}

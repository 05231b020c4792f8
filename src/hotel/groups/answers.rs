//! Groups as they are answered. One may have a hundred thousand properties, which are read in steps.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    access::caller::Caller,
    base::{
        error::{Error, Result},
        ids::GroupId,
    },
    db::{Db, Tx},
    hotel::groups::{
        Group,
        store::{self, Content},
    },
    resource::{
        blocks::Blocks,
        collection::{self, Stored},
        json::{Meta, Named},
        query::Query,
        steps::{LONG, Steps},
        store as resources,
    },
};

/// Groups of which one read finds the properties, if these are few.
const GROUPS_A_STEP: usize = 50;

/// Properties of one read.
const PROPERTIES_A_STEP: usize = 1_000;

/// What stands around the groups.
enum Envelope {
    One,
    Many(Option<Meta>),
}

/// An answer with one group, or a list of them.
pub struct Answer {
    db: Db,
    envelope: Envelope,
    blocks: Blocks<Group>,
    /// Ids that were found, the last first.
    ids: Vec<Uuid>,
    /// Groups that were read, the last first. Without properties, these are read in steps.
    groups: Vec<(Stored<Group>, Option<Vec<Content>>)>,
    /// The group that is being written, and after which property it goes on.
    open: Option<(GroupId, Option<Content>)>,
    /// The transaction that found the ids, as long as the answer is short.
    tx: Option<Tx>,
    written: usize,
    is_empty: bool,
}

impl Answer {
    pub fn one(db: &Db, caller: Caller, tx: Tx, id: GroupId) -> Self {
        Self::new(db, tx, Envelope::One, Blocks::none(caller), vec![id.0])
    }

    pub fn page(db: &Db, caller: Caller, tx: Tx, ids: Vec<Uuid>, meta: Meta) -> Self {
        Self::new(db, tx, Envelope::Many(Some(meta)), Blocks::none(caller), ids)
    }

    pub fn whole(db: &Db, caller: Caller, tx: Tx, query: Query) -> Self {
        Self::new(db, tx, Envelope::Many(None), Blocks::new(caller, query), Vec::new())
    }

    fn new(db: &Db, tx: Tx, envelope: Envelope, blocks: Blocks<Group>, mut ids: Vec<Uuid>) -> Self {
        ids.reverse();
        Answer {
            db: db.clone(),
            envelope,
            blocks,
            ids,
            groups: Vec::new(),
            open: None,
            tx: Some(tx),
            written: 0,
            is_empty: true,
        }
    }

    fn is_over(&self) -> bool {
        self.open.is_none() && self.groups.is_empty() && self.ids.is_empty() && self.blocks.is_over()
    }

    /// Finds the next groups, and their properties unless these are many.
    async fn find(&mut self, tx: &mut Tx) -> Result<()> {
        if self.ids.is_empty() {
            self.ids = self.blocks.next(tx).await?.into_iter().rev().map(|hit| hit.id).collect();
        }
        let ids = self.ids.split_off(self.ids.len().saturating_sub(GROUPS_A_STEP));
        if ids.is_empty() {
            return Ok(());
        }
        let caller = &self.blocks.caller;
        let mut groups: HashMap<Uuid, Stored<Group>> = HashMap::new();
        for group in resources::by_ids(tx, caller, &ids).await? {
            groups.insert(group.id, group);
        }
        if matches!(self.envelope, Envelope::One) && groups.is_empty() {
            return Err(Error::NotFound);
        }
        let found: Vec<GroupId> = groups.keys().copied().map(GroupId).collect();
        let mut contents: Option<HashMap<Uuid, Vec<Content>>> =
            store::few_contents(tx, caller, &found, PROPERTIES_A_STEP).await?;
        for id in ids {
            let Some(group) = groups.remove(&id) else { continue };
            let content = contents.as_mut().map(|contents| contents.remove(&id).unwrap_or_default());
            self.groups.push((group, content));
        }
        Ok(())
    }

    /// Writes the next properties of the group that is being written, or else the next groups.
    async fn step(&mut self, tx: &mut Tx, text: &mut Vec<u8>) -> Result<()> {
        if let Some((group, after)) = self.open.take() {
            let is_first = after.is_none();
            let mut found = store::content(tx, &self.blocks.caller, group, after, PROPERTIES_A_STEP).await?;
            write_properties(text, &found, is_first)?;
            match found.len() < PROPERTIES_A_STEP {
                true => text.extend_from_slice(END),
                false => self.open = Some((group, found.pop())),
            }
            return Ok(());
        }
        if self.groups.is_empty() {
            self.find(tx).await?;
        }
        while let Some((group, content)) = self.groups.pop() {
            if !std::mem::take(&mut self.is_empty) {
                text.push(b',');
            }
            let attributes = serde_json::to_string(&collection::attributes(&group))?;
            let head = format!(
                r#"{{"type":"group","id":"{}","attributes":{attributes},"relationships":{{"properties":{{"data":["#,
                group.id
            );
            text.extend_from_slice(head.as_bytes());
            let Some(content) = content else {
                self.open = Some((GroupId(group.id), None));
                break;
            };
            write_properties(text, &content, true)?;
            text.extend_from_slice(END);
        }
        Ok(())
    }
}

/// The end of a group.
const END: &[u8] = b"]}}}";

fn write_properties(text: &mut Vec<u8>, content: &[Content], is_first: bool) -> Result<()> {
    for (place, property) in content.iter().enumerate() {
        if place > 0 || !is_first {
            text.push(b',');
        }
        serde_json::to_writer(&mut *text, &Named::new("property", property.id.0, &*property.title))?;
    }
    Ok(())
}

impl Steps for Answer {
    async fn next(&mut self, text: &mut Vec<u8>) -> Result<bool> {
        let before = text.len();
        let mut tx = match self.tx.take() {
            Some(tx) => tx,
            None => self.db.read().await?,
        };
        if self.written == 0 {
            text.extend_from_slice(match self.envelope {
                Envelope::One => br#"{"data":"#,
                Envelope::Many(_) => br#"{"data":["#,
            });
        }
        self.step(&mut tx, text).await?;
        self.written += text.len() - before;
        if self.written <= LONG {
            self.tx = Some(tx);
        }
        let more = !self.is_over();
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

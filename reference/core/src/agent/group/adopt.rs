//! Taking over what another device of the same person did about groups and events.

use kith_schemas::types::{self, Object};

use super::GroupId;
use crate::agent::objects::Body;
use crate::agent::outbox::{Recipient, audience_key};
use crate::agent::{AgentError, Id, Step};
use crate::kinds::event::Happening;
use crate::store::Table;

impl Step<'_> {
    /// Takes over a revision of an own group.
    pub(crate) fn adopt_group(
        &mut self,
        hash: Id,
        object: &Object,
        content: &types::Group,
    ) -> Result<(), AgentError> {
        let id = GroupId {
            owner: self.own.id,
            id: object.id.0,
        };
        let rev = object.rev.get();
        let entry = self.own_entry("group", id.id, rev, hash, Body::Group, None);
        let earlier = self.entry(&entry.key())?;
        if earlier
            .as_ref()
            .is_some_and(|known| known.rev >= rev || known.retracted)
        {
            return Ok(());
        }
        self.keep_own(&entry, earlier.as_ref())?;
        let mut group = self.take_revision(id, rev, hash, content)?;
        group.joined.get_or_insert(rev);
        for listed in group.list.clone().everybody() {
            group.since.entry(hex::encode(listed)).or_insert(rev);
        }
        self.set_group(&group)
    }

    /// Takes over that the person joined a group.
    pub(crate) fn adopt_join(&mut self, join: &types::Join) -> Result<(), AgentError> {
        let id = GroupId {
            owner: join.to.id.0,
            id: join.group.id.0,
        };
        let named = self.revision(join.group.hash.0)?;
        if let (Some(mut group), Some(revision)) = (self.group(id)?, named) {
            group.joined = Some(revision.rev);
            self.set_group(&group)?;
        }
        Ok(())
    }

    /// Takes over that the person invited somebody to an event.
    pub(crate) fn adopt_event(
        &mut self,
        hash: Id,
        object: &Object,
        event: &types::Event,
        to: Id,
    ) -> Result<(), AgentError> {
        let rev = object.rev.get();
        let body = Body::Event(Happening::of(event));
        let mut entry = self.own_entry("event", object.id.0, rev, hash, body, None);
        entry.created = object.created.unix_seconds();
        entry.shown = entry.created;
        entry.scope = object.scope.as_ref().map(GroupId::from);
        let earlier = self.entry(&entry.key())?;
        let newer = earlier
            .as_ref()
            .is_none_or(|known| known.rev < rev && !known.retracted);
        if newer {
            self.keep_own(&entry, earlier.as_ref())?;
        }
        let recipient = Recipient {
            delivery: None,
            rev,
            gone: false,
            hashes: vec![hex::encode(hash)],
        };
        Ok(self
            .store
            .set(Table::Audience, audience_key(&entry.key(), to), &recipient)?)
    }
}

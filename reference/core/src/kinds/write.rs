//! Making objects: from a payload to a signed object in the store.

use kith_schemas::types::{Audience, Fallback, Object, Payload, Revision, Time};

use crate::agent::group::GroupId;
use crate::agent::{AgentError, Id, Step};
use crate::store::Table;
use crate::wire::{WireError, signed};

/// An object to be signed.
pub(crate) struct Draft {
    pub(crate) id: [u8; 16],
    pub(crate) rev: u32,
    pub(crate) audience: Audience,
    pub(crate) fallback: String,
    pub(crate) payload: Payload,
}

/// The document of an object.
///
/// # Errors
///
/// When a value doesn't fit the schema.
pub(crate) fn draft(author: Id, now: i64, draft: Draft) -> Result<Vec<u8>, AgentError> {
    scoped(author, now, draft, None)
}

fn scoped(
    author: Id,
    now: i64,
    draft: Draft,
    group: Option<GroupId>,
) -> Result<Vec<u8>, AgentError> {
    let fallback: String = draft.fallback.chars().take(2000).collect();
    let object = Object {
        author: author.into(),
        id: draft.id.into(),
        rev: Revision::new(draft.rev).map_err(unfit)?,
        created: Time::new(now).map_err(unfit)?,
        audience: draft.audience,
        requires: Vec::new(),
        scope: group.map(|group| group.scope()),
        fallback: Fallback::new(fallback).map_err(unfit)?,
        payload: draft.payload,
    };
    object.encode().map_err(unfit).map_err(AgentError::Wire)
}

pub(super) fn unfit(error: impl std::fmt::Display) -> WireError {
    WireError::Xml(error.to_string())
}

impl Step<'_> {
    /// Signs an object and keeps it. Returns its hash.
    pub(crate) fn sign(&mut self, object: Draft) -> Result<Id, AgentError> {
        self.sign_for(object, None)
    }

    /// Signs an object, for a group if one is given, and keeps it. Returns its hash.
    pub(crate) fn sign_for(
        &mut self,
        object: Draft,
        group: Option<GroupId>,
    ) -> Result<Id, AgentError> {
        let mut octets = scoped(self.own.id, self.now, object, group)?;
        self.gate.document(&mut octets);
        let message = signed::sign(&self.own.key.signing()?, &octets, self.now)?;
        let hash = crate::wire::sha256(&octets);
        self.store.put(Table::Octets, hash, message);
        Ok(hash)
    }
}

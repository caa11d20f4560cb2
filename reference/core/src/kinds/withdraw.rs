//! `withdraw`: takes an object back from one reader (specification, section "Withdrawal" of
//! chapter "Posts to friends").

use kith_schemas::types::{Audience, ObjectRef, Payload, Person, Revision, Withdraw};
use kith_spec::{Rule, req};

use super::write::unfit;
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::{Entry, merge_key};
use crate::agent::outbox::{Recipient, audience_key};
use crate::agent::outgoing::Load;
use crate::agent::{ActError, AgentError, Failure, Id, Step};
use crate::store::Table;

/// Takes an own object back from some who have it.
pub(crate) fn write(step: &mut Step<'_>, target: &Entry, from: &[Id]) -> Result<(), ActError> {
    let has = step.recipients(&target.key())?;
    for friend in from {
        let peer = step.peer(*friend)?.filter(|_| has.contains(friend));
        let peer = peer.ok_or_else(|| ActError::Unknown {
            what: "reader of this",
            id: hex::encode(friend),
            list: "timeline",
        })?;
        let key = audience_key(&target.key(), *friend);
        let row: Option<Recipient> = step.store.record(Table::Audience, &key)?;
        let upto = row.as_ref().map_or(target.rev, |row| row.rev);
        let fallback = format!("{} took back a {}.", step.own.shown(), target.kind);
        let id = step.random();
        let hash = step.sign(Draft {
            id,
            rev: 1,
            audience: Audience::Direct,
            fallback,
            payload: Payload::Withdraw(Withdraw {
                upto: Revision::new(upto)
                    .map_err(unfit)
                    .map_err(AgentError::Wire)?,
                to: Person { id: peer.id.into() },
                target: reference(target)?,
            }),
        })?;
        if !step.gate.enforces(&req::WITHDRAW_SENT) {
            continue;
        }
        step.deliver(
            &peer,
            Load {
                objects: vec![hash],
                numbered: true,
                ..Load::default()
            },
        )?;
        if let Some(row) = row {
            let gone = Recipient { gone: true, ..row };
            step.store.set(Table::Audience, key, &gone)?;
        }
    }
    Ok(())
}

/// The key by which an object merges, as a document names it.
pub(super) fn reference(target: &Entry) -> Result<ObjectRef, AgentError> {
    Ok(ObjectRef {
        author: target.author.into(),
        id: target.id.into(),
        kind: kith_schemas::types::Kind::new(target.kind.as_str())
            .map_err(unfit)
            .map_err(AgentError::Wire)?,
    })
}

impl Kind for Withdraw {
    fn traits(&self) -> Traits {
        Traits::content("withdraw", &[Audience::Direct], &req::WITHDRAW_AUDIENCE)
    }

    fn addressed_to(&self) -> Option<(Id, Rule)> {
        Some((self.to.id.0, &req::WITHDRAW_ADDRESSED))
    }

    /// Hides the target, even when this comes first.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let target = &self.target;
        let own = target.author == arrival.object.author;
        step.gate.check(&req::WITHDRAW_AUTHOR, own)?;
        let kind = target.kind.as_str();
        let fit = !super::FINAL.contains(&kind) && !super::DERIVED.contains(&kind);
        step.gate.check(&req::WITHDRAW_KINDS, fit)?;
        let key = merge_key(target.author.0, kind, target.id.0);
        let entry = step.entry(&key)?;
        if entry.is_none() && !step.gate.enforces(&req::WITHDRAW_FIRST) {
            return Ok(());
        }
        let upto = self.upto.get().max(step.withdrawn(&key)?);
        step.store.set(Table::Withdrawn, key, &upto)?;
        // A broken agent hides whatever there is.
        let hides = |entry: &Entry| entry.rev <= upto || !step.gate.enforces(&req::WITHDRAW_UPTO);
        match entry.filter(|entry| !entry.retracted && hides(entry)) {
            Some(entry) => Ok(step.hide(entry)?),
            None => Ok(()),
        }
    }
}

impl Step<'_> {
    /// Whether an own object was taken back from any of these.
    pub(crate) fn was_withdrawn(&self, key: &[u8], from: &[Id]) -> Result<bool, AgentError> {
        let gone = self.reached(key, |row| row.gone)?;
        Ok(gone.iter().any(|id| from.contains(id)))
    }
}

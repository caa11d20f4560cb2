//! Taking over what another device of the same person sent, as self-copies bring it.

use kith_schemas::types::{Audience, Object, Payload, Post, Purpose};
use kith_spec::limit;

use super::invite::Invitation;
use super::outbox::{Recipient, audience_key};
use super::relation::{Accepted, Asked, AskedInvite};
use super::{ActError, Agent, AgentError, DAY, Effects, Id, Step};
use crate::gate::Strict;
use crate::kinds;
use crate::store::{Read, Table};
use crate::wire::signed::Signed;

/// Objects that the person sent to somebody from elsewhere.
#[derive(Debug, Clone)]
pub struct SentElsewhere {
    /// To whom.
    pub to: Id,
    /// The signed objects.
    pub objects: Vec<Vec<u8>>,
    /// The invite that a request among them was made from.
    pub invite: Option<Invitation>,
}

impl Agent {
    /// Takes over own objects that this store doesn't know.
    ///
    /// # Errors
    ///
    /// When one of them is no valid object of this identity; then nothing happened.
    pub fn adopt(
        &mut self,
        store: &dyn Read,
        sent: &SentElsewhere,
        now: i64,
    ) -> Result<Effects, ActError> {
        let mut step = self.step(store, now);
        for message in &sent.objects {
            step.adopt(message, sent)?;
        }
        Ok(step.into_effects())
    }
}

impl Step<'_> {
    fn adopt(&mut self, message: &[u8], sent: &SentElsewhere) -> Result<(), ActError> {
        let foreign = |reason: &str| ActError::Text(format!("a self-copy {reason}"));
        let signed = Signed::parse(&Strict, message).map_err(|error| foreign(error.name()))?;
        let key = self.own.certificate.primary();
        signed
            .verify(&Strict, &[key])
            .map_err(|error| foreign(error.name()))?;
        let object = Object::decode(&signed.octets).map_err(|error| foreign(&error.to_string()))?;
        if object.author.0 != self.own.id {
            return Err(foreign("is by somebody else"));
        }
        self.store
            .put(Table::Octets, signed.hash, signed.message.clone());
        match &object.payload {
            Payload::Request(request) => {
                let asked = Asked {
                    failed: None,
                    request: signed.hash,
                    id: object.id.0,
                    nonce: request.nonce.0,
                    address: request.to.address.to_string(),
                    follow: request.purpose == Purpose::Follow,
                    sent: object.created.unix_seconds(),
                    note: request.note.as_ref().map(ToString::to_string),
                    invite: sent.invite.as_ref().map(|i| AskedInvite {
                        token: i.token,
                        identity: i.identity,
                    }),
                };
                self.store.set(Table::Asked, signed.hash, &asked)?;
                Ok(self.plan_asked(&asked)?)
            }
            Payload::Page(page) => Ok(kinds::page::adopt(self, &object, page, signed.hash)?),
            Payload::Accept(_) => Ok(self.adopt_accept(signed.hash, &object, sent.to)?),
            Payload::Relay(relay) => Ok(self.relayed_elsewhere(relay)?),
            Payload::Post(post) => Ok(self.adopt_post(signed.hash, &object, post, sent.to)?),
            Payload::Group(group) => Ok(self.adopt_group(signed.hash, &object, group)?),
            Payload::Join(join) => Ok(self.adopt_join(join)?),
            Payload::Event(event) => Ok(self.adopt_event(signed.hash, &object, event, sent.to)?),
            _ => Ok(()),
        }
    }

    fn adopt_post(
        &mut self,
        hash: Id,
        object: &Object,
        post: &Post,
        to: Id,
    ) -> Result<(), AgentError> {
        let (id, rev) = (object.id.0, object.rev.get());
        let body = kinds::post::body(post);
        let mut entry = self.own_entry("post", id, rev, hash, body, None);
        entry.created = object.created.unix_seconds();
        entry.shown = entry.created;
        self.list(&entry)?;
        if object.audience == Audience::Public {
            self.note_published(&entry.key(), hash);
            return Ok(());
        }
        let recipient = Recipient {
            delivery: None,
            gone: false,
            rev,
            hashes: vec![hex::encode(hash)],
        };
        let key = audience_key(&entry.key(), to);
        Ok(self.store.set(Table::Audience, key, &recipient)?)
    }

    fn adopt_accept(&mut self, accept: Id, object: &Object, to: Id) -> Result<(), AgentError> {
        let Some(pending) = self.pending(to)? else {
            return Ok(());
        };
        let Some(peer) = self.peer(to)? else {
            return Ok(());
        };
        let mut relation = self.relation(to)?;
        relation.accepted = Some(Accepted {
            request: pending.request,
            accept,
            sent: object.created.unix_seconds(),
            repeated: 0,
            until: pending.created + limit::ACCEPT_DAYS as i64 * DAY,
        });
        self.set_relation(to, &relation)?;
        self.forget_pending(to)?;
        self.plan_accept(to)?;
        self.release_held(&peer)
    }
}

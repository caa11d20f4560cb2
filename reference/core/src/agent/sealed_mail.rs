//! Judging a sealed mail (specification, chapters "Mail format", "Security" and "Delivery").

use kith_schemas::types;
use kith_spec::{Outcome, limit, req};
use sequoia_openpgp::Fingerprint;

use super::objects::Sender;
use super::open_mail::is_request;
use super::peer::{self, Introduced, Parts, Peer};
use super::receive::{Judged, ObjectVerdict, Verdict};
use super::{Failure, Id, Step, group};
use crate::gate::Violation;
use crate::kinds;
use crate::wire::keys::Certificate;
use crate::wire::mime::{self, Entity};
use crate::wire::sealed::Opened;
use crate::wire::signature::{self, Purpose};

/// The signer of a delivery.
pub(super) struct Signer {
    pub(super) peer: Peer,
    /// What it brought, if it was not known before or asks anew.
    pub(super) introduced: Option<Introduced>,
    /// Whether this very delivery hands over new entries of the chain.
    pub(super) grown: bool,
}

impl Step<'_> {
    pub(super) fn judge_delivery(&mut self, opened: &Opened, payload: &Entity) -> Judged {
        crate::implements!(
            req::MAIL_OUTSIDE_IGNORED,
            req::MAIL_ADDRESSES_FROM_DOCUMENT,
            req::MAIL_FALLBACK_NOT_INPUT,
            req::MAIL_AUTOCRYPT,
        );
        self.check_payload(payload)?;
        let parts = Parts::of(self.gate, payload);
        let signature = opened.check_form(self.gate, Purpose::Delivery, self.now)?;
        let intended = signature::intended_recipients(self.gate, signature);
        let hidden = signature::has_unhashed_recipients(signature);
        let document = payload.of_type(mime::DELIVERY).next();
        let document = document.ok_or(Violation(&req::MAIL_PAYLOAD))?;
        let delivery = kinds::decode_delivery(&document.content);
        if let Ok(delivery) = &delivery {
            let listed: Vec<Id> = delivery.object.iter().map(|listed| listed.hash.0).collect();
            self.now = self.as_of(&listed)?;
        }
        let signer = self.find_signer(opened, &parts, delivery.as_ref().ok())?;
        let certificate = self.check_signer(opened, &signer, &parts, delivery.as_ref().ok())?;
        self.gate
            .check(&req::SEC_HASHED_ONLY, !(intended.is_empty() && hidden))?;
        self.gate
            .check(&req::SEC_NO_PASSWORD, opened.passwords == 0)?;
        let named = |keys: Vec<Fingerprint>| keys.iter().any(|key| intended.contains(key));
        let compromised = named(self.own.fingerprints(true));
        self.gate.check(&req::IDENTITY_OWN_EARLIER, !compromised)?;
        self.gate.check(
            &req::SEC_FOR_ME,
            intended.is_empty() || named(self.own.fingerprints(false)),
        )?;
        let agree = intended.len() == opened.session_keys && !intended.is_empty();
        self.gate.check(&req::SEC_RECIPIENTS_AGREE, agree)?;

        let delivery = delivery?;
        self.check_recipients(&delivery, intended.len())?;
        let sender = delivery.from.id.0 == signer.peer.id;
        self.gate.check(&req::DELIVERY_SENDER, sender)?;
        self.check_listed(&delivery, &parts)?;
        self.check_certificates(&delivery, &parts, &signer.peer)?;
        let both = signer.peer.protected && self.own.declares;
        let classical = both && delivery.to.len() == 1 && !opened.protected;
        self.gate.check(&req::PQ_RECEIVED, !classical)?;
        let verdicts = self.take_delivery(&delivery, &parts, signer, certificate)?;
        for listed in &delivery.object {
            self.note_protection(listed.hash.0, opened.protected)?;
        }
        Ok(verdicts)
    }

    pub(super) fn check_payload(&self, payload: &Entity) -> Result<(), Failure> {
        self.gate
            .check(&req::MAIL_MIME_BOUNDS, !payload.out_of_bounds)?;
        let encloses = |media_type: &str| {
            matches!(
                media_type,
                "multipart/encrypted"
                    | "multipart/signed"
                    | "application/pgp-encrypted"
                    | "application/pgp-signature"
                    | "application/pkcs7-mime"
                    | "application/pkcs7-signature"
            )
        };
        let message = |leaf: &mime::Leaf| {
            leaf.media_type != mime::OBJECT
                && !leaf.media_type.starts_with("text/")
                && leaf.content.starts_with(b"-----BEGIN PGP MESSAGE")
        };
        let nested = payload.containers.iter().any(|t| encloses(t))
            || payload
                .leaves
                .iter()
                .any(|leaf| encloses(&leaf.media_type) || message(leaf));
        self.gate.check(&req::MAIL_ONE_ENVELOPE, !nested)?;
        let one = payload.of_type(mime::DELIVERY).count() == 1;
        self.gate
            .check(&req::MAIL_PAYLOAD, one && payload.root == "multipart/mixed")?;
        Ok(())
    }

    /// Finds the sender by the issuer of the signature: somebody known, or somebody who brings
    /// credentials for an answer to a request.
    fn find_signer(
        &mut self,
        opened: &Opened,
        parts: &Parts,
        delivery: Option<&types::Delivery>,
    ) -> Result<Signer, Failure> {
        crate::implements!(req::SEC_CERT_KEPT);
        let issuer = opened
            .issuer()
            .ok_or(Violation(&req::SEC_DELIVERY_SIGNATURE))?;
        let known = self.peer_by_key(&issuer)?;
        let introduced = match parts.answer() {
            Some((author, named)) => {
                let missing = &req::FRIENDS_ACCEPT_CREDENTIALS;
                let introduced =
                    peer::introduce(self.gate, parts, author, named, missing, self.now);
                // What the delivery lists and the mail lacks is said first.
                if let (Err(_), Some(delivery)) = (&introduced, delivery) {
                    self.check_listed(delivery, parts)?;
                }
                Some(introduced?)
            }
            None => None,
        };
        if known.is_none()
            && introduced.is_none()
            && let Some(delivery) = delivery
            && self.peer(delivery.from.id.0)?.is_none()
            && self.awaits_group(delivery, false)?
        {
            return Err(Violation(&req::GROUP_REVISION_UNKNOWN).into());
        }
        let claimed = match (&known, delivery) {
            (None, Some(delivery)) => self.peer(delivery.from.id.0)?,
            _ => None,
        };
        if let Some(introduced) = &introduced {
            self.check_rival(parts, &introduced.peer)?;
        }
        if let Some(peer) = known.or(claimed) {
            let grown = match self.grow(&peer, parts, delivery) {
                Ok(grown) => grown,
                // Under a known key, the entry alone is refused.
                Err(_) if peer.has_key(&issuer) => None,
                Err(violation) => return Err(violation.into()),
            };
            return Ok(Signer {
                grown: grown.is_some(),
                peer: grown.unwrap_or(peer),
                introduced,
            });
        }
        let introduced = introduced.ok_or(Violation(&req::FRIENDS_ONLY_FRIENDS))?;
        let peer = self.peer(introduced.peer.id)?;
        Ok(Signer {
            peer: peer.unwrap_or_else(|| introduced.peer.clone()),
            introduced: Some(introduced),
            grown: false,
        })
    }

    fn check_recipients(&self, delivery: &types::Delivery, intended: usize) -> Result<(), Failure> {
        let agree = delivery.to.len() == intended;
        self.gate.check(&req::SEC_RECIPIENTS_AGREE, agree)?;
        let one = delivery.to.len() == 1 || delivery.group.is_some();
        self.gate.check(&req::SEC_ONE_RECIPIENT, one)?;
        let me = |party: &types::Party| {
            party.id.0 == self.own.id && self.own.had_address(party.address.as_str())
        };
        Ok(self
            .gate
            .check(&req::SEC_FOR_ME, delivery.to.iter().any(me))?)
    }

    fn check_listed(&self, delivery: &types::Delivery, parts: &Parts) -> Result<(), Failure> {
        let there: Vec<Id> = parts.objects.iter().map(hash_of).collect();
        let mut distinct = there.clone();
        distinct.sort_unstable();
        distinct.dedup();
        self.gate
            .check(&req::MAIL_PART_ONCE, distinct.len() == there.len())?;
        let complete = delivery
            .object
            .iter()
            .all(|listed| there.contains(&listed.hash.0))
            && delivery.certificate.iter().all(|listed| {
                parts
                    .certificates
                    .iter()
                    .any(|(hash, _)| *hash == listed.hash.0)
            });
        Ok(self.gate.check(&req::MAIL_LISTED_PRESENT, complete)?)
    }

    /// Certificates must be named by an accept or decline of the same delivery, or belong to those
    /// whom the owner of a group introduces.
    fn check_certificates(
        &self,
        delivery: &types::Delivery,
        parts: &Parts,
        signer: &Peer,
    ) -> Result<(), Failure> {
        let objects = || {
            parts
                .objects
                .iter()
                .flatten()
                .filter_map(|part| part.object.as_ref().ok())
        };
        let named = |hash: Id| {
            objects().any(|object| match &object.payload {
                types::Payload::Accept(accept) => accept.credentials.certificate.hash.0 == hash,
                types::Payload::Decline(decline) => decline.credentials.certificate.hash.0 == hash,
                types::Payload::Request(request) => request.credentials.certificate.hash.0 == hash,
                types::Payload::Introduce(person) => person.credentials.certificate.hash.0 == hash,
                _ => false,
            })
        };
        let members = self.listed_by(signer.id, parts)?;
        // The sender's own may go along with what says who the sender is.
        let says_who = objects().any(|object| {
            let identity = kinds::of(&object.payload).traits().family == kinds::Family::Identity;
            identity && object.author.0 == signer.id
        });
        for listed in &delivery.certificate {
            let part = parts
                .certificates
                .iter()
                .find(|(hash, _)| *hash == listed.hash.0);
            let (own, introduced) = match part {
                Some((_, Ok(certificate))) => (
                    signer.keys().contains(&certificate.primary()),
                    group::is_introduced(certificate, parts, &members),
                ),
                _ => (false, false),
            };
            let fits = named(listed.hash.0) || introduced || says_who && own;
            self.gate.check(&req::DELIVERY_CERTIFICATE_ONCE, fits)?;
            if let Some((_, Err(violation))) = part {
                return Err((*violation).into());
            }
        }
        Ok(())
    }

    fn take_delivery(
        &mut self,
        delivery: &types::Delivery,
        parts: &Parts,
        mut signer: Signer,
        certificate: Option<Certificate>,
    ) -> Judged {
        let listed = |hash: Id| {
            delivery.object.iter().any(|listed| listed.hash.0 == hash)
                || !self.gate.enforces(&req::MAIL_LISTED_PARTS)
        };
        let mut objects: Vec<_> = parts
            .objects
            .iter()
            .filter(|part| listed(hash_of(part)))
            .collect();
        // What completes a handshake comes first, whatever the order of the parts.
        objects.sort_by_key(|part| kinds::rank(part.as_ref().ok()));
        let handshake = objects
            .iter()
            .any(|part| kinds::is_handshake(part.as_ref().ok()));
        let group = self.check_group(delivery, signer.peer.id)?;
        let friend = self.is_friend(signer.peer.id)? || self.all_accepted(&delivery.object)?;
        let known = friend
            || self.is_co_member(signer.peer.id)?
            || kinds::is_taking_back(&objects)
            || self.is_of_following(&objects, signer.peer.id)?;
        self.gate
            .check(&req::FRIENDS_ONLY_FRIENDS, known || handshake)?;
        crate::implements!(req::INTRODUCE_STRANGER);
        let mut asks = objects.iter().filter_map(|part| part.as_ref().ok());
        let small = self.size <= limit::REQUEST_MAIL_OCTETS;
        let fits = known || small || !asks.any(is_request);
        self.gate.check(&req::FRIENDS_REQUEST_MAIL_SIZE, fits)?;

        let numbered = self.check_channel(delivery, &objects, &signer)?;
        signer.peer = self.keep_signer(signer.peer, signer.grown, certificate, parts)?;
        let mut sender = Sender::of(signer.peer, signer.introduced);
        sender.group = group;
        let mut verdicts = Vec::new();
        let duplicate = numbered.as_ref().is_some_and(|n| n.duplicate);
        let again = duplicate && self.gate.enforces(&req::CHANNEL_DUPLICATE);
        let mut introduced: Option<Vec<ObjectVerdict>> = None;
        let relayed = kinds::handed_over(parts, sender.peer.id);
        for part in objects {
            let brings_others = kinds::speaks_for_another(part.as_ref().ok(), sender.peer.id)
                && !author_of(part).is_some_and(|author| relayed.contains(&author));
            if brings_others && group.is_none() && introduced.is_none() {
                introduced = Some(self.take_co_members(delivery, parts, &sender.peer)?);
            }
            let hash = hash_of(part);
            let judged = introduced
                .iter()
                .flatten()
                .find(|verdict| verdict.hash == hash);
            match judged.filter(|_| brings_others) {
                Some(verdict) => verdicts.push(*verdict),
                None => verdicts.push(self.judge_object(part, parts, &sender, again)?),
            }
        }
        // A mail none of whose answers to a handshake stands is refused as a whole.
        let id = sender.peer.id;
        let whole = self.gate.enforces(&req::RECEIVE_HANDSHAKE) && !friend;
        let alone = self.gate.enforces(&req::RECEIVE_OBJECT_ALONE);
        if !alone || whole && !self.exchanges_with(id)? {
            let refused = verdicts
                .iter()
                .find(|v| v.verdict.outcome == Outcome::Refuse);
            if let Some(violation) = refused.and_then(|v| v.verdict.violation) {
                return Err(violation.into());
            }
        }
        let brought_members = introduced.is_some();
        if self.exchanges_with(id)? {
            self.take_paths(id, delivery)?;
            for ack in &delivery.ack {
                self.acknowledged(id, ack)?;
            }
            match numbered {
                Some(numbered) => self.arrived(numbered)?,
                None => self.arrived_unnumbered(id)?,
            }
        }
        let listed = delivery.object.iter().any(|object| {
            let revision = self.revision(object.hash.0);
            matches!(revision, Ok(Some(_)))
        });
        if listed || brought_members {
            self.release_mail()?;
        }
        Ok(verdicts)
    }

    /// Whether a delivery between a page and a follower may be taken: a bare acknowledgement, or
    /// what a follower says under a public post.
    fn is_of_following(
        &self,
        objects: &[&Result<peer::Part, (Id, Violation)>],
        sender: Id,
    ) -> Result<bool, Failure> {
        if objects.is_empty() {
            return Ok(self.exchanges_with(sender)?);
        }
        let objects = objects.iter().filter_map(|part| part.as_ref().ok());
        for object in objects.filter_map(|part| part.object.as_ref().ok()) {
            if self.follower_may(object, sender)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_channel(
        &self,
        delivery: &types::Delivery,
        objects: &[&Result<peer::Part, (Id, Violation)>],
        signer: &Signer,
    ) -> Result<Option<super::channel::Numbered>, Failure> {
        let unnumbered = objects.is_empty()
            || objects
                .iter()
                .any(|part| kinds::is_unnumbered(part.as_ref().ok()));
        let consistent = unnumbered != delivery.channel.is_some();
        self.gate.check(&req::CHANNEL_NONE, consistent)?;
        match &delivery.channel {
            Some(channel) => self.check_number(signer.peer.id, channel).map(Some),
            None => Ok(None),
        }
    }
}

fn author_of(part: &Result<peer::Part, (Id, Violation)>) -> Option<Id> {
    let object = part.as_ref().ok()?.object.as_ref().ok()?;
    Some(object.author.0)
}

fn hash_of(part: &Result<peer::Part, (Id, Violation)>) -> Id {
    match part {
        Ok(part) => part.signed.hash,
        Err((hash, _)) => *hash,
    }
}

pub(super) fn refused(hash: Id, violation: Violation) -> ObjectVerdict {
    ObjectVerdict {
        hash,
        verdict: Verdict::of(violation),
    }
}

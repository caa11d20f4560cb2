//! Public mail: what a page publishes, as it is sent and as its followers judge it (specification,
//! section "Public mail" of chapter "Pages").

use kith_schemas::types::{self, Audience, Payload};
use kith_spec::{limit, req};

use super::objects::Sender;
use super::outbox::Copy;
use super::peer::{self, Part, Parts};
use super::receive::{Judged, ObjectVerdict, Verdict};
use super::sealed_mail::refused;
use super::{ActError, AgentError, Failure, Id, Step};
use crate::gate::Violation;
use crate::kinds::{self, Family};
use crate::store::{Read, Table};
use crate::wire::signed::Signed;

/// The field `To` of a mail that names nobody.
const UNDISCLOSED: &str = "undisclosed-recipients:;";

impl Step<'_> {
    /// Sends objects of the own page to all its followers and its list.
    pub(crate) fn publish(&mut self, objects: &[Id]) -> Result<(), ActError> {
        self.publish_with(objects, &[])
    }

    /// Sends objects of the own page to all its followers and its list, with what others wrote and
    /// the page passes on.
    pub(super) fn publish_with(&mut self, objects: &[Id], others: &[Id]) -> Result<(), ActError> {
        crate::implements!(req::PAGE_SIGNED_ONCE, req::PAGE_EDIT);
        let Some(page) = kinds::page::current(self)? else {
            return Err(ActError::State {
                name: self.own.shown(),
                reason: "you have no page; make one with `kith page set`",
            });
        };
        let followers = self.follower_addresses()?;
        let most = if self.gate.enforces(&req::PAGE_BATCHES) {
            limit::PUBLIC_RECIPIENTS as usize
        } else {
            usize::MAX
        };
        for batch in followers.chunks(most) {
            self.post_openly(batch, UNDISCLOSED, page, (objects, others))?;
        }
        let list = self.page_of(self.own.id)?.and_then(|face| face.list);
        if let Some(list) = list.filter(|_| self.gate.enforces(&req::PAGE_LIST)) {
            self.post_openly(std::slice::from_ref(&list), &list, page, (objects, others))?;
        }
        Ok(())
    }

    /// Sends the own page to a new follower.
    pub(super) fn welcome(&mut self, follower: &str) -> Result<(), AgentError> {
        let page = match kinds::page::current(self) {
            Ok(page) => page,
            Err(ActError::Agent(error)) => return Err(error),
            // What fitted the schema before fits it again.
            Err(_) => None,
        };
        match page {
            Some(page) => self.post_openly(&[follower.to_owned()], UNDISCLOSED, page, (&[], &[])),
            None => Ok(()),
        }
    }

    /// One open mail for some recipients, none of whom it names unless `shown` does.
    fn post_openly(
        &mut self,
        recipients: &[String],
        shown: &str,
        page: Id,
        (objects, others): (&[Id], &[Id]),
    ) -> Result<(), AgentError> {
        crate::implements!(req::PAGE_MAIL_WHOLE);
        let Some((to, also)) = recipients.split_first().filter(|_| !self.quiet) else {
            return Ok(());
        };
        self.note_sent(objects, None)?;
        let hidden = self.gate.enforces(&req::PAGE_HIDDEN_RECIPIENTS);
        let named = recipients.join(", ");
        let shown = if hidden { shown } else { &named };
        let mut all = self.own.chain.clone();
        all.push(self.own.contact);
        all.push(page);
        let mut said = [objects, others].concat();
        all.extend(said.iter().filter(|hash| **hash != page));
        if said.is_empty() {
            said.push(page);
        }
        let (mail, _) = self.open_mail(shown, &all, &said)?;
        let copy = Copy {
            to: to.clone(),
            also: also.to_vec(),
            ..Copy::default()
        };
        self.enqueue(copy, mail)
    }

    /// The document of an own or received object that is stored.
    pub(crate) fn stored_object(&self, hash: Id) -> Result<Option<types::Object>, AgentError> {
        let message = self.store.get(Table::Octets, &hash)?;
        let signed = message.and_then(|message| Signed::parse(self.gate, &message).ok());
        Ok(signed.and_then(|signed| types::Object::decode(&signed.octets).ok()))
    }

    /// Whether an own object was published.
    pub(crate) fn is_public(&self, hash: Id) -> Result<bool, AgentError> {
        let object = self.stored_object(hash)?;
        Ok(object.is_some_and(|object| object.audience == Audience::Public))
    }

    /// Judges an open mail that holds something of a page; none if the person follows none of the
    /// pages in it.
    pub(super) fn judge_public(&mut self, parts: &Parts) -> Result<Option<Judged>, Failure> {
        crate::implements!(req::PAGE_NO_ANSWER);
        let mut page = None;
        for part in parts.objects.iter().flatten() {
            let Ok(object) = &part.object else { continue };
            let author = object.author.0;
            let public = object.audience == Audience::Public;
            if public && self.following(author)?.is_some() {
                page = Some(author);
                break;
            }
        }
        let Some(page) = page else { return Ok(None) };
        let silent = self.relation(page)?.blocked;
        if silent && self.gate.enforces(&req::FRIENDS_BLOCK_SILENT) {
            return Err(Violation(&req::FRIENDS_BLOCK_SILENT).into());
        }
        Ok(Some(self.judge_page(page, parts)))
    }

    fn judge_page(&mut self, page: Id, parts: &Parts) -> Judged {
        let missing = &req::PAGE_MAIL_WHOLE;
        let credentials = parts.objects.iter().flatten().find_map(|part| {
            let object = part.object.as_ref().ok()?;
            match &object.payload {
                Payload::Page(face) if object.author.0 == page => Some(&face.credentials),
                _ => None,
            }
        });
        let named = credentials.ok_or(Violation(missing))?;
        let introduced = peer::introduce(self.gate, parts, page, named, missing, self.now)?;
        let known = match self.peer(page)? {
            Some(known) => known,
            None => self.keep_introduced(&introduced)?,
        };
        let mut sender = Sender::of(known, None);
        sender.open = true;
        let mut objects: Vec<_> = parts.objects.iter().collect();
        objects.sort_by_key(|part| kinds::rank(part.as_ref().ok()));
        let mut verdicts = Vec::new();
        let (mut first, mut taken) = (None, false);
        let relayed = self.relayed_by(&sender, parts);
        for part in objects {
            let verdict = match part {
                Ok(found) if !is_by(found, page) => {
                    self.judge_relayed(found, part, parts, (&sender, &relayed))?
                }
                part => self.judge_object(part, parts, &sender, false)?,
            };
            match verdict.verdict.violation {
                Some(violation) => {
                    first.get_or_insert(violation);
                }
                None => taken |= !is_identity(part),
            }
            verdicts.push(verdict);
            if let Some(renewed) = self.peer(page)? {
                sender.peer = renewed;
            }
        }
        match first {
            Some(violation) if !taken => Err(violation.into()),
            _ => Ok(verdicts),
        }
    }
}

impl Step<'_> {
    /// The objects of others that a page names in this mail.
    fn relayed_by(&self, page: &Sender, parts: &Parts) -> Vec<Id> {
        let keys = page.peer.keys();
        let named = parts.objects.iter().flatten().filter_map(|part| {
            let object = part.object.as_ref().ok()?;
            let Payload::Relay(relay) = &object.payload else {
                return None;
            };
            let signed = part.signed.verify(self.gate, &keys).is_ok();
            (is_by(part, page.peer.id) && signed).then_some(&relay.object)
        });
        named.flatten().map(|listed| listed.hash.0).collect()
    }

    /// Judges what somebody else than the page signed: what is said under its posts, with the
    /// chains of those who said it.
    fn judge_relayed(
        &mut self,
        part: &Part,
        whole: &Result<Part, (Id, Violation)>,
        parts: &Parts,
        (page, relayed): (&Sender, &[Id]),
    ) -> Result<ObjectVerdict, Failure> {
        let hash = part.signed.hash;
        let object = part.object.as_ref().ok();
        let root = object.and_then(|object| kinds::of(&object.payload).root());
        if root.is_some_and(|root| root.author == page.peer.id) {
            let listed = relayed.contains(&hash);
            return match self.gate.check(&req::PAGE_RELAY_LISTED, listed) {
                Ok(()) => self.judge_object(whole, parts, page, false),
                Err(violation) => Ok(refused(hash, violation)),
            };
        }
        let authors = kinds::handed_over(parts, page.peer.id);
        let entry = kinds::speaks_for_another(Some(part), page.peer.id);
        match object.filter(|object| entry && authors.contains(&object.author.0)) {
            // Judged with what its owner said.
            Some(_) => Ok(ObjectVerdict {
                hash,
                verdict: Verdict::ACCEPT,
            }),
            None => Ok(refused(hash, Violation(&req::MAIL_OPEN_UNKNOWN))),
        }
    }
}

fn is_by(part: &Part, author: Id) -> bool {
    match &part.object {
        Ok(object) => object.author.0 == author,
        // What can't be read is judged for what is wrong with it.
        Err(_) => true,
    }
}

fn is_identity(part: &Result<Part, (Id, Violation)>) -> bool {
    let object = part
        .as_ref()
        .ok()
        .and_then(|part| part.object.as_ref().ok());
    object.is_some_and(|object| kinds::of(&object.payload).traits().family == Family::Identity)
}

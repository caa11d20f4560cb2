//! What the person does: one action for each thing.

use kith_schemas::types::Purpose;
use kith_spec::req;

use super::invite::{Invitation, InviteError};
use super::media::Attachment;
use super::objects::{Body, Entry, merge_key};
use super::outbox::{Recipient, audience_key};
use super::outgoing::Load;
use super::peer::{Introduced, Peer};
use super::relation::{Pending, State};
use super::{ActError, Action, Agent, AgentError, Done, Effects, Id, Step, address};
use crate::kinds;
use crate::kinds::event::Guests;
use crate::store::{Read, Table};

pub(crate) fn unknown(what: &'static str, id: &[u8], list: &'static str) -> ActError {
    ActError::Unknown {
        what,
        id: hex::encode(id),
        list,
    }
}

impl Agent {
    /// Does what the person wants.
    ///
    /// # Errors
    ///
    /// [`ActError`]; then nothing happened.
    pub fn act(
        &mut self,
        store: &dyn Read,
        action: Action,
        now: i64,
    ) -> Result<(Done, Effects), ActError> {
        let before = self.own.clone();
        let mut step = self.step(store, now);
        match step.act(action) {
            Ok(done) => Ok((done, step.into_effects())),
            Err(error) => {
                // An action that fails changes nothing.
                self.own = before;
                Err(error)
            }
        }
    }
}

impl Step<'_> {
    fn act(&mut self, action: Action) -> Result<Done, ActError> {
        match action {
            Action::Invite => return Ok(Done::Invite(self.invite()?)),
            Action::Befriend {
                address,
                note,
                invite,
            } => {
                let note = note.as_deref().filter(|note| !note.trim().is_empty());
                return self
                    .befriend(&address, note, invite.as_ref())
                    .map(Done::Object);
            }
            Action::Accept { request } => self.accept(request)?,
            Action::Decline { request, notify } => self.decline(request, notify)?,
            Action::End { identity } => self.end(identity)?,
            Action::Withdraw { request } => self.withdraw(request)?,
            Action::Block { identity } => self.block(identity)?,
            Action::Unblock { identity } => self.unblock(identity)?,
            Action::Message {
                to,
                text,
                parent,
                media,
            } => {
                return self.message(to, &text, parent, &media).map(Done::Object);
            }
            Action::Rotate {
                kit,
                compromised,
                next,
            } => return self.rotate(&kit, compromised, next).map(Done::Kit),
            Action::Move { address } => self.move_to(&address)?,
            Action::Consent(consent) => self.consent(consent)?,
            Action::Petname { identity, name } => self.petname(identity, name.as_deref())?,
            Action::Verify { identity, code } => self.verify(identity, &code)?,
            Action::Introduce { one, other } => self.introduce(one, other)?,
            Action::Read { author, id } => self.read(author, id)?,
            Action::Post(new) => return kinds::post::write(self, &new).map(Done::Object),
            Action::Widen { id, to } => {
                let post = self.own_object(id)?;
                kinds::post::widen(self, &post, &to)?;
            }
            Action::Page(face) => {
                let page = kinds::page::write(self, &face)?;
                self.publish(&[page])?;
                return Ok(Done::Object(kinds::page::id()));
            }
            Action::Publish { text } => {
                return kinds::post::publish(self, &text, None).map(Done::Object);
            }
            Action::Follow { address } => return self.follow(&address).map(Done::Object),
            Action::FollowId { identity } => self.follow_id(identity)?,
            Action::Unfollow { page } => self.unfollow(&page)?,
            Action::RemoveFollower { identity } => self.remove_follower(identity)?,
            Action::App {
                with,
                app_type,
                name,
            } => return self.share_app(with, &app_type, &name).map(Done::Object),
            Action::AppUpdate { app, said } => {
                return kinds::app_update::write(self, app, said).map(Done::Object);
            }
            Action::GroupCreate { name, about } => {
                return self.create_group(&name, about.as_deref()).map(Done::Object);
            }
            Action::GroupChange { group, change } => self.change_group(group, change)?,
            Action::GroupJoin { group } => self.join_group(group)?,
            Action::GroupLeave { group } => self.leave_group(group)?,
            Action::GroupEnd { group } => self.disband(group)?,
            Action::GroupPost { group, text } => {
                return self.post_to_group(group, &text, None).map(Done::Object);
            }
            Action::GroupMessage {
                group,
                text,
                parent,
            } => {
                let parent = self.parent_hash(parent)?;
                return self
                    .message_to_group(group, &text, parent, None)
                    .map(Done::Object);
            }
            Action::EventCreate { event, guests } => {
                return kinds::event::write(self, &event, &guests, None).map(Done::Object);
            }
            Action::EventChange { id, event } => {
                let missing = || unknown("event of yours", &id, "event list");
                let earlier = self.own_event(id)?.ok_or_else(missing)?;
                let all = Guests::Friends;
                return kinds::event::write(self, &event, &all, Some(&earlier)).map(Done::Object);
            }
            Action::Rsvp {
                organiser,
                event,
                answer,
                guests,
                note,
            } => {
                let note = note.as_deref();
                return kinds::rsvp::write(self, organiser, event, answer, guests, note)
                    .map(Done::Object);
            }
            Action::Narrow { id, from } => {
                let post = self.own_object(id)?;
                kinds::withdraw::write(self, &post, &from)?;
            }
            Action::Circle { name, add, remove } => self.change_circle(&name, &add, &remove)?,
            Action::Field(new) => kinds::field::write(self, &new)?,
            Action::Fetched {
                author,
                id,
                position,
                octets,
            } => self.take_fetched(author, id, position, &octets)?,
            Action::Comment {
                root,
                parent,
                text,
                private,
            } => {
                return self.comment(root, parent, &text, private).map(Done::Object);
            }
            Action::React {
                root,
                parent,
                symbols,
                private,
            } => {
                return self
                    .react(root, parent, &symbols, private)
                    .map(Done::Object);
            }
            Action::Share { post, text } => {
                return self.share(post, text.as_deref()).map(Done::Object);
            }
            Action::Hide { target } => return self.hide_reply(target).map(Done::Object),
            Action::Relaying { id, allow } => self.allow_relaying(id, allow)?,
            Action::Edit { id, text } => return self.edit(id, &text).map(Done::Object),
            Action::Retract { id } => {
                let target = self.own_object(id)?;
                kinds::retract::write(self, &target)?;
            }
            Action::Resend { id } => {
                let asked = self.all_asked()?.into_iter().find(|asked| asked.id == id);
                match asked {
                    Some(asked) => kinds::request::send_again(self, asked)?,
                    None => self.resend_failed(&self.own_object(id)?)?,
                }
            }
        }
        Ok(Done::Done)
    }

    fn befriend(
        &mut self,
        to: &str,
        note: Option<&str>,
        invite: Option<&Invitation>,
    ) -> Result<[u8; 16], ActError> {
        if !address::is_valid(to) {
            return Err(ActError::Address(to.to_owned()));
        }
        if address::same(to, &self.own.address) {
            return Err(ActError::Self_(to.to_owned()));
        }
        if invite.is_some_and(|invite| invite.expires < self.now) {
            return Err(InviteError::Expired.into());
        }
        let refuse = |reason| ActError::State {
            name: to.to_owned(),
            reason,
        };
        if self.asked_at(to, Purpose::Friend)?.is_some()
            && self.gate.enforces(&req::FRIENDS_REQUEST_SENT_ONCE)
        {
            return Err(refuse(
                "you have asked already; wait for the answer or withdraw the request",
            ));
        }
        for id in self.peers_at(to)? {
            let Some(peer) = self.peer(id)? else { continue };
            match self.state(&peer)? {
                State::Friends | State::Renewing => return Err(refuse("you are friends already")),
                State::Pending => {
                    return Err(refuse(
                        "this person has asked you; accept that request instead",
                    ));
                }
                State::Accepted => {
                    return Err(refuse(
                        "you have accepted a request from there; wait until it is confirmed",
                    ));
                }
                State::Blocked => {
                    return Err(refuse("you have blocked this person; unblock first"));
                }
                _ => {}
            }
        }
        kinds::request::ask(self, to, note, invite, Purpose::Friend)
    }

    fn pending_by_id(&self, request: [u8; 16]) -> Result<(Pending, Peer), ActError> {
        let missing = || unknown("request", &request, "requests");
        let mut all = self.all_pending()?.into_iter();
        let pending = all
            .find(|pending| pending.id == request)
            .ok_or_else(missing)?;
        let peer = self.peer(pending.from)?.ok_or_else(missing)?;
        if self.relation(peer.id)?.blocked {
            return Err(missing());
        }
        Ok((pending, peer))
    }

    fn accept(&mut self, request: [u8; 16]) -> Result<(), ActError> {
        let (pending, peer) = self.pending_by_id(request)?;
        Ok(kinds::accept::answer(self, &peer, &pending, None)?)
    }

    fn decline(&mut self, request: [u8; 16], notify: bool) -> Result<(), ActError> {
        let (pending, peer) = self.pending_by_id(request)?;
        if notify || !self.gate.enforces(&req::FRIENDS_DECLINE_SILENT) {
            kinds::decline::send(self, &peer, &pending)?;
        }
        self.note_answered(pending.from, pending.id, pending.expires);
        self.forget_pending(peer.id)?;
        Ok(self.forget_stranger(peer.id)?)
    }

    fn end(&mut self, identity: Id) -> Result<(), ActError> {
        let missing = || unknown("identity", &identity, "friends");
        let peer = self.peer(identity)?.ok_or_else(missing)?;
        let refuse = |reason| ActError::State {
            name: peer.shown(),
            reason,
        };
        let relation = self.relation(identity)?;
        match self.state(&peer)? {
            State::Accepted | State::Crossed | State::Friends | State::Renewing => {
                let friend = relation
                    .friend
                    .iter()
                    .flat_map(|f| f.requests.iter().map(|r| r.0));
                let accepted = relation.accepted.iter().map(|accepted| accepted.request);
                let requests: Vec<Id> = friend.chain(accepted).collect();
                kinds::end::send(self, &peer, &requests)?;
                Ok(self.become_strangers(&peer)?)
            }
            State::Requested | State::Met => {
                for asked in self.asked(&peer)? {
                    self.note_withdrawn(&asked);
                    self.store.delete(Table::Asked, asked.request);
                }
                Ok(())
            }
            State::Pending => Err(refuse("this person asks you; decline the request instead")),
            State::Blocked => Err(refuse("you have blocked this person; unblock first")),
            State::Stranger => Err(refuse("there is nothing to end")),
        }
    }

    fn withdraw(&mut self, request: [u8; 16]) -> Result<(), ActError> {
        let mut all = self.all_asked()?.into_iter();
        let asked = all.find(|asked| asked.id == request);
        let asked = asked.ok_or_else(|| unknown("request", &request, "requests"))?;
        self.note_withdrawn(&asked);
        self.store.delete(Table::Asked, asked.request);
        Ok(())
    }

    fn block(&mut self, identity: Id) -> Result<(), ActError> {
        if self.peer(identity)?.is_none() {
            return Err(unknown("identity", &identity, "friends"));
        }
        let mut relation = self.relation(identity)?;
        relation.blocked = true;
        self.forget_pending(identity)?;
        Ok(self.set_relation(identity, &relation)?)
    }

    fn unblock(&mut self, identity: Id) -> Result<(), ActError> {
        let mut relation = self.relation(identity)?;
        if !relation.blocked {
            return Err(ActError::State {
                name: self.shown_name(identity)?,
                reason: "this person is not blocked",
            });
        }
        relation.blocked = false;
        self.set_relation(identity, &relation)?;
        match self.peer(identity)? {
            Some(peer) => Ok(self.become_strangers(&peer)?),
            None => Ok(()),
        }
    }

    fn message(
        &mut self,
        to: Id,
        text: &str,
        parent: Option<(Id, [u8; 16])>,
        media: &[Attachment],
    ) -> Result<[u8; 16], ActError> {
        let peer = self
            .peer(to)?
            .ok_or_else(|| unknown("friend", &to, "friends"))?;
        if !self.is_friend(to)? && self.gate.enforces(&req::FRIENDS_CONFIRM_NEEDED) {
            let reason = "you are not friends, so nothing can be sent; ask first";
            return Err(ActError::State {
                name: peer.shown(),
                reason,
            });
        }
        let parent = self.parent_hash(parent)?;
        kinds::message::write(self, &peer, text, parent, media, None)
    }

    fn share_app(&mut self, with: Id, app_type: &str, name: &str) -> Result<[u8; 16], ActError> {
        let peer = self
            .peer(with)?
            .ok_or_else(|| unknown("friend", &with, "friends"))?;
        if !self.is_friend(with)? {
            return Err(ActError::State {
                name: peer.shown(),
                reason: "you are not friends, so nothing can be sent; ask first",
            });
        }
        kinds::app::write(self, &peer, app_type, name)
    }

    fn parent_hash(&self, parent: Option<(Id, [u8; 16])>) -> Result<Option<Id>, ActError> {
        let Some((author, id)) = parent else {
            return Ok(None);
        };
        let entry = self.entry(&merge_key(author, "message", id))?;
        let entry = entry.ok_or_else(|| unknown("message", &id, "messages"))?;
        Ok(Some(entry.hash))
    }

    fn own_object(&self, id: [u8; 16]) -> Result<Entry, ActError> {
        for kind in [
            "message", "post", "app", "event", "comment", "share", "hide",
        ] {
            let entry = self.entry(&merge_key(self.own.id, kind, id))?;
            if let Some(entry) = entry.filter(|entry| !entry.retracted) {
                return Ok(entry);
            }
        }
        Err(unknown(
            "message, post or comment of yours",
            &id,
            "timeline",
        ))
    }

    fn take_fetched(
        &mut self,
        author: Id,
        id: [u8; 16],
        position: usize,
        octets: &[u8],
    ) -> Result<(), ActError> {
        for kind in ["post", "message"] {
            let Some(entry) = self.entry(&merge_key(author, kind, id))? else {
                continue;
            };
            if let Some(medium) = self.media_of(&entry)?.get(position) {
                return self.fetched(author, medium, octets);
            }
        }
        Err(unknown("medium of", &id, "timeline"))
    }

    fn edit(&mut self, id: [u8; 16], text: &str) -> Result<[u8; 16], ActError> {
        let earlier = self.own_object(id)?;
        match &earlier.body {
            Body::Message { peer, parent, .. } => {
                let to = *peer;
                let peer = self
                    .peer(to)?
                    .ok_or_else(|| unknown("friend", &to, "friends"))?;
                if !self.is_friend(to)? {
                    let reason = "you are not friends any more, so nothing can be sent";
                    return Err(ActError::State {
                        name: peer.shown(),
                        reason,
                    });
                }
                let parent = parent
                    .as_ref()
                    .and_then(|hash| hex::FromHex::from_hex(hash).ok());
                kinds::message::write(self, &peer, text, parent, &[], Some(&earlier))
            }
            Body::Comment { .. } => self.edit_comment(&earlier, text),
            Body::Share { .. } => self.edit_share(&earlier, text),
            _ if self.is_public(earlier.hash)? => kinds::post::publish(self, text, Some(&earlier)),
            Body::App { .. } => Err(unknown("message or post of yours", &id, "timeline")),
            Body::Event(_) => Err(ActError::State {
                name: hex::encode(id),
                reason: "it is an event; change it as an event",
            }),
            Body::GroupMessage { parent, .. } if earlier.scope.is_some() => {
                let parent = parent
                    .as_ref()
                    .and_then(|hash| hex::FromHex::from_hex(hash).ok());
                let group = earlier
                    .scope
                    .ok_or_else(|| unknown("message", &id, "messages"))?;
                self.message_to_group(group, text, parent, Some(&earlier))
            }
            _ => match earlier.scope {
                Some(group) => self.post_to_group(group, text, Some(&earlier)),
                None => kinds::post::edit(self, &earlier, text),
            },
        }
    }

    /// The entry of an own object.
    pub(crate) fn own_entry(
        &self,
        kind: &str,
        id: [u8; 16],
        rev: u32,
        hash: Id,
        body: Body,
        earlier: Option<&Entry>,
    ) -> Entry {
        let first = earlier.map_or(self.now, |entry| entry.created);
        Entry {
            author: self.own.id,
            id,
            kind: kind.to_owned(),
            rev,
            hash,
            created: first,
            received: first,
            shown: first,
            retracted: false,
            scope: None,
            epoch: self.own.epoch(),
            body,
        }
    }

    pub(crate) fn keep_own(
        &mut self,
        entry: &Entry,
        earlier: Option<&Entry>,
    ) -> Result<(), AgentError> {
        let media = self.media_of(entry)?;
        let mut before = Vec::new();
        if let Some(earlier) = earlier {
            before = self.media_of(earlier)?;
            self.unlist(earlier);
            self.store.delete(Table::Octets, earlier.hash);
        }
        self.list(entry)?;
        self.use_media(entry, &media, &before)
    }

    /// Sends a copy of an object and remembers who got which revision.
    pub(crate) fn deliver_subject(
        &mut self,
        peer: &Peer,
        load: Load,
        rev: u32,
    ) -> Result<(), AgentError> {
        let subject = load.subject.clone().unwrap_or_default();
        let sent = load.objects.clone();
        let delivery = self.deliver(peer, load)?;
        let key = audience_key(&subject, peer.id);
        let known: Option<Recipient> = self.store.record(Table::Audience, &key)?;
        let mut hashes = known.map(|known| known.hashes).unwrap_or_default();
        hashes.extend(sent.iter().map(hex::encode));
        let recipient = Recipient {
            delivery,
            rev,
            gone: false,
            hashes,
        };
        Ok(self.store.set(Table::Audience, key, &recipient)?)
    }

    /// The friends who have an object: it was sent to them and not taken back from them.
    pub(crate) fn recipients(&self, key: &[u8]) -> Result<Vec<Id>, AgentError> {
        self.reached(key, |row| !row.gone)
    }

    /// The friends to whom an object was sent, as far as their rows say so.
    pub(crate) fn reached(
        &self,
        key: &[u8],
        wanted: impl Fn(&Recipient) -> bool,
    ) -> Result<Vec<Id>, AgentError> {
        let rows = self.store.records::<Recipient>(Table::Audience, key)?;
        let mut friends = Vec::new();
        for (row, recipient) in rows {
            let Ok(id) = Id::try_from(&row[key.len()..]) else {
                continue;
            };
            if wanted(&recipient) && self.is_friend(id)? {
                friends.push(id);
            }
        }
        Ok(friends)
    }

    pub(crate) fn keep_introduced(&mut self, introduced: &Introduced) -> Result<Peer, AgentError> {
        let copy = Introduced {
            peer: introduced.peer.clone(),
            octets: introduced.octets.clone(),
        };
        self.keep_peer(copy)
    }

    /// Forgets an identity with which there is no relation.
    pub(crate) fn forget_stranger(&mut self, id: Id) -> Result<(), AgentError> {
        let Some(peer) = self.peer(id)? else {
            return Ok(());
        };
        let stranger = matches!(self.state(&peer)?, State::Stranger | State::Requested);
        if stranger && !self.is_tied(id)? {
            self.forget_peer(&peer);
        }
        Ok(())
    }
}

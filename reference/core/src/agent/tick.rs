//! What is due when (specification, chapters "Friends" and "Delivery").
//!
//! Rows of [`Table::Due`] are ordered by time, so a tick costs as much as there is due.

use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::channel::{Sent, sent_row};
use super::outgoing::Load;
use super::peer::Peer;
use super::relation::{Asked, Pending};
use super::{Agent, AgentError, DAY, Effects, Id, Step};
use crate::kinds;
use crate::store::{Read, Table};

/// After how many days an accept is sent again.
const ACCEPT_AGAIN: [i64; 4] = [1, 3, 7, 14];

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "due", rename_all = "kebab-case")]
pub(crate) enum Due {
    /// Others' deliveries wait for an acknowledgement.
    Ack {
        #[serde(with = "hex::serde")]
        peer: Id,
    },
    /// A delivery that an ack listed as missing.
    Missing {
        #[serde(with = "hex::serde")]
        channel: [u8; 16],
        number: u64,
        /// In a channel to a group: which member, in hex.
        #[serde(default)]
        member: Option<String>,
    },
    /// A delivery of which nothing was heard.
    Unacknowledged {
        #[serde(with = "hex::serde")]
        channel: [u8; 16],
        number: u64,
        /// In a channel to a group: which member, in hex.
        #[serde(default)]
        member: Option<String>,
    },
    /// An accept that was not confirmed.
    Accept {
        #[serde(with = "hex::serde")]
        peer: Id,
    },
    /// An end that is sent once more.
    End {
        #[serde(with = "hex::serde")]
        peer: Id,
        #[serde(with = "hex::serde")]
        end: Id,
    },
    /// A pending request expires.
    Expire {
        #[serde(with = "hex::serde")]
        peer: Id,
        #[serde(with = "hex::serde")]
        request: Id,
    },
    /// An own request is honoured no more.
    Forget {
        #[serde(with = "hex::serde")]
        request: Id,
    },
    /// The id of a request need not be remembered any more.
    Unsee {
        #[serde(with = "hex::serde")]
        key: Vec<u8>,
    },
    /// An accepted follower never confirmed.
    Follower {
        #[serde(with = "hex::serde")]
        id: Id,
    },
    /// An introduction is over.
    Introduction {
        #[serde(with = "hex::serde")]
        id: Id,
    },
    /// No notification about a mail is awaited any more.
    ForgetMail { message_id: String },
    /// The journal has waited long enough.
    Journal,
    /// The own page passes on what others wrote.
    Relay,
    /// Something held has waited long enough.
    Release {
        #[serde(with = "hex::serde")]
        key: Vec<u8>,
    },
    /// A mail has waited long enough for a revision of a group.
    ReleaseMail {
        #[serde(with = "hex::serde")]
        key: Id,
    },
}

impl Step<'_> {
    /// Puts something on the list of what is due. The same thing at the same time stands there once.
    pub(crate) fn due(&mut self, at: i64, due: &Due) -> Result<(), AgentError> {
        let mut key = at.max(0).to_be_bytes().to_vec();
        key.extend(serde_json::to_vec(due).unwrap_or_default());
        Ok(self.store.set(Table::Due, key, due)?)
    }

    fn run(&mut self, due: Due) -> Result<(), AgentError> {
        match due {
            Due::Ack { peer } => self.bare_ack(peer),
            Due::Missing {
                channel,
                number,
                member,
            } => self.resend_missing(channel, number, member.as_deref()),
            Due::Unacknowledged {
                channel,
                number,
                member,
            } => self.resend_unheard(channel, number, member.as_deref()),
            Due::ReleaseMail { key } => {
                self.store.delete(Table::HeldMail, key);
                Ok(())
            }
            Due::Accept { peer } => self.accept_again(peer),
            Due::End { peer, end } => kinds::end::send_again(self, peer, end),
            Due::Expire { peer, request } => self.expire(peer, request),
            Due::Forget { request } => {
                self.store.delete(Table::Asked, request);
                Ok(())
            }
            Due::Unsee { key } => {
                self.store.delete(Table::Seen, key);
                Ok(())
            }
            Due::ForgetMail { message_id } => {
                self.store.delete(Table::MessageId, message_id.as_bytes());
                Ok(())
            }
            Due::Follower { id } => self.forget_follower(id),
            Due::Introduction { id } => {
                // A later one may have taken its place.
                if self.introduction(id)?.is_none() {
                    self.store.delete(Table::Introduction, id);
                }
                Ok(())
            }
            Due::Journal => {
                self.note_journal();
                Ok(())
            }
            Due::Relay => self.pass_on(),
            Due::Release { key } => {
                self.store.delete(Table::Held, key);
                Ok(())
            }
        }
    }

    fn bare_ack(&mut self, id: Id) -> Result<(), AgentError> {
        let owed = self
            .channels_of(id)?
            .into_iter()
            .filter_map(|(_, state)| state.owed)
            .min();
        let waits = self.receipts_due(id)?.map(|due| due.since);
        let echoes = !self.standing(id)?.echoes.is_empty();
        let owed = [owed, waits, echoes.then_some(self.now - DAY)]
            .into_iter()
            .flatten()
            .min();
        let (Some(owed), Some(peer)) = (owed, self.peer(id)?) else {
            return Ok(());
        };
        if !self.exchanges_with(id)? || !self.gate.enforces(&req::ACK_BARE) {
            return Ok(());
        }
        if owed + DAY > self.now {
            return self.due(owed + DAY, &Due::Ack { peer: id });
        }
        self.deliver(
            &peer,
            Load {
                automatic: true,
                // A receipt is an object, and objects are numbered.
                numbered: waits.is_some(),
                ..Load::default()
            },
        )?;
        Ok(())
    }

    fn sent(
        &self,
        channel: &[u8; 16],
        number: u64,
        member: Option<&str>,
    ) -> Result<Option<Sent>, AgentError> {
        let member: Option<Id> = member.and_then(|id| hex::FromHex::from_hex(id).ok());
        let key = sent_row(channel, number, member);
        Ok(self.store.record(Table::Sent, &key)?)
    }

    fn resend_missing(
        &mut self,
        channel: [u8; 16],
        number: u64,
        member: Option<&str>,
    ) -> Result<(), AgentError> {
        let Some(mut sent) = self.sent(&channel, number, member)? else {
            return Ok(());
        };
        if !self.gate.enforces(&req::ACK_RESEND) {
            return Ok(());
        }
        sent.missing = false;
        sent.resent += 1;
        self.resend(channel, number, sent, true)
    }

    fn resend_unheard(
        &mut self,
        channel: [u8; 16],
        number: u64,
        member: Option<&str>,
    ) -> Result<(), AgentError> {
        let Some(mut sent) = self.sent(&channel, number, member)? else {
            return Ok(());
        };
        if sent.repeated {
            return self.give_up(sent.to, &channel, number);
        }
        if sent.failed.is_some() || !self.gate.enforces(&req::ACK_UNACKNOWLEDGED) {
            return Ok(());
        }
        sent.repeated = true;
        let at = self.now + limit::UNACKNOWLEDGED_DAYS as i64 * DAY;
        self.due(
            at,
            &Due::Unacknowledged {
                channel,
                number,
                member: member.map(str::to_owned),
            },
        )?;
        self.resend(channel, number, sent, true)
    }

    /// Sends a delivery again; `automatic` unless the person wants it.
    pub(super) fn resend(
        &mut self,
        channel: [u8; 16],
        number: u64,
        mut sent: Sent,
        automatic: bool,
    ) -> Result<(), AgentError> {
        let friend = self.exchanges_with(sent.to)?;
        let Some(peer) = self.peer(sent.to)?.filter(|_| friend) else {
            return Ok(());
        };
        let mut objects: Vec<Id> = Vec::new();
        for hash in &sent.objects {
            let hash: Option<Id> = hex::FromHex::from_hex(hash).ok();
            let kept = |hash: &Id| self.store.get(Table::Octets, hash);
            if let Some(hash) = hash.filter(|hash| matches!(kept(hash), Ok(Some(_)))) {
                objects.push(hash);
            }
        }
        if objects.is_empty() && !sent.objects.is_empty() {
            // All was changed or taken back since, and what replaced it has numbers of its own.
            let member = sent.group.as_ref().map(|_| sent.to);
            self.store
                .delete(Table::MessageId, sent.message_id.as_bytes());
            self.store
                .delete(Table::Sent, sent_row(&channel, number, member));
            self.give_up(sent.to, &channel, number)?;
            return self.introduce_again(&peer, &sent);
        }
        sent.at = self.now;
        let member = sent.group.as_ref().map(|_| sent.to);
        self.store
            .set(Table::Sent, sent_row(&channel, number, member), &sent)?;
        if member.is_some() {
            return self.resend_to_member(channel, number, &sent);
        }
        let decode = |hash: &String| hex::FromHex::from_hex(hash).ok();
        let load = Load {
            objects,
            others: sent.others.iter().filter_map(decode).collect(),
            media: sent.media.clone(),
            numbered: true,
            again: Some((channel, number)),
            automatic,
            ..Load::default()
        };
        self.deliver(&peer, load)?;
        Ok(())
    }

    /// Sends the credentials of co-members that were lost with an earlier list of their group,
    /// together with the list of now.
    fn introduce_again(&mut self, peer: &Peer, sent: &Sent) -> Result<(), AgentError> {
        let decode = |hash: &String| <Id as hex::FromHex>::from_hex(hash).ok();
        for hash in sent.objects.iter().filter_map(decode) {
            let Some(revision) = self.revision(hash)? else {
                continue;
            };
            let Some(group) = self.group(revision.group)?.filter(|group| !group.ended) else {
                continue;
            };
            let mut others: Vec<Id> = sent.others.iter().filter_map(decode).collect();
            others.retain(|other| group.list.role(*other).is_some());
            if others.is_empty() || group.list.role(peer.id).is_none() {
                continue;
            }
            let load = Load {
                objects: vec![group.hash],
                others,
                numbered: true,
                automatic: true,
                ..Load::default()
            };
            self.deliver(peer, load)?;
        }
        Ok(())
    }

    fn accept_again(&mut self, id: Id) -> Result<(), AgentError> {
        let mut relation = self.relation(id)?;
        let (Some(accepted), Some(peer)) = (relation.accepted.as_mut(), self.peer(id)?) else {
            return Ok(());
        };
        if self.now > accepted.until {
            return self.become_strangers(&peer);
        }
        let passed = |days: &&i64| accepted.sent + **days * DAY <= self.now;
        let passed = ACCEPT_AGAIN.iter().filter(passed).count();
        let next = ACCEPT_AGAIN
            .get(passed)
            .map(|days| accepted.sent + days * DAY);
        let next = next.unwrap_or(accepted.until + 1);
        let again = passed > accepted.repeated && self.gate.enforces(&req::FRIENDS_ACCEPT_AGAIN);
        accepted.repeated = passed;
        let accept = accepted.accept;
        self.set_relation(id, &relation)?;
        self.due(next, &Due::Accept { peer: id })?;
        if again {
            let load = Load {
                objects: vec![accept],
                credentials: true,
                automatic: true,
                ..Load::default()
            };
            self.deliver(&peer, load)?;
        }
        Ok(())
    }

    fn expire(&mut self, id: Id, request: Id) -> Result<(), AgentError> {
        let pending: Option<Pending> = self.pending(id)?;
        if pending.is_some_and(|pending| pending.request == request) {
            self.forget_pending(id)?;
            self.forget_stranger(id)?;
        }
        Ok(())
    }

    /// Plans what follows from an accept that was just sent.
    pub(crate) fn plan_accept(&mut self, peer: Id) -> Result<(), AgentError> {
        self.due(self.now + ACCEPT_AGAIN[0] * DAY, &Due::Accept { peer })
    }

    /// Plans the end of an own request.
    pub(crate) fn plan_asked(&mut self, asked: &Asked) -> Result<(), AgentError> {
        self.due(
            asked.until() + 1,
            &Due::Forget {
                request: asked.request,
            },
        )
    }
}

impl Agent {
    /// Does what is due.
    ///
    /// # Errors
    ///
    /// When the store fails or a mail can't be made.
    pub fn tick(&mut self, store: &dyn Read, now: i64) -> Result<Effects, AgentError> {
        let mut step = self.step(store, now);
        let until = (now.max(0) + 1).to_be_bytes();
        for (key, _) in step.store.range(Table::Due, &[], &until, usize::MAX)? {
            let Some(due) = step.store.record(Table::Due, &key)? else {
                continue;
            };
            step.store.delete(Table::Due, key);
            step.run(due)?;
        }
        step.tell_protection()?;
        Ok(step.into_effects())
    }

    /// When something is due next, unix seconds.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn next_due(&self, store: &dyn Read) -> Result<Option<i64>, AgentError> {
        let first = store.range(Table::Due, &[], &[u8::MAX; 8], 1)?;
        let at = |key: &Vec<u8>| key.get(..8).and_then(|time| time.try_into().ok());
        let due = first
            .first()
            .and_then(|(key, _)| at(key))
            .map(i64::from_be_bytes);
        let submission = self.next_submission(store)?;
        Ok([due, submission].into_iter().flatten().min())
    }
}

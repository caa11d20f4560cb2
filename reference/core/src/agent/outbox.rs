//! The durable outbox (specification, section "Sending" of chapter "Delivery").

use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};

use super::{Agent, AgentError, DAY, Effects, Event, Id, Step};
use crate::agent::channel::{Sent, sent_key};
use crate::agent::group::deliver::member_key;
use crate::store::{Read, StoreError, Table};

const COUNTER: &[u8] = b"outbox";
/// The day of the last submission, counted from 1970 in UTC, and the submissions of that day.
const TODAY: &[u8] = b"sent today";
/// Most mails that are submitted in a day unless the person wants another limit (`send.daily`):
/// below what providers of ordinary accounts allow.
pub const DAILY: u64 = 500;
/// The first pause after a temporary failure; each further one is twice as long, up to a day.
const FIRST_PAUSE: i64 = 300;

/// A mail that waits to be submitted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Copy {
    /// The recipient's address: the one of the envelope.
    pub to: String,
    /// Further recipients of the same octets, none of whom the mail may name to the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The channel and number of the delivery in it.
    pub delivery: Option<(String, u64)>,
    /// The merge key, in hex, whose delivery state this is.
    pub subject: Option<String>,
    /// The recipient's identity, in hex.
    pub peer: Option<String>,
    /// Whether no action of a person caused it.
    #[serde(default)]
    pub automatic: bool,
    /// When it was put here.
    pub queued: i64,
    /// How often it failed for now.
    pub attempts: u32,
    /// Not before this time.
    pub not_before: i64,
}

/// A mail to submit now.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its number in the outbox.
    pub number: u64,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The mail.
    pub octets: Vec<u8>,
}

/// How a submission ended.
#[derive(Debug, Clone)]
pub enum Submitted {
    /// The server took it.
    Taken,
    /// Not now (4xx, no connection).
    Later,
    /// Never (5xx), with what the server said.
    Never(String),
    /// The server took it for some recipients, or told different things about them.
    Partly {
        /// Who may be tried again later.
        later: Vec<String>,
        /// Who never gets it, with what the server said.
        never: Vec<(String, String)>,
    },
}

/// A mail on its way to the outbox.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The addresses that it goes to.
    pub to: Vec<String>,
    /// Its octets.
    pub mail: Vec<u8>,
}

impl Copy {
    /// Puts the next attempt off, longer each time.
    fn postpone(&mut self, now: i64) {
        let pause = FIRST_PAUSE << self.attempts.min(8);
        self.attempts += 1;
        self.not_before = now + pause.min(DAY);
    }

    fn peer(&self) -> Option<Id> {
        self.peer
            .as_deref()
            .and_then(|id| hex::FromHex::from_hex(id).ok())
    }

    fn recipients(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.to).chain(&self.also)
    }
}

impl Step<'_> {
    pub(crate) fn enqueue(&mut self, mut copy: Copy, mail: Vec<u8>) -> Result<(), AgentError> {
        crate::implements!(req::SEND_DURABLE, req::SEND_ONE_TRANSACTION);
        let posted = Posted {
            to: copy.recipients().cloned().collect(),
            mail,
        };
        for Posted { mut to, mail } in self.gate.post(posted) {
            let number: u64 = self.store.record(Table::Own, COUNTER)?.unwrap_or(0) + 1;
            self.store.set(Table::Own, COUNTER, &number)?;
            copy.also = to.split_off(to.len().min(1));
            copy.to = to.pop().unwrap_or_default();
            copy.queued = self.now;
            copy.automatic = is_automatic(&mail);
            self.put_copy(&number.to_be_bytes(), &copy, &mail)?;
        }
        Ok(())
    }

    fn put_copy(&mut self, key: &[u8], copy: &Copy, mail: &[u8]) -> Result<(), AgentError> {
        let mut value = serde_json::to_vec(copy).map_err(|error| StoreError::Damaged {
            table: Table::Outbox,
            reason: error.to_string(),
        })?;
        value.push(b'\n');
        value.extend(mail);
        self.store.put(Table::Outbox, key, value);
        Ok(())
    }

    fn settle(&mut self, number: u64, outcome: Submitted) -> Result<(), AgentError> {
        let key = number.to_be_bytes();
        let Some(row) = self.store.get(Table::Outbox, &key)? else {
            return Ok(());
        };
        let (mut copy, mail) = split(&row)?;
        if matches!(outcome, Submitted::Taken | Submitted::Partly { .. }) {
            self.count_submission()?;
        }
        match outcome {
            Submitted::Taken => {
                self.store.delete(Table::Outbox, key);
                self.change_sent(&copy, |sent| sent.submitted = true)
            }
            Submitted::Later if self.now - copy.queued <= limit::RETRY_DAYS as i64 * DAY => {
                if !self.gate.enforces(&req::SEND_TEMPORARY) {
                    self.store.delete(Table::Outbox, key);
                    return Ok(());
                }
                copy.postpone(self.now);
                self.put_copy(&key, &copy, mail)
            }
            Submitted::Later => self.fail(&key, &copy, "the server could not be reached for days"),
            Submitted::Never(reason) => {
                if self.gate.enforces(&req::SEND_PERMANENT) {
                    self.fail(&key, &copy, &reason)
                } else {
                    Ok(())
                }
            }
            Submitted::Partly { later, never } => {
                for (to, reason) in never {
                    let again = false;
                    self.events.push(Event::Undelivered { to, reason, again });
                }
                let mail = mail.to_vec();
                self.store.delete(Table::Outbox, key);
                let mut later = later.into_iter();
                let Some(to) = later.next() else {
                    return self.change_sent(&copy, |sent| sent.submitted = true);
                };
                copy.to = to;
                copy.also = later.collect();
                self.put_copy(&key, &copy, &mail)?;
                self.settle(number, Submitted::Later)
            }
        }
    }

    /// Counts towards the limit of the day, and tells the person when it is reached and mail waits.
    fn count_submission(&mut self) -> Result<(), AgentError> {
        let count = submitted_on(&self.store, self.now)? + 1;
        self.store
            .set(Table::Own, TODAY, &(self.now.div_euclid(DAY), count))?;
        if count == self.daily {
            let rows = self
                .store
                .range(Table::Outbox, &[], &[u8::MAX; 9], usize::MAX)?;
            let waiting = rows.len().saturating_sub(1) as u64;
            if waiting > 0 {
                self.events.push(Event::PutOff { waiting });
            }
        }
        Ok(())
    }

    fn fail(&mut self, key: &[u8], copy: &Copy, reason: &str) -> Result<(), AgentError> {
        self.store.delete(Table::Outbox, key);
        self.change_sent(copy, |sent| sent.failed = Some(reason.to_owned()))?;
        if let (Some(peer), Some(_)) = (copy.peer(), &copy.delivery) {
            self.forget_ends(peer, copy.delivery.as_ref())?;
        }
        // Open mail that is about nothing: a request.
        if copy.delivery.is_none() && copy.subject.is_none() {
            let asked = self.all_asked()?.into_iter();
            for mut asked in asked.filter(|asked| asked.address == copy.to) {
                asked.failed = Some(format!(
                    "refused: {reason}; check the address, and send the request again or withdraw it"
                ));
                self.store.set(Table::Asked, asked.request, &asked)?;
            }
        }
        let failed = copy.recipients().map(|to| Event::Undelivered {
            to: to.clone(),
            reason: reason.to_owned(),
            again: copy.delivery.is_some(),
        });
        self.events.extend(failed);
        Ok(())
    }

    fn change_sent(
        &mut self,
        copy: &Copy,
        change: impl FnOnce(&mut Sent),
    ) -> Result<(), AgentError> {
        let Some((channel, number)) = &copy.delivery else {
            return Ok(());
        };
        let Ok(channel) = <[u8; 16] as hex::FromHex>::from_hex(channel) else {
            return Ok(());
        };
        let mut key = sent_key(&channel, *number);
        if let (Some(peer), None) = (copy.peer(), self.store.get(Table::Sent, &key)?) {
            key = member_key(&channel, *number, peer);
        }
        if let Some(mut sent) = self.store.record::<Sent>(Table::Sent, &key)? {
            change(&mut sent);
            self.store.set(Table::Sent, key, &sent)?;
        }
        Ok(())
    }
}

impl Step<'_> {
    /// Takes mails of a channel that ended out of the outbox.
    pub(crate) fn drop_copies(&mut self, channel: &[u8; 16]) -> Result<(), AgentError> {
        let channel = hex::encode(channel);
        let rows = self
            .store
            .range(Table::Outbox, &[], &[u8::MAX; 9], usize::MAX)?;
        for (key, row) in rows {
            let delivery = split(&row)?.0.delivery;
            if delivery.is_some_and(|(of, _)| of == channel) {
                self.store.delete(Table::Outbox, key);
            }
        }
        Ok(())
    }
}

/// The day of the last submission, and how many there were on it.
fn last_day(store: &dyn Read) -> Result<Option<(i64, u64)>, StoreError> {
    let row = store.get(Table::Own, TODAY)?;
    row.map(|row| crate::store::decode(Table::Own, &row))
        .transpose()
}

/// How many mails were submitted on the day of `now`.
fn submitted_on(store: &dyn Read, now: i64) -> Result<u64, StoreError> {
    let known = last_day(store)?.filter(|(day, _)| *day == now.div_euclid(DAY));
    Ok(known.map_or(0, |(_, count)| count))
}

/// Whether a mail says that no action of a person caused it.
fn is_automatic(mail: &[u8]) -> bool {
    let field: &[u8] = b"Auto-Submitted:";
    let mut lines = mail.split(|&octet| octet == b'\n');
    let header = lines
        .by_ref()
        .take_while(|line| !matches!(line, [] | [b'\r']));
    header.into_iter().any(|line| line.starts_with(field))
}

fn split(row: &[u8]) -> Result<(Copy, &[u8]), StoreError> {
    let end = row
        .iter()
        .position(|&octet| octet == b'\n')
        .unwrap_or(row.len());
    let copy = crate::store::decode(Table::Outbox, &row[..end])?;
    Ok((copy, row.get(end + 1..).unwrap_or_default()))
}

impl Agent {
    /// The mails that may be submitted now, `most` at most and no more than the day's limit leaves,
    /// oldest first; where it doesn't leave enough, what the person caused comes first.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn outbox(
        &self,
        store: &dyn Read,
        now: i64,
        most: usize,
    ) -> Result<Vec<Submission>, AgentError> {
        let rows = store.range(Table::Outbox, &[], &[u8::MAX; 9], usize::MAX)?;
        let mut due = Vec::new();
        for (key, row) in rows {
            let (copy, mail) = split(&row)?;
            let Ok(number) = <[u8; 8]>::try_from(key) else {
                continue;
            };
            if copy.not_before <= now {
                let submission = Submission {
                    number: u64::from_be_bytes(number),
                    from: self.own.address.clone(),
                    to: copy.recipients().cloned().collect(),
                    octets: match self.gate.enforces(&req::SEND_SAME_COPY) || copy.attempts == 0 {
                        true => mail.to_vec(),
                        false => [b"Comments: once more\r\n", mail].concat(),
                    },
                };
                due.push((copy.automatic, submission));
            }
        }
        let left = self.left_on(store, now)?;
        if due.len() as u64 > left && self.gate.enforces(&req::SEND_OWN_FIRST) {
            due.sort_by_key(|(automatic, _)| *automatic);
        }
        let most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
        Ok(due.into_iter().take(most).map(|(_, mail)| mail).collect())
    }

    /// How many mails wait, whether they may be submitted now or not.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn waiting(&self, store: &dyn Read) -> Result<usize, AgentError> {
        let rows = store.range(Table::Outbox, &[], &[u8::MAX; 9], usize::MAX)?;
        Ok(rows.len())
    }

    /// How many mails may still be submitted on the day of `now`.
    fn left_on(&self, store: &dyn Read, now: i64) -> Result<u64, AgentError> {
        match self.gate.enforces(&req::SEND_DAILY) {
            true => Ok(self.daily.saturating_sub(submitted_on(store, now)?)),
            false => Ok(u64::MAX),
        }
    }

    /// When the next mail that waits may be submitted.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn next_submission(&self, store: &dyn Read) -> Result<Option<i64>, AgentError> {
        let rows = store.range(Table::Outbox, &[], &[u8::MAX; 9], usize::MAX)?;
        let mut next: Option<i64> = None;
        for (_, row) in rows {
            let at = split(&row)?.0.not_before;
            next = Some(next.map_or(at, |next| next.min(at)));
        }
        // A day whose limit is reached is over only at its end.
        let full = last_day(store)?.filter(|(_, count)| *count >= self.daily);
        let tomorrow = full.map(|(day, _)| (day + 1) * DAY);
        Ok(next.max(next.and(tomorrow)))
    }

    /// Records how a submission ended.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn submitted(
        &mut self,
        store: &dyn Read,
        number: u64,
        outcome: Submitted,
        now: i64,
    ) -> Result<Effects, AgentError> {
        let mut step = self.step(store, now);
        step.settle(number, outcome)?;
        Ok(step.into_effects())
    }
}

/// Where an object's copy for a peer went: the row of [`Table::Audience`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recipient {
    /// The channel, in hex, and number of the delivery that carried it last.
    pub delivery: Option<(String, u64)>,
    /// The highest revision sent.
    pub rev: u32,
    /// Whether it was taken back from this recipient.
    #[serde(default)]
    pub gone: bool,
    /// The hashes of all revisions sent, in hex.
    #[serde(default)]
    pub hashes: Vec<String>,
}

impl Recipient {
    /// The channel and number of the delivery that carried it last.
    pub(crate) fn carrier(&self) -> Option<([u8; 16], u64)> {
        let (channel, number) = self.delivery.as_ref()?;
        let channel = <[u8; 16] as hex::FromHex>::from_hex(channel).ok()?;
        Some((channel, *number))
    }
}

pub(crate) fn audience_key(merge_key: &[u8], peer: Id) -> Vec<u8> {
    [merge_key, &peer[..]].concat()
}

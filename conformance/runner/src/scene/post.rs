//! Mail both ways. What puppets send goes straight into the agent's mailbox; what the
//! agent submits is taken apart and judged, whether or not the case looks at it.

use std::sync::Arc;

use kith_forge::draft::AnyDraft;
use kith_forge::{Mail, Peer, Puppet};
use kith_spec::Rule;
use kith_testbed::{AuthResult, Deliver, Submission};

use super::Scene;
use crate::case::Stop;
use crate::judge::read::document::ObjectFacts;
use crate::judge::recorded::Noted;
use crate::judge::{self, ReadError, Sighting};
use crate::ledger::Ledger;

/// A mail that the agent submitted.
#[derive(Debug)]
pub struct Sent {
    /// As the server took it.
    pub submission: Submission,
    /// What the judge read; an error where it couldn't.
    pub mail: Result<judge::Mail, ReadError>,
}

impl Sent {
    /// The first object of a kind in it.
    pub fn object(&self, kind: &str) -> Option<&ObjectFacts> {
        self.mail.as_ref().ok()?.object(kind)
    }

    /// The kinds of its objects, without those of credentials.
    pub fn kinds(&self) -> Vec<&str> {
        self.mail
            .as_ref()
            .map(judge::Mail::kinds)
            .unwrap_or_default()
    }

    /// Whether it is a delivery without objects: a bare acknowledgement.
    pub fn is_bare(&self) -> bool {
        let delivery = self.mail.as_ref().ok().and_then(judge::Mail::delivery);
        delivery.is_some_and(|delivery| delivery.objects.is_empty())
    }

    /// For a sentence: what it is and to whom.
    pub fn describe(&self) -> String {
        let to = self.submission.recipients.join(", ");
        match &self.mail {
            Ok(_) if self.is_bare() => format!("a bare acknowledgement to {to}"),
            Ok(mail) if mail.kinds().is_empty() => format!("a mail to {to}"),
            Ok(mail) => format!("a mail to {to} with {}", mail.kinds().join(", ")),
            Err(error) => format!("a mail to {to} that cannot be read ({error})"),
        }
    }
}

impl Scene {
    /// Writes a draft, drawing from the puppet's generator.
    ///
    /// # Errors
    /// If the forge can't.
    pub fn write(&self, puppet: &mut Puppet, draft: impl Into<AnyDraft>) -> Result<Mail, Stop> {
        draft.into().render(&mut puppet.rng).map_err(Stop::harness)
    }

    /// Puts a valid mail into the agent's INBOX, authenticated by the agent's own server.
    ///
    /// # Errors
    /// If the judge doesn't find it valid, which is a fault of the harness.
    pub fn deliver(&self, mail: &Mail) -> Result<(), Stop> {
        self.deliver_as(mail, AuthResult::Pass)
    }

    /// Puts a valid mail into the agent's INBOX.
    ///
    /// # Errors
    /// As [`deliver`](Self::deliver).
    pub fn deliver_as(&self, mail: &Mail, auth: AuthResult) -> Result<(), Stop> {
        let keyring = Arc::clone(&self.state().keyring);
        let read = judge::forged::valid(mail, &keyring, self.now().0).map_err(Stop::Harness)?;
        let mut state = self.state();
        match read {
            Some(read) => {
                judge::Keyring::learn(&mut state.keyring, &read)?;
                state.memory.delivered(&read);
            }
            None => state.memory.delivered_unread(),
        }
        state.note(|| Noted::Delivered {
            mail: mail.octets.clone().into(),
        });
        drop(state);
        self.put(mail, auth, None)
    }

    /// Puts a mail with one fault into the agent's INBOX.
    ///
    /// # Errors
    /// If the judge sees another fault than this, which is a fault of the harness.
    pub fn deliver_faulty(&self, mail: &Mail, fault: Rule, auth: AuthResult) -> Result<(), Stop> {
        let keyring = Arc::clone(&self.state().keyring);
        judge::forged::faulty(mail, fault, &keyring, self.now().0).map_err(Stop::Harness)?;
        self.put(mail, auth, Some(fault))
    }

    /// Puts a mail into the agent's INBOX that is neither quite valid nor quite faulty by
    /// the judge's measure: unusual ones, and what has to come before a fault.
    ///
    /// # Errors
    /// If the server doesn't take it.
    pub fn deliver_unjudged(&self, mail: &Mail, auth: AuthResult) -> Result<(), Stop> {
        self.put(mail, auth, None)
    }

    /// The person that the harness plays at this address.
    ///
    /// # Errors
    /// If it plays nobody there.
    pub fn played(&self, address: &str) -> Result<Puppet, Stop> {
        let person = self.state().keyring.person(address).cloned();
        person.ok_or_else(|| Stop::Harness(format!("nobody plays {address}")))
    }

    fn put(&self, mail: &Mail, auth: AuthResult, fault: Option<Rule>) -> Result<(), Stop> {
        self.tick();
        let from = &mail.from;
        let heading = match fault {
            Some(rule) => format!("Delivered: a mail from {from} that breaks {rule}"),
            None => format!("Delivered: a mail from {from}"),
        };
        let mut state = self.state();
        state.step(&heading);
        state.show(heading, &mail.octets, fault.is_some());
        drop(state);
        if !self.keep(mail, auth)? {
            let how = Deliver::from(&mail.from).auth(auth);
            let address = match self.agent_address() {
                Some(agent) if !self.is_list(&mail.to) => agent,
                _ => mail.to.clone(),
            };
            self.server().deliver(&address, &mail.octets, &how)?;
        }
        self.state().delivered.push(mail.clone());
        Ok(())
    }

    /// Writes a draft, delivers it, authenticated, and lets the agent sync.
    ///
    /// # Errors
    /// As [`deliver`](Self::deliver), and if the agent doesn't sync.
    pub async fn send(
        &self,
        puppet: &mut Puppet,
        draft: impl Into<AnyDraft>,
    ) -> Result<Mail, Stop> {
        let mail = self.write(puppet, draft)?;
        self.deliver(&mail)?;
        self.agent().await?.sync().await?;
        Ok(mail)
    }

    /// A puppet's message for somebody, not delivered yet.
    ///
    /// # Errors
    /// If the forge can't write it.
    pub fn message(&self, puppet: &mut Puppet, to: &Peer, text: &str) -> Result<Mail, Stop> {
        let draft = puppet.message(to, text, self.now());
        self.write(puppet, draft.map_err(Stop::harness)?)
    }

    /// A puppet's message for the agent's person, delivered and fetched.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn say(&self, puppet: &mut Puppet, to: &Peer, text: &str) -> Result<Mail, Stop> {
        let draft = puppet.message(to, text, self.now());
        self.send(puppet, draft.map_err(Stop::harness)?).await
    }

    /// What the agent submitted for a puppet since the last time this was asked.
    ///
    /// # Errors
    /// If the judge's two readers disagree.
    pub fn mail_to(&self, puppet: &Puppet) -> Result<Vec<Arc<Sent>>, Stop> {
        self.mail_to_address(&puppet.address)
    }

    /// What the agent submitted for an address since the last time this was asked.
    ///
    /// # Errors
    /// As [`mail_to`](Self::mail_to).
    pub fn mail_to_address(&self, address: &str) -> Result<Vec<Arc<Sent>>, Stop> {
        self.judge_sent()?;
        let mut guard = self.state();
        let state = &mut *guard;
        let mut found = Vec::new();
        for (sent, taken) in state.sent.iter().zip(&mut state.taken) {
            let recipients = &sent.submission.recipients;
            let here = recipients.iter().any(|to| to.eq_ignore_ascii_case(address));
            if here && !*taken {
                *taken = true;
                found.push(Arc::clone(sent));
            }
        }
        Ok(found)
    }

    /// The one mail with an object of this kind among those that the agent submitted for
    /// a puppet since the last time.
    ///
    /// # Errors
    /// If there is none, or there are several: an assertion that bears the rule.
    pub fn expect_mail(&self, rule: Rule, puppet: &Puppet, kind: &str) -> Result<Arc<Sent>, Stop> {
        let mails = self.mail_to(puppet)?;
        let fits: Vec<_> = mails
            .iter()
            .filter(|sent| sent.object(kind).is_some())
            .collect();
        self.require(rule, fits.len() == 1, || {
            let seen: Vec<_> = mails.iter().map(|sent| sent.describe()).collect();
            let to = &puppet.address;
            format!(
                "expected one mail with `{kind}` to {to}, seen {}",
                list(&seen)
            )
        })?;
        let found = fits.first().copied().cloned();
        found.ok_or(Stop::Failed)
    }

    /// Everything the agent submitted so far, judged.
    ///
    /// # Errors
    /// As [`mail_to`](Self::mail_to).
    pub fn all_sent(&self) -> Result<Vec<Arc<Sent>>, Stop> {
        self.judge_sent()?;
        Ok(self.state().sent.clone())
    }

    /// What was judged so far, without looking for more.
    pub(crate) fn judged(&self) -> Vec<Arc<Sent>> {
        self.state().sent.clone()
    }

    /// Everything that was delivered to the agent so far.
    pub fn all_delivered(&self) -> Vec<Mail> {
        self.state().delivered.clone()
    }

    /// Takes apart and judges what was submitted since the last time.
    pub(super) fn judge_sent(&self) -> Result<(), Stop> {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.unwatched {
            return Ok(());
        }
        for submission in self.submissions_since(state.sent.len()) {
            let mail = judge::Mail::read(&submission.octets, state.keyring.sequoia());
            if let Ok(mail) = &mail {
                judge::Keyring::learn(&mut state.keyring, mail)?;
            }
            let known = |to: &String| state.keyring.plays(to);
            let sighting = Sighting {
                submission: &submission,
                agent: state.agent.as_ref().map(|account| account.opened()),
                readable: submission.recipients.iter().all(known),
                mail: &mail,
                keyring: &state.keyring,
            };
            if let Err(error) = judge::second::compare(&sighting) {
                state.ledger.harness(error);
            }
            let failed = state.ledger.failures().len();
            // The same octets once more are no second mail (`send.same-copy`).
            let copies = |sent: &Arc<Sent>| sent.submission.octets == submission.octets;
            if !state.sent.iter().any(copies) {
                let mut found = Ledger::default();
                judge::sent(&sighting, &mut state.memory, &mut found);
                state.ledger.absorb(&found);
                if let Some(record) = &mut state.record {
                    record.sent(&sighting, &found);
                }
            }
            let sent = Arc::new(Sent { submission, mail });
            let new = state.ledger.failures().iter().skip(failed);
            let failed: Vec<_> = new.map(|failure| failure.requirement.clone()).collect();
            state.step(&format!("Sent by the agent: {}", sent.describe()));
            for requirement in failed {
                state.step(&format!("FAILS {requirement}"));
            }
            state.sent.push(sent);
            state.taken.push(false);
        }
        Ok(())
    }
}

/// A list for a sentence.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => "nothing".to_owned(),
        items => items.join("; "),
    }
}

//! The proof that something was refused: the barrier.
//!
//! That nothing happens can't be awaited. So after the faulty mail its twin is
//! delivered, identical but for the fault and with ids of its own, and the twin's effect
//! is awaited: by then the agent has dealt with the faulty mail too, and the twin proves
//! that the fault was the reason. Then nothing of the faulty mail may be anywhere, and
//! nothing may have left but the acknowledgements and repetitions that the agent owes.
//! The clock jumps, and everything is looked at once more.

use std::collections::BTreeSet;

use kith_adapter::protocol::Class;
use kith_forge::Mail;
use kith_spec::{Outcome, Rule, req};
use kith_testbed::{AuthResult, StoredMessage};

use super::{Agent, Scene, Sent};
use crate::case::Stop;

/// How far the clock jumps before the second look, in days: what is held is gone by then.
const JUMP: i64 = 31;

/// A mail with one fault, and its twin without.
#[derive(Debug, Clone)]
pub struct Faulty<'a> {
    /// What the mail breaks.
    pub rule: Rule,
    /// The faulty mail.
    pub mail: &'a Mail,
    /// What stands in the faulty mail and may be seen nowhere; none where a part of the
    /// mail is accepted, or what it says was said before.
    pub token: Option<&'a str>,
    /// The mail without the fault.
    pub twin: &'a Mail,
    /// What stands in the twin and nowhere else.
    pub twin_token: &'a str,
    /// Whether the whole mail is refused, and not just an object in it.
    pub whole: bool,
    /// What the agent's server says about both.
    pub auth: AuthResult,
}

impl Scene {
    /// Delivers a faulty mail and its twin and proves that only the twin had an effect.
    /// `effect` tells whether the effect of the mail with that token is there.
    ///
    /// # Errors
    /// If the twin has no effect, so that the fault proves nothing.
    pub async fn refused<F, Fut>(&self, faulty: &Faulty<'_>, effect: F) -> Result<(), Stop>
    where
        F: Fn(String) -> Fut + Send,
        Fut: Future<Output = Result<bool, Stop>> + Send,
    {
        let agent = self.agent().await?;
        let known = self.known_objects()?;
        let before = self.all_sent()?.len();
        self.deliver_faulty(faulty.mail, faulty.rule, faulty.auth)?;
        agent.sync().await?;
        self.only_owed(faulty, &known, before)?;
        if let Some(token) = faulty.token {
            let happened = effect(token.to_owned()).await?;
            self.expect(faulty.rule, !happened, || {
                "expected the faulty mail to have no effect, seen its effect".to_owned()
            });
        }
        self.deliver_as(faulty.twin, faulty.auth)?;
        agent.sync().await?;
        let happened = effect(faulty.twin_token.to_owned()).await?;
        self.require(faulty.rule, happened, || {
            "expected the effect of the same mail without the fault, seen none; \
             so the fault was not the reason for refusing the first"
                .to_owned()
        })?;
        self.nothing_of_it(&agent, faulty, "after its twin").await?;
        self.filed(faulty).await?;
        if self.stage().clock_is_set() {
            agent.jump(JUMP).await?;
            self.nothing_of_it(&agent, faulty, "31 days later").await?;
        }
        Ok(())
    }

    /// The hashes of all objects that the agent has sent.
    fn known_objects(&self) -> Result<BTreeSet<String>, Stop> {
        let mut known = BTreeSet::new();
        for sent in self.all_sent()? {
            let mail = sent.mail.as_ref().ok();
            known.extend(mail.into_iter().flat_map(|mail| {
                let hashes: Vec<_> = mail.readable().map(|object| object.hash.clone()).collect();
                hashes
            }));
        }
        Ok(known)
    }

    /// Whether what left since is only what the agent owes: acknowledgements, and objects
    /// that it has sent before.
    fn only_owed(
        &self,
        faulty: &Faulty<'_>,
        known: &BTreeSet<String>,
        before: usize,
    ) -> Result<(), Stop> {
        let owed = |sent: &Sent| {
            let mail = sent.mail.as_ref().ok();
            mail.is_some_and(|mail| mail.readable().all(|object| known.contains(&object.hash)))
        };
        let all = self.all_sent()?;
        let new = all.iter().skip(before).filter(|sent| !owed(sent));
        let seen: Vec<String> = new.map(|sent| sent.describe()).collect();
        self.expect(&req::LOOP_REFUSED_SILENT, seen.is_empty(), || {
            let rule = faulty.rule;
            let seen = super::post::list(&seen);
            format!("expected nothing to be sent because of a mail that breaks {rule}, seen {seen}")
        });
        Ok(())
    }

    /// Whether the faulty mail's token is in no view, and nothing that left names it.
    async fn nothing_of_it(
        &self,
        agent: &Agent,
        faulty: &Faulty<'_>,
        when: &str,
    ) -> Result<(), Stop> {
        let Some(token) = faulty.token else {
            return Ok(());
        };
        for (name, view) in agent.everything().await? {
            let text = serde_json::to_string(&view).map_err(Stop::harness)?;
            self.expect(faulty.rule, !text.contains(token), || {
                format!("expected no trace of the faulty mail, seen it in `{name}` {when}: {text}")
            });
        }
        let twins: BTreeSet<_> = faulty.twin.objects.iter().collect();
        let own = faulty
            .mail
            .objects
            .iter()
            .filter(|hash| !twins.contains(hash));
        let names: Vec<String> = own.map(ToString::to_string).collect();
        for sent in self.all_sent()? {
            let Ok(mail) = &sent.mail else { continue };
            let named = names.iter().find(|name| mail.holds(name));
            let trace = mail.holds(token) || named.is_some();
            self.expect(&req::LOOP_REFUSED_SILENT, !trace, || {
                let what = sent.describe();
                format!("expected no trace of the faulty mail in what is sent, seen it in {what}")
            });
        }
        Ok(())
    }

    /// Where the faulty mail stands, for agents that keep the mailbox in order.
    async fn filed(&self, faulty: &Faulty<'_>) -> Result<(), Stop> {
        if !faulty.whole || !self.declares(Class::Mailbox) {
            return Ok(());
        }
        let (rule, folder) = match faulty.rule.outcome {
            Some(Outcome::Refuse) => (&req::FILE_REFUSED, "Kith/Refused"),
            Some(Outcome::Ignore) => (&req::FILE_ORDINARY, "INBOX"),
            _ => return Ok(()),
        };
        let folders = self.folders_outside_or_here(&faulty.mail.octets).await?;
        let right = folders == [folder];
        self.expect(rule, right, || {
            format!("expected the faulty mail in {folder}, seen it in {folders:?}")
        });
        Ok(())
    }

    /// The folders of the agent's mailbox in which a mail stands.
    ///
    /// # Errors
    /// If the agent isn't open.
    pub fn folders_with(&self, octets: &[u8]) -> Result<Vec<String>, Stop> {
        let mut found = Vec::new();
        for folder in self.server().folders(&self.open_address()?)? {
            if self.stored(&folder.name, octets)?.is_some() {
                found.push(folder.name);
            }
        }
        Ok(found)
    }

    /// A mail as it stands in a folder of the agent's mailbox.
    ///
    /// # Errors
    /// If the agent isn't open, or there is no such folder.
    pub fn stored(&self, folder: &str, octets: &[u8]) -> Result<Option<StoredMessage>, Stop> {
        let messages = self.server().messages(&self.open_address()?, folder)?;
        let body = super::outside::body(octets);
        let mut messages = messages.into_iter();
        Ok(messages.find(|message| message.octets.ends_with(body)))
    }

    fn open_address(&self) -> Result<String, Stop> {
        let address = self.agent_address();
        address.ok_or_else(|| Stop::Harness("the agent is not open".to_owned()))
    }
}

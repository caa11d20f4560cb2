//! A scene on a mail server outside this process. What is delivered to the agent is carried
//! there as mail is, at the agent's next look; what the agent submits has to arrive.

use std::sync::Arc;

use kith_forge::Puppet;
use kith_spec::Rule;
use kith_testbed::{AuthResult, Door, Outside, Submission, WireLog};

use super::{PUPPET_DOMAIN, Scene, Sent};
use crate::case::Stop;
use crate::judge;
use crate::stage::{Lane, Stage};

/// A server outside this process, for one case.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) outside: Outside,
    /// Given back with the place.
    _lane: Lane,
}

impl Place {
    /// A place on one of the stage's servers; none where the stage has none.
    pub(super) async fn open(stage: &Arc<Stage>) -> Result<Option<Self>, Stop> {
        if !stage.is_outside() {
            return Ok(None);
        }
        let lane = stage.lane();
        let lane = lane.ok_or_else(|| Stop::Harness("no server is free".to_owned()))?;
        let outside = Outside::open(stage.authority(), lane.described.clone()).await?;
        Ok(Some(Self {
            outside,
            _lane: lane,
        }))
    }

    /// The address of an account that nobody has yet.
    pub(super) fn next_person(&self) -> Result<String, Stop> {
        let account = self.outside.next_person();
        account
            .map(|account| account.address.clone())
            .ok_or_else(too_few)
    }

    /// An account that nobody has yet, for another agent.
    pub(super) async fn next_agent(&self, stage: &Stage) -> Result<Door, Stop> {
        let door = self.outside.next_agent(stage.authority()).await?;
        door.ok_or_else(too_few)
    }
}

fn too_few() -> Stop {
    Stop::NotTested("the server has too few accounts for this case".to_owned())
}

/// What of a mail is the same on the way: delivery changes fields on top.
pub(super) fn body(octets: &[u8]) -> &[u8] {
    let end = octets.windows(4).position(|octets| octets == b"\r\n\r\n");
    &octets[end.unwrap_or(0)..]
}

impl Scene {
    /// Only on the embedded server can a case go on.
    pub(super) fn embedded(&self, why: &str) -> Result<(), Stop> {
        match self.0.outside {
            Some(_) => Err(Stop::NotTested(format!("on a server outside, {why}"))),
            None => Ok(()),
        }
    }

    /// Keeps a mail until it is carried, where the server is outside; returns whether it is.
    pub(super) fn keep(&self, mail: &kith_forge::Mail, auth: AuthResult) -> Result<bool, Stop> {
        if self.0.outside.is_none() {
            return Ok(false);
        }
        if auth != AuthResult::Pass {
            self.embedded("the server finds out itself whether a mail is authentic")?;
        }
        self.state().pending.push(mail.clone());
        Ok(true)
    }

    /// Brings what was delivered into the agent's mailbox.
    pub(super) async fn carry(&self) -> Result<(), Stop> {
        let Some(place) = &self.0.outside else {
            return Ok(());
        };
        let pending = std::mem::take(&mut self.state().pending);
        for mail in pending {
            let agent = &place.outside.agent().account().address;
            let to = match self.is_list(&mail.to) {
                true => &mail.to,
                false => agent,
            };
            place.outside.deliver(&mail.from, to, &mail.octets).await?;
        }
        Ok(())
    }

    /// The address of a mailing list whose members are the agent and everybody else.
    ///
    /// # Errors
    /// `NotTested` on a server outside that has none.
    pub fn list(&self) -> Result<String, Stop> {
        let list = match &self.0.outside {
            Some(place) => place.outside.list().map(ToOwned::to_owned),
            None => {
                let list = format!("fans@{PUPPET_DOMAIN}");
                self.server().add_list(&list)?;
                Some(list)
            }
        };
        let reason = "the server has no mailing list";
        let list = list.ok_or_else(|| Stop::NotTested(reason.to_owned()))?;
        self.state().list = Some(list.clone());
        Ok(list)
    }

    /// Whether this is the address of the mailing list.
    pub(super) fn is_list(&self, address: &str) -> bool {
        self.state().list.as_deref() == Some(address)
    }

    /// Reads and judges a mail of the agent as it came to somebody that the harness plays, by
    /// what is asked of it wherever it has passed.
    ///
    /// # Errors
    /// If it doesn't come, or can't be read: an assertion that bears the first rule.
    pub async fn received(
        &self,
        sent: &Sent,
        by: &Puppet,
        rules: &[Rule],
    ) -> Result<judge::Mail, Stop> {
        let mail = &sent.submission.octets;
        let octets = match &self.0.outside {
            Some(place) => place.outside.received(&by.address, mail).await?,
            None => self.in_inbox(&by.address, mail)?,
        };
        let mut state = self.state();
        let keyring = Arc::clone(&state.keyring);
        let read = judge::received(&octets, &keyring, state.now.0, rules, &mut state.ledger);
        drop(state);
        let (mail, error) = match read {
            Ok(mail) => (Some(mail), String::new()),
            Err(error) => (None, error.to_string()),
        };
        let to = &by.address;
        let told = || format!("expected mail that {to} can read: {error}");
        match rules.first() {
            Some(rule) => self.require_some(rule, mail, told),
            None => mail.ok_or_else(|| Stop::Harness(told())),
        }
    }

    /// The mail in a puppet's mailbox on the harness's own server with this one's Message-ID.
    fn in_inbox(&self, address: &str, mail: &[u8]) -> Result<Vec<u8>, Stop> {
        let id = kith_testbed::message_id(mail);
        let messages = self.server().messages(address, "INBOX")?;
        let mut octets = messages.iter().map(|message| &message.octets);
        let found = octets.find(|octets| kith_testbed::message_id(octets) == id);
        let found = found.ok_or_else(|| Stop::Harness(format!("{address} got no copy")))?;
        Ok(found.to_vec())
    }

    /// The folders of the agent's mailbox in which a mail stands, wherever the mailbox is.
    pub(super) async fn folders_outside_or_here(&self, octets: &[u8]) -> Result<Vec<String>, Stop> {
        match &self.0.outside {
            Some(place) => Ok(place.outside.folders_with(body(octets)).await?),
            None => self.folders_with(octets),
        }
    }

    /// After the case: whether what the agent submitted is where it belongs, once.
    pub(super) async fn arrived(&self) -> Result<(), Stop> {
        let Some(place) = &self.0.outside else {
            return Ok(());
        };
        // Agents file what they get, and the case looks at what they show.
        if self.state().unwatched {
            return Ok(());
        }
        let wrong = place.outside.settle().await?;
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Stop::Harness(format!(
                "lost or doubled: {}",
                wrong.join("; ")
            )))
        }
    }

    /// What the agent submitted after the first `known` mails.
    pub(super) fn submissions_since(&self, known: usize) -> Vec<Submission> {
        match &self.0.outside {
            Some(place) => place.outside.submissions_since(known),
            None => self.server().submissions_since(known),
        }
    }

    /// All that was said between the agent and its server.
    pub fn wire_log(&self) -> WireLog {
        match &self.0.outside {
            Some(place) => place.outside.wire_log(),
            None => self.server().wire_log(),
        }
    }
}

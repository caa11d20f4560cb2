//! Receiving: one order of checks (specification, chapter "Receiving").

use kith_spec::{Outcome, limit, req};
use serde::{Deserialize, Serialize};

use super::{Agent, AgentError, Effects, Failure, Id, Step};
use crate::gate::Violation;
use crate::store::Read;
use crate::wire::mime::Entity;
use crate::wire::sealed::{Opened, Unopened};

/// A mail as it came.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Its octets.
    pub octets: &'a [u8],
    /// The time of receiving: when it was first seen, unix seconds (`receive.time`).
    pub now: i64,
}

/// An outcome and, unless accepted, the violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why.
    pub violation: Option<Violation>,
}

impl Verdict {
    /// Accepted.
    pub const ACCEPT: Self = Self {
        outcome: Outcome::Accept,
        violation: None,
    };

    /// What a violation leads to.
    #[must_use]
    pub fn of(violation: Violation) -> Self {
        Self {
            outcome: violation.outcome(),
            violation: Some(violation),
        }
    }
}

/// The verdict on one object.
#[derive(Debug, Clone, Copy)]
pub struct ObjectVerdict {
    /// The object hash; of something that is no object, the SHA-256 of its octets.
    pub hash: Id,
    /// The verdict.
    pub verdict: Verdict,
}

/// What became of a mail.
#[derive(Debug)]
pub struct Receipt {
    /// The verdict on the mail.
    pub mail: Verdict,
    /// The verdicts on its objects, if the mail passed.
    pub objects: Vec<ObjectVerdict>,
    /// What to do.
    pub effects: Effects,
}

/// Where a mail belongs (specification, section "Filing" of chapter "Receiving").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Filing {
    /// It is not Kith mail and is not touched.
    Leave,
    /// The folder `Kith`.
    Kith,
    /// The folder `Kith/Refused`.
    Refused,
}

impl Receipt {
    /// Where the mail belongs.
    #[must_use]
    pub fn filing(&self) -> Filing {
        match self.mail.outcome {
            Outcome::Ignore => Filing::Leave,
            Outcome::Refuse => Filing::Refused,
            Outcome::Accept | Outcome::Hold => Filing::Kith,
        }
    }
}

pub(super) type Judged = Result<Vec<ObjectVerdict>, Failure>;

impl Agent {
    /// Judges a mail and takes what it brings.
    ///
    /// # Errors
    ///
    /// When the store fails or an answer can't be made; then nothing happened, and the mail can be
    /// tried again.
    pub fn receive(&mut self, store: &dyn Read, mail: Incoming<'_>) -> Result<Receipt, AgentError> {
        let gate = self.gate.clone();
        let arrived = gate.arrive(mail.octets);
        let mail = Incoming {
            octets: &arrived,
            ..mail
        };
        let mut step = self.step(store, mail.now);
        let (verdict, objects) = match step.judge(mail.octets) {
            Ok(objects) => (Verdict::ACCEPT, objects),
            Err(Failure::Violation(violation)) => {
                crate::implements!(req::LOOP_REFUSED_SILENT);
                // A refused mail has no effect: what the step wrote is dropped.
                let freezing = step.freezing.take();
                if gate.enforces(&req::RECEIVE_NO_EFFECT) {
                    step = self.step(store, mail.now);
                }
                if violation == Violation(&req::GROUP_REVISION_UNKNOWN)
                    && gate.enforces(&req::GROUP_REVISION_UNKNOWN)
                {
                    step.hold_mail(mail.octets)?;
                }
                if let Some((peer, why)) = freezing {
                    step.freeze(&peer, why)?;
                }
                if violation == Violation(&req::LOOP_NO_REACTION) {
                    step.note_bounce(mail.octets)?;
                }
                (Verdict::of(violation), Vec::new())
            }
            Err(Failure::Agent(error)) => return Err(error),
        };
        let settled = |verdict: Verdict| match verdict.violation {
            Some(violation) => Verdict {
                outcome: gate.outcome(violation),
                ..verdict
            },
            None => verdict,
        };
        let objects = objects.into_iter().map(|object| ObjectVerdict {
            verdict: settled(object.verdict),
            ..object
        });
        Ok(Receipt {
            mail: settled(verdict),
            objects: objects.collect(),
            effects: step.into_effects(),
        })
    }
}

impl Agent {
    /// Judges a mail if it is a self-copy, and leaves every other one for later: a device that
    /// starts anew reads these first (`devices.rebuild`).
    ///
    /// # Errors
    ///
    /// As for [`Agent::receive`].
    pub fn receive_self_copy(
        &mut self,
        store: &dyn Read,
        mail: Incoming<'_>,
    ) -> Result<Option<Receipt>, AgentError> {
        crate::implements!(req::DEVICES_REBUILD);
        let step = self.step(store, mail.now);
        let opened = Entity::parse(mail.octets)
            .filter(|entity| entity.root == "multipart/encrypted")
            .and_then(|entity| step.open_envelope(&entity).ok());
        match opened {
            Some(opened) if opened.is_self_copy() => self.receive(store, mail).map(Some),
            _ => Ok(None),
        }
    }
}

impl Step<'_> {
    pub(super) fn judge(&mut self, octets: &[u8]) -> Judged {
        crate::implements!(req::RECEIVE_ORDER, req::RECEIVE_TIME, req::MAIL_RECOGNISE);
        self.size = octets.len() as u64;
        self.gate
            .check(&req::MAIL_SIZE, self.size <= limit::MAIL_OCTETS)?;
        let not_kith = Violation(&req::MAIL_KITH_VERSION_UNTRUSTED);
        let entity = Entity::parse(octets).ok_or(not_kith)?;
        if self.gate.enforces(&req::LOOP_NO_REACTION) && is_automatic(&entity) {
            return Err(Violation(&req::LOOP_NO_REACTION).into());
        }
        if entity.root == "multipart/encrypted" {
            let opened = self.open_envelope(&entity)?;
            let payload = Entity::parse(&opened.payload).ok_or(not_kith)?;
            let sealed = payload.has_kith_part() && self.gate.opens(&opened.payload);
            self.gate.check(&req::MAIL_KITH_VERSION_UNTRUSTED, sealed)?;
            if opened.is_self_copy() {
                return self.judge_self(&opened, &payload);
            }
            return self.judge_delivery(&opened, &payload);
        }
        if !entity.has_kith_part() {
            return Err(not_kith.into());
        }
        self.judge_open(&entity)
    }

    fn open_envelope(&self, entity: &Entity) -> Result<Opened, Failure> {
        let marked = entity
            .field("Kith-Version")
            .any(|version| version.trim() == "1.0");
        // What can't be read is taken for Kith mail only if it says so, and then refused.
        let unreadable = |violation| {
            let ignore = Violation(&req::MAIL_KITH_VERSION_UNTRUSTED);
            let refuse = marked || !self.gate.enforces(&req::MAIL_UNREADABLE);
            Failure::Violation(if refuse { violation } else { ignore })
        };
        let well_formed = entity.protocol.as_deref() == Some("application/pgp-encrypted")
            && entity.children == ["application/pgp-encrypted", "application/octet-stream"]
            && entity.leaves.len() == 2;
        self.gate
            .check(&req::MAIL_STRUCTURE, well_formed)
            .map_err(unreadable)?;
        let broken = || unreadable(Violation(&req::MAIL_STRUCTURE));
        let message = entity
            .of_type("application/octet-stream")
            .next()
            .ok_or_else(broken)?;
        match Opened::open(self.gate, &message.content, &self.own.keys()) {
            Ok(opened) => Ok(opened),
            Err(Unopened::NotForUs) => Err(Violation(&req::MAIL_KITH_VERSION_UNTRUSTED).into()),
            Err(Unopened::NoMessage) => Err(broken()),
            Err(Unopened::Broken(violation)) => Err(unreadable(violation)),
        }
    }
}

/// Bounces, notifications and automatic replies (RFC 3464, RFC 8098, RFC 3834). Kith's own
/// automatic mail is `auto-generated`.
fn is_automatic(entity: &Entity) -> bool {
    let replied = entity.field("Auto-Submitted").any(|value| {
        let keyword = value
            .split([';', ' ', '\t', '('])
            .next()
            .unwrap_or_default();
        keyword.eq_ignore_ascii_case("auto-replied")
            || keyword.eq_ignore_ascii_case("auto-notified")
    });
    replied || entity.root == "multipart/report"
}

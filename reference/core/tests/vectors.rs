//! Every vector: the outcome of the mail and of each of its objects.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kith_core::agent::adopt::SentElsewhere;
use kith_core::agent::invite::Invitation;
use kith_core::agent::own::Own;
use kith_core::agent::receive::Verdict;
use kith_core::store::Memory;
use kith_core::{Action, Agent, Incoming, Receipt, Strict};
use kith_vectors::{Act, Step, StepKind, Vector};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn seconds(time: &str) -> i64 {
    OffsetDateTime::parse(time, &Rfc3339)
        .unwrap()
        .unix_timestamp()
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

struct Reader {
    agent: Agent,
    store: Memory,
    authenticated: bool,
}

impl Reader {
    fn new(vector: &Vector) -> Self {
        let recipient = &vector.opening().recipient;
        let decode = |text: &String| STANDARD.decode(text).unwrap();
        let chain: Vec<_> = recipient.chain.iter().map(decode).collect();
        let writes = Own::import(
            &decode(&recipient.secret),
            &chain,
            &decode(&recipient.contact),
        )
        .unwrap();
        let mut store = Memory::default();
        store.apply(writes);
        let agent = Agent::open(Arc::new(Strict), &store, [1; 32]).unwrap();
        Self {
            agent: agent.trusting(Some("mx.b.test".to_owned())),
            store,
            authenticated: vector.given.authenticated,
        }
    }

    fn receive(&mut self, octets: &[u8], now: i64) -> Receipt {
        let vouched = "Authentication-Results: mx.b.test; dmarc=pass\r\n";
        let prefix = if self.authenticated { vouched } else { "" };
        let octets = &[prefix.as_bytes(), octets].concat();
        let receipt = self
            .agent
            .receive(&self.store, Incoming { octets, now })
            .unwrap();
        self.store.apply(receipt.effects.writes.clone());
        receipt
    }

    fn step(&mut self, step: &Step) {
        let now = seconds(&step.at);
        match &step.kind {
            StepKind::Mail(mail) => {
                self.receive(&mail.octets(), now);
            }
            StepKind::Sent(sent) => {
                let invite = sent
                    .invite
                    .as_ref()
                    .map(|uri| Invitation::parse(uri).unwrap());
                let sent = SentElsewhere {
                    to: hex(&sent.to.id),
                    objects: sent.object_octets(),
                    invite,
                };
                let effects = self.agent.adopt(&self.store, &sent, now).unwrap();
                self.store.apply(effects.writes);
            }
            StepKind::Act(act) => {
                let action = match act {
                    Act::Decline { request } => Action::Decline {
                        request: hex(request),
                        notify: false,
                    },
                    Act::Block { identity } => Action::Block {
                        identity: hex(identity),
                    },
                };
                let (_, effects) = self.agent.act(&self.store, action, now).unwrap();
                self.store.apply(effects.writes);
            }
        }
    }
}

fn shown(verdict: Verdict) -> String {
    let violation = verdict
        .violation
        .map(|violation| violation.name())
        .unwrap_or_default();
    format!("{} {violation}", verdict.outcome)
}

fn expected(outcome: kith_vectors::Outcome, violation: Option<&String>) -> String {
    let outcome = format!("{outcome:?}").to_lowercase();
    format!(
        "{outcome} {}",
        violation.map(String::as_str).unwrap_or_default()
    )
}

#[test]
fn every_vector_has_its_outcome() {
    let mut wrong = Vec::new();
    for vector in kith_vectors::all() {
        let mut reader = Reader::new(vector);
        for step in vector.opening().steps.iter().chain(&vector.given.earlier) {
            reader.step(step);
        }
        let receipt = reader.receive(&vector.mail.octets(), seconds(&vector.given.now));
        let want = &vector.expected.mail;
        let (want, seen) = (
            expected(want.outcome, want.violation.as_ref()),
            shown(receipt.mail),
        );
        if want != seen {
            wrong.push(format!("{}: mail: expected {want}, seen {seen}", vector.id));
            continue;
        }
        let mut seen: Vec<_> = receipt
            .objects
            .iter()
            .map(|object| format!("{} {}", hex::encode(object.hash), shown(object.verdict)))
            .collect();
        let objects = vector.expected.objects.iter();
        let mut want: Vec<_> = objects
            .map(|object| {
                let verdict = expected(object.outcome, object.violation.as_ref());
                format!("{} {verdict}", object.hash)
            })
            .collect();
        seen.sort();
        want.sort();
        if want != seen {
            wrong.push(format!(
                "{}: objects: expected {want:#?}, seen {seen:#?}",
                vector.id
            ));
        }
    }
    let total = kith_vectors::all().len();
    assert!(
        wrong.is_empty(),
        "{} of {total} are wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

//! The agent's readers: whole mails, mails that a friend or a stranger signed and sealed, OpenPGP
//! data, exports, links.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kith_core::agent::adopt::SentElsewhere;
use kith_core::agent::invite::Invitation;
use kith_core::agent::own::Own;
use kith_core::store::Memory;
use kith_core::wire::archive::{self, File};
use kith_core::wire::keys::{self, Certificate, OwnKey};
use kith_core::wire::mime::Entity;
use kith_core::wire::sealed::Opened;
use kith_core::wire::signed::Signed;
use kith_core::{Agent, Incoming, Strict};
use kith_forge::KeyKind;
use kith_forge::draft::AnyDraft;
use kith_forge::faults::Base;
use kith_forge::play::Opening;
use kith_vectors::{StepKind, Vector};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::seeds::SEEDS;
use crate::{Mutator, Target};

/// The recipient of a vector, after everything that comes before its mail.
struct Reader {
    agent: Agent,
    store: Memory,
    now: i64,
}

impl Reader {
    fn new(vector: &Vector) -> Result<Self, Box<dyn Error>> {
        let recipient = &vector.opening().recipient;
        let decode = |text: &String| STANDARD.decode(text);
        let chain: Vec<_> = recipient
            .chain
            .iter()
            .map(decode)
            .collect::<Result<_, _>>()?;
        let secret = decode(&recipient.secret)?;
        let mut store = Memory::default();
        store.apply(Own::import(&secret, &chain, &decode(&recipient.contact)?)?);
        let mut reader = Self {
            agent: Agent::open(Arc::new(Strict), &store, [1; 32])?,
            store,
            now: seconds(&vector.given.now)?,
        };
        for step in vector.opening().steps.iter().chain(&vector.given.earlier) {
            let now = seconds(&step.at)?;
            match &step.kind {
                StepKind::Mail(mail) => {
                    let incoming = Incoming {
                        octets: &mail.octets(),
                        now,
                    };
                    let receipt = reader.agent.receive(&reader.store, incoming)?;
                    reader.store.apply(receipt.effects.writes);
                }
                StepKind::Sent(sent) => {
                    let mut to = [0; 32];
                    hex::decode_to_slice(&sent.to.id, &mut to)?;
                    let invite = sent.invite.as_ref().map(|uri| Invitation::parse(uri));
                    let sent = SentElsewhere {
                        to,
                        objects: sent.object_octets(),
                        invite: invite.transpose()?,
                    };
                    let effects = reader.agent.adopt(&reader.store, &sent, now)?;
                    reader.store.apply(effects.writes);
                }
                StepKind::Act(_) => {}
            }
        }
        Ok(reader)
    }

    /// Receives a mail and forgets it; what it writes must still be readable.
    fn receive(&mut self, octets: &[u8]) -> Result<(), String> {
        let now = self.now;
        let receipt = self.agent.receive(&self.store, Incoming { octets, now });
        let receipt = receipt.map_err(|error| format!("the agent gave up: {error}"))?;
        if receipt.effects.writes.is_empty() {
            return Ok(());
        }
        let mut store = self.store.clone();
        store.apply(receipt.effects.writes);
        let shown = |error| format!("what the mail left can't be shown: {error}");
        let view = self.agent.view(&store, now);
        view.requests().map_err(shown)?;
        view.messages(None).map_err(shown)?;
        view.timeline(100).map_err(shown)?;
        let due = self.agent.tick(&store, now + 8 * 86_400);
        let due = due.map_err(|error| format!("afterwards nothing can be sent: {error}"))?;
        store.apply(due.writes);
        Ok(())
    }
}

fn seconds(time: &str) -> Result<i64, time::error::Parse> {
    OffsetDateTime::parse(time, &Rfc3339).map(OffsetDateTime::unix_timestamp)
}

/// Mails as they stand in the vectors, changed on their way.
pub(super) struct Mail {
    reader: Reader,
}

impl Mail {
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        let vector = kith_vectors::vector("valid/message-v4-v4").ok_or("a vector is missing")?;
        let reader = Reader::new(vector)?;
        Ok(Self { reader })
    }
}

impl Target for Mail {
    fn name(&self) -> &'static str {
        "core-mail"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let mail = mutator.choose(&SEEDS.mails).clone();
        let other = mutator.choose(&SEEDS.mails);
        let mail = mutator.mutate(mail, other);
        self.reader.receive(&mail)
    }
}

/// Mails changed before they are signed and sealed: what a friend, or a stranger with a request,
/// can make the agent read.
pub(super) struct Sealed {
    /// By the name of the base; made when it is first needed.
    stages: BTreeMap<&'static str, (Opening, Reader)>,
    bases: Vec<(Base, &'static Vector)>,
}

impl Sealed {
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        let vector = |base: &Base| kith_vectors::vector(&format!("valid/{}-v4-v4", base.name()));
        let bases: Vec<_> = Base::ALL
            .into_iter()
            .filter_map(|base| Some((base, vector(&base)?)))
            .collect();
        if bases.len() < 20 {
            return Err("the valid vectors have other names now".into());
        }
        Ok(Self {
            stages: BTreeMap::new(),
            bases,
        })
    }
}

impl Target for Sealed {
    fn name(&self) -> &'static str {
        "core-sealed"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let (base, vector) = *mutator.choose(&self.bases);
        let stage = match self.stages.remove(base.name()) {
            Some(stage) => stage,
            None => stage(base, vector).map_err(|error| error.to_string())?,
        };
        let (opening, reader) = self.stages.entry(base.name()).or_insert(stage);
        let change = |draft: &mut AnyDraft| change(draft, mutator);
        let mail = opening.changed(base, change);
        // What can't be forged is no input.
        mail.map_or(Ok(()), |mail| reader.receive(&mail.octets))
    }
}

fn stage(base: Base, vector: &Vector) -> Result<(Opening, Reader), Box<dyn Error>> {
    let kind = KeyKind::V4;
    let third = vector.opening().id.starts_with("two-") || vector.opening().id.contains("-to-two");
    let opening = Opening::new(base.relation(), kind, kind, third)?;
    Ok((opening, Reader::new(vector)?))
}

/// Changes one layer of a mail.
fn change(draft: &mut AnyDraft, mutator: &mut Mutator) {
    let layer = mutator.below(10);
    let fork = mutator.fork();
    let other = mutator.choose(&SEEDS.documents).clone();
    let count = draft.objects().len();
    if layer < 6 && count > 0 {
        let object = mutator.below(count);
        if let Some(object) = draft.objects()[object].draft() {
            match layer {
                5 => object.octets.set(hook(fork, other)),
                _ => object.xml.set(hook(fork, other)),
            }
            return;
        }
    }
    match draft {
        AnyDraft::Sealed(draft) => match layer {
            0..=6 => draft.delivery.xml.set(hook(fork, other)),
            7 => draft.payload.set(hook(fork, other)),
            8 => draft.envelope.plain.set(hook(fork, other)),
            _ => draft.armored.set(hook(fork, other)),
        },
        AnyDraft::Open(draft) => draft.mail.raw.set(hook(fork, other)),
    }
}

fn hook(fork: Mutator, other: Vec<u8>) -> impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync {
    move |octets| fork.clone().mutate(octets, &other)
}

/// Objects, certificates, envelopes and keys by themselves.
pub(super) struct OpenPgp {
    own: Vec<OwnKey>,
}

impl OpenPgp {
    pub(super) fn new() -> Self {
        let own = SEEDS.secrets.iter().take(4);
        let own = own.filter_map(|octets| OwnKey::from_octets(octets).ok());
        Self { own: own.collect() }
    }
}

impl Target for OpenPgp {
    fn name(&self) -> &'static str {
        "core-openpgp"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let lists = [
            &SEEDS.objects,
            &SEEDS.certificates,
            &SEEDS.envelopes,
            &SEEDS.secrets,
        ];
        let list = *mutator.choose(&lists);
        let octets = mutator.choose(list).clone();
        let other = mutator.choose(list);
        let octets = mutator.mutate(octets, other);
        let own: Vec<&OwnKey> = self.own.iter().collect();
        if let Ok(signed) = Signed::parse(&Strict, &octets) {
            let _ = signed.signer(&[]);
        }
        if let Ok(certificate) = Certificate::parse(&Strict, &octets) {
            let _ = certificate.check(&Strict, 1_800_000_000);
            let _ = certificate.to_octets();
        }
        let _ = keys::parse_bare(&octets);
        let _ = Opened::open(&Strict, &octets, &own);
        let _ = OwnKey::from_octets(&octets);
        let _ = Entity::parse(&keys::dearmor(&octets));
        Ok(())
    }
}

/// Exports, changed before and after encryption.
pub(super) struct Archive {
    sealed: Vec<u8>,
}

const PASSPHRASE: &str = "correct horse";

impl Archive {
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        let file = |name: &str| File {
            name: name.to_owned(),
            content: SEEDS.documents.first().cloned().unwrap_or_default(),
        };
        let files = [file("manifest.xml"), file("objects/1"), file("keys/own")];
        let sealed = archive::seal(&files, PASSPHRASE)?;
        Ok(Self { sealed })
    }
}

impl Target for Archive {
    fn name(&self) -> &'static str {
        "core-archive"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        // To derive a key from a passphrase takes its time, on purpose.
        if mutator.below(4) > 0 {
            let octets = mutator.mutate(self.sealed.clone(), &SEEDS.envelopes[0]);
            let _ = archive::open(&Strict, &octets, PASSPHRASE);
            return Ok(());
        }
        let name =
            String::from_utf8_lossy(&mutator.mutate(b"objects/1".to_vec(), b"../\0")).into_owned();
        let content = mutator.choose(&SEEDS.documents).clone();
        if let Ok(octets) = archive::seal(&[File { name, content }], PASSPHRASE) {
            let _ = archive::open(&Strict, &octets, PASSPHRASE);
        }
        Ok(())
    }
}

/// What a person pastes: invites.
pub(super) struct Link;

impl Target for Link {
    fn name(&self) -> &'static str {
        "core-link"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let id = "1f".repeat(32);
        let uri = format!(
            "kith:alice@a.test?id={id}&token=AAECAwQFBgcICQoLDA0ODw&expires=2026-11-28T09:00:00Z"
        );
        let octets = mutator.mutate(uri.into_bytes(), b"&token=%00%zz&&==?");
        let text = String::from_utf8_lossy(&octets);
        if let Ok(invite) = Invitation::parse(&text) {
            let again = Invitation::parse(&invite.uri());
            let same = again.is_ok_and(|again| again.uri() == invite.uri());
            return same
                .then_some(())
                .ok_or(format!("an invite isn't read as it is written: {text:?}"));
        }
        Ok(())
    }
}

//! A device that starts from an export (specification, sections "Adding a device" and "Export" of
//! chapter "Devices").

use std::collections::BTreeMap;
use std::sync::Arc;

use kith_schemas::types::{Credentials, HashRef, Payload, SelfCopy};
use kith_spec::req;

use super::export::VERSION;
use crate::agent::media::Carried;
use crate::agent::objects::Sender;
use crate::agent::peer::{self, Part, Parts};
use crate::agent::{Agent, AgentError, Failure, Own, Step};
use crate::gate::Gate;
use crate::kinds::{self, Family};
use crate::store::{Memory, Table, Write};
use crate::wire::archive::{self, ArchiveError, File};
use crate::wire::keys::{Certificate, OwnKey};
use crate::wire::sha256;
use crate::wire::signed::Signed;

/// Why an export can't be imported. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be opened.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file is missing.
    #[error("the export is incomplete: {0} is missing; export again")]
    Incomplete(String),
    /// A file is not what it should be.
    #[error("the export contradicts itself: {0}; export again")]
    Inconsistent(String),
    /// A failure on this side.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// The files of an export by name.
struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    fn of(gate: &dyn Gate, files: Vec<File>) -> Result<Self, ImportError> {
        let mut named = BTreeMap::new();
        for File { name, content } in files {
            if named.contains_key(&name) && gate.enforces(&req::EXPORT_ARCHIVE) {
                return Err(inconsistent(format!("{name} is there twice")));
            }
            named.insert(name, content);
        }
        Ok(Self(named))
    }

    fn get(&self, name: &str) -> Result<&[u8], ImportError> {
        let found = self.0.get(name).map(Vec::as_slice);
        found.ok_or_else(|| ImportError::Incomplete(name.to_owned()))
    }

    /// The files below a folder, with the rest of their names.
    fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let files = self.0.iter();
        files.filter_map(move |(name, content)| Some((name.strip_prefix(folder)?, &content[..])))
    }

    /// The files of a folder that are numbered without gaps.
    fn numbered<'a>(&'a self, folder: &'a str, first: u64) -> impl Iterator<Item = &'a [u8]> {
        (first..).map_while(move |number| {
            let content = self.0.get(&format!("{folder}{number}"));
            content.map(Vec::as_slice)
        })
    }
}

impl Agent {
    /// Reads an export, for an empty store. `seed` must be fresh randomness.
    ///
    /// # Errors
    ///
    /// [`ImportError`].
    pub fn import(
        gate: &Arc<dyn Gate>,
        export: &[u8],
        passphrase: &str,
        now: i64,
        seed: [u8; 32],
    ) -> Result<Vec<Write>, ImportError> {
        crate::implements!(req::EXPORT_WHOLE);
        let files = archive::open(gate.as_ref(), export, passphrase)?;
        let files = Files::of(gate.as_ref(), files)?;
        if files.get("kith/version")? != VERSION {
            return Err(inconsistent("kith/version names another version"));
        }
        let chain: Vec<Vec<u8>> = files
            .numbered("kith/chain/", 0)
            .map(<[u8]>::to_vec)
            .collect();
        let key = files.get("kith/key.pgp")?;
        let contact = files.get("kith/contact")?;
        if chain.is_empty() {
            return Err(ImportError::Incomplete("kith/chain/0".to_owned()));
        }
        check_own(gate.as_ref(), key, &chain, contact, now)?;
        let mut writes = Own::import(key, &chain, contact)?;
        let mut memory = Memory::default();
        memory.apply(writes.clone());
        let parts = parts(gate.as_ref(), &files)?;
        let mut agent = Self::open(gate.clone(), &memory, seed)?;
        let mut step = agent.step(&memory, now);
        for (number, document) in (1..).zip(files.numbered("kith/self/", 1)) {
            step.import_document(number, document, &parts)?;
        }
        step.import_objects(&parts)?;
        step.events.clear();
        writes.extend(step.into_effects().writes);
        Ok(writes)
    }
}

fn inconsistent(what: impl Into<String>) -> ImportError {
    ImportError::Inconsistent(what.into())
}

/// Checks that key, chain and contact belong together, as for a stranger's credentials.
fn check_own(
    gate: &dyn Gate,
    key: &[u8],
    chain: &[Vec<u8>],
    contact: &[u8],
    now: i64,
) -> Result<(), ImportError> {
    let unusable = |error| ImportError::Agent(AgentError::Wire(error));
    let certificate = OwnKey::from_octets(key).map_err(unusable)?.certificate();
    let octets = certificate.to_octets().map_err(unusable)?;
    let mut objects = Vec::new();
    for message in chain.iter().map(Vec::as_slice).chain([contact]) {
        objects.push(part(gate, message)?);
    }
    let hash = |part: &Part| HashRef {
        hash: part.signed.hash.into(),
    };
    let (contact, entries) = objects
        .split_last()
        .ok_or_else(|| inconsistent("no chain"))?;
    let named = Credentials {
        chain: entries.iter().map(hash).collect(),
        contact: hash(contact),
        certificate: HashRef {
            hash: sha256(&octets).into(),
        },
    };
    let author = contact.object.as_ref().map(|object| object.author.0);
    let author = author.map_err(|error| inconsistent(error.name()))?;
    let parts = Parts {
        objects: objects.into_iter().map(Ok).collect(),
        certificates: vec![(sha256(&octets), Ok(certificate))],
        media: Vec::new(),
    };
    if !gate.enforces(&req::EXPORT_CONSISTENT) {
        return Ok(());
    }
    let checked = peer::introduce(gate, &parts, author, &named, &req::EXPORT_CONSISTENT, now);
    checked.map_err(|violation| {
        inconsistent(format!("key, chain and contact: {}", violation.name()))
    })?;
    Ok(())
}

fn part(gate: &dyn Gate, message: &[u8]) -> Result<Part, ImportError> {
    let signed = Signed::parse(gate, message);
    let signed = signed.map_err(|_| inconsistent("an object is no signed message"))?;
    let object = kinds::decode(gate, &signed.octets);
    Ok(Part { signed, object })
}

/// Objects and certificates, each with the hash that its name says.
fn parts(gate: &dyn Gate, files: &Files) -> Result<Parts, ImportError> {
    let wrong =
        |name: &str| inconsistent(format!("{name} holds something else than its name says"));
    let fits = |hash: [u8; 32], name: &str| {
        hex::encode(hash) == name || !gate.enforces(&req::EXPORT_CONSISTENT)
    };
    let mut objects = Vec::new();
    for (name, message) in files.below("kith/objects/") {
        let part = part(gate, message)?;
        if !fits(part.signed.hash, name) {
            return Err(wrong(name));
        }
        objects.push(Ok(part));
    }
    let mut certificates = Vec::new();
    for (name, octets) in files.below("kith/certificates/") {
        let hash = sha256(octets);
        if !fits(hash, name) {
            return Err(wrong(name));
        }
        certificates.push((hash, Certificate::parse(gate, octets)));
    }
    for (name, octets) in files.below("kith/media/") {
        if !fits(sha256(octets), name) {
            return Err(wrong(name));
        }
    }
    let mut media = Vec::new();
    for (_, message) in files.below("kith/objects/") {
        for need in kinds::needs(message) {
            let octets = files
                .0
                .get(&format!("kith/media/{}", hex::encode(need.hash)));
            media.extend(octets.map(|octets| Carried {
                hash: need.hash,
                media_type: need.media_type,
                name: None,
                octets: octets.clone(),
            }));
        }
    }
    Ok(Parts {
        objects,
        certificates,
        media,
    })
}

impl Step<'_> {
    fn import_document(
        &mut self,
        number: u64,
        document: &[u8],
        parts: &Parts,
    ) -> Result<(), ImportError> {
        let copy = SelfCopy::decode(document);
        let copy = copy.map_err(|error| inconsistent(format!("kith/self/{number}: {error}")))?;
        if copy.id.0 != self.own.id {
            return Err(inconsistent(format!(
                "kith/self/{number} is of another identity"
            )));
        }
        match self.take_self(&copy, parts) {
            Ok(_) => Ok(()),
            Err(Failure::Violation(violation)) => Err(inconsistent(violation.name())),
            Err(Failure::Agent(error)) => Err(error.into()),
        }
    }

    /// Takes what others wrote and was accepted, as of when it was first received.
    fn import_objects(&mut self, parts: &Parts) -> Result<(), ImportError> {
        let now = self.now;
        let mut journal = Vec::new();
        for part in parts.objects.iter().flatten() {
            if let Some(at) = self.journaled(&part.signed.hash)? {
                journal.push((at, part));
            }
        }
        journal.sort_by_key(|(at, part)| (*at, part.signed.hash));
        self.quiet = true;
        for (at, part) in journal {
            let author = part.object.as_ref().ok().map(|object| object.author.0);
            let Some(author) = author.filter(|author| *author != self.own.id) else {
                continue;
            };
            // What was relayed came from the author of what it answers.
            let object = part.object.as_ref().ok();
            let root = object.and_then(|object| kinds::of(&object.payload).root());
            let from = root.map_or(author, |root| root.author);
            let from = if from == self.own.id { author } else { from };
            let Some(peer) = self.peer(from)? else {
                continue;
            };
            if self.is_over(part, now)? {
                continue;
            }
            self.now = at;
            let sender = Sender::of(peer, None);
            // What can't be taken any more was not shown any more.
            match self.take_object(part, parts, &sender) {
                Ok(()) | Err(Failure::Violation(_)) => {}
                Err(Failure::Agent(error)) => return Err(error.into()),
            }
        }
        self.quiet = false;
        self.now = now;
        for (key, _) in self.all_rows(Table::Unjournaled)? {
            self.store.delete(Table::Unjournaled, key);
        }
        Ok(())
    }

    /// Whether a part of a handshake has done what it could, which the relation shows.
    fn is_over(&self, part: &Part, now: i64) -> Result<bool, AgentError> {
        let Ok(object) = &part.object else {
            return Ok(true);
        };
        match &object.payload {
            Payload::Request(request) => self.is_settled(part, object, request, now),
            payload => Ok(kinds::of(payload).traits().family == Family::Handshake),
        }
    }

    fn all_rows(&self, table: Table) -> Result<Vec<crate::store::Row>, AgentError> {
        use crate::store::{Read, successor};
        Ok(self.store.range(table, &[], &successor(&[]), usize::MAX)?)
    }
}

//! Other identities: what is known of them, and their credentials (specification, chapter
//! "Identity").

use kith_schemas::types;
use kith_spec::{Rule, limit, req};
use serde::{Deserialize, Serialize};

use super::media::Carried;
use super::{AgentError, Id, Own, Step, address};
use crate::gate::{Gate, Violation};
use crate::kinds;
use crate::store::Read;
use crate::store::{Table, successor};
use crate::wire::keys::{self, Certificate, PublicKey};
use crate::wire::signed::Signed;
use crate::wire::{self, WireError, mime};

/// What is known of an identity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Peer {
    /// The identity id.
    #[serde(with = "hex::serde")]
    pub id: Id,
    /// The name that it claims.
    pub name: Option<String>,
    /// Its addresses in order of preference.
    pub addresses: Vec<String>,
    /// The revision of its contact.
    pub contact_rev: u32,
    /// The object hash of its contact.
    #[serde(with = "hex::serde")]
    pub contact: Id,
    /// The epoch that its contact names.
    #[serde(default)]
    pub contact_epoch: u16,
    /// Whether friends may introduce it to others.
    #[serde(default)]
    pub introducible: bool,
    /// Whether its contact says that its certificate has a post-quantum subkey.
    #[serde(default)]
    pub protected: bool,
    /// The entries of its chain in order of epochs.
    pub chain: Vec<Entry>,
    #[serde(with = "hex::serde")]
    certificate: Vec<u8>,
}

/// An entry of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The object hash.
    #[serde(with = "hex::serde")]
    pub hash: Id,
    /// The bare primary key packet.
    #[serde(with = "hex::serde")]
    pub key: Vec<u8>,
    /// The key hash of the next key.
    #[serde(with = "hex::serde")]
    pub next: Id,
    /// Earlier epochs whose keys somebody else may have.
    #[serde(default)]
    pub compromised: Vec<u16>,
}

impl Peer {
    /// The object hash of the newest entry of the chain.
    #[must_use]
    pub fn head(&self) -> Id {
        self.chain.last().map_or([0; 32], |entry| entry.hash)
    }

    /// Whether a key of the chain has this fingerprint.
    pub(crate) fn has_key(&self, fingerprint: &sequoia_openpgp::Fingerprint) -> bool {
        self.keys()
            .iter()
            .any(|key| key.fingerprint() == *fingerprint)
    }

    /// The number of the newest epoch.
    #[must_use]
    pub fn epoch(&self) -> usize {
        self.chain.len().saturating_sub(1)
    }

    /// Whether a later entry names an epoch as compromised.
    pub(crate) fn is_compromised(&self, epoch: usize) -> bool {
        let named = |entry: &Entry| entry.compromised.iter().any(|e| usize::from(*e) == epoch);
        self.chain.iter().any(named)
    }

    /// The epoch whose key made an object's signature.
    pub(crate) fn epoch_of(&self, signed: &Signed) -> usize {
        signed.signer(&self.keys()).unwrap_or_default()
    }

    /// The certificate in binary.
    pub(crate) fn certificate_octets(&self) -> &[u8] {
        &self.certificate
    }

    /// With another certificate of the newest key.
    pub(crate) fn with_certificate(mut self, certificate: &Certificate) -> Self {
        if let Ok(octets) = certificate.to_octets() {
            self.certificate = octets;
        }
        self
    }

    /// The person of this agent, as others know it.
    pub(crate) fn oneself(own: &Own, entries: &[Part]) -> Result<Self, WireError> {
        let entries: Vec<&Part> = entries.iter().collect();
        let broken = |_| WireError::Key("the own chain is damaged");
        let chain = verify_chain(&crate::gate::Strict, own.id, &entries).map_err(broken)?;
        Ok(Self {
            id: own.id,
            name: own.name.clone(),
            addresses: vec![own.address.clone()],
            contact_rev: 0,
            contact_epoch: 0,
            introducible: false,
            protected: own.declares,
            contact: own.contact,
            chain,
            certificate: own.certificate_octets()?,
        })
    }

    /// The address to send to.
    #[must_use]
    pub fn address(&self) -> &str {
        self.addresses.first().map_or("", String::as_str)
    }

    /// The claimed name together with the address (`contact.petname`).
    #[must_use]
    pub fn shown(&self) -> String {
        crate::implements!(req::CONTACT_PETNAME);
        match &self.name {
            Some(name) => format!("{name} <{}>", self.address()),
            None => self.address().to_owned(),
        }
    }

    /// Whether the contact lists an address.
    #[must_use]
    pub fn has_address(&self, wanted: &str) -> bool {
        self.addresses
            .iter()
            .any(|known| address::same(known, wanted))
    }

    /// The keys of all epochs.
    pub(crate) fn keys(&self) -> Vec<PublicKey> {
        self.chain
            .iter()
            .filter_map(|entry| keys::parse_bare(&entry.key).ok())
            .collect()
    }

    /// The key of the newest epoch.
    pub(crate) fn current_key(&self) -> Option<PublicKey> {
        self.chain
            .last()
            .and_then(|entry| keys::parse_bare(&entry.key).ok())
    }

    pub(crate) fn certificate(&self) -> Option<Certificate> {
        Certificate::parse(&crate::gate::Strict, &self.certificate).ok()
    }
}

/// An object of a mail, its signature not yet verified.
pub(crate) struct Part {
    pub(crate) signed: Signed,
    pub(crate) object: Result<types::Object, Violation>,
}

/// The parts of a mail that Kith knows.
pub(crate) struct Parts {
    /// Each with the violation if it is not even a signed object.
    pub(crate) objects: Vec<Result<Part, (Id, Violation)>>,
    /// With their hashes.
    pub(crate) certificates: Vec<(Id, Result<Certificate, Violation>)>,
    /// Everything else that may be a medium.
    pub(crate) media: Vec<Carried>,
}

impl Parts {
    pub(crate) fn of(gate: &dyn Gate, entity: &mime::Entity) -> Self {
        let object = |leaf: &mime::Leaf| match Signed::parse(gate, &leaf.content) {
            Ok(signed) => {
                let object = kinds::decode(gate, &signed.octets);
                Ok(Part { signed, object })
            }
            Err(violation) => Err((wire::sha256(&leaf.content), violation)),
        };
        let certificate = |leaf: &mime::Leaf| {
            let octets = keys::dearmor(&leaf.content);
            (wire::sha256(&octets), Certificate::parse(gate, &octets))
        };
        let medium = |leaf: &mime::Leaf| Carried {
            hash: wire::sha256(&leaf.content),
            media_type: leaf.media_type.clone(),
            name: None,
            octets: leaf.content.clone(),
        };
        Self {
            objects: entity.of_type(mime::OBJECT).map(object).collect(),
            certificates: entity.of_type(mime::CERTIFICATE).map(certificate).collect(),
            media: entity.media().map(medium).collect(),
        }
    }

    pub(crate) fn object(&self, hash: Id) -> Option<&Part> {
        self.objects
            .iter()
            .flatten()
            .find(|part| part.signed.hash == hash)
    }

    /// The credentials that the answer to a request names, with its author.
    pub(crate) fn answer(&self) -> Option<(Id, &types::Credentials)> {
        self.objects.iter().flatten().find_map(|part| {
            let object = part.object.as_ref().ok()?;
            let named = match &object.payload {
                types::Payload::Accept(accept) => &accept.credentials,
                types::Payload::Decline(decline) => &decline.credentials,
                types::Payload::Request(request) => &request.credentials,
                _ => return None,
            };
            Some((object.author.0, named))
        })
    }
}

/// An identity that introduced itself, verified.
pub(crate) struct Introduced {
    pub(crate) peer: Peer,
    pub(crate) octets: Vec<(Id, Vec<u8>)>,
}

/// Verifies the credentials of an identity from the parts of a mail. `missing` is broken when a
/// part that they name is not there.
pub(crate) fn introduce(
    gate: &dyn Gate,
    parts: &Parts,
    author: Id,
    named: &types::Credentials,
    missing: Rule,
    now: i64,
) -> Result<Introduced, Violation> {
    let find = |hash: Id| parts.object(hash).ok_or(Violation(missing));
    let mut entries = Vec::new();
    for entry in &named.chain {
        entries.push(find(entry.hash.0)?);
    }
    let chain = verify_chain(gate, author, &entries)?;
    let keys: Vec<_> = chain
        .iter()
        .filter_map(|e| keys::parse_bare(&e.key).ok())
        .collect();
    let certificate = parts
        .certificates
        .iter()
        .find(|(hash, _)| *hash == named.certificate.hash.0);
    let (_, certificate) = certificate.ok_or(Violation(missing))?;
    let certificate = certificate.as_ref().map_err(|violation| *violation)?;
    let current = keys.last().is_some_and(|key| certificate.primary() == *key);
    gate.check(&req::SEC_CERT_PRIMARY, current)?;
    certificate.check(gate, now)?;
    let part = find(named.contact.hash.0)?;
    let contact = kinds::contact::verify(gate, part, author, &keys, missing)?;
    kinds::contact::check_declared(gate, &contact, Some(certificate), now)?;
    let octets = entries.iter().copied().chain([part]);
    let octets = octets
        .map(|part| (part.signed.hash, part.signed.message.clone()))
        .collect();
    let peer = Peer {
        id: author,
        name: contact.name.as_ref().map(ToString::to_string),
        addresses: contact.address.iter().map(ToString::to_string).collect(),
        contact_rev: part.object.as_ref().map_or(1, |object| object.rev.get()),
        contact: part.signed.hash,
        contact_epoch: contact.epoch.get(),
        introducible: contact.introduce.is_some(),
        protected: kinds::contact::is_protected(&contact),
        chain,
        certificate: certificate.to_octets().map_err(|_| Violation(missing))?,
    };
    Ok(Introduced { peer, octets })
}

/// Verifies a chain from its first epoch on.
pub(crate) fn verify_chain(
    gate: &dyn Gate,
    author: Id,
    entries: &[&Part],
) -> Result<Vec<Entry>, Violation> {
    let size: usize = entries.iter().map(|part| part.signed.octets.len()).sum();
    gate.check(
        &req::IDENTITY_CHAIN_SIZE,
        size as u64 <= limit::CHAIN_OCTETS,
    )?;
    let mut chain: Vec<Entry> = Vec::new();
    for part in entries {
        let entry = kinds::identity::verify(gate, part, author, &chain)?;
        chain.push(entry);
    }
    if let Some(first) = chain.first() {
        let key = keys::parse_bare(&first.key)?;
        gate.check(&req::IDENTITY_ID, keys::key_hash(&key) == author)?;
    }
    gate.check(&req::IDENTITY_COMPLETE, !chain.is_empty())?;
    Ok(chain)
}

impl Step<'_> {
    pub(crate) fn peer(&self, id: Id) -> Result<Option<Peer>, AgentError> {
        Ok(self.store.record(Table::Peer, &id)?)
    }

    pub(crate) fn peer_by_key(
        &self,
        fingerprint: &sequoia_openpgp::Fingerprint,
    ) -> Result<Option<Peer>, AgentError> {
        let id = self.store.get(Table::Key, fingerprint.as_bytes())?;
        match id.and_then(|id| Id::try_from(id).ok()) {
            Some(id) => self.peer(id),
            None => Ok(None),
        }
    }

    /// Identities whose contact lists an address.
    pub(crate) fn peers_at(&self, wanted: &str) -> Result<Vec<Id>, AgentError> {
        let prefix = address_key(wanted);
        let rows = self
            .store
            .range(Table::Address, &prefix, &successor(&prefix), usize::MAX)?;
        let ids = rows
            .into_iter()
            .filter_map(|(key, _)| key[prefix.len()..].try_into().ok());
        Ok(ids.collect())
    }

    /// Keeps an identity that introduced itself. What is known already stays.
    pub(crate) fn keep_peer(&mut self, introduced: Introduced) -> Result<Peer, AgentError> {
        let Introduced { peer, octets } = introduced;
        for (hash, message) in octets {
            self.store.put(Table::Octets, hash, message);
        }
        let order = |peer: &Peer| (peer.chain.len(), peer.contact_epoch, peer.contact_rev);
        match self.peer(peer.id)? {
            Some(known) if order(&known) >= order(&peer) => Ok(known),
            known => {
                if known
                    .as_ref()
                    .is_some_and(|known| known.chain.len() < peer.chain.len())
                {
                    self.renewed(peer.id)?;
                }
                self.set_peer(known.as_ref(), &peer)?;
                Ok(peer)
            }
        }
    }

    pub(crate) fn set_peer(&mut self, old: Option<&Peer>, new: &Peer) -> Result<(), AgentError> {
        for address in old.map_or(&[][..], |peer| &peer.addresses) {
            self.store.delete(
                Table::Address,
                [address_key(address), new.id.to_vec()].concat(),
            );
        }
        for address in &new.addresses {
            let key = [address_key(address), new.id.to_vec()].concat();
            self.store.put(Table::Address, key, Vec::new());
        }
        for key in new.keys() {
            self.store
                .put(Table::Key, key.fingerprint().as_bytes(), new.id.to_vec());
        }
        Ok(self.store.set(Table::Peer, new.id, new)?)
    }

    /// Forgets an identity of which nothing is left.
    pub(crate) fn forget_peer(&mut self, peer: &Peer) {
        for address in &peer.addresses {
            self.store.delete(
                Table::Address,
                [address_key(address), peer.id.to_vec()].concat(),
            );
        }
        for key in peer.keys() {
            self.store.delete(Table::Key, key.fingerprint().as_bytes());
        }
        self.store.delete(Table::Peer, peer.id);
    }
}

fn address_key(wanted: &str) -> Vec<u8> {
    let mut key = address::canonical(wanted).into_bytes();
    key.push(0);
    key
}

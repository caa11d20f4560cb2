//! The own identity: making it, and keeping it (specification, chapter "Identity").

use kith_schemas::types;
use kith_spec::req;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sequoia_openpgp::Fingerprint;
use serde::{Deserialize, Serialize};

use super::{AgentError, Id, recovery};
use crate::gate::Gate;
use crate::kinds;
use crate::kinds::contact::NewContact;
use crate::kinds::identity::NewEntry;
use crate::store::{Read, Table, Transaction, Write};
use crate::wire::keys::{Certificate, KeyKind, OwnKey};
use crate::wire::{self, WireError, signed};

const KEY: &[u8] = b"identity";

/// What a new identity is made from.
#[derive(Debug, Clone)]
pub struct NewIdentity {
    /// The name to claim.
    pub name: Option<String>,
    /// The mail address.
    pub address: String,
    /// Which keys to generate.
    pub keys: KeyKind,
    /// The time, unix seconds.
    pub now: i64,
}

/// A new identity: rows to write, and the secret that must be kept elsewhere.
pub struct Made {
    /// Rows for an empty store.
    pub writes: Vec<Write>,
    /// The recovery kit, with the secret key of the next epoch. It belongs on paper or another
    /// medium, not into the store (`identity.next-mandatory`).
    pub recovery_kit: String,
}

/// The own identity.
#[derive(Clone)]
pub struct Own {
    /// The identity id.
    pub id: Id,
    /// The name that is claimed.
    pub name: Option<String>,
    /// The address.
    pub address: String,
    pub(crate) key: OwnKey,
    pub(crate) certificate: Certificate,
    pub(crate) certificate_hash: Id,
    pub(crate) chain: Vec<Id>,
    pub(crate) contact: Id,
    pub(crate) contact_rev: u32,
    /// Keys of earlier epochs.
    pub(crate) earlier: Vec<Earlier>,
    /// Addresses before this one.
    pub(crate) addresses: Vec<String>,
    /// What the person agreed to.
    pub consent: Consent,
    /// Whether the own contact says that the certificate has a post-quantum subkey.
    pub(crate) declares: bool,
}

/// The key of an earlier epoch.
#[derive(Clone)]
pub(crate) struct Earlier {
    pub(crate) key: OwnKey,
    pub(crate) compromised: bool,
}

/// What the person agreed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Telling friends that their messages arrived.
    #[serde(default)]
    pub delivered: bool,
    /// Telling friends that their messages were read.
    #[serde(default)]
    pub seen: bool,
    /// Being introduced by friends to friends of theirs.
    #[serde(default)]
    pub introduce: bool,
}

#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(with = "hex::serde")]
    id: Id,
    name: Option<String>,
    address: String,
    #[serde(with = "hex::serde")]
    key: Vec<u8>,
    chain: Vec<String>,
    #[serde(with = "hex::serde")]
    contact: Id,
    #[serde(default)]
    contact_rev: u32,
    #[serde(default)]
    earlier: Vec<EarlierRecord>,
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    consent: Consent,
    #[serde(default)]
    declares: bool,
}

#[derive(Serialize, Deserialize)]
struct EarlierRecord {
    #[serde(with = "hex::serde")]
    key: Vec<u8>,
    compromised: bool,
}

/// Whether a contact says that the own certificate has a post-quantum subkey.
pub(crate) fn is_declared(gate: &dyn Gate, certificate: &Certificate, now: i64) -> bool {
    certificate.is_protected(now) && gate.enforces(&req::PQ_DECLARE)
}

impl Own {
    /// The secret keys in armor, for a mail program that shall read the fallbacks: today's, and those
    /// of earlier epochs, for mail of that time.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library can't write the key.
    pub fn armored_keys(&self, now: i64) -> Result<Vec<u8>, AgentError> {
        let mut armored = Vec::new();
        for key in std::iter::once(&self.key).chain(self.earlier.iter().map(|earlier| &earlier.key))
        {
            armored.extend(key.named(&self.address, now)?.to_armor()?);
        }
        Ok(armored)
    }

    /// How it is named in fallbacks: the name, else the address.
    pub(crate) fn shown(&self) -> String {
        self.name.as_ref().unwrap_or(&self.address).clone()
    }

    /// Makes an identity.
    ///
    /// # Errors
    ///
    /// When the address or name can't be written, or the OpenPGP library fails.
    pub fn make(gate: &dyn Gate, new: &NewIdentity, seed: [u8; 32]) -> Result<Made, AgentError> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let key = OwnKey::generate(gate, new.keys, Some(&new.address), new.now)?;
        let next = OwnKey::generate(gate, new.keys, None, new.now)?;
        let signing = key.signing()?;
        let id = signing.hash();
        let mut random = [0; 16];
        rng.fill_bytes(&mut random);
        let entry = kinds::identity::make(&NewEntry {
            id,
            random,
            epoch: 0,
            prev: None,
            key: &signing,
            next: next.signing()?.hash(),
            compromised: Vec::new(),
            name: new.name.as_deref().unwrap_or(&new.address),
            now: new.now,
        })?;
        let entry = signed::sign(&signing, &entry, new.now)?;
        let contact = kinds::contact::make(&NewContact {
            author: id,
            rev: 1,
            epoch: 0,
            name: new.name.as_deref(),
            address: &new.address,
            introduce: false,
            protected: is_declared(gate, &key.certificate(), new.now),
            now: new.now,
        })?;
        let contact = signed::sign(&signing, &contact, new.now)?;
        let recovery_kit = if gate.enforces(&req::IDENTITY_NEXT_MANDATORY) {
            recovery::write(gate, &next, std::slice::from_ref(&entry), &contact)?
        } else {
            String::new()
        };
        let writes = Self::import(&key.to_octets()?, &[entry], &contact)?;
        Ok(Made {
            writes,
            recovery_kit,
        })
    }

    /// Takes over an existing identity: secret key, chain and contact, as signed messages.
    ///
    /// # Errors
    ///
    /// When they don't belong together.
    pub fn import(key: &[u8], chain: &[Vec<u8>], contact: &[u8]) -> Result<Vec<Write>, AgentError> {
        let unusable = |what| AgentError::Wire(WireError::Key(what));
        let own = OwnKey::from_octets(key)?;
        let gate: &dyn Gate = &crate::gate::Strict;
        let parse = |message: &[u8]| {
            let signed = signed::Signed::parse(gate, message).ok()?;
            let object = types::Object::decode(&signed.octets).ok()?;
            Some((signed, object))
        };
        let mut writes = Vec::new();
        let mut put = |table, key: &[u8], value: &[u8]| {
            writes.push(Write {
                table,
                key: key.to_vec(),
                value: Some(value.to_vec()),
            });
        };
        let mut hashes = Vec::new();
        let mut id = None;
        for message in chain {
            let (signed, object) = parse(message).ok_or(unusable("its chain can't be read"))?;
            id.get_or_insert(object.author.0);
            put(Table::Octets, &signed.hash, &signed.message);
            hashes.push(hex::encode(signed.hash));
        }
        let id = id.ok_or(unusable("its chain is empty"))?;
        let (signed, object) = parse(contact).ok_or(unusable("its contact can't be read"))?;
        let types::Payload::Contact(contact) = object.payload else {
            return Err(unusable("its contact is something else"));
        };
        let address = contact
            .address
            .first()
            .ok_or(unusable("its contact has no address"))?;
        put(Table::Octets, &signed.hash, &signed.message);
        let record = Record {
            id,
            name: contact.name.as_ref().map(ToString::to_string),
            address: address.to_string(),
            key: own.to_octets()?,
            chain: hashes,
            contact: signed.hash,
            contact_rev: object.rev.get(),
            earlier: Vec::new(),
            addresses: Vec::new(),
            consent: Consent {
                introduce: contact.introduce.is_some(),
                ..Consent::default()
            },
            declares: kinds::contact::is_protected(&contact),
        };
        let mut store = Transaction::new(&crate::store::EMPTY);
        store.set(Table::Own, KEY, &record)?;
        writes.extend(store.into_writes());
        Ok(writes)
    }

    /// Reads the own identity from a store.
    ///
    /// # Errors
    ///
    /// When the store fails or is damaged.
    pub fn load(store: &dyn Read) -> Result<Option<Self>, AgentError> {
        let Some(record) = Transaction::new(store).record::<Record>(Table::Own, KEY)? else {
            return Ok(None);
        };
        let key = OwnKey::from_octets(&record.key)?;
        let certificate = key.certificate();
        let certificate_hash = wire::sha256(&certificate.to_octets()?);
        let decode = |hash: &String| hex::FromHex::from_hex(hash).ok();
        let chain = record.chain.iter().filter_map(decode).collect();
        let earlier = record.earlier.iter().map(|earlier| {
            Ok(Earlier {
                key: OwnKey::from_octets(&earlier.key)?,
                compromised: earlier.compromised,
            })
        });
        Ok(Some(Self {
            id: record.id,
            name: record.name,
            address: record.address,
            key,
            certificate,
            certificate_hash,
            chain,
            contact: record.contact,
            contact_rev: record.contact_rev.max(1),
            earlier: earlier.collect::<Result<_, AgentError>>()?,
            addresses: record.addresses,
            consent: record.consent,
            declares: record.declares,
        }))
    }

    /// Writes what changed.
    pub(crate) fn save(&self, store: &mut Transaction<'_>) -> Result<(), AgentError> {
        let earlier = self.earlier.iter().map(|earlier| {
            Ok(EarlierRecord {
                key: earlier.key.to_octets()?,
                compromised: earlier.compromised,
            })
        });
        let record = Record {
            id: self.id,
            name: self.name.clone(),
            address: self.address.clone(),
            key: self.key.to_octets()?,
            chain: self.chain.iter().map(hex::encode).collect(),
            contact: self.contact,
            contact_rev: self.contact_rev,
            earlier: earlier.collect::<Result<_, AgentError>>()?,
            addresses: self.addresses.clone(),
            consent: self.consent,
            declares: self.declares,
        };
        Ok(store.set(Table::Own, KEY, &record)?)
    }

    /// The number of the newest epoch.
    #[must_use]
    pub fn epoch(&self) -> u16 {
        u16::try_from(self.chain.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    /// Whether the own contact says that mail to this person can be protected after quantum
    /// computers.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.declares
    }

    /// The identity id, and the object hash of the newest entry of the chain.
    #[must_use]
    pub fn head(&self) -> (Id, Id) {
        (self.id, self.chain.last().copied().unwrap_or_default())
    }

    /// The addresses before the present one.
    #[must_use]
    pub fn earlier_addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Whether mail to an address is for this person: the present one, or an earlier one.
    pub(crate) fn had_address(&self, wanted: &str) -> bool {
        let mut all = std::iter::once(&self.address).chain(&self.addresses);
        all.any(|address| super::address::same(address, wanted))
    }

    /// All keys that can decrypt, the newest first.
    pub(crate) fn keys(&self) -> Vec<&OwnKey> {
        let earlier = self.earlier.iter().rev().map(|earlier| &earlier.key);
        std::iter::once(&self.key).chain(earlier).collect()
    }

    /// The fingerprints of the own primary keys: those that are compromised, or the others.
    pub(crate) fn fingerprints(&self, compromised: bool) -> Vec<Fingerprint> {
        let earlier = self
            .earlier
            .iter()
            .filter(|earlier| earlier.compromised == compromised);
        let newest = (!compromised).then(|| self.key.fingerprint());
        newest
            .into_iter()
            .chain(earlier.map(|earlier| earlier.key.fingerprint()))
            .collect()
    }

    /// The certificate, armored, for ordinary mail programs.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library fails.
    pub fn certificate_armor(&self) -> Result<Vec<u8>, WireError> {
        self.certificate.to_armor()
    }

    /// The certificate in binary.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library fails.
    pub fn certificate_octets(&self) -> Result<Vec<u8>, WireError> {
        self.certificate.to_octets()
    }

    /// The object hashes of the chain, in order of epochs.
    #[must_use]
    pub fn chain(&self) -> &[Id] {
        &self.chain
    }

    /// The transferable secret key.
    ///
    /// # Errors
    ///
    /// When the OpenPGP library fails.
    pub fn secret_key(&self) -> Result<Vec<u8>, WireError> {
        self.key.to_octets()
    }

    pub(crate) fn credentials(&self) -> types::Credentials {
        let reference = |hash: Id| types::HashRef { hash: hash.into() };
        types::Credentials {
            chain: self.chain.iter().copied().map(reference).collect(),
            contact: reference(self.contact),
            certificate: reference(self.certificate_hash),
        }
    }
}

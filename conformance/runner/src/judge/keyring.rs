//! Whose mail the judge can open, and whose signatures it knows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use kith_forge::read::Knowledge;
use kith_forge::{Certificate, Puppet};
use sequoia_openpgp::Cert;

use super::chains::{Chains, Standing};
use super::read::openpgp::{self, CertificateFacts};
use super::read::{Mail, document};
use crate::case::Stop;

/// Whose mail the judge can open, and whose signatures it knows: for sequoia, and, as
/// puppets, for the forge's reader.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    pub(super) keys: openpgp::Keyring,
    pub(super) certificates: Vec<CertificateFacts>,
    /// Which of these keys are whose, and what they are worth.
    pub(super) chains: Chains,
    /// The same for the forge's reader.
    pub(super) knowledge: Knowledge,
    /// The people whose secrets the harness has, by address in lower case.
    pub(super) people: BTreeMap<String, Puppet>,
}

impl Keyring {
    /// Adds a person whose secrets the harness has.
    ///
    /// # Errors
    /// If sequoia can't read the keys that the forge made.
    pub fn add_person(&mut self, person: &Puppet) -> Result<(), Stop> {
        self.add_secret(person, secret(person)?)
    }

    /// Adds a person whose secret keys are read already.
    pub(crate) fn add_secret(&mut self, person: &Puppet, secret: Arc<Cert>) -> Result<(), Stop> {
        self.people
            .insert(person.address.to_lowercase(), person.clone());
        let chain = person.chain.iter().map(|entry| &entry.xml[..]);
        self.add_keys(secret, chain, &person.certificate.binary)
    }

    /// Adds somebody's secret keys, the documents of the chain, and the certificate.
    pub(super) fn add_keys<'a>(
        &mut self,
        secret: Arc<Cert>,
        chain: impl Iterator<Item = &'a [u8]>,
        certificate: &[u8],
    ) -> Result<(), Stop> {
        self.keys.secrets.push(secret);
        for entry in chain {
            if let Ok(object) = document::object(entry) {
                self.chains.take(&object);
            }
        }
        self.add_signer(certificate)
    }

    /// With what a mail says about keys: the next entries of chains, and their certificates.
    pub(super) fn with<'a>(&'a self, mail: &Mail) -> Result<Cow<'a, Self>, Stop> {
        let mut keyring = Cow::Borrowed(self);
        for part in &mail.objects {
            if keyring.chains.is_next(part)
                && let Ok(object) = &part.object
            {
                keyring.to_mut().chains.take(object);
            }
        }
        for facts in mail.certificates.iter().flatten() {
            let known = |other: &CertificateFacts| other.key_hash == facts.key_hash;
            let new = !keyring.certificates.iter().any(known);
            if new && keyring.chains.has_key(&facts.key_hash) {
                keyring.to_mut().add_signer(&facts.binary)?;
            }
        }
        Ok(keyring)
    }

    /// Keeps what a mail says about keys.
    ///
    /// # Errors
    /// If sequoia can't read a certificate that it has read before.
    pub(crate) fn learn(keyring: &mut Arc<Self>, mail: &Mail) -> Result<(), Stop> {
        if let Cow::Owned(learned) = keyring.with(mail)? {
            *keyring = Arc::new(learned);
        }
        Ok(())
    }

    /// Adds the certificate of somebody whose signatures occur.
    ///
    /// # Errors
    /// If sequoia can't read it.
    pub fn add_signer(&mut self, certificate: &[u8]) -> Result<(), Stop> {
        let facts = openpgp::certificate(certificate).map_err(|error| {
            Stop::Agent(format!(
                "the certificate that the agent shows is none: {error}"
            ))
        })?;
        self.keys.signers.push(Arc::clone(&facts.cert));
        let known = Certificate::from_binary(certificate.to_vec());
        self.knowledge.certificate(&known);
        self.certificates.push(facts);
        Ok(())
    }

    /// For sequoia.
    pub fn sequoia(&self) -> &openpgp::Keyring {
        &self.keys
    }

    /// Whether the harness plays somebody at this address.
    pub fn plays(&self, address: &str) -> bool {
        self.people.contains_key(&address.to_lowercase())
    }

    /// The person that the harness plays at this address.
    pub fn person(&self, address: &str) -> Option<&Puppet> {
        self.people.get(&address.to_lowercase())
    }

    /// The certificate of a person's newest key.
    pub(super) fn certificate(&self, id: &str) -> Option<&CertificateFacts> {
        let newest = self.chains.newest(id).unwrap_or(id);
        self.certificates
            .iter()
            .rfind(|facts| facts.key_hash == newest)
    }

    /// Whether anything is known of a person's keys.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.chains.newest(id).is_some() || self.certificate(id).is_some()
    }

    /// When a person's newest entry was made, Unix seconds; for one who never rotated, none.
    pub(super) fn rotated(&self, id: &str) -> Option<i64> {
        self.chains.rotated(id)
    }

    /// What a key of a person is worth, by its fingerprint; `None` if it isn't the person's.
    pub(super) fn standing(&self, id: &str, fingerprint: &str) -> Option<Standing> {
        if self.chains.newest(id).is_some() {
            return self.chains.standing(id, fingerprint);
        }
        let first = self.certificate(id)?;
        (first.fingerprint == fingerprint).then_some(Standing::Newest)
    }
}

/// The secret keys of a person, as sequoia reads them. They don't depend on the address.
pub(crate) fn secret(person: &Puppet) -> Result<Arc<Cert>, Stop> {
    let facts = openpgp::certificate(&person.secret_key_export());
    Ok(facts.map_err(Stop::harness)?.cert)
}

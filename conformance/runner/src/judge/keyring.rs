//! Whose mail the judge can open, and whose signatures it knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use kith_forge::read::Knowledge;
use kith_forge::{Certificate, Puppet};
use sequoia_openpgp::Cert;

use super::read::openpgp::{self, CertificateFacts};
use crate::case::Stop;

/// Whose mail the judge can open, and whose signatures it knows: for sequoia, and, as
/// puppets, for the forge's reader.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    pub(super) keys: openpgp::Keyring,
    pub(super) certificates: Vec<CertificateFacts>,
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
        self.keys.secrets.push(secret);
        self.people
            .insert(person.address.to_lowercase(), person.clone());
        self.add_signer(&person.certificate.binary)
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

    /// The newest certificate whose primary key has this key hash.
    pub(super) fn certificate(&self, key_hash: &str) -> Option<&CertificateFacts> {
        self.certificates
            .iter()
            .rfind(|facts| facts.key_hash == key_hash)
    }
}

/// The secret keys of a person, as sequoia reads them. They don't depend on the address.
pub(crate) fn secret(person: &Puppet) -> Result<Arc<Cert>, Stop> {
    let facts = openpgp::certificate(&person.secret_key_export());
    Ok(facts.map_err(Stop::harness)?.cert)
}

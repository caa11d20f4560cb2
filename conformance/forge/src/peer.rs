//! What a puppet knows of somebody: an agent under test or another puppet.

use crate::ForgeError;
use crate::draft::{Party, Recipient};
use crate::hash::IdentityId;
use crate::openpgp::Certificate;

/// Somebody that mail can be sent to.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The identity.
    pub id: IdentityId,
    /// The address.
    pub address: String,
    /// The certificate, once it is known.
    pub certificate: Option<Certificate>,
}

impl Peer {
    /// Somebody whose certificate is known, in binary.
    pub fn new(id: IdentityId, address: &str, certificate: Vec<u8>) -> Self {
        Self {
            id,
            address: address.to_owned(),
            certificate: Some(Certificate::from_binary(certificate)),
        }
    }

    /// As a party of a delivery.
    pub fn party(&self) -> Party {
        Party {
            id: self.id,
            address: self.address.clone(),
        }
    }

    /// The certificate.
    pub fn certificate(&self) -> Result<&Certificate, ForgeError> {
        let missing = || ForgeError::NoCertificate(self.address.clone());
        self.certificate.as_ref().ok_or_else(missing)
    }

    /// The keys to seal to.
    pub fn recipient(&self) -> Result<Recipient, ForgeError> {
        let certificate = self.certificate()?;
        Ok(Recipient {
            primary: certificate.primary()?,
            key: certificate.encryption_key()?,
        })
    }
}

//! A certificate authority that lives as long as the run.
//!
//! Keys are P-256. A valid server certificate is made once for each set of names and then reused,
//! so that starting a server does not cost a key generation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use serde::{Deserialize, Serialize};

use crate::TestbedError;

/// Which certificate a server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// For the right names, by the run's authority, valid now.
    #[default]
    Valid,
    /// By an authority that nobody was told of.
    Untrusted,
    /// By the run's authority, but it ended years ago.
    Expired,
    /// By the run's authority, for another host.
    WrongName,
}

/// What a certificate is, and for which names.
type Shown = (Certificate, Vec<String>);

/// The certificate authority of a run. Clients are given [`Authority::pem`] as their only root.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    foreign: Issuer<'static, KeyPair>,
    made: Mutex<HashMap<Shown, Arc<ServerConfig>>>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new authority with a fresh key.
    pub fn new() -> Result<Self, TestbedError> {
        let (issuer, pem) = issuer("Conformance test authority")?;
        let (foreign, _) = issuer_of_nobody()?;
        Ok(Self {
            pem,
            issuer,
            foreign,
            made: Mutex::default(),
        })
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A TLS configuration whose certificate is of the given sort, for these host names.
    pub fn server_config(
        &self,
        names: &[String],
        certificate: Certificate,
    ) -> Result<Arc<ServerConfig>, TestbedError> {
        let key = (certificate, names.to_vec());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(&key) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.make(names, certificate)?);
        made.insert(key, Arc::clone(&config));
        Ok(config)
    }

    /// A valid certificate for these host names, with its key before it, PEM: for servers that
    /// read their certificate from a file.
    pub fn server_pem(&self, names: &[String]) -> Result<String, TestbedError> {
        let (leaf, key) = self.leaf(names, Certificate::Valid)?;
        Ok(format!("{}{}", key.serialize_pem(), leaf.pem()))
    }

    fn make(
        &self,
        names: &[String],
        certificate: Certificate,
    ) -> Result<ServerConfig, TestbedError> {
        let (leaf, key) = self.leaf(names, certificate)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        server_config(leaf.der().clone(), key).map_err(|source| TestbedError::Tls {
            names: names.join(", "),
            source,
        })
    }

    fn leaf(
        &self,
        names: &[String],
        certificate: Certificate,
    ) -> Result<(rcgen::Certificate, KeyPair), TestbedError> {
        let bad = |source| TestbedError::Certificate {
            names: names.join(", "),
            source,
        };
        let names_shown = match certificate {
            Certificate::WrongName => vec!["somebody-else.invalid".to_owned()],
            _ => names.to_vec(),
        };
        let mut params = CertificateParams::new(names_shown).map_err(bad)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = match certificate {
            Certificate::Expired => (date_time_ymd(2010, 1, 1), date_time_ymd(2011, 1, 1)),
            _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
        };
        let issuer = match certificate {
            Certificate::Untrusted => &self.foreign,
            _ => &self.issuer,
        };
        let key = KeyPair::generate().map_err(bad)?;
        let leaf = params.signed_by(&key, issuer).map_err(bad)?;
        Ok((leaf, key))
    }
}

fn server_config(
    leaf: rustls::pki_types::CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn issuer_of_nobody() -> Result<(Issuer<'static, KeyPair>, String), TestbedError> {
    issuer("An authority that nobody trusts")
}

fn issuer(name: &str) -> Result<(Issuer<'static, KeyPair>, String), TestbedError> {
    let bad = |source| TestbedError::Certificate {
        names: name.to_owned(),
        source,
    };
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(bad)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    let key = KeyPair::generate().map_err(bad)?;
    let pem = params.self_signed(&key).map_err(bad)?.pem();
    Ok((Issuer::new(params, key), pem))
}

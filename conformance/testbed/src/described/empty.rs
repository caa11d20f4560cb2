//! Empties an account on a server outside this process, over IMAP.

use std::sync::Arc;
use std::time::Duration;

use async_imap::types::NameAttribute;
use futures::TryStreamExt as _;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Described, DescribedAccount, DescribedError, TlsMode};

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(30);

type Session = async_imap::Session<TlsStream<TcpStream>>;

fn trouble(account: &DescribedAccount, error: impl std::fmt::Display) -> DescribedError {
    DescribedError::Mailbox {
        address: account.address.clone(),
        reason: error.to_string(),
    }
}

impl Described {
    /// Deletes all mail in all folders of an account, and the folders that agents made.
    ///
    /// # Errors
    /// If the description doesn't allow it, the account is not one of its own, or the server
    /// can't be reached or doesn't do it.
    pub async fn empty(&self, account: &DescribedAccount) -> Result<(), DescribedError> {
        if !self.may_empty_the_mailboxes || self.account(&account.address) != Some(account) {
            return Err(DescribedError::NotAllowed(account.address.clone()));
        }
        let emptied = async {
            let mut session = self.login(account).await?;
            let done = empty(&mut session).await;
            // Whether good-bye is heard makes no difference.
            let _ = session.logout().await;
            done.map_err(|error| trouble(account, error))
        };
        let late = |_| trouble(account, "it takes too long");
        tokio::time::timeout(PATIENCE, emptied)
            .await
            .map_err(late)?
    }

    async fn login(&self, account: &DescribedAccount) -> Result<Session, DescribedError> {
        let endpoint = &self.domain_of(account)?.mailbox;
        let bad = |error: &dyn std::fmt::Display| trouble(account, error);
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| bad(&error))?;
        let connector = self.connector().map_err(|error| bad(&error))?;
        let address = (endpoint.ip()?, endpoint.port);
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| bad(&error))?;
        let stream = match endpoint.mode {
            TlsMode::Tls => stream,
            TlsMode::Starttls => {
                let mut client = async_imap::Client::new(stream);
                let greeting = client.read_response().await.map_err(|error| bad(&error))?;
                greeting.ok_or_else(|| bad(&"the server says nothing"))?;
                let started = client.run_command_and_check_ok("STARTTLS", None).await;
                started.map_err(|error| bad(&error))?;
                client.into_inner()
            }
        };
        let stream = connector.connect(name, stream).await;
        let mut client = async_imap::Client::new(stream.map_err(|error| bad(&error))?);
        if endpoint.mode == TlsMode::Tls {
            let greeting = client.read_response().await.map_err(|error| bad(&error))?;
            greeting.ok_or_else(|| bad(&"the server says nothing"))?;
        }
        let session = client.login(account.login(), &account.password).await;
        session.map_err(|(error, _)| bad(&error))
    }

    fn connector(&self) -> Result<TlsConnector, Box<dyn std::error::Error + Send + Sync>> {
        let mut roots = RootCertStore::empty();
        let pem = self.ca.clone().unwrap_or_default();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

async fn empty(session: &mut Session) -> async_imap::error::Result<()> {
    let folders: Vec<_> = session
        .list(Some(""), Some("*"))
        .await?
        .try_collect()
        .await?;
    for folder in &folders {
        if folder.attributes().contains(&NameAttribute::NoSelect) {
            continue;
        }
        let selected = session.select(folder.name()).await?;
        if selected.exists > 0 {
            let stored = session.store("1:*", "+FLAGS.SILENT (\\Deleted)").await?;
            let _: Vec<_> = stored.try_collect().await?;
            let gone = session.expunge().await?;
            let _: Vec<_> = gone.try_collect().await?;
        }
    }
    session.select("INBOX").await?;
    let made = folders.iter().map(async_imap::types::Name::name);
    let mut made: Vec<&str> = made.filter(|name| is_agents(name)).collect();
    made.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
    for name in made {
        session.delete(name).await?;
    }
    Ok(())
}

/// Whether an agent made the folder: `Kith` and what is below it, with any prefix.
fn is_agents(name: &str) -> bool {
    name.split(['/', '.']).any(|part| part == "Kith")
}

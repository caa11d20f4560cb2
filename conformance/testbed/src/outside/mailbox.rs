//! Looking into the mailboxes of a real server over IMAP, and emptying them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_imap::Session;
use async_imap::types::Name;
use futures::TryStreamExt as _;
use rustls::ClientConfig;

use super::{failed, upstream};
use crate::TestbedError;
use crate::described::{DescribedAccount, DescribedDomain};
use crate::wire::Protocol;

/// How long a mail may take from one mailbox to the other.
const ARRIVAL: Duration = Duration::from_secs(30);
/// How often is looked for it.
const EVERY: Duration = Duration::from_millis(30);
/// How long after the last expected mail is looked for one too many.
const TOO_MANY: Duration = Duration::from_millis(100);

type Imap = Session<upstream::Stream>;
type Result<T> = std::result::Result<T, TestbedError>;

/// The INBOX of an account, open.
pub(super) struct Inbox {
    session: Imap,
    address: String,
}

pub(super) async fn login(
    domain: &DescribedDomain,
    account: &DescribedAccount,
    tls: &Arc<ClientConfig>,
) -> Result<Imap> {
    // The greeting is read already.
    let (stream, _) = upstream::connect(&domain.mailbox, Protocol::Imap, tls).await?;
    let client = async_imap::Client::new(stream);
    let session = client.login(account.login(), &account.password).await;
    session.map_err(|(error, _)| failed(format!("log in as {}", account.address), &error))
}

/// The Message-ID of a mail, with its brackets.
pub fn message_id(octets: &[u8]) -> Option<String> {
    let (headers, _) = mailparse::parse_headers(octets).ok()?;
    let field = headers
        .iter()
        .find(|field| field.get_key_ref().eq_ignore_ascii_case("Message-ID"))?;
    Some(field.get_value().trim().to_owned())
}

impl Inbox {
    pub(super) async fn open(
        domain: &DescribedDomain,
        account: &DescribedAccount,
        tls: &Arc<ClientConfig>,
    ) -> Result<Self> {
        let session = login(domain, account, tls).await?;
        Ok(Self {
            session,
            address: account.address.clone(),
        })
    }

    fn wrong(&self, error: &dyn std::fmt::Display) -> TestbedError {
        failed(format!("look into the INBOX of {}", self.address), error)
    }

    /// The Message-IDs in the INBOX, each as often as it is there.
    async fn ids(&mut self) -> Result<Vec<String>> {
        let selected = self.session.select("INBOX").await;
        let there = selected.map_err(|error| self.wrong(&error))?.exists;
        if there == 0 {
            return Ok(Vec::new());
        }
        let wanted = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]";
        let fetched: std::result::Result<Vec<_>, _> =
            match self.session.fetch(format!("1:{there}"), wanted).await {
                Ok(stream) => stream.try_collect().await,
                Err(error) => Err(error),
            };
        let fetched = fetched.map_err(|error| self.wrong(&error))?;
        let ids = fetched
            .iter()
            .filter_map(|fetch| message_id(fetch.header()?));
        Ok(ids.collect())
    }

    /// The first message, if one comes in time.
    pub(super) async fn first(&mut self, patience: Duration) -> Result<Option<Vec<u8>>> {
        let until = Instant::now() + patience;
        loop {
            let selected = self.session.select("INBOX").await;
            if selected.map_err(|error| self.wrong(&error))?.exists > 0 {
                break;
            }
            if Instant::now() > until {
                return Ok(None);
            }
            tokio::time::sleep(EVERY).await;
        }
        let fetched: std::result::Result<Vec<_>, _> =
            match self.session.fetch("1", "BODY.PEEK[]").await {
                Ok(stream) => stream.try_collect().await,
                Err(error) => Err(error),
            };
        let fetched = fetched.map_err(|error| self.wrong(&error))?;
        let mut bodies = fetched.iter().filter_map(async_imap::types::Fetch::body);
        Ok(bodies.next().map(<[u8]>::to_vec))
    }

    /// The mail with this Message-ID, which is there.
    pub(super) async fn mail(&mut self, id: &str) -> Result<Vec<u8>> {
        let fetched: std::result::Result<Vec<_>, _> =
            match self.session.fetch("1:*", "BODY.PEEK[]").await {
                Ok(stream) => stream.try_collect().await,
                Err(error) => Err(error),
            };
        let fetched = fetched.map_err(|error| self.wrong(&error))?;
        let mut bodies = fetched.iter().filter_map(async_imap::types::Fetch::body);
        let found = bodies.find(|body| message_id(body).as_deref() == Some(id));
        let found = found.map(<[u8]>::to_vec);
        found.ok_or_else(|| self.wrong(&format!("{id} is not there any more")))
    }

    /// The messages with this Message-ID.
    pub(super) async fn with_id(&mut self, id: &str) -> Result<Vec<String>> {
        let mut ids = self.ids().await?;
        ids.retain(|there| there == id);
        Ok(ids)
    }

    /// Waits until so many messages with this Message-ID are there.
    pub(super) async fn wait(&mut self, id: &str, count: usize) -> Result<()> {
        let until = Instant::now() + ARRIVAL;
        while self.with_id(id).await?.len() < count {
            if Instant::now() > until {
                let seconds = ARRIVAL.as_secs();
                return Err(self.wrong(&format!("{id} did not come in {seconds} s")));
            }
            tokio::time::sleep(EVERY).await;
        }
        Ok(())
    }

    /// Waits until all these are there; tells what is not, or too often.
    pub(super) async fn compare(&mut self, sent: &[String]) -> Result<Vec<String>> {
        let count = |all: &[String], id: &String| all.iter().filter(|one| *one == id).count();
        let until = Instant::now() + ARRIVAL;
        let mut there = self.ids().await?;
        while sent.iter().any(|id| count(&there, id) < count(sent, id)) && Instant::now() < until {
            tokio::time::sleep(EVERY).await;
            there = self.ids().await?;
        }
        tokio::time::sleep(TOO_MANY).await;
        there = self.ids().await?;
        let mut known: Vec<&String> = sent.iter().collect();
        known.sort_unstable();
        known.dedup();
        let differs = known.into_iter().filter_map(|id| {
            let (left, came) = (count(sent, id), count(&there, id));
            let address = &self.address;
            (left != came).then(|| {
                format!("{id} was sent {left} times to {address} and is there {came} times")
            })
        });
        Ok(differs.collect())
    }

    pub(super) async fn close(mut self) {
        // Nothing hangs on how it ends.
        let _ = self.session.logout().await;
    }
}

async fn folders(session: &mut Imap) -> async_imap::error::Result<Vec<String>> {
    let names: Vec<Name> = session
        .list(Some(""), Some("*"))
        .await?
        .try_collect()
        .await?;
    let holds = |name: &Name| {
        !name
            .attributes()
            .contains(&async_imap::types::NameAttribute::NoSelect)
    };
    let names = names.iter().filter(|name| holds(name));
    Ok(names.map(|name| name.name().to_owned()).collect())
}

/// Deletes all messages of an account, and the folders that agents made.
pub(super) async fn empty(
    domain: &DescribedDomain,
    account: &DescribedAccount,
    tls: &Arc<ClientConfig>,
) -> Result<()> {
    let mut session = login(domain, account, tls).await?;
    let emptied = try_empty(&mut session).await;
    emptied.map_err(|error| failed(format!("empty the mailbox of {}", account.address), &error))?;
    // Nothing hangs on how it ends.
    let _ = session.logout().await;
    Ok(())
}

async fn try_empty(session: &mut Imap) -> async_imap::error::Result<()> {
    let mut own = Vec::new();
    for folder in folders(session).await? {
        if session.select(&folder).await?.exists > 0 {
            let stored = session.store("1:*", "+FLAGS.SILENT (\\Deleted)").await?;
            let _: Vec<_> = stored.try_collect().await?;
            let expunged = session.expunge().await?;
            let _: Vec<_> = expunged.try_collect().await?;
        }
        if folder
            .to_ascii_lowercase()
            .split(['/', '.'])
            .any(|part| part == "kith")
        {
            own.push(folder);
        }
    }
    if own.is_empty() {
        return Ok(());
    }
    // Some servers don't delete the folder that is open, nor one with others in it.
    session.select("INBOX").await?;
    own.sort_by_key(|folder| std::cmp::Reverse(folder.len()));
    for folder in own {
        session.delete(&folder).await?;
    }
    Ok(())
}

/// The folders with a message that ends like this.
pub(super) async fn folders_with(
    domain: &DescribedDomain,
    account: &DescribedAccount,
    tls: &Arc<ClientConfig>,
    end: &[u8],
) -> Result<Vec<String>> {
    let mut session = login(domain, account, tls).await?;
    let looking = async {
        let mut found = Vec::new();
        for folder in folders(&mut session).await? {
            if session.examine(&folder).await?.exists == 0 {
                continue;
            }
            let fetched = session.fetch("1:*", "BODY.PEEK[]").await?;
            let fetched: Vec<_> = fetched.try_collect().await?;
            let mut bodies = fetched.iter().filter_map(async_imap::types::Fetch::body);
            if bodies.any(|body| body.ends_with(end)) {
                found.push(folder);
            }
        }
        Ok::<_, async_imap::error::Error>(found)
    };
    let found = looking.await;
    // Nothing hangs on how it ends.
    let _ = session.logout().await;
    found.map_err(|error| {
        failed(
            format!("look through the mailbox of {}", account.address),
            &error,
        )
    })
}

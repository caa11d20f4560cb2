//! One open device of one person.

use std::sync::Arc;
use std::time::Duration;

use kith_adapter::act::device::{Export, Import, ReadableFile};
use kith_adapter::act::relation::Adopt;
use kith_adapter::act::{ActResult, Calendar, Created, Exported, Invited, Readable, Rotated};
use kith_adapter::protocol::{
    Authentication, Empty, Failure, KeyKind as WantedKeys, Keys, MailServer, Mode, ObjectId,
    ObjectOutcome, Octets, Open, Opened, Outcome, Receive, Received, Recover, Store as Where,
    Synced,
};
use kith_agent::calendar;
use kith_agent::readable;
use kith_agent::{Account, Auth, Driver, DriverError, Endpoint, Password, Roots, Store, TlsMode};
use kith_core::agent::adopt::SentElsewhere;
use kith_core::agent::own::{NewIdentity, Own};
use kith_core::agent::receive::Verdict;
use kith_core::kinds::event::Guests;
use kith_core::store::{Read, Table};
use kith_core::wire::keys::KeyKind;
use kith_core::{ActError, Action, Done, Gate, Receipt};

use crate::act::invitation;
use crate::convert::{hash, id32, identity, internal, seconds, timestamp};

/// How long a server may be silent. The suite's servers answer at once or never.
const PATIENCE: Duration = Duration::from_secs(5);

/// One open device.
pub(crate) struct Session {
    pub(crate) driver: Driver,
    pub(crate) now: i64,
    authserv_id: String,
}

impl Session {
    pub(crate) fn open(
        gate: Arc<dyn Gate>,
        store: Store,
        open: &Open,
    ) -> Result<(Self, Opened), Failure> {
        let now = seconds(open.now);
        let (driver, kit) = start(gate, store, open, now)?;
        let mut driver = driver.keeping_connection();
        driver.name_device(&open.device, now).map_err(internal)?;
        let own = driver.agent().own();
        let chain = own.chain().iter().map(|hash| {
            let octets = driver.store().get(Table::Octets, hash).map_err(internal)?;
            Ok(Octets(octets.unwrap_or_default()))
        });
        let opened = Opened {
            session: 0,
            identity: identity(&hex::encode(own.id))?,
            certificate: Octets(own.certificate_octets().map_err(internal)?),
            chain: chain.collect::<Result<_, Failure>>()?,
            kept: None,
            daily: open.daily,
            kit,
        };
        let authserv_id = open.authserv_id.clone();
        Ok((
            Self {
                driver,
                now,
                authserv_id,
            },
            opened,
        ))
    }

    pub(crate) async fn sync(&mut self, now: i64) -> Result<Synced, Failure> {
        self.now = now;
        let report = self
            .driver
            .sync(now)
            .await
            .map_err(|error| Failure::Server(error.to_string()))?;
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Synced {
            fetched: count(report.fetched),
            sent: count(report.sent),
            next_due: report.next_due.map(timestamp),
            problems: report.problems.iter().map(ToString::to_string).collect(),
        })
    }

    pub(crate) fn act(&mut self, now: i64, action: Action) -> Result<ActResult, Failure> {
        self.now = now;
        let changes = matches!(
            action,
            Action::Edit { .. } | Action::EventChange { .. } | Action::Rsvp { .. }
        );
        let (done, _) = self.driver.act(action, now).map_err(|error| match error {
            DriverError::Act(ActError::Agent(error)) => internal(error),
            DriverError::Act(error) => Failure::Refused(error.to_string()),
            error => internal(error),
        })?;
        Ok(match done {
            Done::Object(id) if !changes => ActResult::Created(Created {
                id: ObjectId::from_octets(id),
            }),
            Done::Kit(kit) => ActResult::Rotated(Rotated { kit: Some(kit) }),
            Done::Invite(invitation) => ActResult::Invited(Invited {
                uri: invitation.uri(),
            }),
            _ => ActResult::Empty(Empty {}),
        })
    }

    pub(crate) fn adopt(&mut self, now: i64, adopt: &Adopt) -> Result<ActResult, Failure> {
        self.now = now;
        let sent = SentElsewhere {
            to: id32(&adopt.to)?,
            objects: adopt
                .objects
                .iter()
                .map(|object| object.0.clone())
                .collect(),
            invite: adopt.invite.as_deref().map(invitation).transpose()?,
        };
        let adopted = self.driver.adopt(&sent, now);
        adopted.map_err(|error| Failure::Refused(error.to_string()))?;
        Ok(ActResult::Empty(Empty {}))
    }

    pub(crate) fn export(&mut self, now: i64, export: &Export) -> Result<ActResult, Failure> {
        self.now = now;
        let archive = self.driver.export(&export.passphrase, now);
        let archive = Octets(archive.map_err(internal)?);
        Ok(ActResult::Exported(Exported { archive }))
    }

    pub(crate) fn export_readable(&mut self, now: i64) -> Result<ActResult, Failure> {
        self.now = now;
        let files = self.driver.readable(now).map_err(internal)?;
        let media_type = |file: &readable::File| {
            let known = readable::NAMES.iter();
            let mut known = known.filter(|(name, _)| *name == file.name);
            known.next().map(|(_, media_type)| (*media_type).to_owned())
        };
        let files = files.into_iter().filter_map(|file| {
            Some(ReadableFile {
                media_type: media_type(&file)?,
                octets: Octets(file.octets),
            })
        });
        let files = files.collect();
        Ok(ActResult::Readable(Readable { files }))
    }

    pub(crate) fn import(&mut self, now: i64, import: &Import) -> Result<ActResult, Failure> {
        self.now = now;
        let Import {
            archive,
            passphrase,
        } = import;
        let imported = self.driver.import_here(&archive.0, passphrase, now);
        imported.map_err(|error| Failure::Refused(error.to_string()))?;
        Ok(ActResult::Empty(Empty {}))
    }

    pub(crate) fn calendar(&mut self, now: i64) -> Result<ActResult, Failure> {
        self.now = now;
        let events = self.driver.view(now).events().map_err(internal)?;
        let calendar = calendar::write(&events, now);
        Ok(ActResult::Calendar(Calendar { calendar }))
    }

    pub(crate) fn make_events(&mut self, now: i64, text: &str) -> Result<ActResult, Failure> {
        let events = calendar::read(text, None);
        for event in events.map_err(|error| Failure::Refused(error.to_string()))? {
            let guests = Guests::Friends;
            self.act(now, Action::EventCreate { event, guests })?;
        }
        Ok(ActResult::Empty(Empty {}))
    }

    pub(crate) async fn restore(&mut self, now: i64) -> Result<ActResult, Failure> {
        self.now = now;
        let restored = self.driver.restore_mailbox(now).await;
        restored.map_err(|error| Failure::Server(error.to_string()))?;
        Ok(ActResult::Empty(Empty {}))
    }

    pub(crate) fn receive(&mut self, receive: &Receive) -> Result<Received, Failure> {
        self.now = seconds(receive.now);
        // What the own mail server says stands on top of what it hands over.
        let result = match receive.auth {
            Authentication::Pass => "dmarc=pass",
            Authentication::Fail => "dmarc=fail",
            Authentication::None => "none",
        };
        let mail = format!("Authentication-Results: {}; {result}\r\n", self.authserv_id);
        let mut octets = mail.into_bytes();
        octets.extend(&receive.mail.0);
        let receipt = self.driver.receive(&octets, self.now).map_err(internal)?;
        Ok(received(&receipt))
    }

    pub(crate) async fn close(self) -> Store {
        let (rest, store) = self.driver.rest();
        rest.close().await;
        store
    }
}

/// Starts the device, with the recovery kit where one was made.
fn start(
    gate: Arc<dyn Gate>,
    mut store: Store,
    open: &Open,
    now: i64,
) -> Result<(Driver, Option<String>), Failure> {
    let account = account(open);
    let refused = |error: DriverError| Failure::Refused(error.to_string());
    if let Where::Export(export) = &open.store {
        let (archive, passphrase) = (&export.archive.0, &export.passphrase);
        let driver = Driver::import(gate, store, account, archive, passphrase, now);
        return Ok((driver.map_err(refused)?, None));
    }
    let made = match &open.keys {
        Some(Keys::Generate(kind)) => {
            Driver::create(gate, store, account, &new_identity(*kind, open, now)?)
        }
        Some(Keys::Recover(Recover { kit, compromised })) => {
            let lost = (*compromised, Some(&*open.person.address));
            Driver::recover(gate, store, account, kit.as_bytes(), lost, now)
        }
        Some(Keys::Import(import)) => {
            let chain: Vec<_> = import.chain.iter().map(|entry| entry.0.clone()).collect();
            let writes = Own::import(&import.secret.0, &chain, &import.contact.0);
            let writes = writes.map_err(|error| Failure::Refused(error.to_string()))?;
            store.apply(&writes).map_err(internal)?;
            return Ok((Driver::open(gate, store, account).map_err(refused)?, None));
        }
        None => return Ok((Driver::open(gate, store, account).map_err(refused)?, None)),
    };
    let (driver, kit) = made.map_err(refused)?;
    Ok((driver, Some(kit)))
}

fn new_identity(kind: WantedKeys, open: &Open, now: i64) -> Result<NewIdentity, Failure> {
    let keys = match kind {
        WantedKeys::V4 => KeyKind::V4,
        WantedKeys::V6 => KeyKind::V6,
        WantedKeys::Pq => KeyKind::Pq,
    };
    Ok(NewIdentity {
        name: Some(open.person.name.clone()).filter(|name| !name.is_empty()),
        address: open.person.address.clone(),
        keys,
        now,
    })
}

fn account(open: &Open) -> Account {
    let endpoint = |server: &MailServer| Endpoint {
        host: server.host.clone(),
        connect: Some(server.connect.to_string()),
        port: server.port,
        mode: match server.mode {
            Mode::Tls => TlsMode::Tls,
            Mode::Starttls => TlsMode::Starttls,
        },
    };
    Account {
        user: open
            .user
            .clone()
            .unwrap_or_else(|| open.person.address.clone()),
        password: Password::new(open.password.clone()),
        auth: Auth::Password,
        submission: endpoint(&open.submission),
        mailbox: endpoint(&open.mailbox),
        roots: Roots::Pem(open.ca.clone()),
        authserv_id: Some(open.authserv_id.clone()),
        daily: open.daily,
        patience: PATIENCE,
    }
}

fn received(receipt: &Receipt) -> Received {
    let (outcome, violation) = verdict(receipt.mail);
    let objects = receipt.objects.iter().map(|object| {
        let (outcome, violation) = verdict(object.verdict);
        ObjectOutcome {
            hash: hash(object.hash),
            outcome,
            violation,
        }
    });
    Received {
        outcome,
        violation,
        objects: objects.collect(),
    }
}

fn verdict(verdict: Verdict) -> (Outcome, Option<String>) {
    let outcome = match verdict.outcome {
        kith_spec::Outcome::Ignore => Outcome::Ignore,
        kith_spec::Outcome::Refuse => Outcome::Refuse,
        kith_spec::Outcome::Hold => Outcome::Hold,
        kith_spec::Outcome::Accept => Outcome::Accept,
    };
    (
        outcome,
        verdict
            .violation
            .map(|violation| violation.name().to_owned()),
    )
}

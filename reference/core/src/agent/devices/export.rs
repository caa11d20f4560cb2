//! Exports: everything that a person has, in one archive (specification, section "Export" of
//! chapter "Devices").

use std::collections::BTreeSet;

use kith_schemas::types::{SelfAnswered, SelfArrived, Sequence, SequenceOrZero};
use kith_spec::req;

use super::journal::Received;
use super::pages::{Entry as Told, Pages};
use super::time;
use crate::agent::channel::Incoming;
use crate::agent::objects::Entry;
use crate::agent::peer::Peer;
use crate::agent::{Agent, AgentError, Id, Step};
use crate::store::{Read, Table, successor};
use crate::wire::WireError;
use crate::wire::archive::{self, File};

/// The version of the format.
pub(super) const VERSION: &[u8] = b"1.0\n";

impl Agent {
    /// Everything that the person has, in an archive encrypted with a passphrase.
    ///
    /// # Errors
    ///
    /// When the store fails or the archive can't be written.
    pub fn export(
        &mut self,
        store: &dyn Read,
        passphrase: &str,
        now: i64,
    ) -> Result<Vec<u8>, AgentError> {
        crate::implements!(req::EXPORT_COMPLETE, req::EXPORT_ARCHIVE);
        let files = self.step(store, now).export_files()?;
        Ok(archive::seal(&files, passphrase)?)
    }
}

fn file(name: impl Into<String>, content: Vec<u8>) -> File {
    File {
        name: name.into(),
        content,
    }
}

impl Step<'_> {
    fn export_files(&mut self) -> Result<Vec<File>, AgentError> {
        let mut files = vec![
            file("kith/version", VERSION.to_vec()),
            file("kith/key.pgp", self.own.secret_key()?),
        ];
        for (epoch, hash) in self.own.chain.iter().enumerate() {
            let entry = self.store.get(Table::Octets, hash)?;
            files.push(file(
                format!("kith/chain/{epoch}"),
                entry.unwrap_or_default(),
            ));
        }
        let contact = self.store.get(Table::Octets, &self.own.contact)?;
        files.push(file("kith/contact", contact.unwrap_or_default()));
        let unfit = |error: &dyn std::fmt::Display| WireError::Xml(error.to_string());
        for (number, mut page) in (1..).zip(self.export_pages()?) {
            page.seq = Sequence::new(number).map_err(|error| unfit(&error))?;
            let page = page.encode().map_err(|error| unfit(&error))?;
            files.push(file(format!("kith/self/{number}"), page));
        }
        for (hash, message) in self.all(Table::Octets)? {
            files.push(file(format!("kith/objects/{}", hex::encode(hash)), message));
        }
        for (key, octets) in self.all(Table::Media)? {
            let hash = &key[key.len().saturating_sub(32)..];
            files.push(file(format!("kith/media/{}", hex::encode(hash)), octets));
        }
        for (_, peer) in self.store.records::<Peer>(Table::Peer, b"")? {
            if let Some(certificate) = peer.certificate() {
                let octets = certificate.to_octets()?;
                let hash = hex::encode(crate::wire::sha256(&octets));
                files.push(file(format!("kith/certificates/{hash}"), octets));
            }
        }
        Ok(files)
    }

    /// All rows of a table.
    pub(super) fn all(&self, table: Table) -> Result<Vec<crate::store::Row>, AgentError> {
        Ok(self.store.range(table, &[], &successor(&[]), usize::MAX)?)
    }

    /// What other devices would know, as documents.
    fn export_pages(&mut self) -> Result<Vec<kith_schemas::types::SelfCopy>, AgentError> {
        let device = self.device()?;
        let mut pages = Pages::new(self.own.id, &device, time(self.now)?)?;
        for (id, _) in self.all(Table::Peer)? {
            let Ok(id) = Id::try_from(id) else { continue };
            let person = self.person_entry(id)?;
            pages.push(Told::Person(Box::new(person)));
        }
        self.export_sent(&mut pages)?;
        for (token, _) in self.all(Table::Invite)? {
            if let Ok(token) = token.try_into() {
                self.invite_entry(token, &mut pages)?;
            }
        }
        for (key, until) in self.store.records::<i64>(Table::Seen, b"")? {
            let Some((author, id)) = key.split_first_chunk::<32>() else {
                continue;
            };
            let Ok(id) = <[u8; 16]>::try_from(id) else {
                continue;
            };
            let waits = self
                .pending(*author)?
                .is_some_and(|pending| pending.id == id);
            if !waits {
                pages.push(Told::Answered(SelfAnswered {
                    author: (*author).into(),
                    id: id.into(),
                    until: time(until)?,
                }));
            }
        }
        for (hash, received) in self.store.records::<Received>(Table::Journal, b"")? {
            if let Ok(hash) = Id::try_from(hash) {
                pages.push(Told::Seen(self.seen_entry(hash, received.at)?));
            }
        }
        for (channel, state) in self.store.records::<Incoming>(Table::Incoming, b"")? {
            let upto = SequenceOrZero::new(state.upto);
            if let (Ok(channel), Ok(upto)) = (<[u8; 16]>::try_from(channel), upto) {
                pages.push(Told::Arrived(SelfArrived {
                    channel: channel.into(),
                    owner: state.owner.into(),
                    upto,
                }));
            }
        }
        Ok(pages.finish())
    }

    fn export_sent(&self, pages: &mut Pages) -> Result<(), AgentError> {
        let own = self.own.id;
        for (key, entry) in self.store.records::<Entry>(Table::Object, &own)? {
            let rows = self
                .store
                .range(Table::Audience, &key, &successor(&key), usize::MAX)?;
            let to: BTreeSet<Id> = rows
                .iter()
                .filter_map(|(row, _)| Id::try_from(&row[key.len()..]).ok())
                .collect();
            let to: Vec<Id> = to.into_iter().collect();
            pages.sent(entry.hash, &to, self.told_protection(&entry.hash)?, 0);
        }
        for asked in self.all_asked()? {
            pages.sent(asked.request, &[], None, 0);
            self.asked_entry(asked.request, pages)?;
        }
        Ok(())
    }
}

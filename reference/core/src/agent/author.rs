//! Authors whose objects somebody else hands over: their chains, from the same delivery or from an
//! earlier one (specification, section "Relaying" of chapter "Comments").

use kith_schemas::types::Payload;
use kith_spec::req;

use super::peer::{Entry, Part, Parts, verify_chain};
use super::{AgentError, Failure, Id, Step};
use crate::store::{Read, Table};
use crate::wire::keys;

impl Step<'_> {
    /// The chain of somebody: of a known person, of the parts, or as it came before.
    ///
    /// # Errors
    ///
    /// The violation for which a chain among the parts is refused.
    pub(crate) fn author_chain(
        &self,
        author: Id,
        parts: &Parts,
    ) -> Result<Option<Vec<Entry>>, Failure> {
        let kept = match self.peer(author)? {
            Some(peer) => Some(peer.chain),
            None => self.store.record::<Vec<Entry>>(Table::Author, &author)?,
        };
        let brought = chain_parts(author, parts);
        if brought.is_empty() {
            return Ok(kept);
        }
        let brought = verify_chain(self.gate, author, &brought)?;
        let Some(kept) = kept else {
            return Ok(Some(brought));
        };
        let same = brought.iter().zip(&kept).all(|(new, old)| new == old);
        self.gate.check(&req::IDENTITY_FIRST_SEEN, same)?;
        Ok(Some(if brought.len() > kept.len() {
            brought
        } else {
            kept
        }))
    }

    /// Checks the signature of an object that somebody else than its author hands over.
    ///
    /// # Errors
    ///
    /// The violation: no chain, a wrong signature, or one of a compromised key.
    pub(crate) fn check_handed_over(
        &self,
        part: &Part,
        author: Id,
        parts: &Parts,
    ) -> Result<(), Failure> {
        let chain = self.author_chain(author, parts)?;
        self.gate.check(&req::RELAY_CHAIN, chain.is_some())?;
        let entries = chain.unwrap_or_default();
        let keys = entries.iter().filter_map(|e| keys::parse_bare(&e.key).ok());
        let keys: Vec<_> = keys.collect();
        part.signed.verify(self.gate, &keys)?;
        let epoch = part.signed.signer(&keys).unwrap_or_default();
        let named = |entry: &Entry| entry.compromised.iter().any(|e| usize::from(*e) == epoch);
        if entries.iter().any(named) {
            let stored = self.store.get(Table::Octets, &part.signed.hash)?.is_some();
            self.gate.check(&req::IDENTITY_COMPROMISED_OBJECT, stored)?;
        }
        Ok(())
    }

    /// The object hashes of somebody's chain, as far as it is known.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn chain_hashes(&self, author: Id) -> Result<Vec<Id>, AgentError> {
        let chain = match self.peer(author)? {
            Some(peer) => Some(peer.chain),
            None => self.store.record::<Vec<Entry>>(Table::Author, &author)?,
        };
        Ok(chain.iter().flatten().map(|entry| entry.hash).collect())
    }

    /// Keeps the chain of somebody whose object came through somebody else.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) fn keep_author(&mut self, author: Id, parts: &Parts) -> Result<(), AgentError> {
        if self.peer(author)?.is_some() {
            return Ok(());
        }
        match self.author_chain(author, parts) {
            Ok(Some(chain)) => {
                for part in chain_parts(author, parts) {
                    let message = part.signed.message.clone();
                    self.store.put(Table::Octets, part.signed.hash, message);
                }
                Ok(self.store.set(Table::Author, author, &chain)?)
            }
            Ok(None) | Err(Failure::Violation(_)) => Ok(()),
            Err(Failure::Agent(error)) => Err(error),
        }
    }
}

/// The entries of somebody's chain among the parts of a mail, in order of epochs.
fn chain_parts(author: Id, parts: &Parts) -> Vec<&Part> {
    let epoch = |part: &Part| {
        let object = part.object.as_ref().ok()?;
        match &object.payload {
            Payload::Identity(identity) if object.author.0 == author => Some(identity.epoch.get()),
            _ => None,
        }
    };
    let mut entries: Vec<(u16, &Part)> = parts
        .objects
        .iter()
        .flatten()
        .filter_map(|part| Some((epoch(part)?, part)))
        .collect();
    entries.sort_by_key(|(epoch, _)| *epoch);
    entries.into_iter().map(|(_, part)| part).collect()
}

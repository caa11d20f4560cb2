//! A friend's chain in a delivery: which key may sign it, new entries, rivals and revocation
//! (specification, sections "Rotation" and "Freezing" of chapter "Identity").

use kith_schemas::types;
use kith_spec::{limit, req};

use super::peer::{Part, Parts, Peer};
use super::sealed_mail::Signer;
use super::{AgentError, DAY, Failure, Step};
use crate::gate::Violation;
use crate::kinds;
use crate::store::Table;
use crate::wire::keys::Certificate;
use crate::wire::sealed::Opened;

/// What the person reads when a contact is frozen because of a revocation.
const REVOKED: &str = "this person's key was revoked and not replaced yet";

impl Step<'_> {
    /// A known identity with the new entries of its chain that a delivery lists.
    pub(super) fn grow(
        &self,
        peer: &Peer,
        parts: &Parts,
        delivery: Option<&types::Delivery>,
    ) -> Result<Option<Peer>, Violation> {
        let listed = |part: &Part| {
            let mut listed = delivery.iter().flat_map(|delivery| &delivery.object);
            listed.any(|listed| listed.hash.0 == part.signed.hash)
        };
        let mut entries: Vec<(u16, &Part)> = Vec::new();
        for part in parts.objects.iter().flatten().filter(|part| listed(part)) {
            if let Some(epoch) = epoch_of(part, peer) {
                entries.push((epoch, part));
            }
        }
        entries.retain(|(epoch, _)| usize::from(*epoch) >= peer.chain.len());
        if entries.is_empty() {
            return Ok(None);
        }
        entries.sort_by_key(|(epoch, _)| *epoch);
        let size: usize = entries
            .iter()
            .map(|(_, part)| part.signed.octets.len())
            .sum();
        let fits = size as u64 <= limit::CHAIN_OCTETS;
        self.gate.check(&req::IDENTITY_CHAIN_SIZE, fits)?;
        let mut grown = peer.clone();
        for (_, part) in entries {
            let entry = kinds::identity::verify(self.gate, part, peer.id, &grown.chain)?;
            grown.chain.push(entry);
        }
        Ok(Some(grown))
    }

    /// Refuses credentials whose chain forks from the one that is known.
    pub(crate) fn check_rival(&mut self, parts: &Parts, brought: &Peer) -> Result<(), Failure> {
        let Some(known) = self.peer(brought.id)? else {
            return Ok(());
        };
        let pairs = known.chain.iter().zip(&brought.chain);
        let fork = pairs
            .enumerate()
            .find(|(_, (old, new))| old.hash != new.hash);
        let Some((epoch, (_, entry))) = fork else {
            let newest = brought.chain.len() >= known.chain.len();
            return Ok(self.gate.check(&req::CONTACT_AUTHOR, newest)?);
        };
        if let Some(part) = parts.object(entry.hash)
            && kinds::identity::is_rival(self.gate, part, &known, epoch)
        {
            self.freezing = Some((known, kinds::identity::RIVAL));
        }
        Ok(self.gate.check(&req::IDENTITY_FIRST_SEEN, false)?)
    }

    /// Checks the delivery signature and whether its key may sign now. Returns the sender's
    /// certificate, if the delivery brings one.
    pub(super) fn check_signer(
        &mut self,
        opened: &Opened,
        signer: &Signer,
        parts: &Parts,
        delivery: Option<&types::Delivery>,
    ) -> Result<Option<Certificate>, Failure> {
        crate::implements!(req::IDENTITY_TABLE);
        let peer = &signer.peer;
        let unusable = Violation(&req::SEC_DELIVERY_SIGNATURE);
        if signer.grown && !self.gate.enforces(&req::IDENTITY_ROTATION_SIGNATURE) {
            return Err(unusable.into());
        }
        let keys = peer.keys();
        let issuer = opened.issuer();
        let signed_by = |key: &&crate::wire::keys::PublicKey| Some(key.fingerprint()) == issuer;
        let epoch = keys
            .iter()
            .position(|key| signed_by(&key))
            .unwrap_or(peer.epoch());
        opened.verify(self.gate, keys.get(epoch).ok_or(unusable)?)?;
        let brought = own_certificate(parts, delivery, peer);
        let newest = peer
            .certificate()
            .filter(|known| Some(known.primary()) == peer.current_key());
        let certificate = brought.as_ref().or(newest.as_ref());
        if signer.grown {
            let there = certificate.is_some();
            self.gate
                .check(&req::IDENTITY_ROTATION_CERTIFICATE, there)?;
        }
        if epoch == peer.epoch() {
            let checked = certificate.ok_or(unusable)?.check(self.gate, self.now);
            if checked == Err(Violation(&req::SEC_CERT_REVOKED))
                && self.gate.enforces(&req::IDENTITY_REVOKED_FREEZES)
            {
                self.freezing = Some((peer.clone(), REVOKED));
            }
            checked?;
        } else {
            self.check_earlier(signer, epoch)?;
        }
        let relation = self.relation(peer.id)?;
        if relation.blocked && self.gate.enforces(&req::FRIENDS_BLOCK_SILENT) {
            return Err(Violation(&req::FRIENDS_BLOCK_SILENT).into());
        }
        let frozen = self.standing(peer.id)?.frozen && !signer.grown;
        self.gate.check(&req::IDENTITY_FROZEN, !frozen)?;
        Ok(brought)
    }

    /// Whether the key of an epoch before the newest may still sign.
    fn check_earlier(&self, signer: &Signer, epoch: usize) -> Result<(), Failure> {
        let peer = &signer.peer;
        let compromised = peer.is_compromised(epoch);
        self.gate
            .check(&req::IDENTITY_COMPROMISED_DELIVERY, !compromised)?;
        let renewed = match signer.grown {
            true => Some(self.now),
            false => self.standing(peer.id)?.renewed,
        };
        let last = epoch + 1 == peer.epoch();
        let recent = renewed.is_some_and(|at| self.now - at <= limit::ROTATION_DAYS as i64 * DAY);
        Ok(self
            .gate
            .check(&req::IDENTITY_PREVIOUS_KEY, last && recent)?)
    }

    /// Keeps what a verified delivery says of its sender's keys.
    pub(super) fn keep_signer(
        &mut self,
        peer: Peer,
        grown: bool,
        certificate: Option<Certificate>,
        parts: &Parts,
    ) -> Result<Peer, AgentError> {
        let Some(known) = self.peer(peer.id)? else {
            return Ok(peer);
        };
        let renewed = certificate.filter(|certificate| {
            crate::implements!(req::CONTACT_STAYS);
            let takes = grown || self.gate.enforces(&req::DELIVERY_CERTIFICATE_RENEWED);
            takes && certificate.check(self.gate, self.now).is_ok()
        });
        let peer = match &renewed {
            Some(certificate) => peer.with_certificate(certificate),
            None => peer,
        };
        if grown {
            for entry in &peer.chain[known.chain.len().min(peer.chain.len())..] {
                if let Some(part) = parts.object(entry.hash) {
                    let message = part.signed.message.clone();
                    self.store.put(Table::Octets, entry.hash, message);
                }
            }
            self.renewed(peer.id)?;
        }
        if grown || renewed.is_some() {
            self.set_peer(Some(&known), &peer)?;
            self.release_withheld(&peer)?;
        }
        Ok(peer)
    }
}

/// The epoch of a part that is an entry of somebody's chain.
fn epoch_of(part: &Part, peer: &Peer) -> Option<u16> {
    let object = part.object.as_ref().ok()?;
    match &object.payload {
        types::Payload::Identity(identity) if object.author.0 == peer.id => {
            Some(identity.epoch.get())
        }
        _ => None,
    }
}

/// The certificate of a sender's newest key that a delivery lists.
fn own_certificate(
    parts: &Parts,
    delivery: Option<&types::Delivery>,
    peer: &Peer,
) -> Option<Certificate> {
    let key = peer.current_key()?;
    let mut listed = delivery?.certificate.iter();
    listed.find_map(|listed| {
        let mut there = parts.certificates.iter();
        let (_, certificate) = there.find(|(hash, _)| *hash == listed.hash.0)?;
        let certificate = certificate.as_ref().ok()?;
        (certificate.primary() == key).then(|| certificate.clone())
    })
}

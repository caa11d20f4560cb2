//! Changes of the own identity: rotation, move, recovery, consent (specification, chapter
//! "Identity").

use kith_schemas::types::{self, HashRef, Object, Payload};
use kith_spec::req;

use super::outgoing::Load;
use super::own::{Consent, Earlier, Own};
use super::peer::Peer;
use super::{ActError, AgentError, Id, Step, address, recovery};
use crate::gate::{Gate, Strict};
use crate::kinds::Draft;
use crate::kinds::contact::NewContact;
use crate::kinds::identity::NewEntry;
use crate::store::{Read, Table, Transaction, Write, successor};
use crate::wire::keys::{KeyKind, OwnKey};
use crate::wire::signed::{self, Signed};
use crate::wire::{WireError, sha256};

impl Own {
    /// Goes on as an identity of which only the recovery kit is left: rows for an empty store, and
    /// the kit of the next epoch. With an address, at that one: the provider may be lost, too.
    ///
    /// # Errors
    ///
    /// When the kit is incomplete or damaged.
    pub fn recover(
        gate: &dyn Gate,
        kit: &[u8],
        compromised: bool,
        to: Option<&str>,
        seed: [u8; 32],
        now: i64,
    ) -> Result<(Vec<Write>, String), ActError> {
        use rand::SeedableRng;
        let kit = recovery::read(kit)?;
        let incomplete = "the recovery kit lacks chain or contact; use the whole file";
        let incomplete = || AgentError::from(WireError::Key(incomplete));
        let (contact, chain) = kit.objects.split_last().ok_or_else(incomplete)?;
        // The key of the last epoch is lost; the next one takes its place at once.
        let writes = Self::import(&kit.key.to_octets()?, chain, contact)?;
        let mut store = crate::store::Memory::default();
        store.apply(writes.clone());
        let mut own = Self::load(&store)?.ok_or_else(incomplete)?;
        if let Some(to) = to.filter(|to| !address::same(to, &own.address)) {
            if !address::is_valid(to) {
                return Err(ActError::Address(to.to_owned()));
            }
            let earlier = std::mem::replace(&mut own.address, to.to_owned());
            own.addresses.push(earlier);
        }
        let mut rng = rand_chacha::ChaCha20Rng::from_seed(seed);
        let mut step = Step::alone(gate, &mut own, &mut rng, &store, now);
        let compromised = compromised && gate.enforces(&req::KIT_RECOVER);
        let next = kit.key.kind();
        let next = step.renew_chain(kit.key, compromised, next, false)?;
        let text = step.kit(&next)?;
        let mut all = writes;
        all.extend(step.store.into_writes());
        Ok((all, text))
    }
}

impl<'a> Step<'a> {
    /// A step outside of an agent.
    fn alone(
        gate: &'a dyn Gate,
        own: &'a mut Own,
        rng: &'a mut rand_chacha::ChaCha20Rng,
        store: &'a dyn Read,
        now: i64,
    ) -> Self {
        Self {
            gate,
            own,
            rng,
            authserv_id: None,
            daily: super::outbox::DAILY,
            store: Transaction::new(store),
            now,
            events: Vec::new(),
            freezing: None,
            size: 0,
            quiet: false,
        }
    }
}

impl Step<'_> {
    /// Takes the committed key from the recovery kit. Returns the next kit.
    pub(crate) fn rotate(
        &mut self,
        kit: &[u8],
        compromised: bool,
        next: Option<KeyKind>,
    ) -> Result<String, ActError> {
        crate::implements!(req::IDENTITY_DEVICE, req::KIT_APART);
        let kit = recovery::read(kit)?;
        let present = kit.key.kind();
        let next = next.unwrap_or(present);
        if present == KeyKind::Pq && next != KeyKind::Pq {
            return Err(ActError::Weaker);
        }
        let next = self.renew_chain(kit.key, compromised, next, true)?;
        let kit = if self.gate.enforces(&req::KIT_RENEWED) {
            self.kit(&next)?
        } else {
            String::new()
        };
        if compromised {
            self.sign_again()?;
        }
        self.answer_again()?;
        for friend in self.friends()? {
            if let Some(peer) = self.peer(friend)? {
                self.tell(&peer, Load::default())?;
            }
        }
        Ok(kit)
    }

    /// A delivery about the own identity.
    fn tell(&mut self, peer: &Peer, load: Load) -> Result<(), AgentError> {
        let load = Load {
            numbered: true,
            ..load
        };
        self.deliver(peer, load)?;
        Ok(())
    }

    /// A new entry under the committed key, and a contact that names it. Returns the key that the
    /// entry commits to, which is of the kind that is given.
    fn renew_chain(
        &mut self,
        key: OwnKey,
        compromised: bool,
        next: KeyKind,
        keeps: bool,
    ) -> Result<OwnKey, ActError> {
        let signing = key.signing()?;
        if self.committed()? != Some(signing.hash()) {
            return Err(ActError::Kit);
        }
        let next = OwnKey::generate(self.gate, next, None, self.now)?;
        let (id, prev) = self.own.head();
        let epoch = self.own.epoch() + 1;
        let entry = crate::kinds::identity::make(&NewEntry {
            id,
            random: self.random(),
            epoch,
            prev: Some(prev),
            key: &signing,
            next: next.signing()?.hash(),
            compromised: if compromised {
                (0..epoch).collect()
            } else {
                Vec::new()
            },
            name: &self.own.shown(),
            now: self.now,
        })?;
        let message = signed::sign(&signing, &entry, self.now)?;
        let hash = sha256(&entry);
        self.store.put(Table::Octets, hash, message);
        self.own.chain.push(hash);
        let old = std::mem::replace(&mut self.own.key, key);
        if keeps {
            self.own.earlier.push(Earlier {
                key: old,
                compromised: false,
            });
        }
        for earlier in &mut self.own.earlier {
            earlier.compromised |= compromised;
        }
        self.own.certificate = self.own.key.certificate();
        self.own.certificate_hash = sha256(&self.own.certificate.to_octets()?);
        self.renew_contact()?;
        Ok(next)
    }

    /// The key hash that the newest own entry commits to.
    fn committed(&self) -> Result<Option<Id>, AgentError> {
        let (_, head) = self.own.head();
        Ok(match self.own_payload(head)? {
            Some(Payload::Identity(identity)) => Some(identity.next.0),
            _ => None,
        })
    }

    fn own_payload(&self, hash: Id) -> Result<Option<Payload>, AgentError> {
        let message = self.store.get(Table::Octets, &hash)?;
        let signed = message.and_then(|message| Signed::parse(&Strict, &message).ok());
        let object = signed.and_then(|signed| Object::decode(&signed.octets).ok());
        Ok(object.map(|object| object.payload))
    }

    /// Signs a contact with what is known now, and writes the own identity.
    fn renew_contact(&mut self) -> Result<(), AgentError> {
        self.own.contact_rev += 1;
        self.own.declares = super::own::is_declared(self.gate, &self.own.certificate, self.now);
        let contact = crate::kinds::contact::make(&NewContact {
            author: self.own.id,
            rev: self.own.contact_rev,
            epoch: self.own.epoch(),
            name: self.own.name.as_deref(),
            address: &self.own.address,
            introduce: self.own.consent.introduce,
            protected: self.own.declares,
            now: self.now,
        })?;
        let message = signed::sign(&self.own.key.signing()?, &contact, self.now)?;
        self.own.contact = sha256(&contact);
        self.store.put(Table::Octets, self.own.contact, message);
        self.own.save(&mut self.store)
    }

    /// The text of the recovery kit with the key that was committed to.
    fn kit(&self, next: &OwnKey) -> Result<String, AgentError> {
        let octets = |hash: &Id| Ok(self.store.get(Table::Octets, hash)?.unwrap_or_default());
        let chain = self.own.chain.iter().map(octets);
        let chain = chain.collect::<Result<Vec<_>, AgentError>>()?;
        recovery::write(self.gate, next, &chain, &octets(&self.own.contact)?)
    }

    /// Signs the octets of all own objects again, under the new key.
    fn sign_again(&mut self) -> Result<(), AgentError> {
        if !self.gate.enforces(&req::IDENTITY_RESIGNED) {
            return Ok(());
        }
        let signing = self.own.key.signing()?;
        let key = self.own.certificate.primary();
        for (hash, message) in self
            .store
            .range(Table::Octets, &[], &successor(&[]), usize::MAX)?
        {
            let Ok(signed) = Signed::parse(&Strict, &message) else {
                continue;
            };
            let Ok(object) = Object::decode(&signed.octets) else {
                continue;
            };
            let identity = matches!(object.payload, Payload::Identity(_) | Payload::Contact(_));
            let fresh = signed.signer(std::slice::from_ref(&key)).is_some();
            if object.author.0 == self.own.id && !identity && !fresh {
                let again = signed::sign(&signing, &signed.octets, self.now)?;
                self.store.put(Table::Octets, hash, again);
            }
        }
        Ok(())
    }

    /// Accepts that wait for their confirm are made again, with the new credentials.
    fn answer_again(&mut self) -> Result<(), AgentError> {
        use super::relation::Relation;
        for (id, mut relation) in self.store.records::<Relation>(Table::Relation, b"")? {
            let (Some(accepted), Ok(id)) = (relation.accepted.as_mut(), Id::try_from(id)) else {
                continue;
            };
            let payload = self.own_payload(accepted.accept)?;
            let (Some(Payload::Accept(accept)), Some(peer)) = (payload, self.peer(id)?) else {
                continue;
            };
            let accept = types::Accept {
                credentials: self.own.credentials(),
                request: HashRef {
                    hash: accepted.request.into(),
                },
                ..accept
            };
            let (random, name) = (self.random(), self.own.shown());
            let hash = self.sign(Draft {
                id: random,
                rev: 1,
                audience: types::Audience::Direct,
                fallback: format!("{name} accepted: you are friends on Kith."),
                payload: Payload::Accept(accept),
            })?;
            accepted.accept = hash;
            self.set_relation(id, &relation)?;
            let load = Load {
                objects: vec![hash],
                credentials: true,
                ..Load::default()
            };
            self.deliver(&peer, load)?;
        }
        Ok(())
    }

    /// Moves to another address: a new contact for all friends.
    pub(crate) fn move_to(&mut self, to: &str) -> Result<(), ActError> {
        if !address::is_valid(to) {
            return Err(ActError::Address(to.to_owned()));
        }
        if address::same(to, &self.own.address) {
            return Err(ActError::Self_(to.to_owned()));
        }
        let old = std::mem::replace(&mut self.own.address, to.to_owned());
        self.own.addresses.retain(|known| !address::same(known, to));
        self.own.addresses.push(old);
        Ok(self.tell_contact()?)
    }

    /// What the person agrees to from now on.
    pub(crate) fn consent(&mut self, consent: Consent) -> Result<(), ActError> {
        let contact = consent.introduce != self.own.consent.introduce;
        self.own.consent = consent;
        if contact {
            Ok(self.tell_contact()?)
        } else {
            Ok(self.own.save(&mut self.store)?)
        }
    }

    /// Tells friends when what the contact says of post-quantum subkeys isn't so any more.
    pub(super) fn tell_protection(&mut self) -> Result<(), AgentError> {
        let protected = super::own::is_declared(self.gate, &self.own.certificate, self.now);
        if protected == self.own.declares {
            return Ok(());
        }
        self.tell_contact()
    }

    fn tell_contact(&mut self) -> Result<(), AgentError> {
        self.renew_contact()?;
        let contact = self.own.contact;
        for friend in self.friends()? {
            if let Some(peer) = self.peer(friend)? {
                let load = Load {
                    objects: vec![contact],
                    certificate: true,
                    ..Load::default()
                };
                self.tell(&peer, load)?;
            }
        }
        Ok(())
    }
}

//! From objects to mail in the outbox (specification, chapters "Mail format" and "Delivery").

use kith_schemas::types;
use kith_spec::req;

use super::{AgentError, Id, Step, bounce};
use crate::agent::media::{Carried, Need};
use crate::agent::outbox::Copy;
use crate::agent::peer::Peer;
use crate::agent::standing::Route;
use crate::kinds;
use crate::store::{Read, Table};
use crate::wire::compose::{self, Fields, Parts};
use crate::wire::keys::Certificate;
use crate::wire::signature::Purpose;
use crate::wire::{WireError, sealed};

/// A mail about to be made. A broken agent rewrites it before anything is signed or sealed.
pub struct Outgoing {
    /// The header fields.
    pub fields: Fields,
    /// The delivery document; none in open mail.
    pub delivery: Option<types::Delivery>,
    /// Signed object messages.
    pub objects: Vec<Vec<u8>>,
    /// Armored certificates.
    pub certificates: Vec<Vec<u8>>,
    /// Plain text for people.
    pub fallback: String,
    /// Media.
    pub media: Vec<Carried>,
}

/// What a delivery is for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load {
    /// The objects, by hash.
    pub(crate) objects: Vec<Id>,
    /// Whether chain, contact and certificate go along.
    pub(crate) credentials: bool,
    /// What of the objects' media goes along.
    pub(crate) media: Vec<Need>,
    /// Whether the delivery is numbered.
    pub(crate) numbered: bool,
    /// The number of a delivery that is sent again.
    pub(crate) again: Option<([u8; 16], u64)>,
    /// Whether no person's action caused it directly.
    pub(crate) automatic: bool,
    /// Whether the own certificate goes along.
    pub(crate) certificate: bool,
    /// Certificates of others, in binary.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// The merge key whose delivery state this copy is.
    pub(crate) subject: Option<Vec<u8>>,
    /// Co-members of a group whose credentials go along.
    pub(crate) others: Vec<Id>,
}

impl Step<'_> {
    /// Seals a delivery to a peer and puts it into the outbox. Returns its channel, in hex, and
    /// number; none if it has none, or is kept back.
    pub(crate) fn deliver(
        &mut self,
        peer: &Peer,
        mut load: Load,
    ) -> Result<Option<(String, u64)>, AgentError> {
        crate::implements!(req::MAIL_NEVER_CLEAR);
        if self.quiet {
            return Ok(None);
        }
        let friend = self.is_friend(peer.id)?;
        let frozen = self.standing(peer.id)?.frozen;
        if frozen && self.gate.enforces(&req::IDENTITY_FROZEN) {
            return Ok(None);
        }
        let subject = load.subject.as_deref().filter(|_| load.again.is_none());
        if self.withhold(std::slice::from_ref(peer), subject, &load.objects)? {
            return Ok(None);
        }
        if self.exchanges_with(peer.id)? {
            self.ride_rotation(peer, &mut load)?;
        }
        if load.again.is_none() {
            self.ride_confirm(peer, &mut load)?;
        }
        if friend && load.again.is_none() {
            self.ride_receipt(peer, &mut load)?;
        }
        if load.again.is_none() {
            self.note_sent(&load.objects, Some(peer.id))?;
        }
        let mut objects = load.objects.clone();
        if load.credentials {
            objects.extend(&self.own.chain);
            objects.push(self.own.contact);
        }
        for other in load.others.clone() {
            let Some(other) = self.peer(other)? else {
                continue;
            };
            objects.extend(other.chain.iter().map(|entry| entry.hash));
            objects.push(other.contact);
            load.certificates.push(other.certificate_octets().to_vec());
        }
        let channel = self.channel_for(peer, &load)?;
        let piggyback = self.exchanges_with(peer.id)? && self.gate.enforces(&req::ACK_PIGGYBACK);
        let (acks, echoes) = if piggyback {
            (self.take_acks(peer.id)?, self.take_echoes(peer.id)?)
        } else {
            (Vec::new(), Vec::new())
        };
        let routes = if friend {
            self.routes(peer)?
        } else {
            vec![Route {
                address: self.address_of(peer)?,
                nonce: None,
            }]
        };
        for (index, route) in routes.iter().enumerate() {
            let delivery = types::Delivery {
                from: party(self.own.id, &self.own.address)?,
                to: vec![party(peer.id, &route.address)?],
                group: None,
                channel: channel
                    .map(|(id, seq, base)| numbers(id, seq, base))
                    .transpose()?,
                ack: acks.clone(),
                path: route.nonce.map(|nonce| types::DeliveryPath {
                    nonce: nonce.into(),
                }),
                echo: echoes.clone(),
                object: objects.iter().copied().map(reference).collect(),
                certificate: self.certificate_references(&load),
            };
            // The delivery state is that of the copy to the address that is known to work.
            let counted = channel.filter(|_| index == 0);
            load.automatic |= index > 0;
            self.post(peer, route, delivery, &objects, &load, counted)?;
        }
        Ok(channel.map(|(id, number, _)| (hex::encode(id), number)))
    }

    fn certificate_references(&self, load: &Load) -> Vec<types::HashRef> {
        let own = load.credentials || load.certificate;
        let own = own.then_some(self.own.certificate_hash);
        let others = load
            .certificates
            .iter()
            .map(|octets| crate::wire::sha256(octets));
        own.into_iter().chain(others).map(reference).collect()
    }

    /// Makes one mail of a delivery, and puts it into the outbox.
    fn post(
        &mut self,
        peer: &Peer,
        route: &Route,
        delivery: types::Delivery,
        objects: &[Id],
        load: &Load,
        counted: Option<([u8; 16], u64, u64)>,
    ) -> Result<(), AgentError> {
        let (messages, fallback) = self.signed_objects(objects)?;
        let mut certificates = self.certificates(load.credentials || load.certificate)?;
        for octets in &load.certificates {
            if let Ok(certificate) = Certificate::parse(&crate::gate::Strict, octets) {
                certificates.push(certificate.to_armor()?);
            }
        }
        let outgoing = Outgoing {
            fields: self
                .fields(&route.address, &fallback, load.automatic)
                .hidden(self.gate),
            delivery: Some(delivery),
            objects: messages,
            certificates,
            fallback,
            media: self.carried(&load.media)?,
        };
        if let Some((id, number, _)) = counted {
            self.carried_by(&id, number, &outgoing.fields.message_id)?;
        }
        let mail = self.seal(outgoing, std::slice::from_ref(peer))?;
        let copy = Copy {
            to: route.address.clone(),
            delivery: counted.map(|(id, seq, _)| (hex::encode(id), seq)),
            subject: load.subject.as_ref().map(hex::encode),
            peer: Some(hex::encode(peer.id)),
            ..Copy::default()
        };
        self.enqueue(copy, mail)
    }

    /// What a friend doesn't know of the own chain rides along, in a delivery that is numbered.
    fn ride_rotation(&mut self, peer: &Peer, load: &mut Load) -> Result<(), AgentError> {
        let told = usize::from(self.standing(peer.id)?.told);
        if told + 1 >= self.own.chain.len() || !self.gate.enforces(&req::IDENTITY_ROTATION_RIDES) {
            return Ok(());
        }
        load.numbered |= load.again.is_none();
        let entries = self.own.chain[told + 1..].to_vec();
        for object in entries.into_iter().chain([self.own.contact]) {
            if !load.objects.contains(&object) {
                load.objects.push(object);
            }
        }
        load.certificate = true;
        Ok(())
    }

    /// Sends objects, with the own credentials, in the open.
    pub(crate) fn deliver_open(&mut self, to: &str, object: Id) -> Result<(), AgentError> {
        if self.quiet {
            return Ok(());
        }
        self.note_sent(&[object], None)?;
        let mut objects = vec![object];
        objects.extend(&self.own.chain);
        objects.push(self.own.contact);
        let (mail, message_id) = self.open_mail(to, &objects, &objects)?;
        self.await_bounce(&message_id, bounce::request_row(object))?;
        self.enqueue(
            Copy {
                to: to.to_owned(),
                ..Copy::default()
            },
            mail,
        )
    }

    /// An open mail with objects and the own certificate, and its Message-ID. Its text is what `said`
    /// say.
    pub(super) fn open_mail(
        &mut self,
        to: &str,
        objects: &[Id],
        said: &[Id],
    ) -> Result<(Vec<u8>, String), AgentError> {
        let (messages, _) = self.signed_objects(objects)?;
        let (_, fallback) = self.signed_objects(said)?;
        let mut fields = self.fields(to, &fallback, false);
        fields.outer_subject.clone_from(&fields.subject);
        let mut outgoing = Outgoing {
            fields,
            delivery: None,
            objects: messages,
            certificates: self.certificates(true)?,
            fallback,
            media: Vec::new(),
        };
        self.gate.rewrite(&mut outgoing);
        let boundary = self.boundary();
        let parts = Parts {
            fallback: outgoing.fallback,
            delivery: None,
            objects: outgoing.objects,
            certificates: outgoing.certificates,
            media: outgoing.media,
        };
        let mail = compose::open(self.gate, &outgoing.fields, parts, &boundary);
        Ok((mail, outgoing.fields.message_id))
    }

    fn ride_confirm(&mut self, peer: &Peer, load: &mut Load) -> Result<(), AgentError> {
        let to_page = self.riding_to_page(peer.id)?.filter(|_| load.numbered);
        if let Some(confirm) = to_page.filter(|confirm| !load.objects.contains(confirm))
            && self.gate.enforces(&req::FRIENDS_CONFIRM_RIDES)
        {
            load.objects.push(confirm);
        }
        let mut relation = self.relation(peer.id)?;
        let now = self.now;
        let Some(confirm) = relation.friend.as_mut().and_then(|f| f.confirm.as_mut()) else {
            return Ok(());
        };
        if !load.numbered || load.objects.contains(&confirm.object) {
            return Ok(());
        }
        if !self.gate.enforces(&req::FRIENDS_CONFIRM_RIDES) {
            return Ok(());
        }
        confirm.sent = now;
        load.objects.push(confirm.object);
        self.set_relation(peer.id, &relation)
    }

    fn channel_for(
        &mut self,
        peer: &Peer,
        load: &Load,
    ) -> Result<Option<([u8; 16], u64, u64)>, AgentError> {
        if let Some((channel, number)) = load.again {
            let own = self
                .store
                .record::<super::channel::Outgoing>(Table::Outgoing, &peer.id)?;
            let base = own
                .filter(|own| own.channel == channel)
                .and_then(|own| own.open.first().copied())
                .unwrap_or(number);
            return Ok(Some((channel, number, base.min(number))));
        }
        if !load.numbered && self.gate.enforces(&req::CHANNEL_NONE) {
            return Ok(None);
        }
        self.number(peer.id, load).map(Some)
    }

    pub(crate) fn seal(
        &mut self,
        mut outgoing: Outgoing,
        peers: &[Peer],
    ) -> Result<Vec<u8>, AgentError> {
        self.gate.rewrite(&mut outgoing);
        let document = outgoing
            .delivery
            .as_ref()
            .map(types::Delivery::encode)
            .transpose();
        let mut document = document.map_err(|error| WireError::Xml(error.to_string()))?;
        if let Some(document) = &mut document {
            self.gate.document(document);
        }
        let parts = Parts {
            fallback: outgoing.fallback,
            delivery: document,
            objects: outgoing.objects,
            certificates: outgoing.certificates,
            media: outgoing.media,
        };
        let (inner, outer) = (self.boundary(), self.boundary());
        let payload = compose::payload(self.gate, &outgoing.fields, parts, &inner);
        let mut certificates = Vec::new();
        for peer in peers {
            let certificate = peer.certificate();
            certificates.push(certificate.ok_or(WireError::Key("the certificate is missing"))?);
        }
        let recipients: Vec<&Certificate> = certificates.iter().collect();
        let signing = self.own.key.signing()?;
        let sealed = sealed::seal(
            self.gate,
            &signing,
            &recipients,
            &payload,
            Purpose::Delivery,
            self.now,
        )?;
        for listed in outgoing
            .delivery
            .iter()
            .flat_map(|delivery| &delivery.object)
        {
            self.note_protection(listed.hash.0, sealed.protected)?;
        }
        Ok(compose::sealed(
            self.gate,
            &outgoing.fields,
            &sealed.armored,
            &outer,
        ))
    }

    /// The signed messages of objects, and what they say in plain text.
    pub(crate) fn signed_objects(
        &self,
        hashes: &[Id],
    ) -> Result<(Vec<Vec<u8>>, String), AgentError> {
        let mut messages = Vec::new();
        let mut fallback = Vec::new();
        for hash in hashes {
            let Some(message) = self.store.get(Table::Octets, hash)? else {
                continue;
            };
            if let Some(text) = kinds::fallback(&message) {
                fallback.push(text);
            }
            messages.push(message);
        }
        if fallback.is_empty() {
            fallback.push("A receipt: your mail arrived.".to_owned());
        }
        Ok((messages, fallback.join("\n\n")))
    }

    fn certificates(&self, wanted: bool) -> Result<Vec<Vec<u8>>, AgentError> {
        let armor = wanted
            .then(|| self.own.certificate.to_armor())
            .transpose()?;
        Ok(armor.into_iter().collect())
    }

    pub(crate) fn fields(&mut self, to: &str, fallback: &str, automatic: bool) -> Fields {
        let fresh = self.gate.enforces(&req::MAIL_MESSAGE_ID);
        let id: [u8; 16] = if fresh { self.random() } else { [0; 16] };
        let subject = fallback.lines().next().unwrap_or_default();
        Fields {
            from: self.own.address.clone(),
            to: to.to_owned(),
            date: if self.gate.enforces(&req::MAIL_DATE) {
                self.now
            } else {
                0
            },
            message_id: format!(
                "{}@{}",
                hex::encode(id),
                super::address::domain(&self.own.address)
            ),
            subject: subject.chars().take(78).collect(),
            outer_subject: String::new(),
            automatic,
        }
    }

    pub(super) fn boundary(&mut self) -> String {
        format!("kith-{}", hex::encode(self.random::<12>()))
    }
}

fn reference(hash: Id) -> types::HashRef {
    types::HashRef { hash: hash.into() }
}

pub(crate) fn party(id: Id, address: &str) -> Result<types::Party, AgentError> {
    let address = types::Address::new(address);
    let address = address.map_err(|error| WireError::Xml(error.to_string()))?;
    Ok(types::Party {
        id: id.into(),
        address,
    })
}

pub(crate) fn numbers(id: [u8; 16], seq: u64, base: u64) -> Result<types::Channel, AgentError> {
    let number = |number: u64| {
        types::Sequence::new(number).map_err(|error| WireError::Xml(error.to_string()))
    };
    Ok(types::Channel {
        id: id.into(),
        seq: number(seq)?,
        base: number(base)?,
    })
}

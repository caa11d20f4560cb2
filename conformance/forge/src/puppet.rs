//! People: keys, chain, contact, certificate and channels.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ForgeError;
use crate::draft::{
    Channel, DeliveryDraft, Draft, EnvelopeDraft, Hook, Item, MailDraft, ObjectDraft, Party,
    Protection, SignedObject,
};
use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::Instant;
use crate::openpgp::{
    Certificate, CertificateSpec, DecryptionKey, KeyKind, SignSpec, SigningKey, SubkeySpec,
    Subpacket, serialize,
};
use crate::peer::Peer;
use crate::seed::{Rng, Seed};
use crate::xml::Element;

/// A person that the forge plays.
#[derive(Clone)]
pub struct Puppet {
    /// The name it claims.
    pub name: String,
    /// Its mail address.
    pub address: String,
    /// Its identity.
    pub id: IdentityId,
    /// What keys it has.
    pub kind: KeyKind,
    /// Its generator, for what it draws itself.
    pub rng: Rng,
    /// The key of its present epoch.
    pub key: SigningKey,
    /// The key it is committed to.
    pub next: SigningKey,
    /// The keys of its earlier epochs.
    pub earlier: Vec<SigningKey>,
    /// Whether it agreed to be introduced.
    pub introducible: bool,
    /// The number of its present epoch.
    pub epoch: i64,
    /// Its chain, epoch 0 first.
    pub chain: Vec<SignedObject>,
    /// The newest contact.
    pub contact: SignedObject,
    /// What its certificate says.
    pub certificate_spec: CertificateSpec,
    /// Its certificate.
    pub certificate: Certificate,
    contact_rev: i64,
    pub(crate) page_rev: i64,
    decryption: Vec<DecryptionKey>,
    channels: BTreeMap<IdentityId, Channel>,
}

impl std::fmt::Debug for Puppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Puppet({} {})", self.address, self.id)
    }
}

impl Puppet {
    /// A person who starts at this time. The same arguments give the same person.
    pub fn new(seed: &Seed, name: &str, address: &str, kind: KeyKind, now: Instant) -> Self {
        let mut rng = seed.child(address).child(&kind.to_string()).rng();
        let because = "the forge makes keys of these kinds";
        let key = SigningKey::generate(&mut rng, kind, now).expect(because);
        let next = SigningKey::generate(&mut rng, kind, now).expect(because);
        let subkeys = DecryptionKey::generate_all(&mut rng, kind, now).expect(because);
        let user_id = format!("{name} <{address}>");
        let public = subkeys.iter().map(DecryptionKey::public);
        let spec = CertificateSpec::new(&key, public, user_id, now);
        let empty = SignedObject {
            octets: Vec::new(),
            xml: Vec::new(),
            hash: Hash([0; 32]),
            fallback: String::new(),
            key: (key.key_hash(), Id128([0; 16])),
        };
        let mut puppet = Self {
            name: name.to_owned(),
            address: address.to_owned(),
            id: key.key_hash(),
            kind,
            certificate: spec.certificate(&mut rng),
            certificate_spec: spec,
            rng,
            key,
            next,
            earlier: Vec::new(),
            introducible: false,
            epoch: 0,
            chain: Vec::new(),
            contact: empty,
            contact_rev: 0,
            page_rev: 0,
            decryption: subkeys,
            channels: BTreeMap::new(),
        };
        let identity = puppet.identity_object(now, &[]);
        puppet.chain.push(identity.sign(&mut puppet.rng));
        puppet.renew_contact(now);
        puppet
    }

    /// Takes the key it is committed to, at an ordinary rotation or because
    /// earlier epochs are compromised.
    pub fn rotate(&mut self, now: Instant, compromised: &[i64]) {
        let because = "the forge makes keys of these kinds";
        let next = SigningKey::generate(&mut self.rng, self.kind, now).expect(because);
        let subkeys = DecryptionKey::generate_all(&mut self.rng, self.kind, now).expect(because);
        let key = std::mem::replace(&mut self.next, next);
        self.earlier.push(std::mem::replace(&mut self.key, key));
        self.epoch += 1;
        let user_id = self.certificate_spec.user_id.clone();
        let public = subkeys.iter().map(DecryptionKey::public);
        self.certificate_spec = CertificateSpec::new(&self.key, public, user_id, now);
        self.certificate = self.certificate_spec.certificate(&mut self.rng);
        self.decryption.extend(subkeys);
        let identity = self.identity_object(now, compromised);
        self.chain.push(identity.sign(&mut self.rng));
        self.renew_contact(now);
    }

    /// Adds an encryption subkey ML-KEM-768+X25519 that is made now to the certificate. The
    /// primary key must be of version 6.
    pub fn add_composite_subkey(&mut self, now: Instant) {
        let because = "the forge makes such keys";
        let subkey = DecryptionKey::generate(&mut self.rng, KeyKind::Pq, now).expect(because);
        let spec = SubkeySpec::new(subkey.public());
        self.certificate_spec.subkeys.push(spec);
        self.certificate_spec.created = now;
        self.decryption.push(subkey);
        self.renew_certificate();
    }

    /// Makes the certificate again after its specification was changed.
    pub fn renew_certificate(&mut self) {
        self.certificate = self.certificate_spec.certificate(&mut self.rng);
    }

    /// Adds a new encryption subkey to the certificate, beside those there are.
    pub fn renew_subkey(&mut self, now: Instant) {
        let because = "rPGP makes keys of these two kinds";
        let subkey = DecryptionKey::generate(&mut self.rng, self.kind, now).expect(because);
        let spec = SubkeySpec::new(subkey.public());
        self.certificate_spec.subkeys.push(spec);
        self.certificate_spec.created = now;
        self.renew_certificate();
        self.decryption.push(subkey);
    }

    /// Signs a new contact.
    pub fn renew_contact(&mut self, now: Instant) {
        let contact = self.contact_object(now);
        self.contact = contact.sign(&mut self.rng);
        self.contact_rev = contact.rev;
    }

    /// How others know it.
    pub fn peer(&self) -> Peer {
        Peer {
            id: self.id,
            address: self.address.clone(),
            certificate: Some(self.certificate.clone()),
        }
    }

    /// As a party of a delivery.
    pub fn party(&self) -> Party {
        Party {
            id: self.id,
            address: self.address.clone(),
        }
    }

    /// The transferable secret key, binary, without passphrase.
    pub fn secret_key_export(&self) -> Vec<u8> {
        // The self-signatures draw their own salts: an export changes nothing.
        let mut rng = self.rng.clone();
        let packets = self
            .certificate_spec
            .packets(&mut rng, Some(&self.decryption));
        serialize(&packets)
    }

    /// The secret octets of all its keys, without what is public.
    pub fn secret_octets(&self) -> Vec<Vec<u8>> {
        let keys = self.earlier.iter().chain([&self.key, &self.next]);
        let primary = keys.map(|key| (key.secret_packet(), key.public_body().len()));
        let subkeys = self.decryption.iter();
        let subkeys = subkeys.map(|key| (key.secret_packet(), key.public().body().len()));
        primary
            .chain(subkeys)
            .filter_map(|(packet, public)| {
                // After the public part: no passphrase; in version 4 a length before, and a
                // checksum after.
                let secret = packet.body.get(public + 1..)?;
                let secret = match self.kind {
                    KeyKind::V4 => secret.get(2..secret.len().checked_sub(2)?)?,
                    _ => secret,
                };
                Some(secret.to_vec())
            })
            .collect()
    }

    /// The entry of its chain for the present epoch.
    pub fn identity_object(&mut self, now: Instant, compromised: &[i64]) -> ObjectDraft {
        let previous = self.chain.last().map(|entry| entry.hash);
        let previous = previous.map(|hash| Element::new("prev").attribute("hash", hash));
        let key = STANDARD.encode(self.key.public_packet().octets());
        let compromised = compromised.iter();
        let payload = Element::new("identity")
            .attribute("epoch", self.epoch)
            .children(previous)
            .child(Element::new("key").text(key))
            .child(Element::new("next").text(self.next.key_hash().to_string()))
            .children(compromised.map(|epoch| Element::new("compromised").text(epoch.to_string())));
        let fallback = format!("{}'s key", self.name);
        self.object(payload, "any", &fallback, now)
    }

    /// A contact with the next revision.
    pub fn contact_object(&mut self, now: Instant) -> ObjectDraft {
        let payload = Element::new("contact")
            .attribute("epoch", self.epoch)
            .child(Element::new("name").text(&self.name))
            .child(Element::new("address").text(&self.address))
            .child(Element::new("feature").text("core"))
            .child(Element::new("feature").text("social"));
        let payload = match self.certificate_spec.has_composite_subkey() {
            true => payload.child(Element::new("feature").text("pq")),
            false => payload,
        };
        let payload = match self.introducible {
            true => payload.attribute("introduce", "yes"),
            false => payload,
        };
        let fallback = format!("{} is reached at {}", self.name, self.address);
        let rev = self.contact_rev + 1;
        let contact = self.object(payload, "any", &fallback, now);
        ObjectDraft {
            id: Id128::derived("contact", &[]),
            rev,
            ..contact
        }
    }

    /// The element that names chain, contact and certificate.
    pub fn credentials(&self) -> Element {
        let hash = |name: &str, hash: Hash| Element::new(name).attribute("hash", hash);
        Element::new("credentials")
            .children(self.chain.iter().map(|entry| hash("chain", entry.hash)))
            .child(hash("contact", self.contact.hash))
            .child(hash("certificate", self.certificate.hash))
    }

    /// Chain and contact, as they stand before an object that names them.
    pub fn credential_objects(&self) -> Vec<Item> {
        let contact = std::iter::once(&self.contact);
        let objects = self.chain.iter().chain(contact);
        objects.cloned().map(Item::Signed).collect()
    }

    /// An object of this person with this payload and a fresh id.
    pub fn object(
        &mut self,
        payload: Element,
        audience: &str,
        fallback: &str,
        now: Instant,
    ) -> ObjectDraft {
        ObjectDraft {
            author: self.id,
            id: Id128::random(&mut self.rng),
            rev: 1,
            created: now,
            audience: audience.to_owned(),
            scope: None,
            requires: Vec::new(),
            fallback: fallback.to_owned(),
            payload,
            ext: None,
            root: Hook::default(),
            xml: Hook::default(),
            sign: SignSpec::new(&self.key, now).purpose("object"),
            literal_mode: b'b',
            packets: Hook::default(),
            octets: Hook::default(),
        }
    }

    /// A delivery without channel.
    pub fn delivery(&mut self, to: &Peer, now: Instant) -> Result<Draft, ForgeError> {
        let recipient = to.recipient()?;
        let protection = match to.certificate()?.seipd_v2()? {
            true => Protection::V2,
            false => Protection::V1,
        };
        let sign = SignSpec::new(&self.key, now)
            .purpose("delivery")
            .hashed(Subpacket::intended(&recipient.primary));
        let envelope = EnvelopeDraft {
            signatures: vec![sign],
            recipients: vec![recipient],
            password: false,
            protection,
            compression: 0,
            literal_mode: b'b',
            content: Hook::default(),
            plain: Hook::default(),
            packets: Hook::default(),
        };
        let delivery = DeliveryDraft::new(self.party(), to.party());
        let mail = MailDraft::new(&self.address, &to.address, now, "[...]");
        Ok(Draft::new(delivery, envelope, mail))
    }

    /// A delivery with the next number of the channel to this peer.
    pub fn delivery_on_channel(&mut self, to: &Peer, now: Instant) -> Result<Draft, ForgeError> {
        let mut draft = self.delivery(to, now)?;
        draft.delivery.channel = Some(self.next_seq(to.id));
        Ok(draft)
    }

    /// The next number of the channel to this identity.
    /// The channel to a revision of a group stands under the revision's hash.
    pub fn next_seq(&mut self, to: IdentityId) -> Channel {
        let rng = &mut self.rng;
        let channel = self.channels.entry(to).or_insert_with(|| Channel {
            id: Id128::random(rng),
            seq: 0,
            base: 1,
        });
        channel.seq += 1;
        *channel
    }

    /// The channel to this identity as it stands, `seq` being the number used last.
    pub fn channel(&self, to: IdentityId) -> Option<Channel> {
        self.channels.get(&to).copied()
    }

    /// Opens a new channel to this identity with the next delivery.
    pub fn forget_channel(&mut self, to: IdentityId) {
        self.channels.remove(&to);
    }

    pub(crate) fn decryption_keys(&self) -> &[DecryptionKey] {
        &self.decryption
    }
}

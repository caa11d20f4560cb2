//! What is made here is read by sequoia, and back.

use std::io::Write as _;

use sequoia_openpgp as openpgp;

use openpgp::cert::{Cert, CertBuilder, CipherSuite};
use openpgp::parse::Parse as _;
use openpgp::policy::StandardPolicy;
use openpgp::serialize::Serialize as _;
use openpgp::serialize::stream::{Encryptor, LiteralWriter, Message, Recipient, Signer};
use openpgp::{Packet as Theirs, PacketPile, Profile};

use crate::openpgp::packet::{split, tag};
use crate::openpgp::signature::signature_packet;
use crate::openpgp::{
    Certificate, DecryptionKey, KeyKind, SessionKey, SignSpec, verifies_composite,
};
use crate::read::Knowledge;
use crate::{Instant, Puppet, Seed};

const NOW: Instant = Instant::EXAMPLE;

fn puppet() -> Puppet {
    Puppet::new(
        &Seed::new("composite"),
        "Ada",
        "ada@a.test",
        KeyKind::Pq,
        NOW,
    )
}

fn time() -> std::time::SystemTime {
    std::time::UNIX_EPOCH + std::time::Duration::from_secs(NOW.0.unsigned_abs())
}

/// A transferable secret key that sequoia made.
fn theirs() -> Cert {
    let builder = CertBuilder::new()
        .set_profile(Profile::RFC9580)
        .unwrap()
        .set_cipher_suite(CipherSuite::MLDSA65_Ed25519)
        .set_creation_time(time())
        .add_signing_subkey()
        .add_transport_encryption_subkey();
    builder.generate().unwrap().0
}

#[test]
fn sequoia_reads_our_keys_and_certificates() {
    let puppet = puppet();
    let policy = StandardPolicy::new();
    let cert = Cert::from_bytes(&puppet.secret_key_export()).unwrap();
    assert!(cert.is_tsk());
    let valid = cert.with_policy(&policy, time()).unwrap();
    assert!(valid.primary_key().for_signing());
    let mut encrypting = valid.keys().for_transport_encryption().secret();
    let subkey = encrypting.next().unwrap();
    let algorithm = u8::from(subkey.key().pk_algo());
    assert_eq!(algorithm, super::ENCRYPT);
    // The public halves belong to the secret ones.
    assert!(subkey.key().clone().into_keypair().is_ok());
    assert_eq!(cert.fingerprint().as_bytes(), puppet.fingerprint().octets);
}

#[test]
fn sequoia_opens_what_we_seal_and_verifies_what_we_sign() {
    let (mut puppet, recipient) = (puppet(), theirs());
    let mut octets = Vec::new();
    recipient.serialize(&mut octets).unwrap();
    let key = Certificate::from_binary(octets).encryption_key().unwrap();
    let session_key = SessionKey::random(&mut puppet.rng);
    for version in [3, 6] {
        let packet = session_key.pkesk(&mut puppet.rng, &key, version).unwrap();
        let pile = PacketPile::from_bytes(&packet.octets()).unwrap();
        let Some(Theirs::PKESK(packet)) = pile.path_ref(&[0]) else {
            panic!("sequoia finds no session-key packet of version {version}");
        };
        let named = packet.recipient().unwrap();
        let subkey = recipient.keys().key_handle(named).secret().next();
        let mut pair = subkey.unwrap().key().clone().into_keypair().unwrap();
        let (_, opened) = packet.decrypt(&mut pair, None).unwrap();
        assert_eq!(opened.as_ref(), session_key.octets());
    }

    let spec = SignSpec::new(&puppet.key, NOW);
    let signature = signature_packet(&spec, &[7; 16], b"said").octets();
    let pile = PacketPile::from_bytes(&signature).unwrap();
    let Some(Theirs::Signature(signature)) = pile.path_ref(&[0]) else {
        panic!("sequoia finds no signature");
    };
    let cert = Cert::from_bytes(&puppet.certificate.binary).unwrap();
    let key = cert.primary_key().key();
    assert!(signature.verify_message(key, b"said").is_ok());
    assert!(signature.verify_message(key, b"sold").is_err());
}

#[test]
fn we_open_what_sequoia_seals_and_verify_what_it_signs() {
    let (puppet, signer) = (puppet(), theirs());
    let (policy, ours) = (
        StandardPolicy::new(),
        Cert::from_bytes(&puppet.certificate.binary).unwrap(),
    );
    let to = ours
        .keys()
        .with_policy(&policy, time())
        .for_transport_encryption();
    let to: Vec<Recipient<'_>> = to.map(Into::into).collect();
    let mut sealed = Vec::new();
    let message = Encryptor::for_recipients(Message::new(&mut sealed), to)
        .build()
        .unwrap();
    let mut literal = LiteralWriter::new(message).build().unwrap();
    literal.write_all(b"hidden").unwrap();
    literal.finalize().unwrap();
    let opened = crate::read::open_plain(&sealed, puppet.decryption_keys()).unwrap();
    assert_eq!(opened, b"hidden");
    let stranger = [DecryptionKey::generate(&mut puppet.rng.clone(), KeyKind::Pq, NOW).unwrap()];
    assert!(crate::read::open_plain(&sealed, &stranger).is_err());

    let pair = signer.primary_key().key().clone().parts_into_secret();
    let pair = pair.unwrap().into_keypair().unwrap();
    let mut signed = Vec::new();
    let message = Signer::new(Message::new(&mut signed), pair).unwrap();
    let mut literal = LiteralWriter::new(message.build().unwrap())
        .build()
        .unwrap();
    literal.write_all(b"said").unwrap();
    literal.finalize().unwrap();
    let packets = split(&signed).unwrap();
    let mut signatures = packets.iter().filter(|packet| packet.tag == tag::SIGNATURE);
    let signature = signatures.next().unwrap();
    let mut octets = Vec::new();
    signer.serialize(&mut octets).unwrap();
    let mut knowledge = Knowledge::new();
    knowledge.certificate(&Certificate::from_binary(octets));
    let (_, public) = super::of(&knowledge.keys()[0]).unwrap();
    assert!(verifies_composite(signature, public, b"said"));
    assert!(!verifies_composite(signature, public, b"sold"));
    let mut broken = signature.clone();
    // One bit of the classical half, which stands before 3309 octets.
    let at = broken.body.len() - 3309 - 1;
    broken.body[at] ^= 1;
    assert!(!verifies_composite(&broken, public, b"said"));
}

//! Sequoia decrypts and verifies every vector that is to be accepted, and the
//! project's XSD validator validates the documents in it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

use std::io::Read;
use std::time::{Duration, UNIX_EPOCH};

use kith_schemas::validator::{SchemaName, Validator};
use kith_vectors::{Outcome, StepKind, Vector, all};
use mailparse::ParsedMail;
use openpgp::crypto::SessionKey;
use openpgp::packet::{PKESK, SKESK};
use openpgp::parse::Parse;
use openpgp::parse::stream::{
    DecryptionHelper, DecryptorBuilder, MessageLayer, MessageStructure, VerificationHelper,
    VerifierBuilder,
};
use openpgp::policy::StandardPolicy;
use openpgp::types::SymmetricAlgorithm;
use openpgp::{Cert, KeyHandle};
use sequoia_openpgp as openpgp;

struct Helper<'a> {
    secret: Option<&'a Cert>,
    known: &'a [Cert],
    policy: &'a StandardPolicy<'a>,
    good: usize,
    bad: Vec<String>,
}

impl VerificationHelper for &mut Helper<'_> {
    fn get_certs(&mut self, _: &[KeyHandle]) -> openpgp::Result<Vec<Cert>> {
        Ok(self.known.to_vec())
    }

    fn check(&mut self, structure: MessageStructure<'_>) -> openpgp::Result<()> {
        for layer in structure {
            if let MessageLayer::SignatureGroup { results } = layer {
                for result in results {
                    match result {
                        Ok(_) => self.good += 1,
                        Err(error) => self.bad.push(error.to_string()),
                    }
                }
            }
        }
        Ok(())
    }
}

impl DecryptionHelper for &mut Helper<'_> {
    fn decrypt(
        &mut self,
        pkesks: &[PKESK],
        _: &[SKESK],
        algorithm: Option<SymmetricAlgorithm>,
        decrypt: &mut dyn FnMut(Option<SymmetricAlgorithm>, &SessionKey) -> bool,
    ) -> openpgp::Result<Option<Cert>> {
        let keys = self.secret.unwrap().keys().with_policy(self.policy, None);
        for key in keys.secret().for_transport_encryption() {
            let mut pair = key.key().clone().into_keypair()?;
            for pkesk in pkesks {
                let opened = pkesk.decrypt(&mut pair, algorithm);
                if opened.is_some_and(|(algorithm, key)| decrypt(algorithm, &key)) {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }
}

fn leaves<'a>(mail: &'a ParsedMail<'a>) -> Vec<&'a ParsedMail<'a>> {
    match mail.subparts.as_slice() {
        [] => vec![mail],
        parts => parts.iter().flat_map(leaves).collect(),
    }
}

fn of_type(octets: &[u8], kind: &str) -> Vec<Vec<u8>> {
    let mail = mailparse::parse_mail(octets).unwrap();
    let parts = leaves(&mail).into_iter();
    let parts = parts.filter(|part| part.ctype.mimetype == kind);
    parts.map(|part| part.get_body_raw().unwrap()).collect()
}

fn certificates(octets: &[u8]) -> Vec<Cert> {
    let parts = of_type(octets, "application/pgp-keys").into_iter();
    parts.map(|part| Cert::from_bytes(&part).unwrap()).collect()
}

/// The mails that arrived before, and this one.
fn mails(vector: &Vector) -> Vec<Vec<u8>> {
    let steps = vector.opening().steps.iter().chain(&vector.given.earlier);
    let earlier = steps.filter_map(|step| match &step.kind {
        StepKind::Mail(mail) => Some(mail.octets()),
        _ => None,
    });
    earlier.chain([vector.mail.octets()]).collect()
}

/// The payload of a sealed mail, whose signatures must all be good; open mail as it is.
fn unseal(vector: &Vector, octets: &[u8], known: &mut Vec<Cert>) -> Vec<u8> {
    let mail = mailparse::parse_mail(octets).unwrap();
    if mail.ctype.mimetype != "multipart/encrypted" {
        known.extend(certificates(octets));
        return octets.to_vec();
    }
    let message = mail.subparts[1].get_body_raw().unwrap();
    let secret = vector.opening().recipient.secret_octets();
    let secret = Cert::from_bytes(&secret).unwrap();
    let policy = StandardPolicy::new();
    let open = |known: &[Cert]| {
        let mut helper = Helper {
            secret: Some(&secret),
            known,
            policy: &policy,
            good: 0,
            bad: Vec::new(),
        };
        let mut payload = Vec::new();
        let decryptor = DecryptorBuilder::from_bytes(&message).unwrap();
        let decryptor = decryptor.with_policy(&policy, Some(time()), &mut helper);
        decryptor.unwrap().read_to_end(&mut payload).unwrap();
        (payload, helper.good, helper.bad)
    };
    // The first time for the certificates that come along.
    let (payload, _, _) = open(known);
    known.extend(certificates(&payload));
    // What another device of the recipient wrote is under the recipient's own key.
    known.push(secret.clone().strip_secret_key_material());
    let (payload, good, bad) = open(known);
    assert_eq!((good, bad), (1, Vec::new()), "{}", vector.id);
    payload
}

/// Thirty days after the vectors begin to play: some look into their future on purpose.
fn time() -> std::time::SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_251_600 + 30 * 86_400)
}

/// The XML of an object, whose signature must be good under a known key.
fn object(vector: &Vector, octets: &[u8], known: &[Cert]) -> Vec<u8> {
    let policy = StandardPolicy::new();
    let mut helper = Helper {
        secret: None,
        known,
        policy: &policy,
        good: 0,
        bad: Vec::new(),
    };
    let mut xml = Vec::new();
    let verifier = VerifierBuilder::from_bytes(octets).unwrap();
    let verifier = verifier.with_policy(&policy, Some(time()), &mut helper);
    verifier.unwrap().read_to_end(&mut xml).unwrap();
    assert_eq!((helper.good, helper.bad), (1, Vec::new()), "{}", vector.id);
    xml
}

/// Objects of earlier epochs, and of people whose chain alone comes along, verify under keys that
/// stand in no certificate. That takes an agent, not a library.
const KEYS_OF_CHAINS: &[&str] = &[
    "accepted/request-after-rotation",
    "valid/relay-v4-v4",
    "valid/relay-v6-v6",
    "valid/relayed-comment-v4-v4",
    "valid/relayed-comment-v6-v6",
    "valid/share-v4-v4",
    "valid/share-v6-v6",
];

#[test]
fn sequoia_reads_what_is_to_be_accepted() {
    let mut objects = Validator::new(SchemaName::Object).unwrap();
    let mut deliveries = Validator::new(SchemaName::Delivery).unwrap();
    let mut copies = Validator::new(SchemaName::Devices).unwrap();
    for vector in all() {
        if vector.expected.mail.outcome != Outcome::Accept || KEYS_OF_CHAINS.contains(&&*vector.id)
        {
            continue;
        }
        let mut known = Vec::new();
        let mails = mails(vector);
        for (number, mail) in mails.iter().enumerate() {
            let payload = unseal(vector, mail, &mut known);
            if number + 1 < mails.len() {
                continue;
            }
            let expected = &vector.expected.objects;
            let accepted = expected
                .iter()
                .all(|object| object.outcome == Outcome::Accept);
            if !accepted {
                continue;
            }
            for octets in of_type(&payload, "application/kith-object") {
                let xml = object(vector, &octets, &known);
                if let Err(error) = objects.validate(&xml) {
                    panic!("{}: {error}", vector.id);
                }
            }
            for xml in of_type(&payload, "application/kith+xml") {
                let validator = match vector.id.starts_with("valid/self-") {
                    true => &mut copies,
                    false => &mut deliveries,
                };
                if let Err(error) = validator.validate(&xml) {
                    panic!("{}: {error}", vector.id);
                }
            }
        }
    }
}

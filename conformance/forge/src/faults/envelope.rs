//! Faults of the envelope: protection, compression, recipients, signatures.

use kith_spec::{limit, req};

use super::{Base, Fault, Scene};
use crate::draft::{Draft, Protection};
use crate::instant::DAY;
use crate::mime::Body;
use crate::openpgp::{
    HashAlgorithm, KeyKind, Packet, SignSpec, Subpacket, signature_type, subpacket, tag,
};

pub(super) fn faults() -> Vec<Fault> {
    [
        integrity(),
        compression(),
        recipients(),
        signed(),
        signature(),
        form(),
    ]
    .concat()
}

/// The signature of the delivery.
pub(super) fn sign(draft: &mut Draft, change: impl FnOnce(&mut SignSpec)) {
    if let Some(signature) = draft.envelope.signatures.first_mut() {
        change(signature);
    }
}

fn integrity() -> Vec<Fault> {
    let rule = &req::SEC_INTEGRITY;
    vec![
        Fault::new(
            "security/no-integrity-protection",
            "encrypted data of the old kind, without integrity protection",
            rule,
            Base::Message,
        )
        .flags(&["efail"])
        .sealed(|_, draft| draft.envelope.protection = Protection::None),
        Fault::new(
            "security/integrity-stripped",
            "protected data turned into the old kind, its check removed",
            rule,
            Base::Message,
        )
        .flags(&["efail"])
        .sealed(|_, draft| {
            draft.envelope.protection = Protection::V1;
            draft.envelope.packets.set(|packets| {
                let strip = |packet: Packet| match packet.tag {
                    tag::SEIPD => {
                        // Without the version and without the check's 22 octets.
                        let end = packet.body.len() - 22;
                        Packet::new(tag::SED, &packet.body[1..end])
                    }
                    _ => packet,
                };
                packets.into_iter().map(strip).collect()
            });
        }),
        Fault::new(
            "security/ciphertext-changed",
            "one bit of the protected data of version 1 turned over",
            rule,
            Base::Message,
        )
        .flags(&["efail"])
        .sealed(|_, draft| {
            draft.envelope.protection = Protection::V1;
            draft.envelope.packets.set(turn_over);
        }),
        Fault::new(
            "security/authenticated-ciphertext-changed",
            "one bit of the protected data of version 2 turned over",
            rule,
            Base::Message,
        )
        .key(KeyKind::V6)
        .flags(&["efail", "v6-recipient"])
        .sealed(|_, draft| {
            draft.envelope.packets.set(turn_over);
        }),
        Fault::new(
            "security/ciphertext-shortened",
            "protected data of version 2 without its last chunk",
            rule,
            Base::Message,
        )
        .key(KeyKind::V6)
        .flags(&["efail", "v6-recipient"])
        .sealed(|_, draft| {
            draft.envelope.packets.set(|mut packets| {
                if let Some(data) = packets.last_mut() {
                    data.body.truncate(data.body.len() - 16);
                }
                packets
            });
        }),
        Fault::new(
            "security/ciphertext-cut-off",
            "protected data of version 1 cut off within its first block",
            rule,
            Base::Message,
        )
        .flags(&["efail"])
        .sealed(|_, draft| {
            draft.envelope.protection = Protection::V1;
            draft.envelope.packets.set(|packets| cut_off(packets, 9));
        }),
        Fault::new(
            "security/authenticated-ciphertext-cut-off",
            "protected data of version 2 cut off after the salt",
            rule,
            Base::Message,
        )
        .key(KeyKind::V6)
        .flags(&["efail", "v6-recipient"])
        .sealed(|_, draft| {
            // Version, cipher, mode, chunk size, and the salt.
            draft
                .envelope
                .packets
                .set(|packets| cut_off(packets, 4 + 32));
        }),
    ]
}

fn cut_off(mut packets: Vec<Packet>, length: usize) -> Vec<Packet> {
    if let Some(data) = packets.last_mut() {
        data.body.truncate(length);
    }
    packets
}

fn turn_over(mut packets: Vec<Packet>) -> Vec<Packet> {
    if let Some(data) = packets.last_mut() {
        let middle = data.body.len() / 2;
        data.body[middle] ^= 1;
    }
    packets
}

fn compression() -> Vec<Fault> {
    vec![
        Fault::new(
            "security/compressed-twice",
            "two layers of compression",
            &req::SEC_COMPRESSION_DEPTH,
            Base::Message,
        )
        .flags(&["compression-bomb"])
        .sealed(|_, draft| draft.envelope.compression = 2),
        Fault::new(
            "security/compressed-very-often",
            "a hundred layers of compression",
            &req::SEC_COMPRESSION_DEPTH,
            Base::Message,
        )
        .flags(&["compression-bomb"])
        .sealed(|_, draft| draft.envelope.compression = 100),
        Fault::new(
            "security/compression-bomb",
            "one layer of compression whose output is larger than the limit",
            &req::SEC_COMPRESSION_OUTPUT,
            Base::Message,
        )
        .flags(&["compression-bomb"])
        .sealed(|_, draft| {
            draft.envelope.compression = 1;
            draft.inner.set(|mut root| {
                if let Body::Multipart { epilogue, .. } = &mut root.body {
                    let line = "..........................................................\r\n";
                    let size = limit::DECOMPRESSED_OCTETS as usize;
                    epilogue.push_str(&line.repeat(size / line.len() + 1));
                }
                root
            });
        }),
    ]
}

/// Seals to the third person too.
fn seal_to_third(scene: &mut Scene, draft: &mut Draft) {
    let recipient = scene.third.peer().recipient();
    if let Some(recipient) = scene.keep(recipient) {
        draft.envelope.recipients.push(recipient);
    }
}

fn recipients() -> Vec<Fault> {
    let (agree, me) = (&req::SEC_RECIPIENTS_AGREE, &req::SEC_FOR_ME);
    vec![
        Fault::new(
            "security/no-intended-recipient",
            "a delivery signature without intended recipient",
            agree,
            Base::Message,
        )
        .flags(&["surreptitious-forwarding"])
        .sealed(|_, draft| sign(draft, |spec| spec.remove(subpacket::INTENDED_RECIPIENT))),
        Fault::new(
            "security/two-intended-recipients",
            "a delivery signature with an intended recipient too many",
            agree,
            Base::Message,
        )
        .sealed(|scene, draft| {
            let third = Subpacket::intended(&scene.third.fingerprint());
            sign(draft, |spec| spec.hashed.push(third));
        }),
        Fault::new(
            "security/two-session-keys",
            "an envelope that somebody else can open too",
            agree,
            Base::Message,
        )
        .flags(&["hidden-recipient"])
        .sealed(seal_to_third),
        Fault::new(
            "security/two-in-document",
            "a delivery document with a recipient too many",
            agree,
            Base::Message,
        )
        .sealed(|scene, draft| draft.delivery.to.push(scene.third.party())),
        Fault::new(
            "security/intended-for-another",
            "a delivery signed for somebody else, sealed again for the recipient",
            me,
            Base::Message,
        )
        .also(agree)
        .flags(&["surreptitious-forwarding"])
        .sealed(|scene, draft| {
            let third = Subpacket::intended(&scene.third.fingerprint());
            sign(draft, |spec| spec.replace(third));
            draft.delivery.to = vec![scene.third.party()];
        }),
        Fault::new(
            "security/document-for-another",
            "a delivery document that names another identity",
            me,
            Base::Message,
        )
        .flags(&["surreptitious-forwarding"])
        .sealed(|scene, draft| draft.delivery.to = vec![scene.third.party()]),
        Fault::new(
            "security/other-address",
            "a delivery document with an address that was never the recipient's",
            me,
            Base::Message,
        )
        .sealed(|_, draft| {
            for to in &mut draft.delivery.to {
                to.address = format!("not-{}", to.address);
            }
        }),
        Fault::new(
            "security/two-recipients",
            "one delivery for two friends",
            &req::SEC_ONE_RECIPIENT,
            Base::Message,
        )
        .sealed(|scene, draft| {
            seal_to_third(scene, draft);
            let third = Subpacket::intended(&scene.third.fingerprint());
            sign(draft, |spec| spec.hashed.push(third));
            draft.delivery.to.push(scene.third.party());
        }),
        Fault::new(
            "security/password-packet",
            "an envelope with a packet for a password",
            &req::SEC_NO_PASSWORD,
            Base::Message,
        )
        .flags(&["hidden-recipient"])
        .sealed(|_, draft| draft.envelope.password = true),
    ]
}

fn signed() -> Vec<Fault> {
    let rule = &req::SEC_DELIVERY_SIGNED;
    vec![
        Fault::new(
            "security/delivery-unsigned",
            "an envelope without signature",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| draft.envelope.signatures.clear()),
        Fault::new(
            "security/delivery-signed-twice",
            "an envelope with two signatures of its sender",
            rule,
            Base::Message,
        )
        .flags(&["wrapping"])
        .sealed(|_, draft| {
            let signatures = draft.envelope.signatures.clone();
            draft.envelope.signatures.extend(signatures);
        }),
        Fault::new(
            "security/delivery-also-signed-by-third",
            "an envelope with a second signature, by somebody else",
            rule,
            Base::Message,
        )
        .flags(&["wrapping"])
        .sealed(|scene, draft| {
            let recipient = draft.envelope.recipients.first();
            let intended = recipient.map(|recipient| Subpacket::intended(&recipient.primary));
            let mut spec = SignSpec::new(&scene.third.key, scene.now).purpose("delivery");
            spec.hashed.extend(intended);
            draft.envelope.signatures.insert(0, spec);
        }),
    ]
}

fn signature() -> Vec<Fault> {
    let rule = &req::SEC_DELIVERY_SIGNATURE;
    vec![
        Fault::new(
            "security/delivery-signature-broken",
            "a delivery signature with one bit turned over",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| sign(draft, |spec| spec.corrupt = true)),
        Fault::new(
            "security/delivery-signature-of-other-payload",
            "a delivery signature over another payload",
            rule,
            Base::Message,
        )
        .flags(&["replay"])
        .sealed(|_, draft| {
            sign(draft, |spec| {
                spec.instead = Some(b"Content-Type: text/plain\r\n\r\nYes.\r\n".to_vec());
            });
        }),
        Fault::new(
            "security/delivery-signed-by-next-key",
            "a delivery signed by the key that its sender has committed to, without rotation",
            rule,
            Base::Message,
        )
        .sealed(|scene, draft| {
            let next = scene.author.next.clone();
            let intended = draft.envelope.recipients.first();
            let intended = intended.map(|recipient| Subpacket::intended(&recipient.primary));
            let mut spec = SignSpec::new(&next, scene.now).purpose("delivery");
            spec.hashed.extend(intended);
            draft.envelope.signatures = vec![spec];
        }),
        Fault::new(
            "security/signature-from-future",
            "a delivery signature dated two days after the time of receiving",
            &req::SEC_DELIVERY_TIME,
            Base::Message,
        )
        .flags(&["clock"])
        .sealed(|scene, draft| {
            let time = (scene.now + 2 * DAY).openpgp();
            sign(draft, |spec| {
                spec.replace(Subpacket::seconds(subpacket::CREATED, time));
            });
        }),
        Fault::new(
            "security/delivery-sha1",
            "a delivery signature with SHA-1",
            &req::SEC_HASH,
            Base::Message,
        )
        .key(KeyKind::V4)
        .flags(&["weak-algorithm"])
        .sealed(|_, draft| sign(draft, |spec| spec.hash = HashAlgorithm::Sha1)),
        Fault::new(
            "security/delivery-md5",
            "a delivery signature with MD5",
            &req::SEC_HASH,
            Base::Message,
        )
        .key(KeyKind::V4)
        .flags(&["weak-algorithm"])
        .sealed(|_, draft| sign(draft, |spec| spec.hash = HashAlgorithm::Md5)),
        Fault::new(
            "security/delivery-ripemd160",
            "a delivery signature with RIPEMD-160",
            &req::SEC_HASH,
            Base::Message,
        )
        .key(KeyKind::V4)
        .flags(&["weak-algorithm"])
        .sealed(|_, draft| sign(draft, |spec| spec.hash = HashAlgorithm::Ripemd160)),
    ]
}

fn form() -> Vec<Fault> {
    let rule = &req::SEC_ENVELOPE_TYPE;
    vec![
        Fault::new(
            "security/delivery-text-signature",
            "a delivery signature over a text document",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| sign(draft, |spec| spec.kind = signature_type::TEXT)),
        Fault::new(
            "security/delivery-text-literal",
            "a delivery in a literal packet for text",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| draft.envelope.literal_mode = b'u'),
    ]
}

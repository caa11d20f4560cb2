//! Faults of signed objects.

use kith_spec::req;

use super::{Base, Fault};
use crate::openpgp::{
    ArmorKind, HashAlgorithm, KeyKind, Packet, SignSpec, Subpacket, armor, serialize,
    signature_type, split, tag,
};

pub(super) fn faults() -> Vec<Fault> {
    [form(), packets(), signature()].concat()
}

fn form() -> Vec<Fault> {
    let rule = &req::SEC_OBJECT_FORM;
    vec![
        Fault::new(
            "security/object-armored",
            "an object in armor",
            rule,
            Base::Message,
        )
        .object(|_, object| {
            object
                .octets
                .set(|octets| armor(ArmorKind::Message, &octets));
        })
        .not_an_object(),
        Fault::new(
            "security/object-compressed",
            "an object in a compressed packet",
            rule,
            Base::Message,
        )
        .object(|_, object| {
            object.packets.set(|packets| {
                let octets = serialize(&packets);
                vec![crate::draft::compressed(&octets)]
            });
        })
        .not_an_object(),
        Fault::new(
            "security/object-encrypted",
            "an object that is encrypted itself",
            rule,
            Base::Message,
        )
        .object(|scene, object| {
            let Some(recipient) = scene.keep(scene.recipient.recipient()) else {
                return;
            };
            let signed = object.sign(&mut scene.rng);
            let key = crate::openpgp::SessionKey::random(&mut scene.rng);
            let pkesk = key.pkesk(&mut scene.rng, &recipient.key, 3);
            let data = key.seipd(&mut scene.rng, 1, &signed.octets);
            let both = pkesk.and_then(|pkesk| Ok(vec![pkesk, data?]));
            if let Some(packets) = scene.keep(both.map_err(Into::into)) {
                object.packets.set(move |_| packets.clone());
            }
        })
        .not_an_object(),
        Fault::new(
            "security/object-text-literal",
            "an object in a literal packet for text",
            rule,
            Base::Message,
        )
        .object(|_, object| object.literal_mode = b'u')
        .not_an_object(),
    ]
}

fn packets() -> Vec<Fault> {
    let rule = &req::SEC_OBJECT_FORM;
    vec![
        Fault::new(
            "security/object-signature-first",
            "an object with its signature first, in the old style",
            rule,
            Base::Message,
        )
        .object(|_, object| {
            object.packets.set(|mut packets| {
                packets.remove(0);
                packets.reverse();
                packets
            });
        })
        .not_an_object(),
        Fault::new(
            "security/object-detached",
            "an object of a literal packet alone, unsigned",
            rule,
            Base::Message,
        )
        .object(|_, object| {
            object.packets.set(|mut packets| vec![packets.remove(1)]);
        })
        .not_an_object(),
        Fault::new(
            "security/object-signed-twice",
            "an object with two signatures of its author",
            rule,
            Base::Message,
        )
        .flags(&["wrapping"])
        .object(|scene, object| {
            let second = object.sign(&mut scene.rng);
            object.packets.set(move |mut packets| {
                let Ok(mut second) = split(&second.octets) else {
                    return packets;
                };
                if let (Some(signature), Some(one_pass)) = (second.pop(), second.first_mut()) {
                    if let Some(last) = one_pass.body.last_mut() {
                        *last = 0;
                    }
                    packets.insert(0, second.swap_remove(0));
                    packets.push(signature);
                }
                packets
            });
        })
        .not_an_object(),
        Fault::new(
            "security/object-two-literals",
            "an object with a second literal packet after the signed one",
            rule,
            Base::Message,
        )
        .flags(&["wrapping"])
        .object(|_, object| {
            object.packets.set(|mut packets| {
                packets.insert(2, Packet::literal(b'b', b"<object/>"));
                packets
            });
        })
        .not_an_object(),
        Fault::new(
            "security/object-trailing-packet",
            "an object with a padding packet after its signature",
            rule,
            Base::Message,
        )
        .flags(&["wrapping"])
        .object(|_, object| {
            object.packets.set(|mut packets| {
                packets.push(Packet::new(tag::PADDING, [0; 16]));
                packets
            });
        })
        .not_an_object(),
        Fault::new(
            "security/object-garbage",
            "an object part that holds no OpenPGP packets",
            rule,
            Base::Message,
        )
        .object(|_, object| object.octets.set(|_| vec![0; 64]))
        .not_an_object(),
        Fault::new(
            "security/object-cut-off",
            "an object whose last packet is cut off",
            rule,
            Base::Message,
        )
        .object(|_, object| {
            object.octets.set(|mut octets| {
                octets.truncate(octets.len() - 10);
                octets
            });
        })
        .not_an_object(),
    ]
}

fn signature() -> Vec<Fault> {
    let rule = &req::SEC_OBJECT_SIGNATURE;
    vec![
        Fault::new(
            "security/object-text-signature",
            "an object signature over a text document",
            &req::SEC_OBJECT_TYPE,
            Base::Message,
        )
        .object(|_, object| object.sign.kind = signature_type::TEXT),
        Fault::new(
            "security/object-signature-broken",
            "an object signature with one bit turned over",
            rule,
            Base::Message,
        )
        .object(|_, object| object.sign.corrupt = true),
        Fault::new(
            "security/object-changed",
            "an object whose text was changed after it was signed",
            rule,
            Base::Message,
        )
        .flags(&["wrapping"])
        .object(|_, object| {
            object.sign.instead = Some(object.document());
            object.xml.set(|mut xml| {
                xml.push(b'\n');
                xml
            });
        }),
        Fault::new(
            "security/object-signed-by-third",
            "an object that somebody else signed in the sender's name",
            rule,
            Base::Message,
        )
        .object(|scene, object| {
            object.sign = SignSpec::new(&scene.third.key, scene.now).purpose("object");
        }),
        Fault::new(
            "security/object-signed-by-next-key",
            "an object signed by the key that its author has committed to, without rotation",
            rule,
            Base::Message,
        )
        .object(|scene, object| {
            object.sign = SignSpec::new(&scene.author.next, scene.now).purpose("object");
        }),
        Fault::new(
            "security/request-signature-broken",
            "a request whose signature has one bit turned over",
            rule,
            Base::Request,
        )
        .object(|_, object| object.sign.corrupt = true),
        Fault::new(
            "security/object-intended-recipient",
            "an object signature with an intended recipient",
            &req::SEC_OBJECT_NO_INTENDED,
            Base::Message,
        )
        .object(|scene, object| {
            let Some(recipient) = scene.keep(scene.recipient.recipient()) else {
                return;
            };
            let intended = Subpacket::intended(&recipient.primary);
            object.sign.hashed.push(intended);
        }),
        Fault::new(
            "security/object-sha1",
            "an object signature with SHA-1",
            &req::SEC_HASH,
            Base::Message,
        )
        .key(KeyKind::V4)
        .flags(&["weak-algorithm"])
        .object(|_, object| object.sign.hash = HashAlgorithm::Sha1),
        Fault::new(
            "security/request-md5",
            "a request whose signature uses MD5",
            &req::SEC_HASH,
            Base::Request,
        )
        .key(KeyKind::V4)
        .flags(&["weak-algorithm"])
        .object(|_, object| object.sign.hash = HashAlgorithm::Md5),
    ]
}

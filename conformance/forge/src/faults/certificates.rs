//! Faults of certificates, in requests and accepts.

use kith_spec::{limit, req};

use super::{Base, Fault, Scene};
use crate::instant::DAY;
use crate::openpgp::{CertificateSpec, HashAlgorithm, KeyKind, Packet, tag};

pub(super) fn faults() -> Vec<Fault> {
    [primary(), flags(), validity(), encryption()].concat()
}

/// Changes the author's certificate before anything names it.
fn certificate(scene: &mut Scene, change: impl FnOnce(&mut CertificateSpec)) {
    change(&mut scene.author.certificate_spec);
    scene.author.renew_certificate();
}

fn primary() -> Vec<Fault> {
    vec![
        Fault::new(
            "security/certificate-too-large",
            "a request with a certificate larger than the limit",
            &req::SEC_CERT_SIZE,
            Base::Request,
        )
        .prepare(|scene| {
            certificate(scene, |spec| {
                let name = vec![b'x'; limit::CERTIFICATE_OCTETS as usize];
                spec.extra.push(Packet::new(tag::USER_ID, name));
            });
        }),
        Fault::new(
            "security/certificate-of-another-key",
            "a request with the certificate of another key than the chain's",
            &req::SEC_CERT_PRIMARY,
            Base::Request,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| scene.author.certificate = scene.third.certificate.clone()),
        Fault::new(
            "security/accept-with-another-key",
            "an accept with the certificate of another key than the chain's",
            &req::SEC_CERT_PRIMARY,
            Base::Accept,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| scene.author.certificate = scene.third.certificate.clone()),
        Fault::new(
            "security/certificate-of-old-epoch",
            "a request of a rotated identity with the certificate of its first key",
            &req::SEC_CERT_PRIMARY,
            Base::Request,
        )
        .prepare(|scene| {
            let old = scene.author.certificate.clone();
            scene.author.rotate(scene.now, &[]);
            scene.author.certificate = old;
        }),
    ]
}

fn flags() -> Vec<Fault> {
    let rule = &req::SEC_CERT_FLAGS;
    vec![
        Fault::new(
            "security/primary-may-not-sign",
            "a request with a certificate whose primary key is for certification only",
            rule,
            Base::Request,
        )
        .prepare(|scene| certificate(scene, |spec| spec.flags = 0x01)),
        Fault::new(
            "security/primary-may-not-certify",
            "a request with a certificate whose primary key is for signing only",
            rule,
            Base::Request,
        )
        .prepare(|scene| certificate(scene, |spec| spec.flags = 0x02)),
        Fault::new(
            "security/accept-primary-may-not-sign",
            "an accept with a certificate whose primary key is for certification only",
            rule,
            Base::Accept,
        )
        .prepare(|scene| certificate(scene, |spec| spec.flags = 0x01)),
        Fault::new(
            "security/flags-unhashed",
            "a request with a certificate whose key flags anybody could have added",
            rule,
            Base::Request,
        )
        .also(&req::SEC_HASHED_ONLY)
        .flags(&["unhashed"])
        .prepare(|scene| certificate(scene, |spec| spec.flags_unhashed = true)),
        Fault::new(
            "security/self-signature-broken",
            "a request with a certificate whose self-signatures have one bit turned over",
            rule,
            Base::Request,
        )
        .prepare(|scene| certificate(scene, |spec| spec.corrupt = true)),
        Fault::new(
            "security/self-signature-sha1",
            "a request with a certificate whose self-signatures use SHA-1",
            rule,
            Base::Request,
        )
        .also(&req::SEC_HASH)
        .key(KeyKind::V4)
        .flags(&["weak-algorithm"])
        .prepare(|scene| certificate(scene, |spec| spec.hash = HashAlgorithm::Sha1)),
    ]
}

fn validity() -> Vec<Fault> {
    vec![
        Fault::new(
            "security/primary-expired",
            "an accept under a primary key that has expired",
            &req::SEC_CERT_EXPIRED,
            Base::Accept,
        )
        .prepare(|scene| {
            certificate(scene, |spec| spec.expires = Some(DAY as u32));
            scene.now = scene.now + 3 * DAY;
        }),
        Fault::new(
            "security/primary-revoked",
            "an accept under a primary key that its owner has revoked",
            &req::SEC_CERT_REVOKED,
            Base::Accept,
        )
        .prepare(|scene| {
            let now = scene.now;
            certificate(scene, |spec| spec.revoked = Some(now));
        }),
    ]
}

fn encryption() -> Vec<Fault> {
    let rule = &req::SEC_CERT_ENCRYPTION;
    vec![
        Fault::new(
            "security/no-encryption-subkey",
            "a request with a certificate of a primary key alone",
            rule,
            Base::Request,
        )
        .prepare(|scene| certificate(scene, |spec| spec.subkeys.clear())),
        Fault::new(
            "security/encryption-subkey-unbound",
            "a request with a certificate whose subkey has no binding signature",
            rule,
            Base::Request,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| {
            certificate(scene, |spec| {
                spec.subkeys.iter_mut().for_each(|s| s.bound = false);
            });
        }),
        Fault::new(
            "security/encryption-subkey-foreign",
            "an accept with a certificate whose subkey's binding signature is broken",
            rule,
            Base::Accept,
        )
        .flags(&["key-substitution"])
        .prepare(|scene| {
            certificate(scene, |spec| {
                spec.subkeys.iter_mut().for_each(|s| s.corrupt = true);
            });
        }),
        Fault::new(
            "security/encryption-subkey-flags",
            "a request with a certificate whose subkey is for authentication only",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            certificate(scene, |spec| {
                spec.subkeys.iter_mut().for_each(|s| s.flags = 0x20);
            });
        }),
        Fault::new(
            "security/encryption-subkey-expired",
            "a request with a certificate whose encryption subkey has expired",
            rule,
            Base::Request,
        )
        .prepare(|scene| {
            certificate(scene, |spec| {
                spec.subkeys
                    .iter_mut()
                    .for_each(|s| s.expires = Some(DAY as u32));
            });
            scene.now = scene.now + 3 * DAY;
        }),
    ]
}

//! Chapter “Security”, as far as a sent mail shows it.

use kith_spec::{limit, req};

use crate::judge::read::openpgp::{self, MessageFacts, Protection, SignatureFacts};
use crate::judge::{Check, Form, Seen, Verdict};

/// Signatures, envelopes, objects, certificates.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::SEC_HASH,
        look: hash,
    },
    Check {
        rule: &req::SEC_INTEGRITY,
        look: integrity,
    },
    Check {
        rule: &req::SEC_RECIPIENTS_AGREE,
        look: recipients_agree,
    },
    Check {
        rule: &req::SEC_ONE_RECIPIENT,
        look: one_recipient,
    },
    Check {
        rule: &req::SEC_NO_PASSWORD,
        look: no_password,
    },
    Check {
        rule: &req::SEC_RECIPIENT_KEY,
        look: recipient_key,
    },
    Check {
        rule: &req::SEC_DELIVERY_SIGNED,
        look: delivery_signed,
    },
    Check {
        rule: &req::SEC_DELIVERY_SIGNATURE,
        look: delivery_signature,
    },
    Check {
        rule: &req::SEC_DELIVERY_TIME,
        look: delivery_time,
    },
    Check {
        rule: &req::SEC_ENVELOPE_TYPE,
        look: envelope_type,
    },
    Check {
        rule: &req::SEC_OBJECT_FORM,
        look: object_form,
    },
    Check {
        rule: &req::SEC_OBJECT_TYPE,
        look: object_type,
    },
    Check {
        rule: &req::SEC_OBJECT_SIGNATURE,
        look: object_signature,
    },
    Check {
        rule: &req::SEC_OBJECT_NO_INTENDED,
        look: object_no_intended,
    },
    Check {
        rule: &req::SEC_PURPOSE,
        look: purpose,
    },
    Check {
        rule: &req::SEC_OWN_PRIMARY,
        look: own_primary,
    },
    Check {
        rule: &req::SEC_V4_READABLE,
        look: v4_readable,
    },
    Check {
        rule: &req::SEC_CERT_SIZE,
        look: cert_size,
    },
    Check {
        rule: &req::SEC_CERT_FLAGS,
        look: cert_flags,
    },
    Check {
        rule: &req::SEC_CERT_ENCRYPTION,
        look: cert_encryption,
    },
];

impl<'a> Seen<'a> {
    pub(super) fn envelope(&self) -> Option<&'a MessageFacts> {
        match &self.mail?.form {
            Form::Sealed { envelope, .. } => Some(envelope),
            _ => None,
        }
    }

    fn objects(&self) -> impl Iterator<Item = &'a MessageFacts> {
        let parts = self.mail.into_iter().flat_map(|mail| &mail.objects);
        parts.map(|part| &part.message)
    }

    fn signatures(&self) -> impl Iterator<Item = &'a SignatureFacts> {
        let envelope = self.envelope().into_iter();
        envelope
            .chain(self.objects())
            .flat_map(|message| &message.signatures)
    }

    /// Whether a signature verifies under a key of this person.
    fn signs_as(&self, signature: &SignatureFacts, person: &str) -> bool {
        let signer = signature.signer.as_deref();
        signer.is_some_and(|signer| self.keyring.standing(person, signer).is_some())
    }

    /// A verdict about each object.
    fn each_object(&self, look: impl Fn(&MessageFacts) -> Verdict) -> Verdict {
        Verdict::all(self.objects().map(look))
    }
}

fn hash(seen: &Seen<'_>) -> Verdict {
    let weak = |name: &str| matches!(name, "MD5" | "SHA1" | "SHA-1" | "RIPEMD160");
    Verdict::all(seen.signatures().map(|signature| {
        Verdict::of(!weak(&signature.hash), || {
            format!("expected no signature with {}", signature.hash)
        })
    }))
}

fn integrity(seen: &Seen<'_>) -> Verdict {
    let Some(envelope) = seen.envelope() else {
        return Verdict::DoesNotApply;
    };
    let protection = envelope.protection;
    let right = matches!(protection, Protection::Version1 | Protection::Version2);
    Verdict::of(right, || {
        format!("expected protected data, seen {protection:?}")
    })
}

fn recipients_agree(seen: &Seen<'_>) -> Verdict {
    let (Some(envelope), Some(mail)) = (seen.envelope(), seen.mail) else {
        return Verdict::DoesNotApply;
    };
    let (Some(delivery), [signature]) = (mail.delivery(), envelope.signatures.as_slice()) else {
        return Verdict::DoesNotApply;
    };
    let counts = [
        delivery.to.len(),
        signature.intended.len(),
        envelope.session_keys.len(),
    ];
    if counts[0] != counts[1] || counts[0] != counts[2] {
        let [document, intended, keys] = counts;
        return Verdict::Broken(format!(
            "expected equally many recipients, seen {document} in the document, {intended} \
             intended ones in the signature, {keys} session-key packets"
        ));
    }
    Verdict::all(delivery.to.iter().map(|party| {
        let Some(known) = seen.keyring.certificate(&party.id) else {
            return Verdict::DoesNotApply;
        };
        let named = signature.intended.contains(&known.fingerprint);
        Verdict::of(named, || {
            let (address, intended) = (&party.address, &signature.intended);
            format!("expected the primary key of {address} as intended, seen {intended:?}")
        })
    }))
}

fn one_recipient(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.mail.and_then(crate::judge::Mail::delivery) else {
        return Verdict::DoesNotApply;
    };
    if delivery.group.is_some() {
        return Verdict::DoesNotApply;
    }
    let count = delivery.to.len();
    Verdict::of(count == 1, || {
        format!("expected one recipient, seen {count}")
    })
}

fn no_password(seen: &Seen<'_>) -> Verdict {
    let Some(envelope) = seen.envelope() else {
        return Verdict::DoesNotApply;
    };
    let count = envelope.passwords;
    Verdict::of(count == 0, || {
        format!("expected no password packet, seen {count}")
    })
}

fn recipient_key(seen: &Seen<'_>) -> Verdict {
    let (Some(envelope), Some(mail)) = (seen.envelope(), seen.mail) else {
        return Verdict::DoesNotApply;
    };
    let Some(delivery) = mail.delivery() else {
        return Verdict::DoesNotApply;
    };
    let count = envelope.session_keys.len();
    if count != delivery.to.len() {
        return Verdict::Broken(format!(
            "expected one session-key packet for each recipient, seen {count}"
        ));
    }
    Verdict::all(delivery.to.iter().map(|party| {
        let Some(known) = seen.keyring.certificate(&party.id) else {
            return Verdict::DoesNotApply;
        };
        // Which of the two it has to be depends on the class; its cases look at that.
        let both = [true, false].map(|kind| openpgp::encryption_key(&known.cert, kind, seen.now));
        let keys: Vec<&String> = both.iter().flatten().flatten().collect();
        if keys.is_empty() {
            return Verdict::DoesNotApply;
        }
        let mut targets = envelope.session_keys.iter().map(|packet| &packet.recipient);
        let right = targets.any(|to| to.as_ref().is_some_and(|to| keys.contains(&to)));
        Verdict::of(right, || {
            let seen: Vec<_> = envelope
                .session_keys
                .iter()
                .map(|packet| &packet.recipient)
                .collect();
            format!(
                "expected the newest encryption subkey {}, seen {seen:?}",
                keys[0]
            )
        })
    }))
}

fn delivery_signed(seen: &Seen<'_>) -> Verdict {
    let Some(envelope) = seen.envelope() else {
        return Verdict::DoesNotApply;
    };
    let counts = (
        envelope.one_pass,
        envelope.literals.len(),
        envelope.signatures.len(),
    );
    Verdict::of(counts == (1, 1, 1) && envelope.strange.is_empty(), || {
        let (one_pass, literals, signatures) = counts;
        let strange = &envelope.strange;
        format!(
            "expected one signature over the payload, seen {one_pass} one-pass packets, \
             {literals} literals, {signatures} signatures, other packets {strange:?}"
        )
    })
}

/// The identity of the sender, where its keys are known.
fn sender<'a>(seen: &Seen<'a>) -> Option<&'a str> {
    let id = match seen.agent {
        Some(agent) => agent.identity.as_str(),
        None => &seen.mail?.delivery()?.from.id,
    };
    seen.keyring.knows(id).then_some(id)
}

fn delivery_signature(seen: &Seen<'_>) -> Verdict {
    let (Some(envelope), Some(sender)) = (seen.envelope(), sender(seen)) else {
        return Verdict::DoesNotApply;
    };
    Verdict::all(envelope.signatures.iter().map(|signature| {
        Verdict::of(seen.signs_as(signature, sender), || {
            let by = &signature.signer;
            format!("expected a signature under a primary key of the sender {sender}, seen {by:?}")
        })
    }))
}

fn delivery_time(seen: &Seen<'_>) -> Verdict {
    let Some(envelope) = seen.envelope() else {
        return Verdict::DoesNotApply;
    };
    let latest = seen.now + i64::try_from(limit::CLOCK_SKEW_SECONDS).unwrap_or(i64::MAX);
    Verdict::all(envelope.signatures.iter().map(|signature| {
        let created = signature.created;
        Verdict::of(created.is_some_and(|time| time <= latest), || {
            format!("expected a signature dated before {latest}, seen {created:?}")
        })
    }))
}

fn envelope_type(seen: &Seen<'_>) -> Verdict {
    let Some(envelope) = seen.envelope() else {
        return Verdict::DoesNotApply;
    };
    let kinds: Vec<u8> = envelope
        .signatures
        .iter()
        .map(|signature| signature.kind)
        .collect();
    let binary = kinds.iter().all(|kind| *kind == 0) && envelope.literals == ['b'];
    Verdict::of(binary, || {
        let literals = &envelope.literals;
        format!(
            "expected a binary signature over a binary literal, seen types {kinds:?} over {literals:?}"
        )
    })
}

fn object_form(seen: &Seen<'_>) -> Verdict {
    seen.each_object(|message| {
        let right = message.one_pass == 1
            && message.literals == ['b']
            && message.signatures.len() == 1
            && message.compression == 0
            && message.protection == Protection::None
            && message.strange.is_empty();
        Verdict::of(right, || {
            let literals = &message.literals;
            let (passes, signatures) = (message.one_pass, message.signatures.len());
            format!(
                "expected one one-pass packet, one binary literal, one signature, seen \
                 {passes}, {literals:?}, {signatures}"
            )
        })
    })
}

fn object_type(seen: &Seen<'_>) -> Verdict {
    seen.each_object(|message| {
        let kinds: Vec<u8> = message
            .signatures
            .iter()
            .map(|signature| signature.kind)
            .collect();
        Verdict::of(kinds.iter().all(|kind| *kind == 0), || {
            format!("expected object signatures of type 0, seen {kinds:?}")
        })
    })
}

fn object_signature(seen: &Seen<'_>) -> Verdict {
    let Some(mail) = seen.mail else {
        return Verdict::DoesNotApply;
    };
    Verdict::all(mail.objects.iter().map(|part| {
        let Ok(object) = &part.object else {
            return Verdict::DoesNotApply;
        };
        let (Some(signature), true) = (
            part.message.signatures.first(),
            seen.keyring.knows(&object.author),
        ) else {
            return Verdict::DoesNotApply;
        };
        Verdict::of(seen.signs_as(signature, &object.author), || {
            let (kind, signer) = (&object.kind, &signature.signer);
            format!("expected the `{kind}` to verify under a key of its author, seen {signer:?}")
        })
    }))
}

fn object_no_intended(seen: &Seen<'_>) -> Verdict {
    seen.each_object(|message| {
        let none = message
            .signatures
            .iter()
            .all(|signature| signature.intended.is_empty());
        Verdict::of(none, || {
            "expected no intended recipient in an object signature".to_owned()
        })
    })
}

fn purpose(seen: &Seen<'_>) -> Verdict {
    let envelope = seen
        .envelope()
        .into_iter()
        .map(|message| (message, "delivery"));
    let objects = seen.objects().map(|message| (message, "object"));
    Verdict::all(envelope.chain(objects).flat_map(|(message, expected)| {
        message.signatures.iter().map(move |signature| {
            let mine: Vec<_> = signature
                .notations
                .iter()
                .filter(|n| n.name == "kith")
                .collect();
            let right = match mine.as_slice() {
                [notation] => notation.value == expected && !notation.critical,
                _ => false,
            };
            Verdict::of(right, || {
                format!("expected the notation kith={expected} once, not critical, seen {mine:?}")
            })
        })
    }))
}

fn own_primary(seen: &Seen<'_>) -> Verdict {
    let (Some(agent), Some(sender)) = (seen.agent, sender(seen)) else {
        return Verdict::DoesNotApply;
    };
    let own = |part: &&crate::judge::read::ObjectPart| {
        part.object
            .as_ref()
            .is_ok_and(|object| object.author == agent.identity.as_str())
    };
    let parts = seen
        .mail
        .into_iter()
        .flat_map(|mail| &mail.objects)
        .filter(own);
    let objects = parts.flat_map(|part| &part.message.signatures);
    let envelope = seen
        .envelope()
        .into_iter()
        .flat_map(|message| &message.signatures);
    Verdict::all(envelope.chain(objects).map(|signature| {
        Verdict::of(seen.signs_as(signature, sender), || {
            format!("expected everything to be signed with a primary key of {sender}")
        })
    }))
}

fn v4_readable(seen: &Seen<'_>) -> Verdict {
    let certificates = seen
        .mail
        .into_iter()
        .flat_map(|mail| mail.certificates.iter().flatten());
    Verdict::all(certificates.map(|facts| {
        Verdict::of(!openpgp::declares_v2_as_v4(&facts.cert, seen.now), || {
            "expected no declaration of protected data of version 2 with a version 4 key".to_owned()
        })
    }))
}

fn cert_size(seen: &Seen<'_>) -> Verdict {
    let certificates = seen.mail.into_iter().flat_map(|mail| &mail.certificates);
    Verdict::all(certificates.map(|certificate| match certificate {
        Ok(facts) => Verdict::of(
            facts.binary.len() as u64 <= limit::CERTIFICATE_OCTETS,
            || {
                format!(
                    "expected {} octets at most, seen {}",
                    limit::CERTIFICATE_OCTETS,
                    facts.binary.len()
                )
            },
        ),
        Err(error) => Verdict::Broken(format!("expected a certificate: {error}")),
    }))
}

fn cert_flags(seen: &Seen<'_>) -> Verdict {
    let certificates = seen
        .mail
        .into_iter()
        .flat_map(|mail| mail.certificates.iter().flatten());
    Verdict::all(certificates.map(|facts| {
        Verdict::of(openpgp::may_certify_and_sign(&facts.cert, seen.now), || {
            "expected a primary key that may certify and sign".to_owned()
        })
    }))
}

fn cert_encryption(seen: &Seen<'_>) -> Verdict {
    let certificates = seen
        .mail
        .into_iter()
        .flat_map(|mail| mail.certificates.iter().flatten());
    Verdict::all(certificates.map(|facts| {
        Verdict::of(
            [true, false]
                .iter()
                .any(|kind| openpgp::encryption_key(&facts.cert, *kind, seen.now).is_some()),
            || "expected a valid encryption subkey".to_owned(),
        )
    }))
}

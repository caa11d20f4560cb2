//! Chapter “Friends”, as far as a sent mail shows it.

use kith_spec::{limit, req};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::judge::read::document::{Element, ObjectFacts};
use crate::judge::{Check, Form, Mail, Seen, Verdict};

/// Requests, accepts, confirms.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::FRIENDS_REQUEST_ADDRESS,
        look: request_address,
    },
    Check {
        rule: &req::FRIENDS_REQUEST_CREDENTIALS,
        look: request_credentials,
    },
    Check {
        rule: &req::FRIENDS_REQUEST_CONTACT,
        look: request_contact,
    },
    Check {
        rule: &req::FRIENDS_REQUEST_TERM,
        look: request_term,
    },
    Check {
        rule: &req::FRIENDS_REQUEST_NOTE,
        look: request_note,
    },
    Check {
        rule: &req::FRIENDS_REQUEST_MAIL_SIZE,
        look: request_mail_size,
    },
    Check {
        rule: &req::FRIENDS_REQUEST_OPEN,
        look: request_open,
    },
    Check {
        rule: &req::FRIENDS_ACCEPT_SEALED,
        look: handshake_sealed,
    },
    Check {
        rule: &req::FRIENDS_ACCEPT_TO,
        look: addressed,
    },
    Check {
        rule: &req::FRIENDS_ACCEPT_CREDENTIALS,
        look: accept_credentials,
    },
    Check {
        rule: &req::FRIENDS_CONFIRM_RIDES,
        look: confirm_rides,
    },
];

impl<'a> Seen<'a> {
    /// A verdict about each object of a kind.
    pub(super) fn each(
        &self,
        kind: &str,
        look: impl Fn(&'a Mail, &'a ObjectFacts) -> Verdict,
    ) -> Verdict {
        let Some(mail) = self.mail else {
            return Verdict::DoesNotApply;
        };
        let objects = mail.readable().filter(|object| object.kind == kind);
        Verdict::all(objects.map(|object| look(mail, object)))
    }
}

fn request_address(seen: &Seen<'_>) -> Verdict {
    seen.each("request", |_, request| {
        let named = request
            .payload
            .child("to")
            .and_then(|to| to.attribute("address"));
        let Some(submission) = seen.submission else {
            return Verdict::of(named.is_some(), || "expected an address".to_owned());
        };
        let to = &submission.recipients;
        let right = named.is_some_and(|named| to.iter().any(|to| to.eq_ignore_ascii_case(named)));
        Verdict::of(right, || {
            format!("expected the request to name the address it goes to, {to:?}, seen {named:?}")
        })
    })
}

/// Whether all that `credentials` names is among the mail's parts.
pub(super) fn credentials(mail: &Mail, object: &ObjectFacts) -> Verdict {
    let Some(named) = object.payload.child("credentials") else {
        return Verdict::Broken(format!("expected credentials in the `{}`", object.kind));
    };
    let hash = |element: &Element| element.attribute("hash").unwrap_or_default().to_owned();
    let has = |kind: &str, wanted: &str| {
        mail.readable()
            .any(|object| object.kind == kind && object.hash == wanted)
    };
    let chain = named
        .all("chain")
        .map(hash)
        .all(|hash| has("identity", &hash));
    let contact = named
        .child("contact")
        .map(hash)
        .is_some_and(|hash| has("contact", &hash));
    let certificate = named.child("certificate").map(hash).unwrap_or_default();
    let mut certificates = mail.certificates.iter().flatten();
    let certificate = certificates.any(|facts| facts.hash == certificate);
    Verdict::of(chain && contact && certificate, || {
        format!(
            "expected the parts that the credentials name, seen chain: {chain}, contact: \
             {contact}, certificate: {certificate}"
        )
    })
}

fn request_credentials(seen: &Seen<'_>) -> Verdict {
    seen.each("request", credentials)
}

fn accept_credentials(seen: &Seen<'_>) -> Verdict {
    seen.each("accept", credentials)
}

fn request_contact(seen: &Seen<'_>) -> Verdict {
    seen.each("request", |mail, request| {
        let contact = mail.object("contact");
        let right = contact.is_some_and(|contact| {
            contact.author == request.author && contact.payload.child("address").is_some()
        });
        Verdict::of(right, || {
            "expected a contact of the requester with an address".to_owned()
        })
    })
}

fn seconds(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(time.unix_timestamp())
}

fn request_term(seen: &Seen<'_>) -> Verdict {
    seen.each("request", |_, request| {
        let created = seconds(&request.created);
        let expires = request.payload.attribute("expires").and_then(seconds);
        let longest = i64::try_from(limit::REQUEST_DAYS * 86_400).unwrap_or(i64::MAX);
        let term = created
            .zip(expires)
            .map(|(created, expires)| expires - created);
        Verdict::of(
            term.is_some_and(|term| (1..=longest).contains(&term)),
            || {
                format!(
                    "expected a term of {} days at most, seen {term:?} s",
                    limit::REQUEST_DAYS
                )
            },
        )
    })
}

fn request_note(seen: &Seen<'_>) -> Verdict {
    seen.each("request", |_, request| {
        let Some(note) = request.payload.child("note") else {
            return Verdict::DoesNotApply;
        };
        let bad = |c: char| matches!(c, '<' | '>') || (c.is_control() && c != '\n');
        let text = &note.text;
        let address = text.contains("://") || text.contains("www.");
        Verdict::of(!text.chars().any(bad) && !address, || {
            format!("expected a note of plain text without web addresses, seen {text:?}")
        })
    })
}

fn request_mail_size(seen: &Seen<'_>) -> Verdict {
    seen.each("request", |mail, _| {
        let size = mail.octets.len();
        Verdict::of(size as u64 <= limit::REQUEST_MAIL_OCTETS, || {
            format!(
                "expected {} octets at most, seen {size}",
                limit::REQUEST_MAIL_OCTETS
            )
        })
    })
}

/// To somebody whose certificate is not known; what the agent knows isn't visible here,
/// so a sealed request is left alone.
fn request_open(seen: &Seen<'_>) -> Verdict {
    seen.each("request", |mail, request| {
        if matches!(mail.form, Form::Sealed { .. }) {
            return Verdict::DoesNotApply;
        }
        let audience = &request.audience;
        Verdict::of(audience == "direct", || {
            format!("expected a request with the audience `direct`, seen `{audience}`")
        })
    })
}

fn handshake_sealed(seen: &Seen<'_>) -> Verdict {
    Verdict::all(
        ["accept", "confirm", "decline", "end"]
            .into_iter()
            .map(|kind| {
                seen.each(kind, |mail, _| {
                    Verdict::of(matches!(mail.form, Form::Sealed { .. }), || {
                        format!("expected the `{kind}` in sealed mail")
                    })
                })
            }),
    )
}

fn addressed(seen: &Seen<'_>) -> Verdict {
    Verdict::all(
        ["accept", "confirm", "decline", "end", "message"]
            .into_iter()
            .map(|kind| {
                seen.each(kind, |mail, object| {
                    let to = mail.delivery().and_then(|delivery| delivery.to.first());
                    let Some(to) = to else {
                        return Verdict::DoesNotApply;
                    };
                    let named = object.payload.child("to").and_then(|to| to.attribute("id"));
                    Verdict::of(named == Some(to.id.as_str()), || {
                        format!(
                            "expected the `{kind}` to name its recipient {}, seen {named:?}",
                            to.id
                        )
                    })
                })
            }),
    )
}

fn confirm_rides(seen: &Seen<'_>) -> Verdict {
    let (Some(memory), Some(mail)) = (seen.memory, seen.mail) else {
        return Verdict::DoesNotApply;
    };
    let Some(delivery) = mail.delivery() else {
        return Verdict::DoesNotApply;
    };
    let Some(channel) = &delivery.channel else {
        return Verdict::DoesNotApply;
    };
    if delivery.group.is_some() {
        return Verdict::DoesNotApply;
    }
    let known = memory.channels.get(&channel.id);
    let again = known.is_some_and(|own| own.objects.contains_key(&channel.seq));
    let to = delivery
        .to
        .first()
        .map(|party| party.id.as_str())
        .unwrap_or_default();
    match memory.confirms.get(to) {
        Some(confirm)
            if !(confirm.acknowledged || memory.blind || again) && mail.object("end").is_none() =>
        {
            let hash = &confirm.hash;
            Verdict::of(delivery.objects.contains(hash), || {
                format!("expected the confirm {hash} to ride along until it is acknowledged")
            })
        }
        _ => Verdict::DoesNotApply,
    }
}

//! Chapter “Mail format”, as far as a sent mail shows it.

use kith_spec::{limit, req};

use crate::judge::read::document::ObjectFacts;
use crate::judge::read::mime::{Entity, addresses};
use crate::judge::read::{CERTIFICATE, DELIVERY, OBJECT, Payload};
use crate::judge::{Check, Form, Seen, Verdict};

/// Every mail.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::MAIL_KITH_VERSION,
        look: kith_version,
    },
    Check {
        rule: &req::MAIL_SIZE,
        look: size,
    },
    Check {
        rule: &req::MAIL_LINES,
        look: lines,
    },
    Check {
        rule: &req::MAIL_SEVEN_BIT,
        look: seven_bit,
    },
    Check {
        rule: &req::MAIL_MESSAGE_ID,
        look: message_id,
    },
    Check {
        rule: &req::MAIL_DATE,
        look: date,
    },
    Check {
        rule: &req::MAIL_MIME_BOUNDS,
        look: mime_bounds,
    },
    Check {
        rule: &req::MAIL_NEVER_CLEAR,
        look: never_clear,
    },
];

/// Sealed mail only.
pub(in crate::judge) static SEALED: &[Check] = &[
    Check {
        rule: &req::MAIL_STRUCTURE,
        look: structure,
    },
    Check {
        rule: &req::MAIL_CONTENT_DESCRIPTION,
        look: content_description,
    },
    Check {
        rule: &req::MAIL_SUBJECT,
        look: subject,
    },
    Check {
        rule: &req::MAIL_OUTER_ADDRESSES,
        look: outer_addresses,
    },
    Check {
        rule: &req::MAIL_HEADER_PROTECTION,
        look: header_protection,
    },
    Check {
        rule: &req::MAIL_ONE_ENVELOPE,
        look: one_envelope,
    },
    Check {
        rule: &req::MAIL_NO_COMPRESSION,
        look: no_compression,
    },
    Check {
        rule: &req::MAIL_PAYLOAD,
        look: payload,
    },
    Check {
        rule: &req::MAIL_LISTED_PRESENT,
        look: listed_present,
    },
    Check {
        rule: &req::MAIL_LISTED_PARTS,
        look: listed_parts,
    },
    Check {
        rule: &req::MAIL_PART_ONCE,
        look: part_once,
    },
    Check {
        rule: &req::MAIL_FALLBACK,
        look: fallback,
    },
    Check {
        rule: &req::MAIL_PADDING,
        look: padding,
    },
];

/// The sizes that small payloads are padded to, in octets.
const BUCKETS: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// Where lines end, in characters, unless a token can't be broken.
const LINE: usize = 76;
/// Where every line ends (RFC 5322, section 2.1.1).
const LONGEST_LINE: usize = 998;
/// How far the field Date may be from the time of sending, in seconds.
const DATE_SLACK: i64 = 60;

impl<'a> Seen<'a> {
    pub(super) fn is_sealed(&self) -> bool {
        self.outer.media_type == "multipart/encrypted"
    }

    pub(super) fn payload(&self) -> Option<&'a Payload> {
        match &self.mail?.form {
            Form::Sealed { payload, .. } => Some(payload),
            _ => None,
        }
    }
}

fn kith_version(seen: &Seen<'_>) -> Verdict {
    let value = seen.outer.only("Kith-Version");
    Verdict::of(value == Some("1.0"), || {
        let values: Vec<_> = seen.outer.all("Kith-Version").collect();
        format!("expected one field `Kith-Version: 1.0`, seen {values:?}")
    })
}

fn size(seen: &Seen<'_>) -> Verdict {
    let size = seen.octets.len() as u64;
    Verdict::of(size <= limit::MAIL_OCTETS, || {
        format!(
            "expected at most {} octets, seen {size}",
            limit::MAIL_OCTETS
        )
    })
}

fn lines(seen: &Seen<'_>) -> Verdict {
    let ends = memchr::memchr_iter(b'\n', seen.octets).chain([seen.octets.len()]);
    let lines = ends.scan(0, |start, end| {
        let line = &seen.octets[*start..end];
        *start = end + 1;
        Some(line)
    });
    for (at, line) in lines.enumerate() {
        let Some(line) = line.strip_suffix(b"\r") else {
            if line.is_empty() {
                continue;
            }
            let number = at + 1;
            return Verdict::Broken(format!("expected CRLF at the end of line {number}"));
        };
        if line.contains(&b'\r') {
            return Verdict::Broken(format!("expected no bare CR, seen one in line {}", at + 1));
        }
        if too_long(line) {
            let text = String::from_utf8_lossy(&line[..line.len().min(LINE)]);
            let (number, length) = (at + 1, line.len());
            return Verdict::Broken(format!(
                "expected lines of {LINE} characters, seen {length} in line {number}: {text}…"
            ));
        }
    }
    Verdict::Holds
}

/// Whether a line is longer than allowed: only one unbreakable token may be.
fn too_long(line: &[u8]) -> bool {
    if line.len() <= LINE || String::from_utf8_lossy(line).chars().count() <= LINE {
        return false;
    }
    let white = |octet: &u8| matches!(octet, b' ' | b'\t');
    let start = line
        .iter()
        .position(|octet| !white(octet))
        .unwrap_or(line.len());
    let mut token = &line[start..];
    // A field's name stands before its first token, which can't always be folded away.
    if let Some(colon) = token.iter().position(|octet| *octet == b':')
        && token.get(colon + 1).is_some_and(white)
    {
        token = &token[colon + 2..];
    }
    line.len() > LONGEST_LINE || token.iter().any(white)
}

fn seven_bit(seen: &Seen<'_>) -> Verdict {
    // SMTPUTF8 is for addresses that need it, and for nothing else.
    let allowed = seen.submission.is_some_and(|submission| {
        let to = submission.recipients.iter();
        let mut addresses = to.chain([&submission.envelope_from]);
        submission.params.smtputf8 && addresses.any(|address| !address.is_ascii())
    });
    Verdict::of(seen.octets.is_ascii() || allowed, || {
        let at = seen.octets.iter().position(|octet| !octet.is_ascii());
        format!(
            "expected 7-bit octets, seen another at octet {}",
            at.unwrap_or_default()
        )
    })
}

fn message_id(seen: &Seen<'_>) -> Verdict {
    let Some(id) = seen.outer.only("Message-ID") else {
        return Verdict::Broken("expected one Message-ID".to_owned());
    };
    if seen
        .memory
        .is_some_and(|memory| memory.message_ids.contains(id))
        && !seen.is_group_copy()
    {
        return Verdict::Broken(format!("expected a fresh Message-ID, seen {id} again"));
    }
    let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    let sides = bare.and_then(|id| id.split_once('@'));
    let from = seen.outer.only("From").and_then(addresses);
    let domain = from
        .as_ref()
        .and_then(|(list, _)| list.first()?.rsplit_once('@'));
    let right = match (sides, domain) {
        (Some((left, right)), Some((_, domain))) => {
            left.len() >= 16 && right.eq_ignore_ascii_case(domain)
        }
        _ => false,
    };
    Verdict::of(right, || {
        format!("expected a Message-ID <random@domain of the sender>, seen {id}")
    })
}

fn date(seen: &Seen<'_>) -> Verdict {
    let value = seen.outer.only("Date").unwrap_or_default();
    let Ok(date) = mailparse::dateparse(value) else {
        return Verdict::Broken(format!("expected one field Date, seen `{value}`"));
    };
    if seen.submission.is_none() {
        return Verdict::Holds;
    }
    let off = date - seen.now;
    let queued = limit::RETRY_DAYS as i64 * 86_400 + DATE_SLACK;
    Verdict::of((-queued..=DATE_SLACK).contains(&off), || {
        format!("expected Date to be when the mail was made, seen {value}, {off} s off")
    })
}

fn mime_bounds(seen: &Seen<'_>) -> Verdict {
    let inside = seen.payload().map(|payload| &payload.root);
    let within = |root: &Entity| {
        root.depth() as u64 <= limit::MIME_DEPTH && root.walk().len() as u64 <= limit::MIME_PARTS
    };
    Verdict::of(within(seen.outer) && inside.is_none_or(within), || {
        format!(
            "expected at most {} levels and {} parts",
            limit::MIME_DEPTH,
            limit::MIME_PARTS
        )
    })
}

/// All that may go open is a request with what it names.
fn never_clear(seen: &Seen<'_>) -> Verdict {
    let Some(mail) = seen.mail else {
        return Verdict::of(seen.is_sealed(), || "expected sealed mail".to_owned());
    };
    match mail.form {
        Form::Sealed { .. } => Verdict::Holds,
        Form::Open => {
            let kinds = mail.kinds();
            let mut objects = mail.readable();
            let open = |object: &ObjectFacts| {
                let identity = matches!(object.kind.as_str(), "identity" | "contact");
                identity || object.kind == "request" || object.audience == "public"
            };
            let only = objects.all(open) && !kinds.is_empty();
            let clear = !mail
                .root
                .walk()
                .iter()
                .any(|part| part.media_type == DELIVERY);
            Verdict::of(only && clear, || {
                format!("expected only requests and public objects to be sent open, seen {kinds:?}")
            })
        }
        Form::Other => Verdict::Broken("expected Kith mail, seen some other".to_owned()),
    }
}

fn structure(seen: &Seen<'_>) -> Verdict {
    if !seen.is_sealed() {
        return Verdict::DoesNotApply;
    }
    let protocol = seen.outer.parameters.get("protocol").map(String::as_str);
    let types: Vec<_> = seen
        .outer
        .parts
        .iter()
        .map(|p| p.media_type.as_str())
        .collect();
    let control = seen
        .outer
        .parts
        .first()
        .map(|p| String::from_utf8_lossy(&p.body));
    let version = control.is_some_and(|text| text.trim() == "Version: 1");
    let right = protocol == Some("application/pgp-encrypted")
        && types == ["application/pgp-encrypted", "application/octet-stream"]
        && version;
    Verdict::of(right, || {
        format!("expected the two parts of RFC 3156, seen {types:?} with protocol {protocol:?}")
    })
}

fn content_description(seen: &Seen<'_>) -> Verdict {
    if !seen.is_sealed() {
        return Verdict::DoesNotApply;
    }
    let part = seen.outer.parts.get(1);
    let value = part
        .and_then(|part| part.only("Content-Description"))
        .unwrap_or_default();
    let right = value.is_ascii() && value.contains("Kith") && value.len() <= LINE;
    Verdict::of(right, || {
        format!("expected a short Content-Description that speaks of Kith, seen `{value}`")
    })
}

fn subject(seen: &Seen<'_>) -> Verdict {
    if !seen.is_sealed() {
        return Verdict::DoesNotApply;
    }
    let value = seen.outer.only("Subject");
    Verdict::of(value == Some("[...]"), || {
        format!("expected `Subject: [...]`, seen {value:?}")
    })
}

fn outer_addresses(seen: &Seen<'_>) -> Verdict {
    if !seen.is_sealed() {
        return Verdict::DoesNotApply;
    }
    for name in ["Cc", "Bcc", "Reply-To", "References", "In-Reply-To"] {
        if seen.outer.all(name).next().is_some() {
            return Verdict::Broken(format!("expected no field {name}, seen one"));
        }
    }
    let Some(delivery) = seen.mail.and_then(super::super::Mail::delivery) else {
        return Verdict::DoesNotApply;
    };
    let to = delivery
        .to
        .iter()
        .map(|party| party.address.clone())
        .collect();
    let mut fields = vec![("From", vec![delivery.from.address.clone()])];
    if delivery.group.is_none() {
        fields.push(("To", to));
    }
    Verdict::all(fields.into_iter().map(|(name, expected)| {
        let seen = seen.outer.only(name).and_then(addresses);
        Verdict::of(seen.as_ref() == Some(&(expected.clone(), false)), || {
            format!("expected {name} to hold {expected:?} and no display name, seen {seen:?}")
        })
    }))
}

fn header_protection(seen: &Seen<'_>) -> Verdict {
    let Some(payload) = seen.payload() else {
        return Verdict::DoesNotApply;
    };
    let root = &payload.root;
    if root.parameters.get("hp").map(String::as_str) != Some("cipher") {
        return Verdict::Broken("expected the parameter hp=\"cipher\" at the root".to_owned());
    }
    let copies: Vec<&str> = root.all("HP-Outer").collect();
    Verdict::all(
        ["From", "To", "Date", "Message-ID", "Subject"]
            .into_iter()
            .map(|name| {
                if root.only(name).is_none() {
                    return Verdict::Broken(format!("expected one protected field {name}"));
                }
                let outer = seen.outer.only(name).unwrap_or_default();
                let expected = format!("{name}: {outer}");
                let same = |copy: &&&str| squeeze(copy).eq_ignore_ascii_case(&squeeze(&expected));
                Verdict::of(copies.iter().filter(same).count() == 1, || {
                    format!("expected one `HP-Outer: {expected}`, seen {copies:?}")
                })
            }),
    )
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn one_envelope(seen: &Seen<'_>) -> Verdict {
    let Some(payload) = seen.payload() else {
        return Verdict::DoesNotApply;
    };
    let further = payload
        .root
        .walk()
        .into_iter()
        .map(|part| part.media_type.as_str());
    let bad: Vec<_> = further.filter(|kind| is_cryptographic(kind)).collect();
    Verdict::of(bad.is_empty(), || {
        format!("expected no further encrypted or signed part inside, seen {bad:?}")
    })
}

fn is_cryptographic(media_type: &str) -> bool {
    matches!(
        media_type,
        "multipart/encrypted"
            | "multipart/signed"
            | "application/pgp-encrypted"
            | "application/pgp-signature"
            | "application/pkcs7-mime"
            | "application/pkcs7-signature"
    )
}

fn no_compression(seen: &Seen<'_>) -> Verdict {
    let Some(mail) = seen.mail else {
        return Verdict::DoesNotApply;
    };
    let envelope = match &mail.form {
        Form::Sealed { envelope, .. } => envelope.compression,
        _ => 0,
    };
    let objects: usize = mail
        .objects
        .iter()
        .map(|part| part.message.compression)
        .sum();
    let layers = envelope + objects;
    Verdict::of(layers == 0, || {
        format!("expected no compression, seen {layers} layers")
    })
}

fn payload(seen: &Seen<'_>) -> Verdict {
    let Some(payload) = seen.payload() else {
        return Verdict::DoesNotApply;
    };
    let documents = payload.deliveries.len();
    let kind = &payload.root.media_type;
    Verdict::of(kind == "multipart/mixed" && documents == 1, || {
        format!("expected multipart/mixed with one {DELIVERY}, seen {kind} with {documents}")
    })
}

/// The hashes of the parts that a delivery document can list.
fn parts(seen: &Seen<'_>) -> (Vec<String>, Vec<String>) {
    let mail = seen.mail;
    let objects = mail
        .into_iter()
        .flat_map(super::super::read::Mail::readable);
    let certificates = mail
        .into_iter()
        .flat_map(|mail| mail.certificates.iter().flatten());
    (
        objects.map(|object| object.hash.clone()).collect(),
        certificates.map(|facts| facts.hash.clone()).collect(),
    )
}

fn listed_present(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.mail.and_then(super::super::Mail::delivery) else {
        return Verdict::DoesNotApply;
    };
    let (objects, certificates) = parts(seen);
    let missing = |listed: &[String], there: &[String]| -> Vec<String> {
        listed
            .iter()
            .filter(|hash| !there.contains(hash))
            .cloned()
            .collect()
    };
    let mut lost = missing(&delivery.objects, &objects);
    lost.extend(missing(&delivery.certificates, &certificates));
    Verdict::of(lost.is_empty(), || {
        format!("expected a part for each listed hash, seen none for {lost:?}")
    })
}

/// The other way round: what isn't listed is ignored, so sending it is a mistake.
fn listed_parts(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.mail.and_then(super::super::Mail::delivery) else {
        return Verdict::DoesNotApply;
    };
    let (objects, certificates) = parts(seen);
    let objects = objects
        .iter()
        .filter(|hash| !delivery.objects.contains(hash));
    let certificates = certificates
        .iter()
        .filter(|hash| !delivery.certificates.contains(hash));
    let extra: Vec<_> = objects.chain(certificates).collect();
    Verdict::of(extra.is_empty(), || {
        format!("expected every {OBJECT} and {CERTIFICATE} to be listed, seen {extra:?}")
    })
}

fn part_once(seen: &Seen<'_>) -> Verdict {
    let Some(mail) = seen.mail else {
        return Verdict::DoesNotApply;
    };
    let mut hashes: Vec<_> = mail.readable().map(|object| &object.hash).collect();
    let all = hashes.len();
    hashes.sort();
    hashes.dedup();
    Verdict::of(hashes.len() == all, || {
        "expected each object once, seen one twice".to_owned()
    })
}

fn fallback(seen: &Seen<'_>) -> Verdict {
    let (Some(mail), Some(payload)) = (seen.mail, seen.payload()) else {
        return Verdict::DoesNotApply;
    };
    let Some(first) = payload.root.parts.first() else {
        return Verdict::Broken("expected a text part first, seen no part".to_owned());
    };
    let charset = first
        .parameters
        .get("charset")
        .map(|name| name.to_ascii_lowercase());
    let utf8 = matches!(charset.as_deref(), Some("utf-8" | "us-ascii") | None);
    if first.media_type != "text/plain" || !utf8 {
        let kind = &first.media_type;
        return Verdict::Broken(format!(
            "expected text/plain in UTF-8 first, seen {kind} in {charset:?}"
        ));
    }
    let text = squeeze(&String::from_utf8_lossy(&first.body));
    let said = |kind: &str| !matches!(kind, "identity" | "contact");
    let mut objects = mail.readable().filter(|object| said(&object.kind));
    let missing = objects.find(|object| !text.contains(&squeeze(&object.fallback)));
    if let Some(object) = missing {
        let fallback = &object.fallback;
        return Verdict::Broken(format!(
            "expected the fallback `{fallback}` in the text part"
        ));
    }
    Verdict::of(text.contains("Kith"), || {
        "expected a line that says what Kith is in the text part".to_owned()
    })
}

fn padding(seen: &Seen<'_>) -> Verdict {
    let Some(payload) = seen.payload() else {
        return Verdict::DoesNotApply;
    };
    let size = payload.octets.len();
    let large = size as u64 >= limit::PADDING_LARGEST;
    Verdict::of(large || BUCKETS.contains(&size), || {
        format!("expected a payload of 4, 8, 16, 32 or 64 KiB, seen {size} octets")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unbreakable_token_may_be_long() {
        let token = "x".repeat(200);
        assert!(!too_long(format!(" {token}").as_bytes()));
        assert!(!too_long(format!("Message-ID: <{token}>").as_bytes()));
        assert!(too_long(format!("{token} {token}").as_bytes()));
        assert!(too_long("x".repeat(999).as_bytes()));
        assert!(!too_long("x y ".repeat(19).as_bytes()));
    }
}

//! What servers and lists do to mail, and what stands outside the envelope.

use kith_spec::req;

use super::super::Fault;
use super::{open, sealed};
use crate::mime::{Body, Part, TransferEncoding};

pub(super) fn faults() -> Vec<Fault> {
    [transport(), header(), lists()].concat()
}

/// Every part with content in another transfer encoding.
fn encode(part: &mut Part, encoding: TransferEncoding) {
    match &mut part.body {
        Body::Content(_, old) => *old = encoding,
        Body::Multipart { parts, .. } => {
            parts.iter_mut().for_each(|part| encode(part, encoding));
        }
        Body::Raw(_) => {}
    }
}

fn transport() -> Vec<Fault> {
    let rule = &req::MAIL_RECOGNISE;
    vec![
        sealed(
            "accepted/envelope-re-encoded",
            "a server has put the envelope's parts into base64",
            rule,
            |_, draft| {
                draft.mail.root.set(|mut root| {
                    encode(&mut root, TransferEncoding::Base64);
                    root
                });
            },
        ),
        sealed(
            "accepted/envelope-quoted-printable",
            "a server has put the envelope's parts into quoted-printable",
            rule,
            |_, draft| {
                draft.mail.root.set(|mut root| {
                    encode(&mut root, TransferEncoding::QuotedPrintable);
                    root
                });
            },
        ),
        open(
            "accepted/open-re-encoded",
            "a server has put all parts of a request into quoted-printable",
            rule,
            |_, draft| {
                draft.mail.root.set(|mut root| {
                    encode(&mut root, TransferEncoding::QuotedPrintable);
                    root
                });
            },
        ),
        sealed(
            "accepted/payload-re-encoded",
            "the sender chose other transfer encodings inside the envelope",
            rule,
            |_, draft| {
                draft.padded = false;
                draft.inner.set(|mut root| {
                    encode(&mut root, TransferEncoding::QuotedPrintable);
                    root
                });
            },
        ),
        sealed(
            "accepted/other-boundaries",
            "boundaries with all the characters that they may have",
            rule,
            |_, draft| {
                draft.inner.set(|root| bound(root, "'()+_,-./:=?"));
                draft.mail.root.set(|root| bound(root, "0 a?=(b)"));
            },
        ),
        open(
            "accepted/header-folded-again",
            "a server has folded the header fields again and changed the case of their names",
            rule,
            |_, draft| {
                draft.mail.raw.set(|octets| {
                    let text = String::from_utf8_lossy(&octets);
                    let text = text
                        .replace(
                            "Content-Type: multipart/mixed;",
                            "CONTENT-TYPE:\r\n\tmultipart/mixed;",
                        )
                        .replace(
                            "Content-Type: application/kith-object",
                            "content-type:\r\n APPLICATION/Kith-Object",
                        );
                    text.into_bytes()
                });
            },
        ),
        sealed(
            "accepted/armor-with-comment",
            "armor with a header of an ordinary program",
            rule,
            |_, draft| {
                draft.armored.set(|armor| {
                    let text = String::from_utf8_lossy(&armor);
                    let head = "BEGIN PGP MESSAGE-----\r\n";
                    text.replacen(head, &format!("{head}Comment: made by hand\r\n"), 1)
                        .into_bytes()
                });
            },
        ),
    ]
}

/// The same multipart with another boundary.
fn bound(mut root: Part, new: &str) -> Part {
    if let Body::Multipart { boundary, .. } = &mut root.body {
        let old = std::mem::replace(boundary, new.to_owned());
        let kind = root.get("Content-Type").unwrap_or_default().to_owned();
        root.set("Content-Type", &kind.replace(&old, new));
    }
    root
}

fn header() -> Vec<Fault> {
    let from_document = &req::MAIL_ADDRESSES_FROM_DOCUMENT;
    vec![
        sealed(
            "accepted/sealed-without-version",
            "a sealed mail whose field Kith-Version was removed",
            &req::MAIL_RECOGNISE,
            |_, draft| draft.mail.kith_version = false,
        ),
        open(
            "accepted/open-without-version",
            "a request whose field Kith-Version was removed",
            &req::MAIL_RECOGNISE,
            |_, draft| draft.mail.kith_version = false,
        ),
        sealed(
            "accepted/without-message-id",
            "a mail without Message-ID",
            &req::MERGE_KEY,
            |_, draft| {
                draft.mail.root.set(|mut root| {
                    root.remove("Message-ID");
                    root
                });
            },
        ),
        sealed(
            "accepted/unknown-fields",
            "a mail with header fields that servers and other standards add",
            &req::MAIL_OUTSIDE_IGNORED,
            |_, draft| {
                let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
                draft.mail.extra = vec![
                    field(
                        "Received",
                        "from mx.a.test by mx.b.test; Sat, 21 Nov 2026 09:00:01 +0000",
                    ),
                    field("X-Spam-Score", "4.2"),
                    field("List-Id", "<people.b.test>"),
                ];
            },
        ),
        sealed(
            "accepted/from-another-address",
            "a delivery whose outer From and Reply-To name somebody else",
            from_document,
            |_, draft| {
                draft.mail.root.set(|mut root| {
                    root.set("From", "\"Bob's bank\" <bank@bank.test>");
                    root.set("Reply-To", "attacker@bank.test");
                    root
                });
            },
        )
        .flags(&["spoofing", "header-smuggling"]),
        sealed(
            "accepted/protected-header-differs",
            "a delivery whose protected header names another sender and subject",
            from_document,
            |_, draft| {
                draft.inner.set(|mut root| {
                    root.set("From", "mallory@bank.test");
                    root.set("Subject", "You have won");
                    root
                });
            },
        )
        .flags(&["spoofing", "header-smuggling"]),
        sealed(
            "accepted/autocrypt",
            "a message with another key in a header field Autocrypt",
            &req::MAIL_AUTOCRYPT,
            |scene, draft| {
                use base64::Engine;
                let key = &scene.third.certificate.binary;
                let key = base64::engine::general_purpose::STANDARD.encode(key);
                let words: Vec<String> = key
                    .as_bytes()
                    .chunks(60)
                    .map(|line| String::from_utf8_lossy(line).into_owned())
                    .collect();
                let address = &scene.author.address;
                let value = format!(
                    "addr={address}; prefer-encrypt=nopreference; keydata= {}",
                    words.join(" ")
                );
                draft.mail.extra.push(("Autocrypt".to_owned(), value));
            },
        )
        .flags(&["autocrypt"]),
        sealed(
            "accepted/text-says-otherwise",
            "a delivery whose text part says something else than its objects",
            &req::MAIL_FALLBACK_NOT_INPUT,
            |_, draft| draft.mail.text = Some("Alice ends the friendship.\n".to_owned()),
        )
        .flags(&["spoofing"]),
    ]
}

fn lists() -> Vec<Fault> {
    let rule = &req::MAIL_OPEN_PARTS;
    vec![
        open(
            "accepted/list-footer",
            "a list has added a footer to a request",
            rule,
            |_, draft| {
                draft.parts.set(|mut parts| {
                    parts.push(Part::text(
                        "_____\nTo leave this list, write to leave@lists.test\n",
                    ));
                    parts
                });
            },
        )
        .flags(&["list"]),
        open(
            "accepted/list-wrapped",
            "a list has put a request into another multipart",
            rule,
            |_, draft| {
                draft.mail.root.set(|mut root| {
                    let outer = root.fields.iter().cloned();
                    let (outer, own) = outer.partition(|(name, _)| name != "Content-Type");
                    root.fields = own;
                    let footer = Part::text("Sent by a list.\n");
                    let parts = vec![root, footer];
                    Part::multipart("multipart/mixed", "list", parts).fields_first(outer)
                });
            },
        )
        .flags(&["list"]),
        open(
            "accepted/attachment-in-request",
            "a request with a part that is not Kith's",
            rule,
            |_, draft| {
                draft.parts.set(|mut parts| {
                    let picture = Part::content(
                        "image/png",
                        [0x89, b'P', b'N', b'G'],
                        TransferEncoding::Base64,
                    );
                    parts.push(picture);
                    parts
                });
            },
        ),
        open(
            "accepted/request-with-preamble",
            "a request with text before and after its parts",
            rule,
            |_, draft| {
                draft.mail.root.set(|mut root| {
                    if let Body::Multipart {
                        preamble, epilogue, ..
                    } = &mut root.body
                    {
                        preamble.push_str("This is a mail in several parts.\r\n");
                        epilogue.push_str("That was it.\r\n");
                    }
                    root
                });
            },
        ),
    ]
}

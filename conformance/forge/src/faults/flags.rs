//! What the flags of the catalogue mean.

/// A flag: what several entries of the catalogue have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The id.
    pub id: &'static str,
    /// What it means, for people.
    pub note: &'static str,
}

/// Every flag, by id.
pub fn flags() -> &'static [Flag] {
    FLAGS
}

const fn flag(id: &'static str, note: &'static str) -> Flag {
    Flag { id, note }
}

const FLAGS: &[Flag] = &[
    flag(
        "autocrypt",
        "A header field that distributes keys must not change which key is used.",
    ),
    flag(
        "clock",
        "Depends on the time of receiving: an agent with a real clock cannot be tested.",
    ),
    flag("compact", "Large, and written with repetitions."),
    flag(
        "compression-bomb",
        "A small mail that would fill memory when it is decompressed.",
    ),
    flag(
        "efail",
        "The structures and gadgets by which an attacker makes a mail program leak decrypted \
         text (RFC 9580, section 13.7).",
    ),
    flag(
        "extension",
        "Uses a namespace that is never assigned: what a reader of this version must do with \
         what later versions add.",
    ),
    flag(
        "flood",
        "Numbers chosen so that the reader has much to remember or to ask for.",
    ),
    flag(
        "group-hijack",
        "Somebody tries to take a group over, or to go on writing to it after being removed.",
    ),
    flag(
        "header-smuggling",
        "The outer header, the protected header and the document disagree (RFC 9788).",
    ),
    flag(
        "downgrade",
        "Less protected than author and recipient declare, or back to weaker keys.",
    ),
    flag(
        "hidden-recipient",
        "Somebody besides the recipient could decrypt it.",
    ),
    flag(
        "key-substitution",
        "Somebody's own key, address or certificate in the place of another's.",
    ),
    flag("list", "What list servers do to mail."),
    flag(
        "loop",
        "An automatic mail that quotes Kith mail; it must not be answered.",
    ),
    flag(
        "mime-bomb",
        "A structure that makes careless MIME parsers slow or makes them crash.",
    ),
    flag(
        "no-second-effect",
        "It is accepted and changes nothing: it is there already.",
    ),
    flag("replay", "Uses what was sent before."),
    flag(
        "signed-for-something-else",
        "A genuine signature that was made for another purpose.",
    ),
    flag(
        "spoofing",
        "Shows a name or an address that is not the sender's.",
    ),
    flag(
        "stranger",
        "From somebody the recipient has no relation with.",
    ),
    flag(
        "surreptitious-forwarding",
        "Genuine content for one person, handed to another (RFC 9580, section 13.12).",
    ),
    flag(
        "unhashed",
        "Relies on subpackets that are not part of what is signed.",
    ),
    flag(
        "v6-recipient",
        "Needs a recipient whose keys are of version 6.",
    ),
    flag(
        "weak-algorithm",
        "Uses an algorithm whose collisions can be made.",
    ),
    flag(
        "wrapping",
        "Genuine signed content with something beside it that is not signed, or signed twice.",
    ),
    flag(
        "xml-entities",
        "Entities that read files, call servers or grow (RFC 7303, section 10).",
    ),
];

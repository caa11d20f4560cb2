//! Faults that the suite does not notice yet: its own gaps. They are tried like all others, and the
//! result says which of them are noticed by now.

/// The ids of the faults, with the reason.
pub(super) static GAPS: &[(&str, &str)] = &[
    ("sec.recipient-key", "No case shows it yet."),
    (
        "loop.bounce-shown",
        "It takes a server that bounces a mail after it took it; a test of reference/core shows it.",
    ),
    ("receipt.messages", "No case shows it yet."),
    (
        "media.split",
        "It takes mail of more than 12 MiB; a test of reference/core shows it.",
    ),
    (
        "page.batches",
        "It takes more followers than one mail may have.",
    ),
    (
        "file.names",
        "It takes a server with a namespace prefix; tests of reference/agent run on one.",
    ),
    (
        "file.no-move",
        "It takes a server without MOVE; tests of reference/agent run on one.",
    ),
    (
        "devices.clone",
        "It shows between two devices only, and no case looks there yet.",
    ),
    (
        "self.purpose",
        "It shows between two devices only, and no case looks there yet.",
    ),
    (
        "self.author",
        "It shows between two devices only, and no case looks there yet.",
    ),
    (
        "self.effect",
        "It shows between two devices only, and no case looks there yet.",
    ),
    (
        "self.any-order",
        "It shows between two devices only, and no case looks there yet.",
    ),
    (
        "journal.first",
        "It shows between two devices only, and no case looks there yet.",
    ),
    (
        "journal.accepted",
        "It shows between two devices only, and no case looks there yet.",
    ),
    (
        "channel.fresh",
        "A channel that begins anew is not told from the one before yet.",
    ),
    (
        "send.daily",
        "It takes as many mails as a day may have; a test of reference/core shows it.",
    ),
    (
        "send.own-first",
        "It shows only where the limit of the day is near.",
    ),
];

//! Faults that the suite does not notice yet: its own gaps. They are tried like all others, and the
//! result says which of them are noticed by now.

/// The ids of the faults, with the reason.
pub(super) static GAPS: &[(&str, &str)] = &[
    (
        "loop.bounce-shown",
        "It takes a server that bounces a mail after it took it; a test of reference/core shows it.",
    ),
    (
        "media.split",
        "It takes mail of more than 12 MiB; a test of reference/core shows it.",
    ),
    (
        "page.batches",
        "It takes more followers than one mail may have.",
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

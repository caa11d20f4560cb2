//! Faults that the suite does not notice yet: its own gaps. They are tried like all others, and the
//! result says which of them are noticed by now.

/// The ids of the faults, with the reason.
pub(super) static GAPS: &[(&str, &str)] = &[(
    "media.split",
    "It takes mail of more than 12 MiB; a test of reference/core shows it.",
)];

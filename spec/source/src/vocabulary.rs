//! The closed sets of words that requirements and state tables are written in.
//!
//! `kith-spec` includes this file too, so that what is read and what it offers
//! are the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that names no member of a closed set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// What was looked for: "class", "level", …
    pub kind: &'static str,
    /// The word found.
    pub word: String,
    /// The words that would have been right.
    pub known: &'static [&'static str],
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, word, known } = self;
        write!(
            f,
            "unknown {kind} `{word}`; use one of: {}",
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownWord {}

/// Defines an enum whose members are the same words in Display, `FromStr` and serde.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $kind:literal { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it, as in the specification's sources.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|member| member.as_str() == word).ok_or_else(|| {
                    UnknownWord { kind: $kind, word: word.to_owned(), known: &[$($word),+] }
                })
            }
        }
    };
}

words! {
    /// A feature class. An implementation declares the classes it supports.
    Class, "class" {
        /// Identity, relation, private messages, delivery: everybody has it.
        Core = "core",
        /// Profile, publishing, circles.
        Social = "social",
        /// Groups.
        Groups = "groups",
        /// Events.
        Events = "events",
        /// Pages.
        Pages = "pages",
        /// Apps.
        Apps = "apps",
        /// Where mail stands in the mailbox's folders.
        Mailbox = "mailbox",
        /// Several devices of one person.
        Devices = "devices",
        /// Post-quantum algorithms.
        Pq = "pq",
    }
}

words! {
    /// How strongly a requirement binds (BCP 14). The strongest comes first.
    Level, "level" {
        /// MUST, MUST NOT, REQUIRED, SHALL, SHALL NOT.
        Must = "must",
        /// SHOULD, SHOULD NOT, RECOMMENDED, NOT RECOMMENDED.
        Should = "should",
        /// MAY, OPTIONAL.
        May = "may",
    }
}

words! {
    /// What an agent does with a mail or an object. Normative.
    Outcome, "outcome" {
        /// Not Kith: leave it alone.
        Ignore = "ignore",
        /// Invalid: no visible effect.
        Refuse = "refuse",
        /// May become valid when something else arrives.
        Hold = "hold",
        /// Valid.
        Accept = "accept",
    }
}

words! {
    /// What happens in one cell of a state table.
    CellOutcome, "outcome of a transition" {
        /// The mail or object is accepted.
        Accept = "accept",
        /// The mail or object is refused.
        Refuse = "refuse",
        /// The mail or object is held.
        Hold = "hold",
        /// The mail is left alone.
        Ignore = "ignore",
        /// The user's action is answered with an error.
        Error = "error",
        /// Nothing happens.
        Nothing = "nothing",
        /// The user's action is carried out.
        Done = "done",
    }
}

words! {
    /// What a requirement may lack when a written exception says why.
    Lack, "lack" {
        /// No place in the reference's code.
        Code = "code",
        /// No case in the conformance suite.
        Case = "case",
        /// No vector.
        Vector = "vector",
    }
}

/// The name of the constant for an id: `mail.one-envelope` is `MAIL_ONE_ENVELOPE`.
pub fn const_name(id: &str) -> String {
    id.chars()
        .map(|c| match c {
            '.' | '-' => '_',
            other => other.to_ascii_uppercase(),
        })
        .collect()
}

//! The format of the vectors, as `vectors/schema` describes it.

use serde::{Deserialize, Serialize};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One mail, what happened before, and what must become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// The id, never used again for something else.
    pub id: String,
    /// What is special about the mail.
    pub title: String,
    /// The requirements it shows, the one that decides first.
    pub requirements: Vec<String>,
    /// The ids of flags, which the index explains.
    pub flags: Vec<String>,
    /// The version of the specification since which it holds.
    pub since: String,
    /// What is given.
    pub given: Given,
    /// The mail.
    pub mail: Content,
    /// What must become of it.
    pub expected: Expected,
}

/// What is given before the mail arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The id of the opening: the recipient and what happened first.
    pub opening: String,
    /// What happened after the opening, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Step>,
    /// When the mail arrives: the agent's clock.
    pub now: String,
    /// Whether the own server vouches for the domain of the sender, of the mail and of those in
    /// `earlier`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub authenticated: bool,
}

/// The recipient, and what many vectors begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The id.
    pub id: String,
    /// Who receives the mails.
    pub recipient: Recipient,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// A person whose keys are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The identity.
    pub id: String,
    /// The name.
    pub name: String,
    /// The address.
    pub address: String,
    /// The transferable secret key, without passphrase, in base64.
    pub secret: String,
    /// The signed identity objects, first epoch first, each in base64.
    pub chain: Vec<String>,
    /// The signed contact, in base64.
    pub contact: String,
    /// The commitment to the next key.
    pub next: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub kind: StepKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// A mail arrived.
    Mail(Content),
    /// The recipient sent objects; an agent takes them as its own.
    Sent(Sent),
    /// The recipient did something.
    Act(Act),
}

/// Objects that the recipient sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// To whom.
    pub to: Party,
    /// The signed objects, in order, each in base64.
    pub objects: Vec<String>,
    /// The invite that the request among them answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// An identity at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The identity.
    pub id: String,
    /// The address.
    pub address: String,
}

/// What the recipient did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// Declined a request, silently.
    Decline {
        /// The id of the request's object.
        request: String,
    },
    /// Blocked somebody.
    Block {
        /// The identity.
        identity: String,
    },
}

/// The octets of a mail: lines joined by CRLF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content(pub Vec<Line>);

/// A line of a mail, without its end, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// A line.
    Text(String),
    /// The same lines several times.
    Repeat {
        /// The line.
        repeat: String,
        /// How many times.
        times: usize,
    },
}

/// From so many equal lines on they are written once.
const WORTH_REPEATING: usize = 4;

impl Content {
    /// A mail as lines; `None` where it is not UTF-8.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(octets).ok()?;
        let lines: Vec<&str> = text.split("\r\n").collect();
        let mut content = Vec::new();
        for run in lines.chunk_by(|a, b| a == b) {
            match run {
                [line, ..] if run.len() >= WORTH_REPEATING => content.push(Line::Repeat {
                    repeat: (*line).to_owned(),
                    times: run.len(),
                }),
                _ => content.extend(run.iter().map(|line| Line::Text((*line).to_owned()))),
            }
        }
        Some(Self(content))
    }

    /// The octets.
    pub fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for line in &self.0 {
            let (text, times) = match line {
                Line::Text(text) => (text, 1),
                Line::Repeat { repeat, times } => (repeat, *times),
            };
            for _ in 0..times {
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
        // The lines are joined, not ended.
        out.truncate(out.len().saturating_sub(2));
        out
    }
}

/// What must become of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What becomes of the mail.
    pub mail: Verdict,
    /// What becomes of each object that it hands over; none where it does not
    /// pass.
    pub objects: Vec<ObjectVerdict>,
}

/// An outcome and its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The outcome, which is normative.
    pub outcome: Outcome,
    /// The name of the violation, which is informative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violation: Option<String>,
}

/// What becomes of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectVerdict {
    /// The object hash.
    pub hash: String,
    /// The outcome, which is normative.
    pub outcome: Outcome,
    /// The name of the violation, which is informative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violation: Option<String>,
}

/// What an agent does with a mail or an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Not Kith: left alone.
    Ignore,
    /// Invalid: no visible effect.
    Refuse,
    /// It may become valid.
    Hold,
    /// Valid, and in effect.
    Accept,
}

/// The list of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The version of the format.
    pub format: u32,
    /// The version of the specification.
    pub specification: String,
    /// The flags, by id.
    pub flags: Vec<Flag>,
    /// The files with openings.
    pub openings: Vec<String>,
    /// The vectors, by id.
    pub vectors: Vec<IndexEntry>,
}

/// What several vectors have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// The id.
    pub id: String,
    /// What it means.
    pub note: String,
}

/// A vector in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexEntry {
    /// The id.
    pub id: String,
    /// The file.
    pub file: String,
    /// What must become of the mail.
    pub outcome: Outcome,
}

/// The octets of a field in base64; `None` where it is none.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

impl Recipient {
    /// The transferable secret key, binary; empty where the field is broken.
    pub fn secret_octets(&self) -> Vec<u8> {
        decode(&self.secret).unwrap_or_default()
    }

    /// The signed identity objects.
    pub fn chain_octets(&self) -> Vec<Vec<u8>> {
        self.chain
            .iter()
            .filter_map(|entry| decode(entry))
            .collect()
    }

    /// The signed contact.
    pub fn contact_octets(&self) -> Vec<u8> {
        decode(&self.contact).unwrap_or_default()
    }
}

impl Sent {
    /// The signed objects.
    pub fn object_octets(&self) -> Vec<Vec<u8>> {
        self.objects
            .iter()
            .filter_map(|object| decode(object))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_reads_back() {
        let long = "x\r\n".repeat(9);
        for text in [
            "",
            "\r\n",
            "a",
            "a\r\n",
            "a\r\n\r\nb\r\n",
            "bare\nlf\r\n",
            &long,
        ] {
            let content = Content::new(text.as_bytes()).unwrap();
            assert_eq!(content.octets(), text.as_bytes(), "{text:?}");
        }
        assert_eq!(Content::new(&[0xFF]), None);
    }
}

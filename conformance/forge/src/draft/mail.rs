//! What both forms of mail share: the header fields outside.

use super::Hook;
use crate::hash::Id128;
use crate::instant::Instant;
use crate::mime::{Part, unstructured};
use crate::seed::Rng;

/// The outer mail before it is written.
#[derive(Debug, Clone)]
pub struct MailDraft {
    /// The address of the field From, which is the envelope sender's too.
    pub from: String,
    /// The address of the field To, which is the envelope recipient's too.
    pub to: String,
    /// What the field To says, where that is not the recipient's address.
    pub header_to: Option<String>,
    /// The field Date.
    pub date: Instant,
    /// The Message-ID without angle brackets; fresh where there is none.
    pub message_id: Option<String>,
    /// The Subject that everybody sees.
    pub subject: String,
    /// The field Auto-Submitted.
    pub auto_submitted: Option<String>,
    /// Whether the field Kith-Version is there.
    pub kith_version: bool,
    /// Further fields.
    pub extra: Vec<(String, String)>,
    /// The text part, instead of the one made from the fallbacks.
    pub text: Option<String>,
    /// Changes the mail before it is written.
    pub root: Hook<Part>,
    /// Changes the octets.
    pub raw: Hook<Vec<u8>>,
}

impl MailDraft {
    pub(crate) fn new(from: &str, to: &str, date: Instant, subject: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            header_to: None,
            date,
            message_id: None,
            subject: subject.to_owned(),
            auto_submitted: None,
            kith_version: true,
            extra: Vec::new(),
            text: None,
            root: Hook::default(),
            raw: Hook::default(),
        }
    }

    /// The Message-ID: the chosen one or a fresh one at the sender's domain.
    pub(crate) fn id(&self, rng: &mut Rng) -> String {
        let fresh = Id128::random(rng);
        let domain = self.from.rsplit('@').next().unwrap_or("invalid");
        let id = || format!("{fresh}@{domain}");
        self.message_id.clone().unwrap_or_else(id)
    }

    /// The fields that header protection covers, with this subject.
    pub(crate) fn protected(&self, message_id: &str, subject: &str) -> Vec<(String, String)> {
        let field = |name: &str, value: String| (name.to_owned(), value);
        vec![
            field("From", self.from.clone()),
            field(
                "To",
                self.header_to.clone().unwrap_or_else(|| self.to.clone()),
            ),
            field("Date", self.date.mail()),
            field("Message-ID", format!("<{message_id}>")),
            field("Subject", unstructured(subject)),
        ]
    }

    /// All outer fields but those of MIME.
    pub(crate) fn outer(&self, message_id: &str) -> Vec<(String, String)> {
        let mut fields = self.protected(message_id, &self.subject);
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        if let Some(value) = &self.auto_submitted {
            add("Auto-Submitted", value);
        }
        if self.kith_version {
            add("Kith-Version", "1.0");
        }
        for (name, value) in &self.extra {
            add(name, value);
        }
        add("MIME-Version", "1.0");
        fields
    }
}

/// The line that says what Kith is.
pub(crate) const ABOUT: &str =
    "Kith is social networking over ordinary mail, for the people you know.";

/// The text part made from fallbacks.
pub(crate) fn text<'a>(fallbacks: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for fallback in fallbacks {
        out.push_str(fallback);
        out.push_str("\n\n");
    }
    out.push_str("-- \n");
    out.push_str(ABOUT);
    out.push('\n');
    out
}

/// A fresh boundary.
pub(crate) fn boundary(rng: &mut Rng) -> String {
    format!("=_{}", Id128::random(rng))
}

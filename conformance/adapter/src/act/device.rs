//! Moving to another device, and leaving.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::Octets;

/// Write everything into an archive (specification, section "Export" of chapter
/// "Devices").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Export {
    /// The passphrase that protects it.
    pub passphrase: String,
}

/// Write what people and other programs can read (specification, section "Export" of chapter
/// "Devices").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportReadable {}

/// A file for people and other programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadableFile {
    /// Its media type: `text/vcard`, `text/calendar`, `application/mbox` or `text/html`; media that
    /// stand beside a page need not be among the files.
    pub media_type: String,
    /// Its octets.
    pub octets: Octets,
}

/// Start from an export on a device that has an identity already. The agent must refuse, and
/// change nothing (specification, section "Export" of chapter "Devices").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// An export.
    pub archive: Octets,
    /// The passphrase that protects it.
    pub passphrase: String,
}

/// Undo what Kith did to the mailbox, and file nothing from now on
/// (specification, section "Leaving" of chapter "The mailbox").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RestoreMailbox {}

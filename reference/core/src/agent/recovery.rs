//! The recovery kit: what a person keeps on paper (specification, section "Recovery kit" of
//! chapter "Identity").
//!
//! A kit is plain text: the secret key of the next epoch, the entries of the chain and the newest
//! contact, each in ASCII armor.

use kith_spec::req;

use super::AgentError;
use crate::gate::Gate;
use crate::wire::WireError;
use crate::wire::keys::{OwnKey, armor, dearmor};

const KEY: &str = "PGP PRIVATE KEY BLOCK";
const OBJECT: &str = "PGP MESSAGE";

/// What a kit holds.
#[derive(Clone)]
pub struct Kit {
    /// The key of the next epoch.
    pub key: OwnKey,
    /// The entries of the chain and the contact, as signed messages.
    pub objects: Vec<Vec<u8>>,
}

/// The text of a kit.
///
/// # Errors
///
/// When the OpenPGP library can't write the key.
pub fn write(
    gate: &dyn Gate,
    next: &OwnKey,
    chain: &[Vec<u8>],
    contact: &[u8],
) -> Result<String, AgentError> {
    let mut text = String::from(
        "Kith recovery kit. Whoever has it can take over this identity: keep it apart from your\n\
         devices, print it, and delete the file. `kith identity recover` and `kith identity rotate`\n\
         read it.\n\n",
    );
    text += &armor(KEY, &next.to_octets()?);
    let contact = gate.enforces(&req::KIT_CONTENT).then_some(contact);
    for object in chain.iter().map(Vec::as_slice).chain(contact) {
        text.push('\n');
        text += &armor(OBJECT, object);
    }
    Ok(text)
}

/// Reads a kit, or a transferable secret key alone.
///
/// # Errors
///
/// When it holds no usable key.
pub fn read(kit: &[u8]) -> Result<Kit, AgentError> {
    if kit.first().is_some_and(|octet| octet & 0x80 != 0) {
        let key = OwnKey::from_octets(kit)?;
        return Ok(Kit {
            key,
            objects: Vec::new(),
        });
    }
    let text = String::from_utf8_lossy(kit);
    let mut key = None;
    let mut objects = Vec::new();
    for block in text.split("-----BEGIN ").skip(1) {
        let block = format!("-----BEGIN {block}");
        let octets = dearmor(block.as_bytes());
        if block.starts_with(&format!("-----BEGIN {KEY}")) {
            key = Some(OwnKey::from_octets(&octets)?);
        } else {
            objects.push(octets);
        }
    }
    let missing =
        WireError::Key("the recovery kit holds none; use the file that `kith init` wrote");
    Ok(Kit {
        key: key.ok_or(missing)?,
        objects,
    })
}

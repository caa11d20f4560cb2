//! Names: mail addresses as keys, and folder names on the wire and in the harness.
//!
//! In the harness a folder's name is a path of UTF-8 names joined by `/`, whatever the server's
//! prefix and delimiter: `Kith/Refused` is `INBOX.Kith.Refused` on the wire of a server with
//! prefix `INBOX.`. On the wire names are in modified UTF-7 (RFC 3501 section 5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use crate::TestbedError;
use crate::config::ImapCapabilities;

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name of every account's inbox.
pub(crate) const INBOX: &str = "INBOX";

/// The form in which addresses are compared: domain in A-labels, ASCII letters small.
pub(crate) fn address_key(address: &str) -> Result<String, TestbedError> {
    let bad = || TestbedError::Address(address.to_owned());
    let (local, domain) = address.rsplit_once('@').ok_or_else(bad)?;
    if local.is_empty() {
        return Err(bad());
    }
    let domain = domain_key(domain).ok_or_else(bad)?;
    Ok(format!("{}@{domain}", local.to_ascii_lowercase()))
}

/// A domain in A-labels.
pub(crate) fn domain_key(domain: &str) -> Option<String> {
    idna::domain_to_ascii(domain)
        .ok()
        .filter(|domain| !domain.is_empty())
}

/// The domain of an address, in A-labels.
pub(crate) fn domain_of(address: &str) -> Option<String> {
    domain_key(address.rsplit_once('@')?.1)
}

/// The key without a `+detail` in its local part.
pub(crate) fn without_detail(key: &str) -> String {
    let (local, domain) = key.rsplit_once('@').unwrap_or((key, ""));
    let base = local.split_once('+').map_or(local, |(base, _)| base);
    format!("{base}@{domain}")
}

/// A path from its name on the wire, if the server can have it.
pub(crate) fn path_from_wire(name: &str, capabilities: &ImapCapabilities) -> Option<String> {
    let prefix = &capabilities.namespace_prefix;
    let delimiter = capabilities.delimiter;
    let first = name.split(delimiter).next().unwrap_or(name);
    if first.eq_ignore_ascii_case(INBOX) && first.len() == name.len() {
        return Some(INBOX.to_owned());
    }
    let name = if first.eq_ignore_ascii_case(INBOX) {
        format!("{INBOX}{}", name.get(INBOX.len()..)?)
    } else {
        name.to_owned()
    };
    let rest = name.strip_prefix(prefix.as_str())?;
    let mut path = Vec::new();
    for component in rest.split(delimiter) {
        let component = from_mutf7(component)?;
        if component.is_empty() || component.contains('/') || component.contains(char::is_control) {
            return None;
        }
        path.push(component);
    }
    Some(path.join("/"))
}

/// The name on the wire of a path.
pub(crate) fn path_to_wire(path: &str, capabilities: &ImapCapabilities) -> String {
    if path == INBOX {
        return INBOX.to_owned();
    }
    let delimiter = capabilities.delimiter.to_string();
    let parts: Vec<String> = path.split('/').map(to_mutf7).collect();
    format!(
        "{}{}",
        capabilities.namespace_prefix,
        parts.join(&delimiter)
    )
}

/// Checks a path that the harness gives.
pub(crate) fn check_path(
    path: &str,
    capabilities: &ImapCapabilities,
) -> Result<String, TestbedError> {
    let wire = path_to_wire(path, capabilities);
    path_from_wire(&wire, capabilities).ok_or_else(|| TestbedError::Folder(path.to_owned()))
}

fn to_mutf7(text: &str) -> String {
    let mut wire = String::new();
    let mut pending = Vec::new();
    let end = |wire: &mut String, pending: &mut Vec<u8>| {
        if !pending.is_empty() {
            wire.push('&');
            wire.push_str(&BASE64.encode(&*pending));
            wire.push('-');
            pending.clear();
        }
    };
    for character in text.chars() {
        if matches!(character, ' '..='~') {
            end(&mut wire, &mut pending);
            wire.push(character);
            if character == '&' {
                wire.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                pending.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    end(&mut wire, &mut pending);
    wire
}

fn from_mutf7(wire: &str) -> Option<String> {
    if !wire.is_ascii() {
        return None;
    }
    let mut text = String::new();
    let mut rest = wire;
    while let Some(start) = rest.find('&') {
        text.push_str(rest.get(..start)?);
        let coded = rest.get(start + 1..)?;
        let end = coded.find('-')?;
        let run = coded.get(..end)?;
        if run.is_empty() {
            text.push('&');
        } else {
            let octets = BASE64.decode(run).ok()?;
            if octets.len() % 2 != 0 {
                return None;
            }
            let units = octets
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            text.extend(
                char::decode_utf16(units)
                    .collect::<Result<Vec<_>, _>>()
                    .ok()?,
            );
        }
        rest = coded.get(end + 1..)?;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf7_both_ways() {
        for (text, wire) in [
            ("Kith", "Kith"),
            ("R&D", "R&-D"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("台北", "&U,BTFw-"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(to_mutf7(text), wire);
            assert_eq!(from_mutf7(wire).as_deref(), Some(text));
        }
        for wire in ["&", "&AP-", "&2D0-", "ü"] {
            assert_eq!(from_mutf7(wire), None, "{wire}");
        }
    }

    #[test]
    fn prefix_and_delimiter() {
        let dotted = ImapCapabilities {
            namespace_prefix: "INBOX.".to_owned(),
            delimiter: '.',
            ..ImapCapabilities::default()
        };
        for (wire, path) in [
            ("inbox", Some("INBOX")),
            ("INBOX.Kith.Refused", Some("Kith/Refused")),
            ("inbox.Kith", Some("Kith")),
            ("Kith", None),
            ("INBOX.a/b", None),
            ("INBOX.", None),
        ] {
            assert_eq!(path_from_wire(wire, &dotted).as_deref(), path, "{wire}");
        }
        assert_eq!(path_to_wire("Kith/Refused", &dotted), "INBOX.Kith.Refused");
        let plain = ImapCapabilities::default();
        assert_eq!(
            path_from_wire("Kith/a.b", &plain).as_deref(),
            Some("Kith/a.b")
        );
    }

    #[test]
    fn addresses_as_keys() {
        assert_eq!(address_key("Alice@A.test").unwrap(), "alice@a.test");
        assert_eq!(
            address_key("ü@bücher.test").unwrap(),
            "ü@xn--bcher-kva.test"
        );
        assert_eq!(without_detail("alice+x@a.test"), "alice@a.test");
        assert!(address_key("alice").is_err());
    }
}

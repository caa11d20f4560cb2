//! Exports: a tar archive in an OpenPGP message that is encrypted with a passphrase
//! (specification, section "Export" of chapter "Devices").

use std::io::{Read, Write};

use kith_spec::{limit, req};
use sequoia_openpgp::crypto::Password;
use sequoia_openpgp::packet::{Packet, SEIP, SKESK};
use sequoia_openpgp::parse::{PacketParser, PacketParserBuilder, PacketParserResult, Parse};
use sequoia_openpgp::serialize::stream::{Encryptor, LiteralWriter, Message};
use sequoia_openpgp::types::{DataFormat, SymmetricAlgorithm};

use super::{WireError, container};
use crate::gate::Gate;

/// Octets of a block of a tar archive.
const BLOCK: usize = 512;

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, with slashes.
    pub name: String,
    /// Its octets.
    pub content: Vec<u8>,
}

/// Why an archive can't be opened. Nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is something else.
    #[error("this is no export of Kith ({0}); choose the file that `kith export` wrote")]
    Form(&'static str),
    /// It can't be decrypted.
    #[error("the passphrase doesn't fit, or the file is damaged; check both")]
    Passphrase,
    /// It is too large.
    #[error("the export is larger than any that is read")]
    TooLarge,
}

/// Writes an archive and encrypts it.
///
/// # Errors
///
/// When the OpenPGP library fails.
pub fn seal(files: &[File], passphrase: &str) -> Result<Vec<u8>, WireError> {
    crate::implements!(req::EXPORT_FORM, req::EXPORT_PASSPHRASE);
    let mut sealed = Vec::new();
    let mut write = || -> sequoia_openpgp::Result<()> {
        let message = Message::new(&mut sealed);
        let message = Encryptor::with_passwords(message, Some(Password::from(passphrase)))
            .symmetric_algo(SymmetricAlgorithm::AES256)
            .build()?;
        let mut literal = LiteralWriter::new(message)
            .format(DataFormat::Binary)
            .build()?;
        for file in files {
            literal.write_all(&header(&file.name, file.content.len()))?;
            literal.write_all(&file.content)?;
            literal.write_all(&vec![0; padding(file.content.len())])?;
        }
        literal.write_all(&[0; 2 * BLOCK])?;
        literal.finalize()
    };
    write().map_err(WireError::openpgp)?;
    Ok(sealed)
}

/// Decrypts an archive and reads its files; entries that are no regular files are left out.
///
/// # Errors
///
/// [`ArchiveError`].
pub fn open(gate: &dyn Gate, octets: &[u8], passphrase: &str) -> Result<Vec<File>, ArchiveError> {
    crate::implements!(req::EXPORT_SIZE);
    if octets.len() as u64 > limit::EXPORT_OCTETS {
        return Err(ArchiveError::TooLarge);
    }
    let no_message = |_| ArchiveError::Form("it is no OpenPGP message");
    let mut opening = Opening::default();
    let mut result: PacketParserResult<'_> = PacketParserBuilder::from_bytes(octets)
        .map_err(no_message)?
        .max_recursion_depth(2)
        .build()
        .map_err(no_message)?;
    while let PacketParserResult::Some(mut parser) = result {
        opening.packet(&mut parser, &Password::from(passphrase))?;
        let (packet, next) = parser.recurse().map_err(|_| ArchiveError::Passphrase)?;
        opening.finished(packet)?;
        result = next;
    }
    match opening.content {
        Some(content) if opening.checked => read(gate, &content),
        Some(_) => Err(ArchiveError::Form("its integrity is not protected")),
        None => Err(ArchiveError::Form("it holds no data")),
    }
}

#[derive(Default)]
struct Opening {
    passwords: Vec<SKESK>,
    content: Option<Vec<u8>>,
    checked: bool,
}

impl Opening {
    fn packet(
        &mut self,
        parser: &mut PacketParser<'_>,
        passphrase: &Password,
    ) -> Result<(), ArchiveError> {
        match &parser.packet {
            Packet::SEIP(seip) => {
                let version = seip.version();
                let [password] = self.passwords.as_slice() else {
                    return Err(ArchiveError::Form("it is not for exactly one passphrase"));
                };
                let key = password.decrypt(passphrase);
                let (algorithm, key) = key.map_err(|_| ArchiveError::Passphrase)?;
                if algorithm.is_some_and(|algorithm| algorithm != SymmetricAlgorithm::AES256) {
                    return Err(ArchiveError::Passphrase);
                }
                let algorithm = algorithm.filter(|_| version == 1);
                container::decrypt(parser, algorithm, &key)
                    .map_err(|_| ArchiveError::Passphrase)?;
                // In version 2 each chunk is checked before it is released.
                self.checked = matches!(parser.packet, Packet::SEIP(SEIP::V2(_)));
                Ok(())
            }
            Packet::Literal(_) if self.content.is_none() => {
                let mut content = Vec::new();
                let cap = limit::EXPORT_OCTETS + 1;
                let read = parser.take(cap).read_to_end(&mut content);
                read.map_err(|_| ArchiveError::Passphrase)?;
                if content.len() as u64 == cap {
                    return Err(ArchiveError::TooLarge);
                }
                self.content = Some(content);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    #[expect(
        deprecated,
        reason = "the only place where the check of version 1 shows"
    )]
    fn finished(&mut self, packet: Packet) -> Result<(), ArchiveError> {
        match packet {
            Packet::SKESK(password) => self.passwords.push(password),
            Packet::MDC(mdc) if mdc.valid() => self.checked = true,
            Packet::MDC(_) => return Err(ArchiveError::Passphrase),
            Packet::SEIP(_) | Packet::Literal(_) | Packet::Marker(_) | Packet::Padding(_) => {}
            _ => return Err(ArchiveError::Form("it holds more than encrypted data")),
        }
        Ok(())
    }
}

/// The octets that fill up the last block of a file.
fn padding(length: usize) -> usize {
    length.next_multiple_of(BLOCK) - length
}

/// The header block of a regular file (POSIX.1, ustar).
fn header(name: &str, length: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    let name = &name.as_bytes()[..name.len().min(100)];
    put(0, name);
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{length:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum = checksum(&block);
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The sum of a header block's octets, those of the sum itself counted as spaces.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let octets = block.iter().enumerate();
    octets
        .map(|(at, &octet)| {
            let sum = (148..156).contains(&at);
            u32::from(if sum { b' ' } else { octet })
        })
        .sum()
}

fn read(gate: &dyn Gate, mut archive: &[u8]) -> Result<Vec<File>, ArchiveError> {
    let broken = ArchiveError::Form("its archive is broken");
    let mut files = Vec::new();
    loop {
        let (block, rest) = archive.split_first_chunk::<BLOCK>().ok_or(broken)?;
        if block.iter().all(|&octet| octet == 0) {
            return Ok(files);
        }
        if octal(&block[148..156]) != Some(u64::from(checksum(block))) {
            return Err(broken);
        }
        let length = octal(&block[124..136]).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(broken)?;
        let whole = length.checked_add(padding(length)).ok_or(broken)?;
        if rest.len() < whole {
            return Err(broken);
        }
        let name = std::str::from_utf8(text(&block[..100]));
        let regular = matches!(block[156], b'0' | 0) && text(&block[345..500]).is_empty();
        let ours =
            |name: &&str| regular && is_of_format(name) || !gate.enforces(&req::EXPORT_NAMES);
        if let Some(name) = name.ok().filter(ours) {
            files.push(File {
                name: name.to_owned(),
                content: rest[..length].to_vec(),
            });
        }
        archive = &rest[whole..];
    }
}

/// Whether a file has a name of the format.
fn is_of_format(name: &str) -> bool {
    let number = |text: &str| {
        let digits = text.bytes().all(|octet| octet.is_ascii_digit());
        digits && !text.is_empty() && (text == "0" || !text.starts_with('0'))
    };
    let hash = |text: &str| {
        let hex = |octet: u8| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet);
        text.len() == 64 && text.bytes().all(hex)
    };
    match name
        .strip_prefix("kith/")
        .and_then(|name| name.split_once('/'))
    {
        Some(("chain" | "self", rest)) => number(rest),
        Some(("objects" | "certificates" | "media", rest)) => hash(rest),
        Some(_) => false,
        None => ["kith/version", "kith/key.pgp", "kith/contact"].contains(&name),
    }
}

/// A field up to its first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&octet| octet == 0);
    &field[..end.unwrap_or(field.len())]
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text(field)).ok()?;
    u64::from_str_radix(digits.trim_matches(' '), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Strict;

    fn files() -> Vec<File> {
        let file = |name: &str, length: usize| File {
            name: name.to_owned(),
            content: vec![b'x'; length],
        };
        vec![
            file("kith/version", 4),
            file("kith/contact", 0),
            file("kith/self/1", 1024),
        ]
    }

    #[test]
    fn an_archive_comes_back_with_its_passphrase_only() {
        let sealed = seal(&files(), "secret words").unwrap();
        assert_eq!(open(&Strict, &sealed, "secret words"), Ok(files()));
        assert_eq!(
            open(&Strict, &sealed, "other words"),
            Err(ArchiveError::Passphrase)
        );
        assert!(matches!(
            open(&Strict, b"text", "x"),
            Err(ArchiveError::Form(_))
        ));
    }

    #[test]
    fn a_damaged_archive_is_refused() {
        let sealed = seal(&files(), "secret words").unwrap();
        for at in [sealed.len() / 2, sealed.len() - 1] {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(
                open(&Strict, &damaged, "secret words").is_err(),
                "octet {at}"
            );
        }
        assert!(open(&Strict, &sealed[..sealed.len() - 30], "secret words").is_err());
    }

    #[test]
    fn an_archive_that_lies_about_lengths_is_refused() {
        let block = header("kith/a", usize::MAX / 16);
        assert!(read(&Strict, &block).is_err());
        assert!(read(&Strict, &[]).is_err());
    }

    #[test]
    fn other_names_than_those_of_the_format_are_left_out() {
        let hash = "0123456789abcdef".repeat(4);
        let named = format!("kith/objects/{hash}");
        let strange = [
            "kith/other".to_owned(),
            "../kith/contact".to_owned(),
            "kith/chain/01".to_owned(),
            "kith/chain/".to_owned(),
            "kith/objects/README".to_owned(),
            format!("kith/objects/{}", hash.to_uppercase()),
            format!("kith/objects/x/{hash}"),
        ];
        for name in &strange {
            assert!(!is_of_format(name), "{name}");
        }
        for name in ["kith/version", "kith/chain/0", "kith/self/12", &named] {
            assert!(is_of_format(name), "{name}");
        }
    }
}

//! Exports: a tar archive (POSIX.1 ustar) in an OpenPGP message that is encrypted with a
//! passphrase (specification, section "Export" of chapter "Devices").

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PacketHeader, SymKeyEncryptedSessionKey};
use pgp::types::{StringToKey, Tag};

use crate::ForgeError;
use crate::openpgp::{Packet, PgpError, encrypt_slowly, serialize, split, tag};
use crate::read::{ReadError, decrypt};
use crate::seed::Rng;

/// Octets of a block of a tar archive.
const BLOCK: usize = 512;

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, with slashes, of no more than 100 octets.
    pub name: String,
    /// The type flag: `0` is a regular file, `2` a symbolic link, `5` a directory.
    pub kind: u8,
    /// What a link leads to.
    pub link: String,
    /// Its octets.
    pub content: Vec<u8>,
}

impl Entry {
    /// A regular file.
    pub fn file(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            kind: b'0',
            link: String::new(),
            content: content.into(),
        }
    }

    fn octets(&self) -> Vec<u8> {
        let mut header = [0; BLOCK];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, &self.name.as_bytes()[..self.name.len().min(100)]);
        put(100, b"0000600\0");
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", self.content.len()).as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, &[self.kind]);
        put(157, &self.link.as_bytes()[..self.link.len().min(100)]);
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|octet| u32::from(*octet)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut octets = [&header[..], &self.content].concat();
        octets.resize(octets.len().next_multiple_of(BLOCK), 0);
        octets
    }
}

/// The outermost layer of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// How the passphrase is hashed.
    pub passphrase: Passphrase,
    /// How many session-key packets for passphrases there are.
    pub passwords: usize,
    /// The version of the integrity protected data; 0 where there are none.
    pub protection: u8,
    /// The symmetric cipher's number (RFC 9580, section 9.3).
    pub cipher: u8,
    /// The types of the packets inside.
    pub inside: Vec<u8>,
}

/// How a passphrase is hashed (RFC 9580, section 3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passphrase {
    /// With Argon2.
    Argon2,
    /// So many octets of iterated and salted SHA-256 or stronger.
    Iterated(u64),
    /// Otherwise.
    Weaker,
}

/// An export: its entries in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The entries.
    pub entries: Vec<Entry>,
}

impl Archive {
    /// Opens an export. Returns it, and what its outermost layer is.
    pub fn open(octets: &[u8], passphrase: &str) -> Result<(Self, Outside), ReadError> {
        let packets = split(octets)?;
        let passwords: Vec<_> = packets.iter().filter(|p| p.tag == tag::SKESK).collect();
        let first = passwords
            .first()
            .ok_or(ReadError::Missing("packet for a passphrase"))?;
        let length = u32::try_from(first.body.len()).unwrap_or(u32::MAX);
        let header = PacketHeader::new_fixed(Tag::SymKeyEncryptedSessionKey, length);
        let password = SymKeyEncryptedSessionKey::try_from_reader(header, first.body.as_slice());
        let password = password.map_err(PgpError::rpgp("a packet for a passphrase"))?;
        let cipher = password.sym_algorithm();
        let derivation = password.s2k();
        let (Some(cipher), Some(derivation)) = (cipher, derivation) else {
            return Err(ReadError::Missing("known packet for a passphrase"));
        };
        let key = derivation
            .derive_key(passphrase.as_bytes(), cipher.key_size())
            .and_then(|key| password.decrypt(key))
            .map_err(PgpError::rpgp("the passphrase"))?;
        let protected = packets.iter().find(|packet| packet.tag == tag::SEIPD);
        let protected = protected.ok_or(ReadError::Missing("protected data"))?;
        let content = split(&decrypt(protected, &key)?)?;
        let literal = content.iter().find(|packet| packet.tag == tag::LITERAL);
        let literal = literal.ok_or(ReadError::Missing("literal packet"))?;
        let outside = Outside {
            passphrase: hashed(derivation),
            passwords: passwords.len(),
            protection: protected.body.first().copied().unwrap_or(0),
            cipher: cipher.into(),
            inside: content.iter().map(|packet| packet.tag).collect(),
        };
        let entries = untar(literal.literal_content());
        let entries = entries.ok_or(ReadError::Missing("whole tar archive"))?;
        Ok((Self { entries }, outside))
    }

    /// The tar archive.
    pub fn tar(&self) -> Vec<u8> {
        let mut octets: Vec<u8> = self.entries.iter().flat_map(Entry::octets).collect();
        octets.extend([0; 2 * BLOCK]);
        octets
    }

    /// The export.
    pub fn seal(&self, rng: &mut Rng, passphrase: &str) -> Result<Vec<u8>, ForgeError> {
        let plain = Packet::literal(b'b', &self.tar());
        Ok(encrypt_slowly(rng, passphrase, &serialize(&[plain]))?)
    }

    /// The content of the first regular file of this name.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        let mut files = self.entries.iter().filter(|entry| entry.kind == b'0');
        let found = files.find(|entry| entry.name == name)?;
        Some(&found.content)
    }

    /// The same without the entries of this name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut archive = self.clone();
        archive.entries.retain(|entry| entry.name != name);
        archive
    }

    /// The same with one more entry at the end.
    #[must_use]
    pub fn with(&self, entry: Entry) -> Self {
        let mut archive = self.clone();
        archive.entries.push(entry);
        archive
    }

    /// The same with another content of the file of this name.
    #[must_use]
    pub fn replaced(&self, name: &str, content: &[u8]) -> Self {
        let mut archive = self.clone();
        let named = archive
            .entries
            .iter_mut()
            .filter(|entry| entry.name == name);
        named.for_each(|entry| entry.content = content.to_vec());
        archive
    }
}

fn hashed(derivation: &StringToKey) -> Passphrase {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    match derivation {
        StringToKey::Argon2 { .. } => Passphrase::Argon2,
        StringToKey::IteratedAndSalted {
            hash_alg: Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512,
            count,
            ..
        } => {
            // RFC 9580, section 3.7.1.3.
            let octets = (16 + u64::from(count & 15)) << (u32::from(count >> 4) + 6);
            Passphrase::Iterated(octets)
        }
        _ => Passphrase::Weaker,
    }
}

/// The entries of a tar archive; none if it is broken.
fn untar(mut archive: &[u8]) -> Option<Vec<Entry>> {
    let text = |field: &[u8]| {
        let end = field.iter().position(|octet| *octet == 0);
        let field = &field[..end.unwrap_or(field.len())];
        String::from_utf8_lossy(field).into_owned()
    };
    let mut entries = Vec::new();
    loop {
        let (header, rest) = archive.split_at_checked(BLOCK)?;
        if header.iter().all(|octet| *octet == 0) {
            return Some(entries);
        }
        let length = usize::from_str_radix(text(&header[124..136]).trim(), 8).ok()?;
        let prefix = text(&header[345..500]);
        let name = text(&header[..100]);
        entries.push(Entry {
            name: match prefix.is_empty() {
                true => name,
                false => format!("{prefix}/{name}"),
            },
            kind: match header[156] {
                0 => b'0',
                kind => kind,
            },
            link: text(&header[157..257]),
            content: rest.get(..length)?.to_vec(),
        });
        archive = rest.get(length.checked_next_multiple_of(BLOCK)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn an_export_reads_back() {
        let archive = Archive {
            entries: vec![
                Entry::file("kith/version", "1.0\n"),
                Entry::file("kith/empty", ""),
                Entry {
                    kind: b'2',
                    link: "/etc/passwd".to_owned(),
                    ..Entry::file("kith/contact", "")
                },
            ],
        };
        let mut rng = Seed::new("an export").rng();
        let sealed = archive.seal(&mut rng, "words").unwrap();
        let (opened, outside) = Archive::open(&sealed, "words").unwrap();
        assert_eq!(opened, archive);
        assert_eq!(outside.passphrase, Passphrase::Argon2);
        assert_eq!((outside.passwords, outside.cipher), (1, 9));
        assert!(Archive::open(&sealed, "other words").is_err());
    }
}

//! ASCII armor (RFC 9580, section 6) with the line ends of mail.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::PgpError;
use super::packet::{split, tag};
use crate::mime::base64_lines;

/// What is armored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArmorKind {
    /// An OpenPGP message.
    Message,
    /// A transferable public key.
    PublicKey,
    /// A transferable secret key.
    PrivateKey,
}

impl ArmorKind {
    fn label(self) -> &'static str {
        match self {
            Self::Message => "PGP MESSAGE",
            Self::PublicKey => "PGP PUBLIC KEY BLOCK",
            Self::PrivateKey => "PGP PRIVATE KEY BLOCK",
        }
    }
}

/// Armor with lines of 76 characters that end in CRLF. It has a checksum, which
/// GnuPG misses otherwise, unless a key or session key of version 6 forbids it.
pub fn armor(kind: ArmorKind, octets: &[u8]) -> Vec<u8> {
    let label = kind.label();
    let body = base64_lines(octets);
    let checksum = match has_version_6(octets) {
        true => String::new(),
        false => format!("={}\r\n", STANDARD.encode(crc24(octets))),
    };
    format!("-----BEGIN {label}-----\r\n\r\n{body}{checksum}-----END {label}-----\r\n").into_bytes()
}

fn has_version_6(octets: &[u8]) -> bool {
    let versioned = [tag::PKESK, tag::PUBLIC_KEY, tag::SECRET_KEY, tag::ONE_PASS];
    let packets = split(octets).unwrap_or_default();
    let mut packets = packets
        .iter()
        .filter(|packet| versioned.contains(&packet.tag));
    packets.any(|packet| packet.body.first() == Some(&6))
}

/// What each octet does to the checksum.
static STEPS: [u32; 256] = steps();

const fn steps() -> [u32; 256] {
    let mut steps = [0; 256];
    let mut octet = 0;
    while octet < steps.len() {
        let mut crc = (octet as u32) << 16;
        let mut bit = 0;
        while bit < 8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4CFB;
            }
            bit += 1;
        }
        steps[octet] = crc;
        octet += 1;
    }
    steps
}

/// The checksum of RFC 9580, section 6.1.
fn crc24(octets: &[u8]) -> [u8; 3] {
    let mut crc: u32 = 0x00B7_04CE;
    for octet in octets {
        let [_, high, ..] = crc.to_be_bytes();
        crc = (crc << 8) & 0x00FF_FFFF ^ STEPS[usize::from(high ^ octet)];
    }
    let [_, high, middle, low] = crc.to_be_bytes();
    [high, middle, low]
}

/// The octets in the first armor of a text. Octets that begin like a packet are
/// taken as they stand.
pub fn dearmor(text: &[u8]) -> Result<Vec<u8>, PgpError> {
    if text.first().is_some_and(|first| first & 0x80 != 0) {
        return Ok(text.to_vec());
    }
    let text = std::str::from_utf8(text).map_err(|_| PgpError::Armor("it is not text"))?;
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .skip_while(|line| !line.starts_with("-----BEGIN PGP "));
    lines.next().ok_or(PgpError::Armor("no BEGIN line"))?;
    let body: String = lines
        .skip_while(|line| !line.is_empty())
        .take_while(|line| !line.starts_with("-----END PGP ") && !line.starts_with('='))
        .collect();
    STANDARD
        .decode(body.trim())
        .map_err(|_| PgpError::Armor("its base64 is broken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back() {
        let octets: Vec<u8> = (0..=255).collect();
        let text = armor(ArmorKind::Message, &octets);
        assert_eq!(dearmor(&text).unwrap(), octets);
        // The known answer of this CRC for "123456789".
        assert_eq!(crc24(b"123456789"), [0x21, 0xCF, 0x02]);
        assert!(dearmor(b"hello").is_err());
    }
}

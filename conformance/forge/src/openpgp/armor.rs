//! ASCII armor (RFC 9580, section 6) with the line ends of mail.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::PgpError;
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

/// Armor with lines of 76 characters that end in CRLF, without checksum.
pub fn armor(kind: ArmorKind, octets: &[u8]) -> Vec<u8> {
    let label = kind.label();
    let body = base64_lines(octets);
    format!("-----BEGIN {label}-----\r\n\r\n{body}-----END {label}-----\r\n").into_bytes()
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
        assert!(dearmor(b"hello").is_err());
    }
}

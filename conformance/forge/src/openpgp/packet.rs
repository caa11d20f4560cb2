//! Packet framing (RFC 9580, section 4.2).

use super::PgpError;

/// Packet types.
pub mod tag {
    /// Public-key encrypted session key.
    pub const PKESK: u8 = 1;
    /// Signature.
    pub const SIGNATURE: u8 = 2;
    /// Symmetric-key encrypted session key.
    pub const SKESK: u8 = 3;
    /// One-pass signature.
    pub const ONE_PASS: u8 = 4;
    /// Secret primary key.
    pub const SECRET_KEY: u8 = 5;
    /// Public primary key.
    pub const PUBLIC_KEY: u8 = 6;
    /// Secret subkey.
    pub const SECRET_SUBKEY: u8 = 7;
    /// Compressed data.
    pub const COMPRESSED: u8 = 8;
    /// Encrypted data without integrity protection.
    pub const SED: u8 = 9;
    /// Marker.
    pub const MARKER: u8 = 10;
    /// Literal data.
    pub const LITERAL: u8 = 11;
    /// User ID.
    pub const USER_ID: u8 = 13;
    /// Public subkey.
    pub const PUBLIC_SUBKEY: u8 = 14;
    /// Encrypted and integrity protected data.
    pub const SEIPD: u8 = 18;
    /// Padding.
    pub const PADDING: u8 = 21;
}

/// A packet: its type and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The type, see [`tag`].
    pub tag: u8,
    /// The body, without header.
    pub body: Vec<u8>,
}

impl Packet {
    /// A packet.
    pub fn new(tag: u8, body: impl Into<Vec<u8>>) -> Self {
        Self {
            tag,
            body: body.into(),
        }
    }

    /// A literal data packet without name and date.
    pub fn literal(mode: u8, content: &[u8]) -> Self {
        Self::new(tag::LITERAL, [&[mode, 0, 0, 0, 0, 0], content].concat())
    }

    /// What a literal data packet holds; empty for other packets.
    pub fn literal_content(&self) -> &[u8] {
        let name = self.body.get(1).copied().unwrap_or(0);
        match self.tag {
            tag::LITERAL => self.body.get(usize::from(name) + 6..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Header and body.
    pub fn octets(&self) -> Vec<u8> {
        frame(self.tag, &self.body)
    }
}

/// A packet in the current format with a length of one, two or five octets.
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xC0 | tag];
    match body.len() {
        length @ 0..192 => out.push(length as u8),
        length @ 192..8384 => {
            let length = length - 192;
            out.extend([192 + (length >> 8) as u8, (length & 0xFF) as u8]);
        }
        length => {
            out.push(255);
            out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
    out.extend_from_slice(body);
    out
}

/// Packets one after the other.
pub fn serialize(packets: &[Packet]) -> Vec<u8> {
    let packets: Vec<_> = packets.iter().map(Packet::octets).collect();
    packets.concat()
}

/// Splits octets into packets, in the current or the legacy format, partial
/// lengths joined.
pub fn split(octets: &[u8]) -> Result<Vec<Packet>, PgpError> {
    let mut packets = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let place = octets.len() - rest.len();
        let (packet, after) = one(rest).ok_or(PgpError::Framing(place))?;
        packets.push(packet);
        rest = after;
    }
    Ok(packets)
}

fn one(octets: &[u8]) -> Option<(Packet, &[u8])> {
    let (&first, rest) = octets.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    if first & 0x40 == 0 {
        return legacy(first, rest);
    }
    let tag = first & 0x3F;
    let mut body = Vec::new();
    let mut rest = rest;
    loop {
        let (length, partial, after) = current_length(rest)?;
        body.extend_from_slice(after.get(..length)?);
        rest = &after[length..];
        if !partial {
            return Some((Packet { tag, body }, rest));
        }
    }
}

fn current_length(octets: &[u8]) -> Option<(usize, bool, &[u8])> {
    let (&first, rest) = octets.split_first()?;
    match first {
        0..192 => Some((usize::from(first), false, rest)),
        192..224 => {
            let (&second, rest) = rest.split_first()?;
            let length = (usize::from(first) - 192) * 256 + usize::from(second) + 192;
            Some((length, false, rest))
        }
        224..255 => Some((1 << (first & 0x1F), true, rest)),
        255 => {
            let (length, rest) = rest.split_at_checked(4)?;
            Some((big_endian(length)?, false, rest))
        }
    }
}

fn legacy(first: u8, rest: &[u8]) -> Option<(Packet, &[u8])> {
    let tag = (first >> 2) & 0x0F;
    let width = match first & 3 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return Some((Packet::new(tag, rest), &[])),
    };
    let (length, rest) = rest.split_at_checked(width)?;
    let (body, rest) = rest.split_at_checked(big_endian(length)?)?;
    Some((Packet::new(tag, body), rest))
}

fn big_endian(octets: &[u8]) -> Option<usize> {
    octets.iter().try_fold(0usize, |value, &octet| {
        value.checked_mul(256)?.checked_add(usize::from(octet))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_reads_back() {
        for length in [0, 1, 191, 192, 8383, 8384, 70_000] {
            let packet = Packet::new(tag::LITERAL, vec![7; length]);
            assert_eq!(split(&packet.octets()).unwrap(), [packet]);
        }
        let partial = [0xCB, 0xE1, 1, 2, 0xE0, 3, 2, 4, 5];
        assert_eq!(split(&partial).unwrap(), [Packet::new(11, [1, 2, 3, 4, 5])]);
        assert!(split(&[0xCB, 5, 1]).is_err());
        assert!(split(b"plain").is_err());
    }
}

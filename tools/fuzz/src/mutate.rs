//! Changes octets at random, the same way for the same number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

/// What breaks readers more often than random octets do.
const WORDS: &[&[u8]] = &[
    b"",
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"--",
    b"=",
    b"\"",
    b"\\",
    b";",
    b"<",
    b"</object>",
    b"<!--",
    b"<![CDATA[",
    b"<!DOCTYPE x [<!ENTITY y 'z'>]>",
    b"&y;",
    b"&#0;",
    b"&#x10FFFF;",
    b" xmlns=\"\"",
    b"xmlns:a=\"urn:x\"",
    b"-1",
    b"0",
    b"2147483647",
    b"2147483648",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551616",
    b"9999-12-31T23:59:59Z",
    b"0000-00-00T00:00:00Z",
    b"\xff\xff\xff\xff",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    "\u{1f468}\u{200d}\u{1f469}".as_bytes(),
    b"{999999999}",
    b"{3+}\r\nabc",
    b"(((((((((((((((((((((((((((((((((",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"=?utf-8?b?/////w==?=",
    b"=?x?q?=ZZ?=",
    b"Content-Type: multipart/mixed; boundary=\"\"",
    b"Content-Transfer-Encoding: base64",
];
/// Inputs grow no larger than this.
const LARGEST: usize = 200_000;

/// Where a target's randomness comes from.
#[derive(Clone)]
pub struct Mutator {
    rng: ChaCha20Rng,
}

impl Mutator {
    /// For try number `number` of a target.
    #[must_use]
    pub fn new(target: &str, number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        for (place, octet) in seed[8..].iter_mut().zip(target.bytes()) {
            *place = octet;
        }
        Self {
            rng: ChaCha20Rng::from_seed(seed),
        }
    }

    /// Another one that goes its own way, for a closure that outlives this.
    pub fn fork(&mut self) -> Self {
        Self {
            rng: ChaCha20Rng::from_seed(self.rng.random()),
        }
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    /// One of these; they are not empty.
    pub fn choose<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        let index = self.below(values.len());
        &values[index]
    }

    /// Changes octets in one to six places; now and then within a base64 part.
    #[must_use]
    pub fn mutate(&mut self, mut octets: Vec<u8>, other: &[u8]) -> Vec<u8> {
        for _ in 0..=self.below(6) {
            if self.below(3) == 0
                && let Some(changed) = self.within_base64(&octets, other)
            {
                octets = changed;
                continue;
            }
            self.once(&mut octets, other);
            octets.truncate(LARGEST);
        }
        octets
    }

    fn once(&mut self, octets: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(octets.len() + 1);
        let length = match self.below(4) {
            0 => self.below(octets.len() - at + 1),
            _ => self.below(17).min(octets.len() - at),
        };
        let range = at..at + length;
        match self.below(8) {
            0 => self.flip(octets),
            1 => drop(octets.drain(range)),
            2 => {
                let copy = octets[range].to_vec();
                for _ in 0..=self.below(20) {
                    if octets.len() + copy.len() > LARGEST {
                        break;
                    }
                    octets.splice(at..at, copy.iter().copied());
                }
            }
            3 | 4 => {
                let word = WORDS.choose(&mut self.rng).copied().unwrap_or_default();
                octets.splice(range, word.iter().copied());
            }
            5 => {
                for octet in &mut octets[range] {
                    *octet = self.rng.random();
                }
            }
            6 => {
                let from = self.below(other.len() + 1);
                let piece = &other[from..];
                let piece = &piece[..self.below(piece.len() + 1)];
                octets.splice(range, piece.iter().copied());
            }
            _ => octets.truncate(at),
        }
    }

    fn flip(&mut self, octets: &mut [u8]) {
        if octets.is_empty() {
            return;
        }
        let at = self.below(octets.len());
        octets[at] ^= 1 << self.below(8);
    }

    /// Changes what one base64 block holds.
    fn within_base64(&mut self, octets: &[u8], other: &[u8]) -> Option<Vec<u8>> {
        let blocks = blocks(octets);
        let block = blocks.choose(&mut self.rng)?.clone();
        let text: Vec<u8> = octets[block.clone()]
            .iter()
            .copied()
            .filter(|octet| !octet.is_ascii_whitespace())
            .collect();
        let mut inside = STANDARD.decode(text).ok()?;
        self.once(&mut inside, other);
        let mut lines = Vec::new();
        for line in STANDARD.encode(inside).as_bytes().chunks(76) {
            lines.extend_from_slice(line);
            lines.extend_from_slice(b"\r\n");
        }
        let mut changed = octets.to_vec();
        changed.splice(block, lines);
        Some(changed)
    }
}

/// Runs of at least two lines of nothing but base64.
fn blocks(octets: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut blocks = Vec::new();
    let (mut start, mut at, mut lines) = (0, 0, 0);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let text = line.trim_ascii_end();
        let coded = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
        if !text.is_empty() && text.iter().all(coded) {
            if lines == 0 {
                start = at;
            }
            lines += 1;
        } else {
            if lines > 1 {
                blocks.push(start..at);
            }
            lines = 0;
        }
        at += line.len();
    }
    if lines > 1 {
        blocks.push(start..at);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_makes_the_same_input() {
        let make = |number| Mutator::new("x", number).mutate(b"From: a@b.test".to_vec(), b"other");
        assert_eq!(make(1), make(1));
        assert!((1..100).any(|number| make(number) != make(0)));
    }

    #[test]
    fn base64_is_found_and_changed_inside() {
        let mail = b"A: b\r\n\r\nQUJDREVG\r\nR0hJSktM\r\n\r\n--b--\r\n";
        assert_eq!(blocks(mail).first(), Some(&(8..28)));
        let mut changes = 0;
        for number in 0..50 {
            let changed = Mutator::new("x", number).within_base64(mail, b"").unwrap();
            assert!(changed.starts_with(b"A: b\r\n\r\n") && changed.ends_with(b"\r\n--b--\r\n"));
            changes += u32::from(changed != mail);
        }
        assert!(changes > 30);
    }
}

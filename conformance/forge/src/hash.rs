//! The two kinds of names that Kith gives to octets: SHA-256 values and 128 random bits.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::seed::{Rng, random};

/// A SHA-256 value. Shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// The id of an identity: the key hash of its first primary key.
pub type IdentityId = Hash;
/// The SHA-256 of an object's XML.
pub type ObjectHash = Hash;

/// 128 random bits. Shown as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id128(pub [u8; 16]);

/// Text that is no hash or id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a row of lower-case hexadecimal digits of the right length")]
pub struct NotHex(String);

impl Hash {
    /// The SHA-256 of these octets.
    pub fn of(octets: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(octets).into())
    }
}

impl Id128 {
    /// A fresh one.
    pub fn random(rng: &mut Rng) -> Self {
        Self(random(rng))
    }

    /// The first 16 octets of SHA-256(kind ‖ 0 ‖ target): the id of objects
    /// that exist once for each target.
    pub fn derived(kind: &str, target: &[u8]) -> Self {
        let hash = Hash::of([kind.as_bytes(), &[0], target].concat());
        let mut id = [0; 16];
        id.copy_from_slice(&hash.0[..16]);
        Self(id)
    }
}

macro_rules! hexadecimal {
    ($name:ident, $length:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = NotHex;

            fn from_str(text: &str) -> Result<Self, NotHex> {
                let mut octets = [0; $length];
                if text.bytes().any(|b| b.is_ascii_uppercase())
                    || hex::decode_to_slice(text, &mut octets).is_err()
                {
                    return Err(NotHex(text.to_owned()));
                }
                Ok(Self(octets))
            }
        }
    };
}

hexadecimal!(Hash, 32);
hexadecimal!(Id128, 16);

//! Randomness that can be repeated: everything the forge makes follows from a seed.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// The generator that every part of the forge draws from.
pub type Rng = ChaCha20Rng;

/// Where a generator starts. Seeds are derived from labels, so that what one
/// puppet draws never shifts what another draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed that a label names.
    pub fn new(label: &str) -> Self {
        Self(Sha256::digest(label).into())
    }

    /// A seed below this one.
    pub fn child(&self, label: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(label);
        Self(hasher.finalize().into())
    }

    /// A generator that starts here.
    pub fn rng(&self) -> Rng {
        Rng::from_seed(self.0)
    }
}

/// `N` random octets.
pub(crate) fn random<const N: usize>(rng: &mut Rng) -> [u8; N] {
    let mut octets = [0; N];
    rng.fill_bytes(&mut octets);
    octets
}

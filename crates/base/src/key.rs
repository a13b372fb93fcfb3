//! Random numbers by key: a function of a seed, a purpose and indices.
//!
//! No generator is shared, and no generator has a state that must be saved. The same seed, purpose
//! and indices give the same numbers on every machine.

use serde::{Deserialize, Serialize};

/// The seed of a study: the only source of its random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// What a random number is for. Two purposes never share a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Start of the golden-ratio sequence of a phase (θ).
    PhaseOffset,
    /// The order of a source within an epoch.
    SourceOrder,
    /// The order in which a replicate reads the sequences the trunk has not read.
    ReplicateOrder,
    /// Initial weights of a model.
    Weights,
    /// The sample of documents a tokenizer is trained on.
    TokenizerSample,
    /// Which held-out sequences are scored.
    HeldOutSample,
    /// Tokens a model samples when it continues a prompt.
    Generation,
    /// Text of a synthetic world.
    World,
}

impl Purpose {
    /// Part of every derived key. A variant may be renamed; changing this text changes results.
    fn label(self) -> &'static str {
        match self {
            Self::PhaseOffset => "phase-offset",
            Self::SourceOrder => "source-order",
            Self::ReplicateOrder => "replicate-order",
            Self::Weights => "weights",
            Self::TokenizerSample => "tokenizer-sample",
            Self::HeldOutSample => "held-out-sample",
            Self::Generation => "generation",
            Self::World => "world",
        }
    }
}

/// 256 random bits that depend only on a seed, a purpose and an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of `seed`, `purpose` and `address`, a list of byte strings: indices, fingerprints.
    ///
    /// # Source
    ///
    /// BLAKE3 in key-derivation mode; the context string names this project and the version.
    pub fn new(seed: Seed, purpose: Purpose, address: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("sparkjoy 2026-11 keyed randomness v1");
        hasher.update(&seed.0.to_le_bytes());
        for part in std::iter::once(purpose.label().as_bytes()).chain(address.iter().copied()) {
            // Each part carries its length, so that ("ab", "c") and ("a", "bc") differ.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The key as four 64-bit words, little endian.
    pub fn words(&self) -> [u64; 4] {
        std::array::from_fn(|i| {
            let bytes = self.0[8 * i..8 * i + 8].try_into().expect("8 bytes");
            u64::from_le_bytes(bytes)
        })
    }

    /// The key as bytes, to seed a generator with.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_address_counts() {
        let key = |seed, purpose, address: &[&[u8]]| Key::new(Seed(seed), purpose, address);
        let base = key(17, Purpose::Weights, &[b"ab", b"c"]);
        assert_eq!(base, key(17, Purpose::Weights, &[b"ab", b"c"]));
        assert_ne!(base, key(18, Purpose::Weights, &[b"ab", b"c"]));
        assert_ne!(base, key(17, Purpose::Generation, &[b"ab", b"c"]));
        assert_ne!(base, key(17, Purpose::Weights, &[b"a", b"bc"]));
        assert_ne!(base, key(17, Purpose::Weights, &[b"abc"]));
    }

    #[test]
    fn keys_are_the_same_on_every_machine() {
        let [first, ..] = Key::new(Seed(17), Purpose::PhaseOffset, &[]).words();
        insta::assert_snapshot!(first, @"12412863972319757974");
    }
}

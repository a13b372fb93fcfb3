//! Chance that is the same on every machine, for made-up text and for damage.

/// `SplitMix64`: Steele, Lea & Flood, Fast splittable pseudorandom number generators (2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `n`, which is at least 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

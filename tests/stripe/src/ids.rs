//! Ids and chances, all from one seed.

use sha2::{Digest, Sha256};

/// SplitMix64: small, and the same for ever.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A sequence of its own for each seed and purpose.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize();
        Self(digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit.max(1) as u64) as usize
    }

    /// A number from 0 up to, but not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Letters and digits.
    pub fn letters(&mut self, n: usize) -> String {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..n).map(|_| char::from(ALPHABET[self.below(ALPHABET.len())])).collect()
    }

    /// An id such as `sub_1Pgc6r…`.
    pub fn id(&mut self, prefix: &str) -> String {
        match prefix {
            "prod" | "cus" | "si" => format!("{prefix}_{}", self.letters(14)),
            "cs_test" => format!("cs_test_a1{}", self.letters(56)),
            "whsec" => format!("whsec_{}", self.letters(32)),
            "req" => format!("req_{}", self.letters(14)),
            _ => format!("{prefix}_1{}", self.letters(23)),
        }
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

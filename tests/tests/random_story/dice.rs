//! Random numbers that a seed determines.

#![allow(dead_code, reason = "each suite uses what it needs")]

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// A generator with a seed.
pub struct Dice(TestRng);

impl Dice {
    /// The generator with this seed.
    pub fn of(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// A number below this one.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0.next_u64() % most
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }

    /// A random boolean.
    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

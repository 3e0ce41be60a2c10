//! congee, an adaptive radix tree with optimistic lock coupling. It pins an epoch in each call, as the
//! tree does.

use std::ffi::CStr;

use adapter::Index;
use congee::Congee;

/// Entries that a call of its `range` can give.
const CHUNK: usize = 128;

struct Art(Congee<usize, usize>);

impl Index for Art {
    const NAME: &'static CStr = c"congee";
    const MAX_KEY: u64 = u64::MAX - 1; // the end of a range is exclusive
    const DESCRIPTION: &'static CStr = c"congee, an ART with optimistic lock coupling";

    fn open() -> Option<Self> {
        Some(Art(Congee::default()))
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.0
            .get(&(key as usize), &self.0.pin())
            .map(|value| value as u64)
    }

    fn put(&self, key: u64, value: u64) -> bool {
        let old = self.0.insert(key as usize, value as usize, &self.0.pin());
        old.expect("memory").is_none()
    }

    fn insert(&self, key: u64, value: u64) -> bool {
        let keep = |old: Option<usize>| old.unwrap_or(value as usize);
        let old = self.0.compute_or_insert(key as usize, keep, &self.0.pin());
        old.expect("memory").is_none()
    }

    fn update(&self, key: u64, value: u64) -> bool {
        let replace = |_| Some(value as usize);
        self.0
            .compute_if_present(&(key as usize), replace, &self.0.pin())
            .is_some()
    }

    fn remove(&self, key: u64) -> bool {
        self.0.remove(&(key as usize), &self.0.pin()).is_some()
    }

    fn scan(&self, low: u64, values: &mut [u64]) -> usize {
        let (mut count, mut from) = (0, low);
        while count < values.len() {
            let most = CHUNK.min(values.len() - count);
            let (found, last) = self.chunk(from, u64::MAX, most, |value| {
                values[count] = value;
                count += 1;
            });
            if found < most || last == u64::MAX {
                break;
            }
            from = last + 1;
        }
        count
    }

    fn sum(&self, low: u64, high: u64) -> (u64, u64) {
        let (mut count, mut sum, mut from) = (0, 0_u64, low);
        loop {
            let (found, last) =
                self.chunk(from, high, CHUNK, |value| sum = sum.wrapping_add(value));
            count += found as u64;
            if found < CHUNK || last == high {
                return (count, sum);
            }
            from = last + 1;
        }
    }
}

impl Art {
    /// Gives `take` the values of at most `most` keys from `low` to `high`; how many, and the last key.
    fn chunk(&self, low: u64, high: u64, most: usize, mut take: impl FnMut(u64)) -> (usize, u64) {
        let mut found = [(0, 0); CHUNK];
        let (low, end) = (low as usize, high.saturating_add(1) as usize);
        let n = self.0.range(&low, &end, &mut found[..most], &self.0.pin());
        found[..n].iter().for_each(|&(_, value)| take(value as u64));
        (n, if n > 0 { found[n - 1].0 as u64 } else { 0 })
    }
}

adapter::export!(Art);

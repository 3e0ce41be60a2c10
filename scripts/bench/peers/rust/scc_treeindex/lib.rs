//! scc's TreeIndex, a B+-tree made for reading: a value is never changed in place. Its upsert does not say
//! what was there, so the adapter is blind.

use std::ffi::CStr;

use adapter::Index;
use scc::{Guard, TreeIndex};

struct Tree(TreeIndex<u64, u64>);

impl Index for Tree {
    const NAME: &'static CStr = c"scc_treeindex";
    const DESCRIPTION: &'static CStr = c"scc's TreeIndex";
    const BLIND: bool = true;

    fn open() -> Option<Self> {
        Some(Tree(TreeIndex::new()))
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.0.peek_with(&key, |_, value| *value)
    }

    fn put(&self, key: u64, value: u64) -> bool {
        self.0.upsert_sync(key, value);
        true
    }

    fn insert(&self, key: u64, value: u64) -> bool {
        self.0.insert_sync(key, value).is_ok()
    }

    fn update(&self, key: u64, value: u64) -> bool {
        self.put(key, value)
    }

    fn remove(&self, key: u64) -> bool {
        self.0.remove_sync(&key)
    }

    fn scan(&self, low: u64, values: &mut [u64]) -> usize {
        let guard = Guard::new();
        let found = self.0.range(low.., &guard).zip(values);
        found.map(|((_, from), to)| *to = *from).count()
    }

    fn sum(&self, low: u64, high: u64) -> (u64, u64) {
        let guard = Guard::new();
        self.0
            .range(low..=high, &guard)
            .fold((0, 0), |(count, sum), (_, value)| {
                (count + 1, sum.wrapping_add(*value))
            })
    }
}

adapter::export!(Tree);

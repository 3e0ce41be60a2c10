//! crossbeam-skiplist's SkipMap. Values are atomic words, so that an update needs no new entry.

use std::cell::Cell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU64, Ordering};

use adapter::Index;
use crossbeam_skiplist::SkipMap;

struct Skiplist(SkipMap<u64, AtomicU64>);

fn load(value: &AtomicU64) -> u64 {
    value.load(Ordering::Acquire) // with the release of whoever stored it
}

impl Index for Skiplist {
    const NAME: &'static CStr = c"crossbeam_skiplist";
    const DESCRIPTION: &'static CStr = c"crossbeam-skiplist's SkipMap";

    fn open() -> Option<Self> {
        Some(Skiplist(SkipMap::new()))
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).map(|entry| load(entry.value()))
    }

    fn put(&self, key: u64, value: u64) -> bool {
        !self.update(key, value) && {
            let absent = self.insert(key, value);
            if !absent {
                self.update(key, value);
            }
            absent
        }
    }

    /// The map does not say whether it has inserted. It asks the closure only about an entry that it
    /// finds; one that is removed between that and its answer would be reported as present, but no
    /// workload removes a key that another thread inserts.
    fn insert(&self, key: u64, value: u64) -> bool {
        let absent = Cell::new(true);
        self.0.compare_insert(key, AtomicU64::new(value), |_| {
            absent.set(false);
            false
        });
        absent.get()
    }

    fn update(&self, key: u64, value: u64) -> bool {
        match self.0.get(&key) {
            Some(entry) => {
                entry.value().store(value, Ordering::Release);
                true
            }
            None => false,
        }
    }

    fn remove(&self, key: u64) -> bool {
        self.0.remove(&key).is_some()
    }

    fn scan(&self, low: u64, values: &mut [u64]) -> usize {
        let found = self.0.range(low..).zip(values);
        found
            .map(|(entry, value)| *value = load(entry.value()))
            .count()
    }

    fn sum(&self, low: u64, high: u64) -> (u64, u64) {
        self.0
            .range(low..=high)
            .fold((0, 0), |(count, sum), entry| {
                (count + 1, sum.wrapping_add(load(entry.value())))
            })
    }
}

adapter::export!(Skiplist);

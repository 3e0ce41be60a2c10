//! bf-tree: mini pages in a circular buffer in front of leaf pages, here in memory. Keys are bytes:
//! big-endian. Its writes do not say what was there, so the adapter is blind.

use std::ffi::CStr;

use adapter::Index;
use bf_tree::{BfTree, Config, LeafInsertResult, LeafReadResult, ScanReturnField};

const BUFFER_BYTES: usize = 256 << 20;
const WORD: usize = 8;

struct Tree(BfTree);

impl Index for Tree {
    const NAME: &'static CStr = c"bf_tree";
    const DESCRIPTION: &'static CStr = c"bf-tree in memory";
    const BLIND: bool = true;

    fn open() -> Option<Self> {
        let mut config = Config::new(":memory:", BUFFER_BYTES);
        config.cb_min_record_size(2 * WORD);
        BfTree::with_config(config, None).ok().map(Tree)
    }

    fn get(&self, key: u64) -> Option<u64> {
        let mut value = [0; WORD];
        match self.0.read(&key.to_be_bytes(), &mut value) {
            LeafReadResult::Found(_) => Some(u64::from_ne_bytes(value)),
            _ => None,
        }
    }

    fn put(&self, key: u64, value: u64) -> bool {
        let done = self.0.insert(&key.to_be_bytes(), &value.to_ne_bytes());
        matches!(done, LeafInsertResult::Success)
    }

    fn insert(&self, key: u64, value: u64) -> bool {
        self.put(key, value)
    }

    fn update(&self, key: u64, value: u64) -> bool {
        self.put(key, value)
    }

    fn remove(&self, key: u64) -> bool {
        self.0.delete(&key.to_be_bytes());
        true
    }

    fn scan(&self, low: u64, values: &mut [u64]) -> usize {
        let low = low.to_be_bytes();
        let Ok(mut found) = self
            .0
            .scan_with_count(&low, values.len(), ScanReturnField::Value)
        else {
            return 0;
        };
        let (mut count, mut value) = (0, [0; WORD]);
        while count < values.len() && found.next(&mut value).is_some() {
            values[count] = u64::from_ne_bytes(value);
            count += 1;
        }
        count
    }

    fn sum(&self, low: u64, high: u64) -> (u64, u64) {
        let (low, high) = (low.to_be_bytes(), high.to_be_bytes());
        let Ok(mut found) = self
            .0
            .scan_with_end_key(&low, &high, ScanReturnField::Value)
        else {
            return (0, 0);
        };
        let (mut count, mut sum, mut value) = (0, 0_u64, [0; WORD]);
        while found.next(&mut value).is_some() {
            sum = sum.wrapping_add(u64::from_ne_bytes(value));
            count += 1;
        }
        (count, sum)
    }
}

adapter::export!(Tree);

//! The table of functions of scripts/bench/adapter.h, made for any index that implements [`Index`].
//!
//! A crate that calls [`export!`] with such a type is an adapter: the driver loads it. A session needs
//! nothing of its own, so the index serves as its session. A panic ends the process, as it should.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::slice;

/// An ordered map from 64-bit keys to 64-bit values that threads share. Writes give whether the key was
/// absent (put, insert) or present (update, remove) before; those of a blind index give true.
pub trait Index: Send + Sync + Sized {
    const NAME: &'static CStr;
    const DESCRIPTION: &'static CStr;
    const BLIND: bool = false;
    const MAX_KEY: u64 = u64::MAX;

    fn open() -> Option<Self>;
    fn get(&self, key: u64) -> Option<u64>;
    fn put(&self, key: u64, value: u64) -> bool;
    fn insert(&self, key: u64, value: u64) -> bool;
    fn update(&self, key: u64, value: u64) -> bool;
    fn remove(&self, key: u64) -> bool;
    /// Writes the values of the first keys from `low` on; gives how many there were.
    fn scan(&self, low: u64, values: &mut [u64]) -> usize;
    /// The number of the keys from `low` to `high`, both inclusive, and the sum of their values.
    fn sum(&self, low: u64, high: u64) -> (u64, u64);
}

pub const ABI: u32 = 2;

type Write = extern "C" fn(*mut c_void, u64, u64) -> c_int;

/// `bench_adapter` of adapter.h, field by field.
#[repr(C)]
pub struct Adapter {
    abi: u32,
    name: *const c_char,
    description: *const c_char,
    max_key: u64,
    open: extern "C" fn() -> *mut c_void,
    close: extern "C" fn(*mut c_void),
    session_open: extern "C" fn(*mut c_void) -> *mut c_void,
    session_close: extern "C" fn(*mut c_void),
    get: extern "C" fn(*mut c_void, u64, *mut u64) -> c_int,
    put: Write,
    insert: Write,
    update: Write,
    remove: extern "C" fn(*mut c_void, u64) -> c_int,
    scan: extern "C" fn(*mut c_void, u64, usize, *mut u64) -> i64,
    get_many: Option<extern "C" fn(*mut c_void, *const u64, usize, *mut u64) -> i64>,
    bytes: Option<extern "C" fn(*mut c_void) -> u64>,
    blind: c_int,
    put_many: Option<extern "C" fn(*mut c_void, *const u64, *const u64, usize) -> i64>,
    sum: extern "C" fn(*mut c_void, u64, u64, *mut u64) -> i64,
    written: Option<extern "C" fn(*mut c_void) -> u64>,
}

// Safety: it is never changed, and its pointers are to constants.
unsafe impl Sync for Adapter {}

/// Safety of all below: the driver gives back what `open` gave it, until it calls `close`, and only
/// pointers to as many words as it says.
fn index<'a, I: Index>(session: *mut c_void) -> &'a I {
    unsafe { &*session.cast::<I>() }
}

extern "C" fn open<I: Index>() -> *mut c_void {
    I::open().map_or(std::ptr::null_mut(), |index| {
        Box::into_raw(Box::new(index)).cast()
    })
}

extern "C" fn close<I: Index>(index: *mut c_void) {
    drop(unsafe { Box::from_raw(index.cast::<I>()) });
}

extern "C" fn session_open(index: *mut c_void) -> *mut c_void {
    index
}

extern "C" fn session_close(_session: *mut c_void) {}

extern "C" fn get<I: Index>(session: *mut c_void, key: u64, value: *mut u64) -> c_int {
    match index::<I>(session).get(key) {
        Some(found) => {
            unsafe { *value = found };
            1
        }
        None => 0,
    }
}

extern "C" fn put<I: Index>(session: *mut c_void, key: u64, value: u64) -> c_int {
    index::<I>(session).put(key, value).into()
}

extern "C" fn insert<I: Index>(session: *mut c_void, key: u64, value: u64) -> c_int {
    index::<I>(session).insert(key, value).into()
}

extern "C" fn update<I: Index>(session: *mut c_void, key: u64, value: u64) -> c_int {
    index::<I>(session).update(key, value).into()
}

extern "C" fn remove<I: Index>(session: *mut c_void, key: u64) -> c_int {
    index::<I>(session).remove(key).into()
}

extern "C" fn scan<I: Index>(session: *mut c_void, low: u64, n: usize, values: *mut u64) -> i64 {
    index::<I>(session).scan(low, unsafe { slice::from_raw_parts_mut(values, n) }) as i64
}

extern "C" fn sum<I: Index>(session: *mut c_void, low: u64, high: u64, total: *mut u64) -> i64 {
    let (count, found) = index::<I>(session).sum(low, high);
    unsafe { *total = found };
    count as i64
}

impl Adapter {
    pub const fn of<I: Index>() -> Self {
        Adapter {
            abi: ABI,
            name: I::NAME.as_ptr(),
            description: I::DESCRIPTION.as_ptr(),
            max_key: I::MAX_KEY,
            open: open::<I>,
            close: close::<I>,
            session_open,
            session_close,
            get: get::<I>,
            put: put::<I>,
            insert: insert::<I>,
            update: update::<I>,
            remove: remove::<I>,
            scan: scan::<I>,
            get_many: None,
            bytes: None,
            blind: I::BLIND as c_int,
            put_many: None,
            sum: sum::<I>,
            written: None,
        }
    }
}

/// Makes the crate an adapter of the type.
#[macro_export]
macro_rules! export {
    ($index:ty) => {
        #[no_mangle]
        pub extern "C" fn bench_adapter_get() -> *const $crate::Adapter {
            static ADAPTER: $crate::Adapter = $crate::Adapter::of::<$index>();
            &ADAPTER
        }
    };
}

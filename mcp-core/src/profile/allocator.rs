//! An allocator that counts, so that each call knows what it allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::OnceLock;

thread_local! {
    // Cells without a destructor: the allocator may be asked when a thread has almost ended.
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// A global allocator that counts what each thread takes from another one.
///
/// [`main!`](https://docs.rs/mcp-server) installs it; a program with a `main` of its own writes the same. It
/// costs about a nanosecond for each allocation. What is freed is not counted, as it may be freed by
/// another thread: the figures say how much work the allocator was given.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: mcp_core::profile::CountingAllocator = mcp_core::profile::CountingAllocator::system();
///
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator<A = System>(A);

impl CountingAllocator {
    /// Counts what is taken from the system's allocator.
    pub const fn system() -> Self {
        Self(System)
    }
}

impl<A> CountingAllocator<A> {
    /// Counts what is taken from any allocator.
    pub const fn new(allocator: A) -> Self {
        Self(allocator)
    }
}

#[expect(unsafe_code, reason = "the trait is unsafe")]
// SAFETY: every call is handed on as it came, and the counters allocate nothing.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // What was there has been counted: a vector that grows is not counted twice.
        if let Some(more) = new_size.checked_sub(layout.size()).filter(|more| *more > 0) {
            count(more);
        }
        // SAFETY: as the caller promises.
        unsafe { self.0.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}

fn count(bytes: usize) {
    // The cells need no destructor, so that they are there as long as the thread is.
    let _ = BYTES.try_with(|total| total.set(total.get().wrapping_add(bytes as u64)));
    let _ = COUNT.try_with(|total| total.set(total.get().wrapping_add(1)));
}

/// What a thread has allocated since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocated {
    pub(crate) bytes: u64,
    pub(crate) count: u64,
}

impl Allocated {
    /// Returns what this thread has allocated.
    pub(crate) fn now() -> Self {
        let read = |cell: &'static std::thread::LocalKey<Cell<u64>>| cell.try_with(Cell::get).unwrap_or(0);
        Self { bytes: read(&BYTES), count: read(&COUNT) }
    }

    /// Returns the sum of both.
    pub(crate) fn and(self, other: Self) -> Self {
        let Self { bytes, count } = other;
        Self { bytes: self.bytes.wrapping_add(bytes), count: self.count.wrapping_add(count) }
    }

    /// Returns what was allocated since an earlier look by the same thread.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let Self { bytes, count } = earlier;
        Self { bytes: self.bytes.wrapping_sub(bytes), count: self.count.wrapping_sub(count) }
    }
}

/// Returns whether the process counts its allocations.
pub fn counts_allocations() -> bool {
    static COUNTS: OnceLock<bool> = OnceLock::new();
    *COUNTS.get_or_init(|| {
        let before = Allocated::now();
        drop(std::hint::black_box(Box::new(0_u8)));
        Allocated::now() != before
    })
}

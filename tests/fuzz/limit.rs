//! A memory limit that holds to the byte: libFuzzer looks at the clock, and memory that is asked for but never touched
//! escapes it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Most memory held at once.
const LIMIT_BYTES: usize = 512 << 20;

static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which ends the process with an error for libFuzzer to note when too much is held.
pub(crate) struct Limited;

fn take(bytes: usize) {
    let held = HELD_BYTES.fetch_add(bytes, Relaxed) + bytes;
    if held > LIMIT_BYTES {
        // Ends as a panic does, but needs no memory.
        _ = std::io::stderr().write_all(b"more than 512 MB are held at once\n");
        std::process::abort();
    }
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        take(size);
        HELD_BYTES.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

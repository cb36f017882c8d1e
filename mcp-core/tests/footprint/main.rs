//! What the profiler takes of memory, for components that nobody calls and for those that are busy.

#![allow(unsafe_code, reason = "an allocator that knows what is alive")]
#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mcp_core::cache::CacheOutcome;
use mcp_core::component::{Component, Place, ToolDef};
use mcp_core::invocation::Invocation;
use mcp_core::link::Item;
use mcp_core::profile::{Outcome, Profiled, Profiler, ProfilerOptions};
use mcp_core::registry::Registry;
use mcp_core::{ToolError, schema};

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// How many threads call at once.
const THREADS: u64 = 3;

struct Alive;

// SAFETY: every call is handed on as it came, and the counter allocates nothing.
unsafe impl GlobalAlloc for Alive {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALIVE.fetch_add(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Alive = Alive;

#[schema]
struct Nothing {}

struct Tool;

impl Component for Tool {
    type Arguments = Nothing;
    type Output = ();

    async fn call(_arguments: Nothing, _cx: Invocation) -> Result<(), ToolError> {
        Ok(())
    }
}

fn registry(tools: usize) -> Registry {
    let items = (0..tools).map(|number| {
        let name = Box::leak(format!("tool_{number}").into_boxed_str());
        let def = ToolDef::new::<Tool>(name, "", Place::new(file!(), line!(), module_path!()));
        Item::Tool(Box::leak(Box::new(def)))
    });
    Registry::new(items).unwrap()
}

/// One test, as the figure is that of the process.
#[test]
fn idle_components_take_next_to_nothing_and_busy_ones_little() {
    let thousand = registry(1_000);
    let before = ALIVE.load(Relaxed);
    let idle = Profiler::new(&thousand, ProfilerOptions::default());
    let taken = ALIVE.load(Relaxed) - before;
    assert!(taken < 256 << 10, "1,000 idle components take {} KiB", taken >> 10);
    drop(idle);

    let hundred = registry(100);
    let before = ALIVE.load(Relaxed);
    let busy = Profiler::new(&hundred, ProfilerOptions::default());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (busy, hundred) = (&busy, &hundred);
            scope.spawn(move || {
                for number in 0..20 {
                    for entry in hundred.entries() {
                        let mut call = busy.call(entry).unwrap();
                        call.decoded();
                        let mut run = Profiled::new(std::future::ready(()), Some(call.looked()));
                        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                        let _ = std::pin::Pin::new(&mut run).poll(&mut cx);
                        drop(run);
                        // A hit, a run, and what fails: all that has a histogram.
                        match (number + thread) % 3 {
                            0 => call.end(Outcome::Ok, CacheOutcome::Coalesced),
                            1 => call.end(Outcome::Ok, CacheOutcome::Computed),
                            _ => call.end(Outcome::Cancelled, CacheOutcome::Bypass),
                        }
                    }
                }
            });
        }
    });
    let taken = ALIVE.load(Relaxed) - before;
    let calls: u64 = busy.components().iter().map(|component| component.totals().calls()).sum();
    assert_eq!(calls, THREADS * 20 * 100);
    assert!(taken < 8 << 20, "100 busy components of {THREADS} threads take {} KiB", taken >> 10);
}

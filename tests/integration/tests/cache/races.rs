//! Reads and changes at random on several threads: nothing from before a change that is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use mcp_server::serde_json::json;

use super::lab::{Bench, SECOND};

/// A small generator of numbers; the tests need variety, not quality.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p22_after_a_change_no_call_gets_what_was_read_before_it() {
    const READERS: [&str; 4] = ["tool reader", "tool stale_reader", "resource lab://read", "prompt told"];
    const CHANGES: [&str; 6] = ["change_item", "change_all", "tag", "arguments", "component", "clear"];
    let bench = Bench::new();
    // The newest version whose change is over.
    let over = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for seed in 1..=2_u64 {
        let (bench, over) = (bench.clone(), Arc::clone(&over));
        tasks.push(tokio::spawn(async move {
            let mut numbers = Numbers(seed * 0x9E37_79B9);
            for _ in 0..300 {
                // The version is read after the change began, so it is at most that of this change.
                let change = CHANGES[numbers.below(6) as usize];
                let before = bench.lab.version();
                if change.starts_with("change") {
                    bench.tool(change, "a").await;
                } else {
                    bench.call("change_by_hand", json!({ "how": change, "id": "a" })).await;
                }
                over.fetch_max(before + 1, SeqCst);
                tokio::task::yield_now().await;
            }
        }));
    }
    for seed in 1..=6_u64 {
        let (bench, over) = (bench.clone(), Arc::clone(&over));
        tasks.push(tokio::spawn(async move {
            let mut numbers = Numbers(seed * 0xC2B2_AE35);
            for _ in 0..600 {
                let reader = READERS[numbers.below(4) as usize];
                let least = over.load(SeqCst);
                let told = bench.any(reader, "a").await;
                let version: u64 = told.rsplit_once('v').unwrap().1.parse().unwrap();
                assert!(version >= least, "{reader}: {told} after v{least}");
                if numbers.below(50) == 0 {
                    bench.clock.advance(100 * SECOND);
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    bench.idle().await;
    let stats = bench.stats();
    assert!(stats.memory > 100 && stats.computed > 100, "both ways were gone: {stats:?}");
    for reader in READERS {
        let told = bench.any(reader, "a").await;
        assert!(told.ends_with(&format!("v{}", bench.lab.version())) || told.starts_with("stale"), "{told}");
    }
}

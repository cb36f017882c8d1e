//! What a read and a write cost, for a person to look at: `cargo test --release -- --ignored cost`.

use std::time::Instant;

use mcp_core::cache::level::{Level, Origin, Voided};
use mcp_core::cache::sql::{Database, DatabaseOptions};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; it shows nothing that could fail"]
async fn the_cost_of_reads_writes_and_invalidations() {
    const COUNT: u64 = 5_000;
    let folder = crate::sqlite::Folder::new();
    let application = crate::suite::application("cost");
    let postgres = DatabaseOptions { application, ..Default::default() };
    let postgres = Database::open(&crate::postgres::url(), postgres).unwrap();
    for (name, level) in [("sqlite", folder.level()), ("postgres", postgres)] {
        let tags = [tag("a"), tag("b")];
        let marks = marks(&level, &tags).await;
        let began = Instant::now();
        for number in 0..COUNT {
            assert!(store(&level, number, &tags, &marks, &[7; 1_000]).await.unwrap());
        }
        let writes = began.elapsed();
        let began = Instant::now();
        for number in 0..COUNT {
            assert!(level.read(&key(number), &tags).await.unwrap().value.is_some());
        }
        let reads = began.elapsed();
        let began = Instant::now();
        for _ in 0..COUNT / 5 {
            level.invalidate(&Voided::Tags(tags.to_vec()), Origin(1)).await.unwrap();
        }
        let voids = began.elapsed() * 5;
        let each = |all: std::time::Duration| all.as_micros() / u128::from(COUNT);
        println!(
            "{name}: read {} µs, write {} µs, invalidation {} µs",
            each(reads),
            each(writes),
            each(voids)
        );
        level.invalidate(&Voided::All, Origin(1)).await.unwrap();
    }
}

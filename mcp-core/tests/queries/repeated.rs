//! A statement that a call runs five times is flagged, with the checkpoint where that began.

use std::time::Duration;

use mcp_core::profile::sql::{PoolFigures, pool};
use sqlx::SqlitePool;

use crate::support::*;

async fn users(pool: &SqlitePool, times: i64) {
    sqlx::query("SELECT 1 AS all_rows").fetch_all(pool).await.unwrap();
    mcp_core::checkpoint!("rows loaded");
    for id in 0..times {
        sqlx::query("SELECT $1 AS one_user").bind(id).fetch_one(pool).await.unwrap();
    }
    mcp_core::checkpoint!("users loaded");
    sqlx::query("SELECT $1 AS one_user").bind(-1).fetch_one(pool).await.unwrap();
}

#[tokio::test]
async fn four_times_is_silent_and_five_times_is_flagged() {
    watch();
    let file = File::new();
    let pool = call("opens", sqlite(&file)).await.0;
    let ((), four) = call("users", users(&pool, 3)).await;
    assert!(four.queries().repeated(5).is_empty(), "{:?}", four.queries());

    let ((), five) = call("users", users(&pool, 4)).await;
    let repeated = five.queries().repeated(5);
    assert_eq!(repeated.len(), 1);
    assert_eq!(&**repeated[0].statement.fingerprint(), "SELECT ? AS one_user");
    assert_eq!((repeated[0].times, repeated[0].after), (5, Some("rows loaded")));
    assert!(repeated[0].total > Duration::ZERO && repeated[0].total <= five.queries().total());

    let first = five.queries().first();
    let places: Vec<_> = first.iter().map(|query| query.after).collect();
    let loaded = Some("rows loaded");
    assert_eq!(places, [None, loaded, loaded, loaded, loaded, Some("users loaded")]);
    assert!(first.is_sorted_by_key(|query| query.start));
}

#[tokio::test]
async fn waits_for_connections_are_counted_where_the_pool_tells_of_them() {
    watch();
    let file = File::new();
    let before: PoolFigures = pool();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file.path()).create_if_missing(true);
    let one = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_time_level("debug".parse().unwrap());
    let ((), _) = call("waits", async {
        let one = one.connect_with(options).await.unwrap();
        let held = one.acquire().await.unwrap();
        let waits = async {
            let began = std::time::Instant::now();
            drop(one.acquire().await.unwrap());
            began.elapsed()
        };
        let lets_go = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            drop(held);
        };
        let (waited, ()) = tokio::join!(waits, lets_go);
        let after = pool();
        assert!(after.waits >= before.waits + 2, "{before:?} {after:?}");
        assert!(after.max_ns >= 25_000_000 && after.total_ns >= after.max_ns, "{after:?}");
        assert!(u128::from(after.max_ns) <= waited.as_nanos(), "{after:?} {waited:?}");
    })
    .await;
}

//! What lies in Redis: nobody gets another's, nothing that was tampered with, and it gives nothing away.

use std::collections::HashMap;

use mcp_core::cache::CacheOutcome::{Coalesced, Computed, Memory, Shared};
use mcp_core::cache::{Key, TagId};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use crate::support::*;

/// The rows of one application, as whoever has the Redis sees them.
struct Rows {
    application: String,
    connection: MultiplexedConnection,
}

impl Rows {
    async fn of(application: &str) -> Self {
        let connection = connect(&redis_url()).await;
        Self { application: application.to_owned(), connection }
    }

    fn name(&self, key: &Key) -> Vec<u8> {
        [format!("mcp:{{{}}}:v:", self.application).as_bytes(), key.as_bytes()].concat()
    }

    async fn get(&mut self, key: &Key) -> Option<Vec<u8>> {
        self.connection.get(self.name(key)).await.unwrap()
    }

    async fn set(&mut self, key: &Key, value: &[u8]) {
        let () = self.connection.pset_ex(self.name(key), value, 60_000).await.unwrap();
    }

    /// Everything in Redis whose name has the application's in it.
    async fn dump(&mut self) -> Vec<u8> {
        let mut found = Vec::new();
        let mut cursor = 0_u64;
        loop {
            let pattern = format!("mcp:{{{}}}:*", self.application);
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(1_000);
            let (next, names): (u64, Vec<Vec<u8>>) = scan.query_async(&mut self.connection).await.unwrap();
            for name in names {
                found.extend(&name);
                let kind: String =
                    redis::cmd("TYPE").arg(&name).query_async(&mut self.connection).await.unwrap();
                let read = match &*kind {
                    "string" => redis::cmd("GET").arg(&name).clone(),
                    "hash" => redis::cmd("HGETALL").arg(&name).clone(),
                    "stream" => redis::cmd("XRANGE").arg(&name).arg("-").arg("+").clone(),
                    other => panic!("a {other}"),
                };
                gather(&read.query_async(&mut self.connection).await.unwrap(), &mut found);
            }
            cursor = next;
            if cursor == 0 {
                return found;
            }
        }
    }
}

fn gather(value: &redis::Value, found: &mut Vec<u8>) {
    match value {
        redis::Value::BulkString(bytes) => found.extend(bytes),
        redis::Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        redis::Value::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            gather(key, found);
            gather(value, found);
        }),
        other => found.extend(format!("{other:?}").bytes()),
    }
}

/// Whoever reads the row of `a` computes by itself, and the row is that of the new result then.
async fn refused(application: &str, rows: &mut Rows, value: &[u8], what: &str) {
    let node = Node::open(&redis_url(), application).await;
    let lookup = node.lookup("a", policy());
    rows.set(&lookup.key, value).await;
    let served = node.call(lookup.clone(), good("new")).await;
    assert_eq!(seen(&served), ("new".into(), Computed), "{what}");
    node.cache.idle().await;
    assert_ne!(rows.get(&lookup.key).await.as_deref(), Some(value), "{what} is still there");
    let other = Node::open(&redis_url(), application).await;
    assert_eq!(other.settle("a", "x").await, ("new".into(), Shared), "{what}");
}

#[tokio::test]
async fn p35_a_row_that_was_damaged_is_a_miss_and_is_replaced() {
    let application = application("p35");
    let mut rows = Rows::of(&application).await;
    let node = Node::open(&redis_url(), &application).await;
    _ = node.settle("a", "old").await;
    let sound = rows.get(&node.lookup("a", policy()).key).await.unwrap();
    let dice = Dice::new(35);
    for _ in 0..60 {
        let (at, bit) = (dice.below(sound.len()), dice.below(8));
        let mut value = sound.clone();
        value[at] ^= 1 << bit;
        refused(&application, &mut rows, &value, &format!("bit {bit} of byte {at}")).await;
        refused(&application, &mut rows, &sound[..at], &format!("{at} bytes")).await;
    }
    refused(&application, &mut rows, b"", "nothing").await;
}

#[tokio::test]
async fn p35_swapped_rows_are_misses_and_are_removed() {
    let (url, application) = (redis_url(), application("swap"));
    let mut rows = Rows::of(&application).await;
    let node = Node::open(&url, &application).await;
    let (alice, bob) = (Some([1; 32]), Some([2; 32]));
    let calls = [("a", None), ("b", None), ("same", alice), ("same", bob)];
    let lookups = calls.map(|(name, owner)| node.lookup_of(name, policy(), owner, 0));
    for (number, lookup) in lookups.iter().enumerate() {
        _ = node.call(lookup.clone(), good(format!("of {number}"))).await;
    }
    node.cache.idle().await;
    for pair in lookups.chunks(2) {
        let values = (rows.get(&pair[0].key).await.unwrap(), rows.get(&pair[1].key).await.unwrap());
        rows.set(&pair[0].key, &values.1).await;
        rows.set(&pair[1].key, &values.0).await;
    }
    let other = Node::open(&url, &application).await;
    for lookup in &lookups {
        // The function fails, so that nothing takes the place of the row.
        let served = other.call(lookup.clone(), failed()).await;
        assert!(served.result.is_err(), "{} is another's", text(&served));
        assert_eq!(rows.get(&lookup.key).await, None, "it is removed");
    }
    assert_eq!(other.cache.stats().levels[0].corrupt, 4);
}

#[tokio::test]
async fn p35_a_good_row_that_came_meanwhile_is_not_removed() {
    let (url, application) = (redis_url(), application("heal"));
    let mut rows = Rows::of(&application).await;
    let node = Node::open(&url, &application).await;
    _ = node.settle("a", "good").await;
    let lookup = node.lookup("a", policy());
    let sound = rows.get(&lookup.key).await.unwrap();
    let mut bad = sound.clone();
    *bad.last_mut().unwrap() ^= 1;
    let level = level(&url, &application);
    rows.set(&lookup.key, &bad).await;
    let read = level.read(&lookup.key, &lookup.tags).await.unwrap().value.unwrap().0;
    rows.set(&lookup.key, &sound).await;
    level.discard(&lookup.key, &read).await.unwrap();
    assert_eq!(rows.get(&lookup.key).await, Some(sound));
    level.discard(&lookup.key, &rows.get(&lookup.key).await.unwrap()).await.unwrap();
    assert_eq!(rows.get(&lookup.key).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p37_nobody_gets_what_was_made_for_another() {
    const OWNERS: usize = 6;
    let (url, application) = (redis_url(), application("p37"));
    let nodes = Node::many(3, &url, &application).await;
    let kinds = [policy(), policy().ttl_ms(5).stale_ms(60_000), policy().ttl_ms(5).stale_if_error_ms(60_000)];
    let mut calls = Vec::new();
    let mut outcomes = HashMap::new();
    // What another node has is asked for once in any case; the rest is chance.
    let mut digest = [7; 32];
    digest[31] = 1;
    for node in &nodes[..2] {
        let lookup = node.lookup_of("of 0", kinds[0], Some(digest), 0);
        *outcomes.entry(node.call_with(lookup, || async { good(1) }).await.outcome).or_insert(0) += 1;
        node.cache.idle().await;
    }
    let dice = Dice::new(37);
    for _ in 0..3_000 {
        let (node, owner, kind) = (nodes[dice.below(3)].clone(), dice.below(OWNERS), dice.below(3));
        let (fails, drops) = (kind == 2 && dice.chance(0.3), dice.chance(0.02));
        calls.push(tokio::spawn(async move {
            // Everybody's is one of them; bytes that differ late.
            let mut digest = [7; 32];
            digest[31] = owner as u8;
            let lookup = node.lookup_of(&format!("of {kind}"), kinds[kind], (owner > 0).then_some(digest), 0);
            if drops {
                node.cache.invalidate_tag("everything").await;
            }
            let slow = move || async move {
                tokio::time::sleep(millis(2)).await;
                if fails { failed() } else { good(owner) }
            };
            let served = node.call_with(lookup, slow).await;
            assert!(
                served.result.is_err() || text(&served) == owner.to_string(),
                "{} got {}",
                owner,
                text(&served)
            );
            served.outcome
        }));
        if calls.len() % 50 == 0 {
            tokio::time::sleep(millis(3)).await;
        }
    }
    for call in calls {
        *outcomes.entry(call.await.unwrap()).or_insert(0) += 1;
    }
    println!("{outcomes:?}");
    for outcome in [Memory, Shared, Coalesced, Computed, mcp_core::cache::CacheOutcome::Stale] {
        assert!(outcomes.contains_key(&outcome), "there was no {outcome:?}");
    }
    // All is counted once, and nothing is left.
    let mut counted = 0;
    for node in &nodes {
        node.cache.idle().await;
        until("all is told", async || node.cache.stats().levels[0].pending == 0).await;
        let stats = node.cache.stats();
        assert_eq!(stats.flights, 0);
        counted += stats.memory + stats.shared + stats.database + stats.coalesced + stats.computed;
        counted += stats.stale + stats.negative + stats.bypass;
    }
    assert_eq!(counted, 3_002);
}

#[tokio::test]
async fn p45_outcomes_add_up_to_the_calls_and_agree_with_the_functions() {
    let (url, application) = (redis_url(), application("p45"));
    let nodes = Node::many(3, &url, &application).await;
    let dice = Dice::new(45);
    let mut calls = vec![0; nodes.len()];
    for _ in 0..600 {
        let number = dice.below(nodes.len());
        let node = &nodes[number];
        calls[number] += 1;
        _ = node.settle(&dice.below(20).to_string(), "1").await;
        if dice.chance(0.05) {
            node.cache.invalidate_tag(&format!("name:{}", dice.below(20))).await;
        }
    }
    for (node, calls) in nodes.iter().zip(calls) {
        let stats = node.cache.stats();
        assert_eq!(stats.memory + stats.shared + stats.computed, calls);
        assert_eq!(stats.computed, node.runs());
        let below = &stats.levels[0];
        assert_eq!(below.hits, stats.shared);
        assert_eq!(below.hits + below.misses + below.skipped, stats.shared + stats.computed);
        assert_eq!((below.failures, below.corrupt, below.pending, stats.flights), (0, 0, 0, 0), "p16");
    }
}

#[tokio::test]
async fn p38_redis_holds_no_argument_owner_or_tag_in_the_clear() {
    const CANARY: &str = "canary-7f3a";
    let (url, application) = (redis_url(), application("p38"));
    let node = Node::open(&url, &application).await;
    let owner: [u8; 32] = *b"canary-7f3a-subject-of-the-token";
    for (secret_owner, result) in
        [(None, "1".to_owned()), (Some(owner), format!("\"{}\"", "x".repeat(9_000)))]
    {
        let mut lookup = node.lookup_of(&format!("{CANARY}-argument"), policy(), secret_owner, 0);
        lookup.tags = [TagId::tag(&format!("{CANARY}-tag")), TagId::resource("product://canary-7f3a")].into();
        assert_eq!(seen(&node.call(lookup.clone(), good(&result)).await).1, Computed);
    }
    node.cache.idle().await;
    node.cache.invalidate_tag(&format!("{CANARY}-other")).await;
    node.cache.invalidate_resource("product://canary-7f3a/other").await;
    let dump = Rows::of(&application).await.dump().await;
    assert!(dump.len() > 300, "there are values, marks and news");
    for canary in [CANARY, "canary", "subject", "product", &format!("{:02x?}", &owner[..6])] {
        let found = dump.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{canary} is in Redis");
    }
    assert!(!dump.windows(32).any(|window| window == [5; 32]), "nor is the secret");
}

//! What makes results invalid, and when.

use harness::{LEGACY, Wire};
use mcp_server::serde_json::json;

use super::components::{self, read, reader, row, stale_reader, told};
use super::lab::{Bench, Does, SECOND};

/// The readers, each with what runs in the lab for the id `a`.
const READERS: [(&str, &str); 4] = [
    ("tool reader", "reader:a"),
    ("tool stale_reader", "stale_reader:a"),
    ("resource lab://read", "read:a"),
    ("prompt told", "told:a"),
];

/// The ways to change the origin for `a`, and which of [`READERS`] they concern.
const CHANGES: [(&str, [bool; 4]); 12] = [
    ("change_item", [true; 4]),
    ("change_items", [true; 4]),
    ("change_all", [true; 4]),
    ("change_resource", [false, false, true, false]),
    ("change_tool", [true, false, false, false]),
    ("change_prompt", [false, false, false, true]),
    ("change_nothing", [false; 4]),
    ("by hand: tag", [true; 4]),
    ("by hand: resource", [false, false, true, false]),
    ("by hand: arguments", [true; 4]),
    ("by hand: component", [true; 4]),
    ("by hand: clear", [true; 4]),
];

async fn change(bench: &Bench, how: &str) {
    match how.strip_prefix("by hand: ") {
        Some(how) => bench.call("change_by_hand", json!({ "how": how, "id": "a" })).await,
        None => bench.tool(how, "a").await,
    };
}

#[tokio::test]
async fn p22_a_change_makes_invalid_what_it_declares_and_nothing_else() {
    for (how, concerned) in CHANGES {
        let bench = Bench::new();
        for id in ["a", "b"] {
            for (reader, _) in READERS {
                assert_eq!(bench.any(reader, id).await, "computed: v0");
            }
        }
        change(&bench, how).await;
        for ((reader, _), concerned) in READERS.into_iter().zip(concerned) {
            let expected = if concerned { "computed: v1" } else { "memory: v0" };
            assert_eq!(bench.any(reader, "a").await, expected, "{how}, {reader}");
        }
        // Another id is concerned only by what names all.
        let all = ["change_items", "by hand: component", "by hand: clear"].contains(&how);
        let component = ["change_all", "change_tool"].contains(&how);
        let told = bench.any("tool reader", "b").await;
        assert_eq!(told, if all || component { "computed: v1" } else { "memory: v0" }, "{how}");
        let told = bench.any("resource lab://read", "b").await;
        assert_eq!(told, if all { "computed: v1" } else { "memory: v0" }, "{how}");
    }
}

#[tokio::test]
async fn p22_a_read_that_was_under_way_is_not_kept() {
    for (how, concerned) in CHANGES {
        for ((reader, run), concerned) in READERS.into_iter().zip(concerned) {
            let bench = Bench::new();
            let gate = bench.lab.close(run);
            let early = tokio::spawn({
                let bench = bench.clone();
                async move { bench.any(reader, "a").await }
            });
            gate.entered().await;
            change(&bench, how).await;
            gate.open();
            // It began before the change was made, and may say so.
            assert_eq!(early.await.unwrap(), "computed: v0");
            let expected = if concerned { "computed: v1" } else { "memory: v0" };
            assert_eq!(bench.any(reader, "a").await, expected, "{how}, {reader}");
        }
    }
}

#[tokio::test]
async fn p23_a_refresh_that_was_under_way_is_not_kept_either() {
    for (how, concerned) in CHANGES {
        let bench = Bench::new();
        bench.tool("stale_reader", "a").await;
        bench.clock.advance(100 * SECOND);
        let gate = bench.lab.close("stale_reader:a");
        assert_eq!(bench.tool("stale_reader", "a").await, "stale: v0");
        gate.entered().await;
        change(&bench, how).await;
        gate.open();
        bench.idle().await;
        let expected = if concerned[1] { "computed: v1" } else { "memory: v0" };
        assert_eq!(bench.tool("stale_reader", "a").await, expected, "{how}");
    }
}

#[tokio::test]
async fn p24_who_comes_after_a_change_never_waits_for_a_run_from_before_it() {
    for (how, concerned) in CHANGES {
        for ((reader, run), concerned) in READERS.into_iter().zip(concerned) {
            let bench = Bench::new();
            let gate = bench.lab.close(run);
            let spawn = || {
                let bench = bench.clone();
                tokio::spawn(async move { bench.any(reader, "a").await })
            };
            let early = spawn();
            gate.entered().await;
            change(&bench, how).await;
            let late = spawn();
            if concerned {
                gate.entered().await;
            } else {
                bench.until(|stats| stats.joined == 1).await;
            }
            // Another one waits with the second.
            let later = spawn();
            bench.until(|stats| stats.joined == 1 + u64::from(!concerned)).await;
            gate.open();
            assert_eq!(early.await.unwrap(), "computed: v0", "{how}, {reader}");
            let (late, later) = (late.await.unwrap(), later.await.unwrap());
            if concerned {
                assert_eq!((&*late, &*later), ("computed: v1", "coalesced: v1"), "{how}, {reader}");
            } else {
                assert_eq!((&*late, &*later), ("coalesced: v0", "coalesced: v0"), "{how}, {reader}");
            }
        }
    }
}

#[tokio::test]
async fn p22_only_a_success_makes_anything_invalid() {
    for does in [Does::Fail, Does::NotFound, Does::Invalid, Does::Hide, Does::IsError] {
        let bench = Bench::new();
        bench.tool("reader", "a").await;
        let changes = ["change_item", "change_items", "change_tool", "change_all"];
        for name in changes {
            bench.lab.set(&format!("{name}:a"), does.clone());
            assert!(bench.tool(name, "a").await.starts_with("bypass: error: "));
            let told = bench.tool("reader", "a").await;
            assert!(told.starts_with("memory: "), "{name}: {told}");
        }
        assert_eq!(bench.stats().invalidations, 0);
    }
}

#[tokio::test]
async fn p22_the_answer_of_a_change_comes_after_it_took_effect() {
    let bench = Bench::new();
    let mut writer = Wire::connect(&bench.server, LEGACY).await;
    let mut wire = Wire::connect(&bench.server, LEGACY).await;
    for version in 1..20 {
        wire.result("resources/read", json!({ "uri": "lab://read/a" })).await;
        writer.call("change_resource", json!({ "id": "a" })).await;
        let read = wire.result("resources/read", json!({ "uri": "lab://read/a" })).await;
        assert_eq!(read["contents"][0]["text"], format!("v{version}"));
    }
}

#[tokio::test]
async fn p22_what_was_cut_off_may_have_changed_something_and_makes_it_invalid() {
    let bench = Bench::new();
    bench.tool("reader", "a").await;
    bench.lab.set("change_item:a", Does::Panic);
    assert!(bench.tool("change_item", "a").await.starts_with("bypass: error: "));
    assert_eq!(bench.tool("reader", "a").await, "computed: v0");

    bench.lab.set("change_item:a", Does::Count);
    let gate = bench.lab.close("change_item:a");
    let caller = bench.spawn("change_item", "a");
    gate.entered().await;
    assert_eq!(bench.tool("reader", "a").await, "memory: v0");
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert_eq!(bench.tool("reader", "a").await, "computed: v0");
}

#[tokio::test(start_paused = true)]
async fn p22_so_does_what_was_ended_by_its_timeout() {
    let bench = Bench::new();
    bench.tool("reader", "a").await;
    bench.lab.set("change_in_time:a", Does::Hang);
    let told = bench.tool("change_in_time", "a").await;
    assert_eq!(told, "bypass: error: `change_in_time` took longer than 50ms and was ended");
    assert_eq!(bench.tool("reader", "a").await, "computed: v0");
}

#[tokio::test]
async fn an_argument_s_results_are_invalid_for_every_caller() {
    let bench = Bench::new();
    let callers = ["ann", "bob"].map(|name| mcp_server::Identity::new("i", name));
    for who in &callers {
        for id in ["a", "b"] {
            bench.tool_as(who, "stale_reader", id).await;
        }
    }
    bench.lab.change();
    stale_reader::invalidate(&bench.cache(), "a".into()).await;
    for who in &callers {
        assert_eq!(bench.tool_as(who, "stale_reader", "a").await, "computed: v1");
        assert_eq!(bench.tool_as(who, "stale_reader", "b").await, "memory: v0");
    }
    stale_reader::invalidate_all(&bench.cache()).await;
    for who in &callers {
        for id in ["a", "b"] {
            assert_eq!(bench.tool_as(who, "stale_reader", id).await, "computed: v1");
        }
    }
}

#[tokio::test]
async fn a_tool_is_invalidated_by_what_makes_its_key() {
    let bench = Bench::new();
    let cache = bench.cache();
    bench.call("keyed", json!({ "id": "x", "hint": "a" })).await;
    components::keyed::invalidate(&cache, "y".into(), "a".into()).await;
    assert_eq!(bench.call("keyed", json!({ "id": "x", "hint": "b" })).await, "memory: keyed:x#1");
    components::keyed::invalidate(&cache, "x".into(), "anything".into()).await;
    assert_eq!(bench.call("keyed", json!({ "id": "x", "hint": "b" })).await, "computed: keyed:x#2");

    let search = |limit| components::Search {
        query: "x".into(),
        limit,
        ratio: -0.0,
        filters: std::collections::BTreeMap::new(),
        order: None,
    };
    bench.call("search", json!({ "query": "x" })).await;
    components::search::invalidate(&cache, search(11)).await;
    assert_eq!(bench.call("search", json!({ "query": "x" })).await, "memory: search:x#1");
    components::search::invalidate(&cache, search(10)).await;
    assert_eq!(bench.call("search", json!({ "query": "x" })).await, "computed: search:x#2");
}

#[tokio::test]
async fn a_resource_is_invalid_however_its_uri_was_written() {
    for (read_as, invalidated_as) in [
        ("lab://read/a%2fb", "lab://read/a%2Fb"),
        ("lab://read/a%2Fb", "lab://read/a%2fb"),
        ("lab://read/%61", "lab://read/a"),
        ("lab://read/a", "lab://read/%61"),
        ("lab://row/007", "lab://row/7"),
        ("lab://row/7", "lab://row/007"),
        ("lab://row/%2b7", "lab://row/7"),
    ] {
        let bench = Bench::new();
        assert_eq!(bench.resource(read_as).await, "computed: v0");
        bench.lab.change();
        bench.cache().invalidate_resource(invalidated_as).await;
        assert_eq!(bench.resource(read_as).await, "computed: v1", "{read_as}, then {invalidated_as}");
        assert_eq!(bench.resource(invalidated_as).await, "memory: v1", "{read_as}, then {invalidated_as}");
    }
    // What is kept under another spelling is what the declared one finds.
    let bench = Bench::new();
    assert_eq!(bench.resource("lab://row/007").await, "computed: v0");
    assert_eq!(bench.resource("lab://row/7").await, "memory: v0");
    bench.call("change_row", json!({ "id": "7" })).await;
    assert_eq!(bench.resource("lab://row/7").await, "computed: v1");
    row::prime(&bench.cache(), 8, "primed".into()).await.unwrap();
    bench.call("change_row", json!({ "id": "8" })).await;
    assert_eq!(bench.resource("lab://row/8").await, "computed: v2");
}

#[tokio::test]
async fn who_subscribed_is_told_of_every_way_in_which_a_resource_becomes_invalid() {
    let bench = Bench::new();
    let cache = bench.cache();
    let mut wire = Wire::connect(&bench.server, LEGACY).await;
    wire.result("resources/subscribe", json!({ "uri": "lab://read/a" })).await;
    wire.result("resources/read", json!({ "uri": "lab://read/a" })).await;
    for how in ["tag", "resource", "arguments", "component", "clear"] {
        bench.call("change_by_hand", json!({ "how": how, "id": "a" })).await;
        let updated = wire.notification("notifications/resources/updated");
        let updated =
            tokio::time::timeout(5 * SECOND, updated).await.unwrap_or_else(|_| panic!("not told: {how}"));
        assert_eq!(updated["params"]["uri"], "lab://read/a", "{how}");
    }
    read::invalidate(&cache, "b".into()).await;
    reader::invalidate_all(&cache).await;
    told::invalidate_all(&cache).await;
    assert!(wire.is_silent().await);
}

//! One run for all who ask the same, whoever of them leaves.

use harness::{LEGACY, MODERN, Wire};
use mcp_server::prelude::*;
use mcp_server::serde_json::{Value, json};

use super::lab::{Bench, Does, SECOND};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p10_many_callers_of_one_call_run_it_once() {
    const CALLERS: u64 = 500;
    let bench = Bench::new();
    let gate = bench.lab.close("plain:a");
    let callers: Vec<_> = (0..CALLERS).map(|_| bench.spawn("plain", "a")).collect();
    bench.until(|stats| stats.joined == CALLERS - 1).await;
    gate.open();
    let mut computed = 0;
    for caller in callers {
        let told = caller.await.unwrap();
        assert!(matches!(&*told, "computed: plain:a#1" | "coalesced: plain:a#1"), "{told}");
        computed += u64::from(told.starts_with("computed"));
    }
    assert_eq!((computed, bench.lab.runs("plain:a")), (1, 1));
    let figures = bench.figures("tool", "plain");
    assert_eq!(figures.cache, [("coalesced".to_owned(), CALLERS - 1), ("computed".to_owned(), 1)]);
    assert_eq!(bench.stats().flights, 0);
}

#[tokio::test]
async fn p10_also_over_one_connection_and_over_several_of_different_revisions() {
    let bench = Bench::new();
    let gate = bench.lab.close("plain:a");
    let mut wires = Vec::new();
    for revision in [MODERN, LEGACY, "2024-11-05"] {
        wires.push(Wire::connect(&bench.server, revision).await);
    }
    let call = json!({ "name": "plain", "arguments": { "id": "a" } });
    let mut sent = Vec::new();
    for _ in 0..10 {
        for (at, wire) in wires.iter_mut().enumerate() {
            sent.push((at, wire.send("tools/call", call.clone()).await));
        }
    }
    bench.until(|stats| stats.joined == 29).await;
    gate.open();
    for (at, id) in sent {
        let answer = wires[at].answer_to(&id).await;
        assert_eq!(answer["result"]["content"][0]["text"], "plain:a#1", "{answer}");
    }
    assert_eq!(bench.lab.runs("plain:a"), 1);
}

#[tokio::test]
async fn p10_one_run_for_each_identity() {
    let bench = Bench::new();
    let gate = bench.lab.close("plain:a");
    let mut callers = Vec::new();
    for number in 0..40 {
        let (bench, who) = (bench.clone(), Identity::new("i", ["ann", "bob", "cyd", "dan"][number % 4]));
        callers.push(tokio::spawn(async move { (number % 4, bench.tool_as(&who, "plain", "a").await) }));
    }
    bench.until(|stats| stats.joined == 36 && stats.flights == 4).await;
    gate.open();
    let mut seen = [const { Vec::new() }; 4];
    for caller in callers {
        let (who, told) = caller.await.unwrap();
        seen[who].push(told.rsplit_once('#').unwrap().1.to_owned());
    }
    for runs in &mut seen {
        runs.dedup();
        assert_eq!(runs.len(), 1, "all of one identity got one run");
    }
    assert_eq!(bench.lab.runs("plain:a"), 4);
}

#[tokio::test]
async fn p11_a_run_that_everybody_left_is_kept_for_who_comes_next() {
    let bench = Bench::new();
    let gate = bench.lab.close("plain:a");
    let caller = bench.spawn("plain", "a");
    gate.entered().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    gate.open();
    bench.idle().await;
    assert_eq!(bench.tool("plain", "a").await, "memory: plain:a#1");
    let figures = bench.figures("tool", "plain");
    assert!(figures.outcomes.contains(&("dropped".to_owned(), 1)), "{figures:?}");
}

#[tokio::test]
async fn p12_a_panic_fails_all_who_wait_once_and_the_next_call_runs_again() {
    let bench = Bench::new();
    bench.lab.set("plain:a", Does::Panic);
    let gate = bench.lab.close("plain:a");
    let callers: Vec<_> = (0..20).map(|_| bench.spawn("plain", "a")).collect();
    bench.until(|stats| stats.joined == 19).await;
    gate.open();
    for caller in callers {
        let told = caller.await.unwrap();
        assert!(told.ends_with(": error: internal error"), "{told}");
    }
    assert_eq!(bench.lab.runs("plain:a"), 1);
    bench.lab.set("plain:a", Does::Count);
    assert_eq!(bench.tool("plain", "a").await, "computed: plain:a#2");
    assert_eq!(bench.figures("tool", "plain").outcomes[1], ("panic".to_owned(), 20));
}

#[tokio::test]
async fn p13_who_cancels_takes_nothing_from_the_others() {
    for leader_leaves in [true, false] {
        let bench = Bench::new();
        let gate = bench.lab.close("plain:a");
        let mut leader = Wire::connect(&bench.server, MODERN).await;
        let mut waiter = Wire::connect(&bench.server, LEGACY).await;
        let call = json!({ "name": "plain", "arguments": { "id": "a" } });
        let first = leader.send("tools/call", call.clone()).await;
        gate.entered().await;
        let second = waiter.send("tools/call", call.clone()).await;
        bench.until(|stats| stats.joined == 1).await;
        let (leaves, left) = if leader_leaves { (&mut leader, &first) } else { (&mut waiter, &second) };
        leaves.notify("notifications/cancelled", json!({ "requestId": left })).await;
        // The answer to another call shows that the cancellation has arrived.
        leaves.call("plain", json!({ "id": "b" })).await;

        // Who comes after it is not concerned either.
        let third = waiter.send("tools/call", call.clone()).await;
        bench.until(|stats| stats.joined == 2).await;
        gate.open();
        let stays =
            if leader_leaves { waiter.answer_to(&second).await } else { leader.answer_to(&first).await };
        for answer in [stays, waiter.answer_to(&third).await] {
            assert_eq!(answer["result"]["content"][0]["text"], "plain:a#1", "{answer}");
        }
        assert_eq!(bench.lab.runs("plain:a"), 1);
        assert_eq!(bench.tool("plain", "a").await, "memory: plain:a#1");
    }
}

#[tokio::test(start_paused = true)]
async fn p14_each_waits_no_longer_than_the_timeout_and_the_place_is_free_again() {
    let bench = Bench::new();
    bench.lab.set("timed:a", Does::Hang);
    let started = tokio::time::Instant::now();
    let callers: Vec<_> = (0..10).map(|_| bench.spawn("timed", "a")).collect();
    for caller in callers {
        let told = caller.await.unwrap();
        assert!(told.ends_with("error: `timed` took longer than 50ms and was ended"), "{told}");
    }
    let took = started.elapsed().as_millis();
    assert!((50..=55).contains(&took), "{took} ms");
    assert_eq!((bench.lab.runs("timed:a"), bench.stats().flights), (1, 0));
}

#[tokio::test]
async fn p15_a_tool_that_calls_itself_ends() {
    let bench = Bench::new();
    let called = tokio::time::timeout(20 * SECOND, bench.tool("recursive", "a")).await;
    assert_eq!(called.expect("it ends"), "computed: recursive:a#3");
    assert_eq!(bench.tool("recursive", "a").await, "memory: recursive:a#3");
    bench.idle().await;
}

#[tokio::test]
async fn p10_a_limit_on_runs_holds_and_hits_need_no_place() {
    let bench = Bench::new();
    bench.tool("lone", "hit").await;
    let gate = bench.lab.close("lone:a");
    let (first, second) = (bench.spawn("lone", "a"), bench.spawn("lone", "b"));
    gate.entered().await;
    bench.until(|stats| stats.flights == 2).await;
    assert_eq!(bench.lab.runs("lone:b"), 0);
    assert_eq!(bench.tool("lone", "hit").await, "memory: lone:hit#1");
    gate.open();
    assert_eq!(first.await.unwrap(), "computed: lone:a#1");
    assert_eq!(second.await.unwrap(), "computed: lone:b#1");
}

#[tokio::test]
async fn p16_nothing_is_left_when_all_is_quiet() {
    let bench = Bench::new();
    let mut gates = Vec::new();
    let mut callers = Vec::new();
    for (number, does) in [Does::Count, Does::Fail, Does::Panic, Does::NotFound, Does::IsError, Does::Hide]
        .into_iter()
        .enumerate()
    {
        let id = number.to_string();
        for name in ["plain", "lasting", "negative"] {
            bench.lab.set(&format!("{name}:{id}"), does.clone());
            gates.push(bench.lab.close(&format!("{name}:{id}")));
            callers.extend((0..5).map(|_| bench.spawn(name, &id)));
        }
    }
    bench.until(|stats| stats.flights == 18 && stats.joined == 72).await;
    for caller in callers.iter().step_by(2) {
        caller.abort();
    }
    bench.cache().invalidate_tag("lasting:0").await;
    gates.iter().for_each(super::lab::Gate::open);
    bench.idle().await;
    for caller in callers {
        if let Ok(told) = caller.await {
            assert!(told.starts_with("co"), "computed or coalesced: {told}");
        }
    }
    assert_eq!(bench.stats().flights, 0);
    assert!(bench.cache().drain(SECOND).await);
}

#[tokio::test]
async fn p13_a_question_belongs_to_the_call_that_asks_it() {
    let bench = Bench::new();
    let call = json!({ "name": "confirm", "arguments": { "id": "a" } });
    let mut states: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let mut wire = Wire::connect_with(&bench.server, MODERN, json!({ "elicitation": {} })).await;
        let (first, second) =
            (wire.send("tools/call", call.clone()).await, wire.send("tools/call", call.clone()).await);
        for id in [first, second] {
            let answer = wire.answer_to(&id).await;
            assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
            states.push(answer["result"]["requestState"].clone());
        }
    }
    assert_eq!(states.len(), 4);
    assert_eq!((bench.lab.runs("confirm:a"), bench.stats().stored), (0, 0));
}

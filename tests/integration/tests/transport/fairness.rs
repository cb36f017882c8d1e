//! Calls that wait keep nobody else waiting.

use harness::Wire;
use mcp_server::serde_json::{Value, json};

use super::components::config;
use super::lab::{Lab, gate};
use super::raw::{Raw, call};

const MANY: usize = 80;

/// Sends a call, and leaves its answer for later.
async fn begun(lab: &Lab, tool: &str, at: &str) -> Raw {
    let mut client = lab.raw().await;
    client.send(call(tool, &json!({ "at": at }))).await.unwrap();
    client
}

async fn trivial_is_answered(lab: &Lab) {
    let mut client = lab.raw().await;
    assert_eq!(client.call("add", json!({ "a": 1, "b": 2 })).await.text(), "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eighty_calls_that_wait_keep_no_other_from_its_answer() {
    for lane in [true, false] {
        for tool in ["held", "blocked"] {
            let lab = Lab::http(config(lane)).await;
            let at = format!("eighty {tool} {lane}");
            let mut clients = Vec::new();
            for _ in 0..MANY {
                clients.push(begun(&lab, tool, &at).await);
            }
            gate(&at).has(MANY).await;
            for _ in 0..10 {
                trivial_is_answered(&lab).await;
            }
            gate(&at).has(MANY).await;
            gate(&at).let_go(MANY);
            for client in &mut clients {
                assert_eq!(client.answer().await.unwrap().text(), at);
            }
            drop(clients);
            lab.is_clean().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_do_they_on_the_same_pipe() {
    for lane in [true, false] {
        for tool in ["held", "blocked"] {
            let lab = Lab::pipes(config(lane));
            let at = format!("pipe {tool} {lane}");
            let mut wire = lab.wire().await;
            let mut ids = Vec::new();
            for _ in 0..MANY {
                ids.push(sent(&mut wire, tool, &at).await);
            }
            gate(&at).has(MANY).await;
            for _ in 0..10 {
                let sum = wire.call("add", json!({ "a": 1, "b": 2 })).await;
                assert_eq!(sum["content"][0]["text"], "3");
            }
            gate(&at).has(MANY).await;
            gate(&at).let_go(MANY);
            for id in ids {
                assert_eq!(said(&wire.answer_to(&id).await), at);
            }
            drop(wire);
            lab.is_clean().await;
        }
    }
}

async fn sent(wire: &mut Wire, tool: &str, at: &str) -> String {
    wire.send("tools/call", json!({ "name": tool, "arguments": { "at": at } })).await
}

fn said(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no result: {answer}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_call_of_a_lone_tool_waits_while_others_pass() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let at = format!("lone {lane}");
        let mut first = begun(&lab, "lone", &at).await;
        gate(&at).has(1).await;
        let mut second = begun(&lab, "lone", &at).await;
        let mut third = begun(&lab, "held", &at).await;
        gate(&at).has(2).await;
        for _ in 0..10 {
            trivial_is_answered(&lab).await;
        }
        assert_eq!(gate(&at).came(), 2, "the second waits outside");
        // Of those inside, the first came first.
        gate(&at).let_go(1);
        assert_eq!(first.answer().await.unwrap().text(), at);
        gate(&at).has(2).await;
        gate(&at).let_go(2);
        assert_eq!(second.answer().await.unwrap().text(), at);
        assert_eq!(third.answer().await.unwrap().text(), at);
        drop((first, second, third));
        lab.is_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_while_waiting_or_inside_leaves_no_place_taken() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let at = format!("left {lane}");
        let mut first = begun(&lab, "lone", &at).await;
        gate(&at).has(1).await;
        let beside = super::lab::tasks();
        let mut gone = Vec::new();
        for _ in 0..8 {
            gone.push(begun(&lab, "lone", &at).await);
        }
        trivial_is_answered(&lab).await;
        drop(gone);
        super::lab::until(|| super::lab::tasks() <= beside, "the server knows that they are gone").await;
        // A place that one of them had would be taken for good: sixteen wait for it, and no more.
        let mut waiting = Vec::new();
        for _ in 0..16 {
            waiting.push(begun(&lab, "lone", &at).await);
        }
        gate(&at).let_go(1);
        assert_eq!(first.answer().await.unwrap().text(), at);
        gate(&at).has(1).await;
        gate(&at).let_go(16);
        for client in &mut waiting {
            assert_eq!(client.answer().await.unwrap().text(), at);
        }
        assert_eq!(gate(&at).came(), 17, "those who left never came in");

        // And one that leaves from inside.
        drop(waiting);
        let inside = begun(&lab, "lone", &at).await;
        gate(&at).has(1).await;
        let mut next = begun(&lab, "lone", &at).await;
        drop(inside);
        super::lab::until(|| gate(&at).came() == 19, "the next comes in").await;
        gate(&at).let_go(1);
        assert_eq!(next.answer().await.unwrap().text(), at);
        drop((first, next));
        lab.is_clean().await;
    }
}

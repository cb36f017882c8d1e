//! Clients that do not read what they ask for, and clients that are killed.

use mcp_server::serde_json::json;

use super::components::config;
use super::lab::{Lab, Memory, gate, until};
use super::raw::{SECOND, call};

/// What one slow client may hold, in MiB, where an answer has 8: that answer in its forms, and little more.
const HELD: u64 = 64;

/// How large an answer is that no socket takes whole.
const LARGE: usize = 8 << 20;

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_holds_little_and_is_cut_off() {
    for (lane, tool) in [(true, "big"), (true, "kept"), (false, "big"), (false, "kept")] {
        let lab = Lab::http(config(lane)).await;
        let memory = Memory::now();
        let mut client = lab.raw().await;
        // A gigabyte of answers, in a few pipelined requests.
        let requests = call(tool, &json!({ "bytes": LARGE })).repeat(128);
        client.send(&requests).await.unwrap();
        tokio::time::sleep(20 * SECOND).await;
        let calls = harness::Figures::of(&lab.server, "tool", tool).calls;
        assert!((1..=4).contains(&calls), "{tool}: {calls} calls ran ahead of their reader");
        assert!(memory.peak() < HELD, "{tool}, lane {lane}: {} MiB", memory.peak());
        // It is still there, and reads nothing for longer than a write may wait.
        tokio::time::sleep(20 * SECOND).await;
        lab.is_clean().await;
        drop(client);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_a_client_that_leaves_answers_unread() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let mut clients = Vec::new();
        for number in 0..8 {
            let mut client = lab.raw().await;
            let tool = if number % 2 == 0 { "big" } else { "kept" };
            client.send(call(tool, &json!({ "bytes": LARGE / 2 })).repeat(4)).await.unwrap();
            // Mid-answer: some of it has come.
            assert!(client.more().await);
            assert!(client.unread().starts_with(b"HTTP/1.1 200 OK"));
            clients.push(client);
        }
        for (number, client) in clients.into_iter().enumerate() {
            if number % 4 < 2 {
                client.kill();
            }
        }
        lab.is_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_with_its_client_and_a_shared_one_without() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let at = format!("killed {lane}");
        let (own, all) = (gate(&at), gate(&format!("{at}, shared")));
        let mut clients = Vec::new();
        for _ in 0..20 {
            let mut client = lab.raw().await;
            client.send(call("held", &json!({ "at": at }))).await.unwrap();
            clients.push(client);
            let mut client = lab.raw().await;
            client.send(call("shared", &json!({ "at": format!("{at}, shared") }))).await.unwrap();
            clients.push(client);
        }
        own.has(20).await;
        all.has(1).await;
        assert_eq!(lab.server.cache().unwrap().flights(), 1);
        clients.into_iter().for_each(super::raw::Raw::kill);
        // Dropped at its gate.
        own.has(0).await;
        assert_eq!((own.came(), all.came()), (20, 1));
        // The run of all goes on for whoever comes.
        all.let_go(1);
        all.has(0).await;
        until(|| lab.server.cache().unwrap().flights() == 0, "the flight has landed").await;
        let mut late = lab.raw().await;
        assert_eq!(
            late.call("shared", json!({ "at": format!("{at}, shared") })).await.text(),
            format!("{at}, shared")
        );
        assert_eq!(all.came(), 1, "it was kept");
        drop(late);
        lab.is_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_come_and_go_leave_nothing() {
    let lab = Lab::http(config(true)).await;
    for round in 0..200 {
        let mut client = lab.raw().await;
        match round % 5 {
            0 => {}
            1 => client.send("GET").await.unwrap(),
            2 => client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap(),
            3 => client.send(&call("add", &json!({ "a": 1, "b": 2 }))[..300]).await.unwrap(),
            _ => client.send(call("add", &json!({ "a": 1, "b": 2 }))).await.unwrap(),
        }
        if round % 2 == 0 {
            client.kill();
        }
    }
    lab.is_clean().await;
}

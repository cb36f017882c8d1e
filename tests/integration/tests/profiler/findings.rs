//! Each tool is named for what it is, with the place, in the report and in the log, within two seconds.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::lab::Lab;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sleeps_in_a_poll_blocks_the_runtime() {
    let lab = Lab::new().await;
    lab.call("sleeps", json!({})).await;
    let found = lab.found("sleeps", "blocks_the_runtime").await;
    assert_eq!(found.after.as_deref(), Some("before the sleep"));
    assert!(found.place.contains("tools.rs:"), "{found:?}");
    let window = lab.window("sleeps");
    assert!(window.longest_poll_ns >= 60_000_000 && window.cpu_ns * 5 < window.cpu_busy_ns, "{window:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_computes_in_a_poll_burns_the_processor() {
    let lab = Lab::new().await;
    // Once to be known as slow: from then on the time that it waits for a processor is told apart.
    lab.call("spins", json!({})).await;
    lab.call("spins", json!({})).await;
    let found = lab.found("spins", "burns_the_processor").await;
    assert_eq!(found.after.as_deref(), Some("before the loop"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_the_network_waits() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::time::sleep(Duration::from_millis(300)).await;
            stream.write_all(b"x").await.unwrap();
        }
    });
    let lab = Lab::new().await;
    lab.call("asks_far_away", json!({ "address": address })).await;
    let found = lab.found("asks_far_away", "waits").await;
    assert_eq!(found.after.as_deref(), Some("before the request"));
    let report = lab.report();
    let call = report.slow.iter().find(|call| Some(&call.id) == found.call.as_ref()).unwrap();
    let steps: Vec<_> = call.steps.iter().map(|step| &*step.name).collect();
    assert_eq!(steps, ["connect", "read"]);
    assert!(call.steps[1].took_ns >= 250_000_000, "{call:?}");
    assert!(call.busy_ns < 50_000_000, "{call:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_asks_again_and_again_repeats_itself() {
    let lab = Lab::new().await;
    lab.call("asks_again_and_again", json!({})).await;
    let found = lab.found("asks_again_and_again", "repeated_sql").await;
    assert_eq!(found.after.as_deref(), Some("users counted (users)"));
    assert!(found.says.starts_with("20 times SELECT ? AS age"), "{found:?}");
    let window = lab.window("asks_again_and_again");
    assert_eq!((window.queries, window.repeated_queries), (21, 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_is_told_of_while_it_does() {
    let lab = Lab::new().await;
    for name in ["hangs", "hangs_in_one_poll"] {
        let call = async {
            lab.call(name, json!({})).await;
            panic!("{name} has ended");
        };
        let told = async {
            // Ten times what is slow.
            tokio::time::sleep(Duration::from_secs(1)).await;
            lab.found(name, "hangs").await
        };
        tokio::select! {
            () = call => {}
            found = told => assert!(found.place.contains("tools.rs"), "{found:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_blocks_where_it_may_is_no_finding() {
    let lab = Lab::new().await;
    lab.call("sleeps_elsewhere", json!({})).await;
    let window = lab.window("sleeps_elsewhere");
    assert!(window.busy_ns >= 60_000_000 && window.longest_poll_ns < 10_000_000, "{window:?}");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(lab.report().findings, []);
}

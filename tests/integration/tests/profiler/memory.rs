//! What calls allocate is theirs, whoever runs beside them.

use std::future::poll_fn;
use std::task::Poll;

use serde_json::json;

use super::lab::Lab;

const CALLS: u64 = 40;
const BYTES: u64 = 400_000;

/// Makes calls at once, half of them with another tool; returns what the first allocated.
async fn allocated(lab: &Lab, bytes: u64) -> (u64, u64) {
    let before = lab.window("allocates");
    let calls = (0..CALLS).map(|_| lab.call("allocates", json!({ "bytes": bytes })));
    let beside = (0..CALLS).map(|_| lab.call("allocates_beside", json!({})));
    tokio::join!(all(calls), all(beside));
    let after = lab.window("allocates");
    let of = |before: Option<u64>, after: Option<u64>| after.unwrap() - before.unwrap();
    (of(before.allocated_bytes, after.allocated_bytes), of(before.allocations, after.allocations))
}

async fn all(calls: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    poll_fn(|cx| {
        calls.retain_mut(|call| call.as_mut().poll(cx).is_pending());
        if calls.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_is_told_what_it_allocated_across_awaits_and_threads_and_not_what_others_did() {
    let lab = Lab::new().await;
    // The first calls of a component and of a thread make what stays.
    lab.call("allocates", json!({ "bytes": 0 })).await;
    allocated(&lab, 0).await;
    let (bytes, pieces) = allocated(&lab, 0).await;
    let (more_bytes, more_pieces) = allocated(&lab, BYTES).await;
    assert_eq!(more_bytes - bytes, CALLS * BYTES, "to the byte");
    assert_eq!(more_pieces - pieces, CALLS * 4, "and to the piece");
}

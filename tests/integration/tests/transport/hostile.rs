//! Requests that are too slow, too large, too deep: a clear answer each, and nothing left of them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use mcp_server::serde_json::json;

use super::components::config;
use super::lab::{Lab, Memory};
use super::raw::{SECOND, call, head, message, request};

/// What one test may take beside what it must, in MiB: the limit of its server's requests is 1 MiB.
const LITTLE: u64 = 48;

/// As long as a body that says so.
const GIBIBYTE: usize = 1 << 30;

#[tokio::test(start_paused = true)]
async fn headers_that_drip_end_their_connection_with_408() {
    let lab = Lab::http(config(true)).await;
    let mut slow = lab.raw().await;
    let begun = tokio::time::Instant::now();
    slow.send("POST /mcp HTTP/1.1\r\n").await.unwrap();
    // Each line comes well within the time: that of all counts.
    while tokio::time::timeout(5 * SECOND, slow.more()).await.is_err() {
        slow.send("x-more: of this\r\n").await.unwrap();
    }
    let told = slow.closed().await;
    assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n"), "{told}");
    assert!((30..=40).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    lab.is_clean().await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_ends_its_connection_with_408() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let mut slow = lab.raw().await;
        let begun = tokio::time::Instant::now();
        slow.send(head("add") + "content-length: 1000\r\n\r\n").await.unwrap();
        while tokio::time::timeout(SECOND, slow.more()).await.is_err() {
            slow.send(" ").await.unwrap();
        }
        let answer = slow.answer().await.expect("an answer");
        assert_eq!(answer.status, 408, "{answer:?}");
        assert!(answer.head.contains("\r\nconnection: close\r\n"), "{answer:?}");
        assert!(answer.body.starts_with("the body of the request took too long"), "{answer:?}");
        assert!((60..=70).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        slow.closed().await;
        lab.is_clean().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_ends() {
    let lab = Lab::http(config(true)).await;
    let mut silent = lab.raw().await;
    assert_eq!(silent.closed().await, "");
    lab.is_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_says_it_is_a_gibibyte_is_refused_by_its_word() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let memory = Memory::now();
        let mut large = lab.raw().await;
        large.send(head("add") + &format!("content-length: {GIBIBYTE}\r\n\r\n")).await.unwrap();
        let answer = large.answer().await.expect("an answer");
        assert_eq!(answer.status, 413, "{answer:?}");
        assert!(answer.body.contains("more than 1048576 bytes (`MCP_MAX_REQUEST_SIZE`)"), "{answer:?}");
        large.closed().await;
        assert!(memory.peak() < LITTLE, "{} MiB", memory.peak());
        lab.is_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_ends_is_refused_at_the_limit() {
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 1 << 16], b"\r\n"].concat();
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let memory = Memory::now();
        let mut large = lab.raw().await;
        large.send(head("add") + "transfer-encoding: chunked\r\n\r\n").await.unwrap();
        let mut sent = 0;
        while sent < GIBIBYTE && large.send(&chunk).await.is_ok() {
            sent += 1 << 16;
        }
        assert!(sent < GIBIBYTE / 8, "the server took {sent} bytes");
        // The answer may be lost to the reset that unread data causes.
        let told = large.closed().await;
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 413 "), "{told}");
        assert!(memory.peak() < LITTLE, "{} MiB", memory.peak());
        lab.is_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_a_little_above_the_limit_is_refused_whether_its_length_is_said_or_not() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let body = " ".repeat((1 << 20) + 1);
        let chunked = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let framed = [format!("content-length: {}\r\n\r\n{body}", body.len()), chunked];
        for framing in framed {
            let mut large = lab.raw().await;
            let _ = large.send(head("add") + &framing).await;
            // As above: it may be lost.
            if let Some(answer) = large.answer().await {
                assert_eq!(answer.status, 413, "{answer:?}");
            }
        }
        lab.is_clean().await;
    }
}

fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    // Members one after another are one text (RFC 1952, section 2.2).
    encoder.finish().unwrap().repeat(256)
}

/// Blocks of one byte that is repeated (RFC 8878, section 3.1.1): a gibibyte in 32 KiB.
fn zstd_bomb() -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    const RUN: u32 = 1 << 1;
    // The magic number, a frame that does not say how long it is, and a window of 1 MiB.
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 10 << 3];
    let blocks = GIBIBYTE as u32 / BLOCK;
    for block in 1..=blocks {
        let header = BLOCK << 3 | RUN | u32::from(block == blocks);
        bomb.extend_from_slice(&header.to_le_bytes()[..3]);
        bomb.push(b' ');
    }
    bomb
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_are_refused_at_the_limit() {
    for (coding, bomb) in [("gzip", gzip_bomb()), ("zstd", zstd_bomb())] {
        assert!(bomb.len() < 512 << 10, "{coding}: the bomb itself is within the limit");
        for lane in [true, false] {
            let lab = Lab::http(config(lane)).await;
            let memory = Memory::now();
            let mut client = lab.raw().await;
            client.send(request("add", &format!("content-encoding: {coding}\r\n"), &bomb)).await.unwrap();
            let answer = client.answer().await.expect("an answer");
            assert_eq!(answer.status, 413, "{coding}: {answer:?}");
            assert!(answer.body.contains("inflates to more than 1048576 bytes"), "{answer:?}");
            assert!(memory.peak() < LITTLE, "{coding}: {} MiB", memory.peak());
            // It was read whole, so that the connection goes on.
            assert_eq!(client.call("add", json!({ "a": 1, "b": 2 })).await.text(), "3");
            drop(client);
            lab.is_clean().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_bytes_of_headers_are_refused_with_431() {
    let one = format!("x-large: {}\r\n", "x".repeat(100_000));
    let many = (0..1000).map(|number| format!("x-{number}: {}\r\n", "x".repeat(90))).collect::<String>();
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        for headers in [&one, &many] {
            let memory = Memory::now();
            let mut client = lab.raw().await;
            let _ = client.send(request("add", headers, b"{}")).await;
            let told = client.closed().await;
            assert!(told.starts_with("HTTP/1.1 431 "), "{told}");
            assert!(memory.peak() < LITTLE, "{} MiB", memory.peak());
        }
        // And what is below is not.
        let mut client = lab.raw().await;
        let headers = format!("x-large: {}\r\n", "x".repeat(50_000));
        let body = message("add", &json!({ "a": 1, "b": 2 }));
        client.send(request("add", &headers, body.as_bytes())).await.unwrap();
        assert_eq!(client.answer().await.unwrap().text(), "3");
        drop(client);
        lab.is_clean().await;
    }
}

/// Messages that are too deep to be read, in what is looked at; what is not, such as an unknown member of
/// `_meta`, may be as deep as it likes on the direct lane, as the differences of the lanes say.
pub(crate) fn deep() -> Vec<(&'static str, String)> {
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    let taken = message("take", &json!({ "value": "HERE" }));
    let unknown = message("add", &json!({ "a": 1, "b": 2, "c": "HERE" }));
    vec![
        ("take", taken.replace("\"HERE\"", &nested)),
        ("take", taken.replace("\"HERE\"", &objects)),
        ("add", unknown.replace("\"HERE\"", &nested)),
        ("take", nested),
        ("take", "[".repeat(900_000)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_that_is_too_deep_is_refused_with_400_and_an_error() {
    for (name, body) in deep() {
        let mut answers = Vec::new();
        for lane in [true, false] {
            let lab = Lab::http(config(lane)).await;
            let memory = Memory::now();
            let mut client = lab.raw().await;
            client.send(request(name, "", body.as_bytes())).await.unwrap();
            let answer = client.answer().await.expect("an answer");
            assert_eq!(answer.status, 400, "lane {lane}, {}: {answer:?}", &body[..60]);
            assert!(answer.json()["error"]["code"].is_i64(), "{answer:?}");
            answers.push(answer.body);
            assert!(memory.peak() < LITTLE, "{} MiB", memory.peak());
            client.send(call("add", &json!({ "a": 1, "b": 2 }))).await.unwrap();
            assert_eq!(client.answer().await.unwrap().text(), "3");
            drop(client);
            lab.is_clean().await;
        }
        assert_eq!(answers[0], answers[1], "both lanes refuse alike");
    }
}

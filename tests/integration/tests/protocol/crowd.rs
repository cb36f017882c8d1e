//! Many connections, which give back their buffers while they wait.

use harness::{Http, MODERN, request_meta};
use mcp_server::serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::components::server;

/// More than the number from which on connections that wait are parked.
const CONNECTIONS: usize = 600;

fn request(id: usize) -> String {
    let arguments = json!({ "a": id, "b": 1 });
    let params = json!({ "name": "add", "arguments": arguments, "_meta": request_meta(&json!({})) });
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: {MODERN}\r\n\
         mcp-method: tools/call\r\nmcp-name: add\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads one answer, which leaves what comes after it in the buffer.
async fn answer(stream: &mut TcpStream, read: &mut Vec<u8>) -> Value {
    loop {
        let text = String::from_utf8_lossy(read).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let length: usize = length.parse().unwrap();
            if rest.len() >= length {
                read.drain(..head.len() + 4 + length);
                return mcp_server::serde_json::from_str(&rest[..length]).unwrap();
            }
        }
        assert!(stream.read_buf(read).await.unwrap() > 0, "the server closed: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_wait_among_many_lose_nothing() {
    let http = Http::serve(server()).await;
    let address = http.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        streams.push((TcpStream::connect(&address).await.unwrap(), Vec::new()));
    }
    // Twice each, so that every connection has waited once; the second time with half of a third
    // request behind it, which is read together with the second.
    for (index, (stream, read)) in streams.iter_mut().enumerate() {
        stream.write_all(request(index).as_bytes()).await.unwrap();
        assert_eq!(answer(stream, read).await["id"], index);
    }
    for (index, (stream, read)) in streams.iter_mut().enumerate() {
        let (second, third) = (request(index + 1000), request(index + 2000));
        let half = index * third.len() / CONNECTIONS;
        stream.write_all((second + &third[..half]).as_bytes()).await.unwrap();
        assert_eq!(answer(stream, read).await["result"]["content"][0]["text"], (index + 1001).to_string());
        stream.write_all(&third.as_bytes()[half..]).await.unwrap();
        assert_eq!(answer(stream, read).await["result"]["content"][0]["text"], (index + 2001).to_string());
    }
}

//! Bodies that are compressed on their way, in both directions.

use std::io::Write as _;

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use harness::{Http, MODERN, request_meta};
use mcp_server::prelude::*;
use mcp_server::serde_json::{self, Value, json};

/// Returns a text of so many lines.
#[tool(read_only)]
fn lines(count: usize) -> String {
    "a line that comes again\n".repeat(count)
}

/// Returns a text of so many lines, from the cache.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
fn kept(count: usize) -> String {
    "a line that is kept\n".repeat(count)
}

fn server() -> Server {
    let config = mcp_server::Config::default();
    Server::builder().name("coding").config(config).tool(lines::def()).tool(kept::def())
}

fn body(id: u64, name: &str, count: usize) -> String {
    let params = json!({ "name": name, "arguments": { "count": count }, "_meta": request_meta(&json!({})) });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}

async fn post(
    http: &Http,
    name: &str,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
    let mut request = reqwest::Client::new()
        .post(&http.url)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", "tools/call")
        .header("mcp-name", name)
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.bytes().await.unwrap().to_vec())
}

fn gunzipped(bytes: &[u8]) -> Value {
    serde_json::from_reader(GzDecoder::new(bytes)).unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn answers_are_compressed_where_it_is_worth_it_and_wanted() {
    let http = Http::serve(server()).await;
    for name in ["lines", "kept", "kept"] {
        let (_, plain, whole) = post(&http, name, body(1, name, 500).into(), &[]).await;
        assert!(plain.get("content-encoding").is_none());
        assert_eq!(plain["vary"], "accept-encoding");

        // Each answer has its own id around one compressed payload.
        for id in [7, 8] {
            let (_, headers, packed) =
                post(&http, name, body(id, name, 500).into(), &[("accept-encoding", "gzip")]).await;
            assert_eq!(
                (&headers["content-encoding"], &headers["vary"]),
                (&"gzip".parse().unwrap(), &"accept-encoding".parse().unwrap(),)
            );
            assert!(packed.len() * 10 < whole.len(), "{name}: {} of {}", packed.len(), whole.len());
            let answer = gunzipped(&packed);
            assert_eq!(answer["id"], id);
            assert_eq!(answer["result"], serde_json::from_slice::<Value>(&whole).unwrap()["result"]);
        }
        let asked = [("accept-encoding", "gzip, zstd")];
        let (_, headers, packed) = post(&http, name, body(1, name, 500).into(), &asked).await;
        assert_eq!(headers["content-encoding"], "zstd");
        assert_eq!(packed.get(..4), Some(&[0x28, 0xb5, 0x2f, 0xfd][..]));

        let asked = [("accept-encoding", "gzip;q=0, identity")];
        let (_, headers, _) = post(&http, name, body(1, name, 500).into(), &asked).await;
        assert!(headers.get("content-encoding").is_none());
    }
    let (_, headers, _) =
        post(&http, "lines", body(1, "lines", 3).into(), &[("accept-encoding", "gzip")]).await;
    assert!(headers.get("content-encoding").is_none() && headers.get("vary").is_none(), "too small");
}

#[tokio::test]
async fn an_answer_of_a_mebibyte_is_compressed_beside_the_others() {
    let http = Http::serve(server()).await;
    let (status, headers, packed) =
        post(&http, "lines", body(1, "lines", 50_000).into(), &[("accept-encoding", "gzip")]).await;
    assert_eq!((status, &headers["content-encoding"]), (200, &"gzip".parse().unwrap()));
    let text = gunzipped(&packed)["result"]["content"][0]["text"].as_str().unwrap().len();
    assert_eq!(text, 50_000 * "a line that comes again\n".len());
}

#[tokio::test]
async fn requests_may_come_compressed_and_bombs_do_not_go_off() {
    let http = Http::serve(server()).await;
    let packed = gzipped(body(3, "lines", 2).as_bytes());
    let (status, _, answer) = post(&http, "lines", packed.clone(), &[("content-encoding", "gzip")]).await;
    assert_eq!((status, serde_json::from_slice::<Value>(&answer).unwrap()["id"].clone()), (200, json!(3)));

    let half = packed[..packed.len() / 2].to_vec();
    for (body, coding, expected, reason) in [
        (half, "gzip", 400, "not valid gzip"),
        (packed.clone(), "br", 415, "unknown content encoding `br`"),
        (gzipped(&vec![b' '; 64 << 20]), "gzip", 413, "inflates to more than"),
    ] {
        let (status, headers, answer) = post(&http, "lines", body, &[("content-encoding", coding)]).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(status, expected, "{answer}");
        assert!(answer.contains(reason), "{answer}");
        assert_eq!(headers.contains_key("accept-encoding"), status == 415);
    }
}

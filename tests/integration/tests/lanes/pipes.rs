//! Connections over pipes: opened in one of several ways, each for one request.

use std::time::Duration;

use mcp_server::tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use mcp_server::{Server, tokio};

use super::compare::{Answer, messages};
use super::corpus::is_endless;

/// How long a connection may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// After which silence nothing more is expected to come of a line.
const SILENCE: Duration = Duration::from_millis(50);

/// What has been said on a connection before the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opening {
    /// Nothing.
    None,
    /// A request of 2026-07-28 that the lane answers, where there is one.
    Lane,
    /// A request of 2026-07-28 that the lane leaves.
    Modern,
    /// The handshake of a revision.
    Handshake(&'static str),
}

/// Sends lines after an opening, closes the connection, and returns all that came back for them.
///
/// A server answers what is under way before it lets a connection go: what is not there at its end is
/// not to come.
pub async fn send(server: &Server, opening: Opening, lines: &[Vec<u8>]) -> Answer {
    let (ours, theirs) = tokio::io::duplex(4 << 20);
    let (read, write) = tokio::io::split(theirs);
    let serving = tokio::spawn(server.serve_pipes(read, write));
    let (read, mut write) = tokio::io::split(ours);
    let mut answers = BufReader::new(read).lines();

    for (line, answered) in opened(opening) {
        let _ = write.write_all(format!("{line}\n").as_bytes()).await;
        if answered {
            answers.next_line().await.unwrap();
        }
    }
    let mut came = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let _ = write.write_all(line).await;
        let _ = write.write_all(b"\n").await;
        while number + 1 < lines.len()
            && let Ok(Ok(Some(line))) = tokio::time::timeout(SILENCE, answers.next_line()).await
        {
            came.push(line);
        }
    }
    if lines.iter().any(|line| is_endless(line)) {
        while let Ok(Ok(Some(line))) = tokio::time::timeout(5 * SILENCE, answers.next_line()).await {
            let is_last = !line.contains(r#""method":"#);
            came.push(line);
            if is_last {
                break;
            }
        }
        serving.abort();
    }
    let _ = write.shutdown().await;
    let rest = async {
        while let Ok(Some(line)) = answers.next_line().await {
            came.push(line);
        }
    };
    if tokio::time::timeout(PATIENCE, rest).await.is_err() {
        came.push("no end".to_owned());
        serving.abort();
    }
    let ended = serving.await.ok().and_then(Result::err).map(|error| error.to_string());
    let mut messages = messages(came.iter().map(String::as_str).chain(ended.as_deref()));
    messages.retain(|message| message.get("method").is_none());
    // Answers come in the order in which they are ready.
    messages.sort_by_key(ToString::to_string);
    Answer { status: 0, headers: Vec::new(), streamed: false, messages }
}

/// Returns the lines of an opening, each with whether it is answered.
fn opened(opening: Opening) -> Vec<(String, bool)> {
    match opening {
        Opening::None => Vec::new(),
        Opening::Lane => vec![(list(""), true)],
        Opening::Modern => vec![(list(r#""cursor":"after-0","#), true)],
        Opening::Handshake(revision) => vec![
            (
                format!(
                    r#"{{"jsonrpc":"2.0","id":"o","method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"lanes","version":"1"}}}}}}"#
                ),
                true,
            ),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned(), false),
            // When this is answered, the notification before has been handled.
            (r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#.to_owned(), true),
        ],
    }
}

fn list(params: &str) -> String {
    let meta = harness::request_meta(&mcp_server::serde_json::json!({}));
    format!(r#"{{"jsonrpc":"2.0","id":"o","method":"tools/list","params":{{{params}"_meta":{meta}}}}}"#)
}

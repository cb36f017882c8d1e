//! The same over a pair of pipes.

use mcp_server::serde_json::{self, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::components::config;
use super::hostile::deep;
use super::lab::{Lab, Memory, PATIENCE, gate};
use super::raw::{SECOND, message};

/// How large an answer is of which many are asked for.
const LARGE: usize = 1 << 20;

fn line(id: usize, name: &str, arguments: &Value) -> String {
    message(name, arguments).replacen(r#""id":1,"#, &format!(r#""id":{id},"#), 1) + "\n"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_are_too_deep_or_too_long_get_no_result_and_the_pipe_goes_on() {
    for lane in [true, false] {
        let lab = Lab::pipes(config(lane));
        let memory = Memory::now();
        let (ours, serving) = lab.pipe(1 << 16);
        let (read, mut write) = tokio::io::split(ours);
        let mut lines = BufReader::new(read).lines();
        let opening = line(0, "add", &json!({ "a": 1, "b": 2 }));
        write.write_all(opening.as_bytes()).await.unwrap();
        let first: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(first["id"], 0, "{first}");

        let long = " ".repeat(3 << 20);
        for bad in deep().into_iter().map(|(_, line)| line).chain([long]) {
            let sent = async {
                write.write_all(bad.as_bytes()).await.unwrap();
                write.write_all(b"\n").await.unwrap();
                write.write_all(line(7, "add", &json!({ "a": 3, "b": 4 })).as_bytes()).await.unwrap();
            };
            // rmcp passes over what it cannot read, and may say so.
            let come = async {
                loop {
                    let line = lines.next_line().await.unwrap().expect("the pipe goes on");
                    let message: Value = serde_json::from_str(&line).unwrap();
                    if message["id"] == 7 {
                        assert_eq!(message["result"]["content"][0]["text"], "7", "{message}");
                        return;
                    }
                    assert!(message["error"]["code"].is_i64(), "lane {lane}: {message}");
                }
            };
            let both = tokio::time::timeout(PATIENCE, async { tokio::join!(sent, come) }).await;
            both.unwrap_or_else(|_| panic!("lane {lane}: nothing after {:?}", &bad[..60]));
        }
        assert!(memory.peak() < 64, "{} MiB", memory.peak());
        drop((lines, write));
        serving.await.unwrap().unwrap();
        lab.is_clean().await;
    }
}

/// Asks for 1000 answers and reads none of them; returns what the server took meanwhile, in MiB.
async fn unread(lane: bool, quick: bool, bytes: usize) -> u64 {
    let lab = Lab::pipes(config(lane));
    let (mut ours, serving) = lab.pipe(1 << 16);
    // The first calls of a tool that has been quick are begun where they are read, and not in tasks.
    for id in 0..if quick { 200 } else { 1 } {
        ours.write_all(line(id, "big", &json!({ "bytes": 1 })).as_bytes()).await.unwrap();
        BufReader::new(&mut ours).read_line(&mut String::new()).await.unwrap();
    }
    let memory = Memory::now();
    let (read, mut write) = tokio::io::split(ours);
    let asking = tokio::spawn(async move {
        for id in 0..1000 {
            let asked = write.write_all(line(id, "big", &json!({ "bytes": bytes })).as_bytes()).await;
            if asked.is_err() {
                break;
            }
        }
        write
    });
    // When this is over, all have come to a stand.
    tokio::time::sleep(60 * SECOND).await;
    let peak = memory.peak();
    assert!(!asking.is_finished(), "not all requests are read ahead of their answers");
    asking.abort();
    let _ = asking.await;
    drop(read);
    tokio::time::timeout(PATIENCE, serving).await.expect("the server lets go").unwrap().unwrap();
    lab.is_clean().await;
    peak
}

#[tokio::test(start_paused = true)]
async fn answers_in_tasks_wait_for_a_client_that_never_reads() {
    let held = unread(true, false, LARGE).await;
    assert!(held < 32, "{held} MiB");
}

#[tokio::test(start_paused = true)]
async fn answers_of_a_tool_that_was_quick_wait_as_well() {
    let held = unread(true, true, LARGE).await;
    assert!(held < 32, "{held} MiB");
}

/// What rmcp has read has begun there: as many answers as requests fit into what is read at once.
#[tokio::test(start_paused = true)]
async fn answers_behind_rmcp_are_as_many_as_requests_are_read_at_once() {
    let held = unread(false, false, LARGE / 8).await;
    assert!(held < 100, "{held} MiB of 125");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_wait_for_room_go_on_when_the_client_reads() {
    let lab = Lab::pipes(config(true));
    let (ours, serving) = lab.pipe(1 << 16);
    let (read, mut write) = tokio::io::split(ours);
    let mut read = BufReader::with_capacity(1 << 20, read);
    let requests: String = (0..200).map(|id| line(id, "big", &json!({ "bytes": LARGE / 4 }))).collect();
    let asking = tokio::spawn(async move {
        write.write_all(requests.as_bytes()).await.unwrap();
        write
    });
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 200 {
        let mut text = Vec::new();
        let length = tokio::time::timeout(PATIENCE, read.read_until(b'\n', &mut text)).await;
        assert!(length.expect("an answer in time").unwrap() > LARGE / 4);
        let start = String::from_utf8_lossy(&text[..40]).into_owned();
        assert!(seen.insert(start.split(',').nth(1).unwrap().to_owned()), "{start}");
    }
    drop((asking.await.unwrap(), read));
    serving.await.unwrap().unwrap();
    lab.is_clean().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_a_pipe_whose_client_is_killed() {
    for lane in [true, false] {
        let lab = Lab::pipes(config(lane));
        let at = format!("pipe {lane}");
        let (mut ours, serving) = lab.pipe(1 << 16);
        for id in 0..40 {
            ours.write_all(line(id, "held", &json!({ "at": at })).as_bytes()).await.unwrap();
        }
        gate(&at).has(40).await;
        ours.write_all(line(40, "big", &json!({ "bytes": 8 << 20 })).as_bytes()).await.unwrap();
        // Mid-answer.
        let mut some = [0; 1000];
        ours.read_exact(&mut some).await.unwrap();
        drop(ours);
        tokio::time::timeout(PATIENCE, serving).await.expect("the server lets go").unwrap().unwrap();
        gate(&at).has(0).await;
        lab.is_clean().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pipe_with_half_a_line_waits_and_ends_with_its_client() {
    for lane in [true, false] {
        let lab = Lab::pipes(config(lane));
        let (mut ours, serving) = lab.pipe(1 << 16);
        let whole = line(1, "add", &json!({ "a": 1, "b": 2 }));
        for byte in whole.as_bytes() {
            ours.write_all(&[*byte]).await.unwrap();
            tokio::time::sleep(SECOND).await;
        }
        let mut answer = String::new();
        BufReader::new(&mut ours).read_line(&mut answer).await.unwrap();
        assert!(answer.contains(r#""text":"3""#), "{answer}");
        ours.write_all(&whole.as_bytes()[..50]).await.unwrap();
        drop(ours);
        serving.await.unwrap().unwrap();
        lab.is_clean().await;
    }
}

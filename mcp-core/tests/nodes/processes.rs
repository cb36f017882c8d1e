//! Processes on one Redis, some of them killed, and a Redis that is stopped, emptied and killed: nobody is served
//! what is too old.
//!
//! The truth is a number for each thing, kept in a second Redis that nothing happens to: to write is to count it up
//! and to invalidate. `MCP_FUZZ_SECONDS` says for how long, of which CI takes 20 at most; `MCP_SOAK_SECONDS` for longer.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::time::Instant;

use crate::support::*;

/// Set in the environment of a child: the two addresses, and the application.
const CHILD: &str = "MCP_NODES_CHILD";
const PROCESSES: usize = 3;
const THINGS: usize = 8;
const CALLERS: usize = 4;
/// How old what is served may be: what others invalidated is heard at once, or doubted after 3 s and 5 more.
const BOUND: std::time::Duration = std::time::Duration::from_secs(10);

fn seconds() -> u64 {
    let variable = |name: &str| std::env::var(name).ok()?.parse().ok();
    variable("MCP_SOAK_SECONDS").unwrap_or_else(|| variable("MCP_FUZZ_SECONDS").unwrap_or(5).min(20))
}

/// Starts a child, whose lines are sent on.
fn spawn(told: &str, said: &UnboundedSender<String>) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::what_a_child_does", "--nocapture"])
        .env(CHILD, told)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = said.clone();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| _ = said.send(line)));
    child
}

/// Runs only in a child: calls, writes and invalidates until it is killed, and says what is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_child_does() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let [level, truth, application] = told.split(' ').collect::<Vec<_>>()[..] else { return };
    let node = Node::open(level, application).await;
    let truth = connect(truth).await;
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            tokio::spawn(child(node.clone(), truth.clone(), caller as u64 + u64::from(std::process::id())))
        })
        .collect();
    let mut reported = 0;
    loop {
        tokio::time::sleep(millis(500)).await;
        let (calls, memory) = (node.cache.stats(), resident());
        let answered = calls.memory + calls.shared + calls.computed + calls.coalesced + calls.bypass;
        println!("CALLS {} MEMORY {memory}", answered - reported);
        reported = answered;
        assert!(!tasks.iter().any(tokio::task::JoinHandle::is_finished), "a caller has failed");
    }
}

async fn child(node: Node, mut truth: redis::aio::MultiplexedConnection, seed: u64) {
    let dice = Dice::new(seed);
    // What this process knows to have been true, and when.
    let mut known: Vec<VecDeque<(Instant, u64)>> = vec![VecDeque::new(); THINGS];
    let mut invalidated = [0; THINGS];
    loop {
        let thing = dice.below(THINGS);
        let name = format!("thing-{thing}");
        if dice.below(200) == 0 {
            let version: u64 = redis::cmd("INCR").arg(&name).query_async(&mut truth).await.unwrap();
            node.cache.invalidate_tag(&format!("name:{name}")).await;
            invalidated[thing] = version;
        }
        let now: Option<u64> = redis::cmd("GET").arg(&name).query_async(&mut truth).await.unwrap();
        known[thing].push_back((Instant::now(), now.unwrap_or_default()));
        let mut origin = truth.clone();
        let asked = name.clone();
        let served = node
            .call_with(node.lookup(&name, policy()), move || async move {
                let version: Option<u64> =
                    redis::cmd("GET").arg(&asked).query_async(&mut origin).await.unwrap();
                good(version.unwrap_or_default())
            })
            .await;
        let Ok(version) = text(&served).parse::<u64>() else {
            println!("WRONG {name}: a call failed: {}", text(&served));
            continue;
        };
        if version < invalidated[thing] {
            println!("WRONG {name}: {version} was served after {} was invalidated here", invalidated[thing]);
        }
        while known[thing].get(1).is_some_and(|(at, _)| at.elapsed() > BOUND) {
            known[thing].pop_front();
        }
        if let Some((at, then)) = known[thing].front()
            && at.elapsed() > BOUND
            && version < *then
        {
            println!(
                "WRONG {name}: {version} was served {:?} after {then}: {:?}",
                at.elapsed(),
                served.outcome
            );
        }
        tokio::time::sleep(millis(dice.below(3) as u64)).await;
    }
}

/// Returns what the process has of memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_three_processes_and_a_redis_in_trouble_serve_nothing_that_is_too_old() {
    let (Some(mut server), Some(truth)) = (Server::start("soak").await, Server::start("truth").await) else {
        return;
    };
    let application = application("soak").replace(' ', "-");
    let dice = Dice::new(u64::from(std::process::id()));
    let (said, mut heard) = mpsc::unbounded_channel();
    let told = format!("{} {} {application}", server.url(), truth.url());
    let mut children: Vec<_> = (0..PROCESSES).map(|_| spawn(&told, &said)).collect();
    let (mut calls, mut most, mut faults) = (0, 0, 0);
    let begun = Instant::now();
    while begun.elapsed().as_secs() < seconds() {
        // Now and then so long that what is too old would show.
        let calm = if dice.below(8) == 0 { 2 * BOUND } else { millis(300 + dice.below(1_500) as u64) };
        tokio::time::sleep(calm).await;
        faults += 1;
        match dice.below(6) {
            0 => {
                let at = dice.below(PROCESSES);
                _ = children[at].kill();
                _ = children[at].wait();
                children[at] = spawn(&told, &said);
            }
            1 => {
                server.signal("STOP");
                tokio::time::sleep(millis(dice.below(3_000) as u64)).await;
                server.signal("CONT");
            }
            2 => server.query::<()>(&["FLUSHALL"]).await,
            3 => server.query::<()>(&["SCRIPT", "FLUSH"]).await,
            4 => _ = server.query::<i64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await,
            _ => {
                server.kill();
                tokio::time::sleep(millis(dice.below(2_000) as u64)).await;
                server.restart().await;
            }
        }
        while let Ok(line) = heard.try_recv() {
            assert!(!line.contains("WRONG"), "{line}");
            if let Some(("", figures)) = line.split_once("CALLS ") {
                let (made, memory) = figures.split_once(" MEMORY ").unwrap();
                calls += made.parse::<u64>().unwrap();
                most = most.max(memory.parse::<u64>().unwrap());
            }
        }
        for child in &mut children {
            assert!(child.try_wait().unwrap().is_none(), "a process has ended by itself");
        }
    }
    for child in &mut children {
        _ = child.kill();
        _ = child.wait();
    }
    println!("{calls} calls, {faults} faults, {most} KiB at most");
    assert!(calls > 1_000 && most < 256 << 10, "{calls} calls, {most} KiB");
}

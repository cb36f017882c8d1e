//! Requests at random: those of the corpus, changed.
//!
//! Runs for `MCP_FUZZ_SECONDS`, 5 by default. What it finds is printed as a row for [`corpus`](super::corpus),
//! with the seed that finds it again: `MCP_FUZZ_SEED`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mcp_server::serde_json::{self, Value};

use super::corpus::{Request, requests};
use super::differences::DIFFERENCES;
use super::mutate::{Random, mutated};
use super::ways::{Bench, Way, runtime};

/// After how many differences there is enough to look at.
const ENOUGH: usize = 12;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn the_lanes_answer_the_same_whatever_is_changed() {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("MCP_FUZZ_SEED").unwrap_or(time.as_secs() ^ u64::from(time.subsec_nanos()) << 32);
    let end = Instant::now() + Duration::from_secs(number("MCP_FUZZ_SECONDS").unwrap_or(5));
    let mut random = Random(seed);
    let is_listed = |request: &Request| DIFFERENCES.iter().any(|listed| listed.request == request.name);
    let bases: Vec<_> = requests().into_iter().filter(|request| !is_listed(request)).collect();
    let pipes: Vec<_> = Way::all().into_iter().filter(|way| way.is_of_pipes()).collect();
    let (mut sent, mut of_the_lane, mut wrong) = (0_u64, 0_u64, Vec::new());
    let runtime = runtime();
    let bench = runtime.block_on(Bench::new());
    while Instant::now() < end && wrong.len() < ENOUGH {
        let base = random.one(&bases);
        let way = if base.http_only || random.below(3) == 0 { Way::HTTP } else { *random.one(&pipes) };
        let mut request = mutated(&mut random, base, way.is_modern(), way.is_http());
        // More than a line is more than a message.
        if !way.is_http() && request.body.contains(&b'\n') {
            continue;
        }
        request.name = format!("found {sent} of {seed}");
        let seen = runtime.block_on(way.send(&bench, &request));
        sent += 1;
        of_the_lane += u64::from(seen.is_of_the_lane());
        if seen.differs() && !is_allowed(&request.body) {
            wrong.push(format!("{seen}\n{}", request.row(way.is_http())));
        }
    }
    println!("{sent} requests sent with seed {seed}, {of_the_lane} answered by the lane over HTTP");
    assert!(wrong.is_empty(), "MCP_FUZZ_SEED={seed}\n\n{}", wrong.join("\n\n"));
}

/// Returns whether a rule of [`differences`](super::differences) lets the answers differ.
fn is_allowed(body: &[u8]) -> bool {
    let deep_large_or_half = serde_json::from_slice::<Value>(body).is_err_and(|error| {
        let error = error.to_string();
        ["recursion limit", "out of range", "surrogate", "hex escape"].iter().any(|why| error.contains(why))
    });
    deep_large_or_half || has_wide_number(&String::from_utf8_lossy(body))
}

/// Returns whether a text has a whole number in it that floats cannot hold, or not as a whole one.
fn has_wide_number(text: &str) -> bool {
    text.split(|char: char| !char.is_ascii_alphanumeric() && !"+-.".contains(char)).any(|word| {
        let digits = word.strip_prefix('-').unwrap_or(word);
        word == "-0"
            || digits.len() >= 19
                && digits.bytes().all(|digit| digit.is_ascii_digit())
                && word.parse::<i64>().is_err()
                && word.parse::<u64>().is_err()
    })
}

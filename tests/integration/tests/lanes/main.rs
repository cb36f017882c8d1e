//! The two lanes of a server answer the same, whatever is asked.
//!
//! Each request goes to two servers that are equal but for `Config::direct_lane`: over HTTP, and over
//! pipes that were opened in each way there is. What the answers may differ in is listed, with the
//! rule that allows it, in [`differences`]; a difference that is not listed is a mistake of the lane.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

mod servers;

mod contents;
mod tools;

mod corpus;

mod http;
mod pipes;
mod ways;

mod compare;
mod differences;

mod fuzz;
mod mutate;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use corpus::requests;
use differences::{DIFFERENCES, Difference};
use ways::{Seen, Way};

#[test]
fn the_lanes_answer_the_same() {
    let requests = requests();
    let mut names = BTreeSet::new();
    for request in &requests {
        assert!(names.insert(&*request.name), "two requests are named `{}`", request.name);
    }

    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let running: Vec<_> = Way::all()
            .into_iter()
            .map(|way| {
                let requests = &requests;
                scope.spawn(move || way.run(requests))
            })
            .collect();
        running.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    let (mut wrong, mut listed) = (Vec::new(), BTreeSet::new());
    for seen in seen.iter().filter(|seen| seen.differs()) {
        let difference = Difference::of(&seen.request, seen.way);
        listed.extend(difference.map(|difference| (difference.request, seen.way)));
        if !difference.is_some_and(|difference| difference.is_as_listed(seen)) {
            wrong.push(seen.to_string());
        }
    }
    for difference in DIFFERENCES {
        for way in difference.over {
            if !listed.contains(&(difference.request, way)) {
                wrong.push(format!("listed, and no difference any more: {way}: {}", difference.request));
            }
        }
    }

    let answered: Vec<_> = seen.iter().filter(|seen| seen.is_of_the_lane()).collect();
    let mut methods: BTreeMap<&str, usize> = BTreeMap::new();
    for seen in &answered {
        *methods.entry(seen.method.as_deref().unwrap_or_default().trim()).or_default() += 1;
    }
    println!("{} requests, {} answered by the lane over HTTP: {methods:?}", requests.len(), answered.len());
    assert!(wrong.is_empty(), "{} differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(answered.len() >= 60, "the lane has answered {} requests", answered.len());
    for method in HOT {
        assert!(methods.contains_key(method), "the lane has answered no `{method}`");
    }
}

/// The methods that the lane takes.
const HOT: [&str; 8] = [
    "tools/call",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "server/discover",
];

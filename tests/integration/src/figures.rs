//! What a server counted of a component, in the order of the reports.

use std::collections::BTreeMap;

use mcp_server::Server;
use mcp_server::cache::CacheOutcome;
use mcp_server::profile::Outcome;

/// The figures of a component since the start.
#[derive(Debug, Default)]
pub struct Figures {
    /// How many calls ended.
    pub calls: u64,
    /// How they ended.
    pub outcomes: Vec<(String, u64)>,
    /// Where their results came from.
    pub cache: Vec<(String, u64)>,
}

impl Figures {
    /// Reads the figures of a component; all are zero of one that nobody called.
    pub fn of(server: &Server, kind: &str, name: &str) -> Self {
        let report = server.report().expect("the server starts");
        let found =
            report.components.iter().find(|component| component.kind == kind && component.name == name);
        let Some(window) = found.map(|component| &component.windows["start"]) else { return Self::default() };
        let ordered = |words: &[&str], counts: &BTreeMap<String, u64>| {
            words.iter().filter_map(|word| Some(((*word).to_owned(), *counts.get(*word)?))).collect()
        };
        Self {
            calls: window.calls,
            outcomes: ordered(&Outcome::ALL.map(Outcome::word), &window.outcomes),
            cache: ordered(&CacheOutcome::ALL.map(CacheOutcome::word), &window.cache),
        }
    }
}

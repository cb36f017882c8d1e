//! The truth: which version each thing has, and which versions a call may still get.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// The things that functions read, and what every node must know of them.
pub(crate) struct Oracle {
    state: Mutex<State>,
    /// After so long the other nodes must know of an invalidation.
    bound: Duration,
}

struct State {
    versions: Vec<u64>,
    /// By node and thing: no later call there may get less.
    floors: Vec<Vec<u64>>,
    /// By thing: the versions whose invalidation had returned, and when.
    published: Vec<Vec<(Instant, u64)>>,
    violations: Vec<String>,
    checked: u64,
}

impl Oracle {
    pub(crate) fn new(nodes: usize, things: usize, bound: Duration) -> Self {
        let state = State {
            versions: vec![0; things],
            floors: vec![vec![0; things]; nodes],
            published: vec![Vec::new(); things],
            violations: Vec::new(),
            checked: 0,
        };
        Self { state: Mutex::new(state), bound }
    }

    pub(crate) fn read(&self, thing: usize) -> u64 {
        self.state.lock().unwrap().versions[thing]
    }

    /// Changes things; returns their versions.
    pub(crate) fn write(&self, things: &[usize]) -> Vec<u64> {
        let versions = &mut self.state.lock().unwrap().versions;
        let next = |&thing: &usize| {
            versions[thing] += 1;
            versions[thing]
        };
        things.iter().map(next).collect()
    }

    /// An invalidation of versions has returned on a node.
    pub(crate) fn invalidated(&self, node: usize, things: &[usize], versions: &[u64]) {
        let mut state = self.state.lock().unwrap();
        for (&thing, &version) in things.iter().zip(versions) {
            let floor = &mut state.floors[node][thing];
            *floor = version.max(*floor);
            state.published[thing].push((Instant::now(), version));
        }
    }

    /// The oldest version that a call that begins now on a node may get.
    pub(crate) fn floor(&self, node: usize, thing: usize) -> u64 {
        let state = self.state.lock().unwrap();
        let long_ago = |(at, _): &&(Instant, u64)| at.elapsed() > self.bound;
        let known = state.published[thing].iter().filter(long_ago).map(|(_, version)| *version).max();
        state.floors[node][thing].max(known.unwrap_or(0))
    }

    /// Notes what a call got whose floor was this.
    pub(crate) fn check(&self, floor: u64, got: u64, call: &str) {
        let mut state = self.state.lock().unwrap();
        state.checked += 1;
        if got < floor {
            state.violations.push(format!("{call}: version {got}, though {floor} was invalidated"));
        }
    }

    /// Fails if any call got what it must not; returns how many were looked at.
    #[track_caller]
    pub(crate) fn verdict(&self) -> u64 {
        let state = self.state.lock().unwrap();
        assert!(
            state.violations.is_empty(),
            "{} violations: {:#?}",
            state.violations.len(),
            &state.violations[..1]
        );
        state.checked
    }
}

//! What runs use beside time, by the profiler: and which of it is the same for every call.

use mcp_core::profile::{Sum, Totals, counts_allocations};
use serde::{Deserialize, Serialize};

/// Of how many calls it is said at least that they are all alike, where they take long.
const LEAST_SINGLE: usize = 8;

/// What the runs of a component use for each call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Figures {
    /// How long runs kept a thread, in nanoseconds.
    pub(super) busy_ns: f64,
    pub(super) polls: Figure,
    /// How often runs allocated; `None`: the program does not count it.
    pub(super) allocations: Option<Figure>,
    pub(super) bytes: Option<Figure>,
    pub(super) statements: Figure,
    /// Whether there were too few calls to say what varies.
    #[serde(default)]
    pub(super) too_few_calls: bool,
}

/// A number for each call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    /// The mean under load.
    pub(super) mean: f64,
    /// What every call had of those that were made one after another; `None`: it varies.
    pub(super) exact: Option<u64>,
}

impl Figures {
    /// Takes them from what the profiler counted under load, and of each call that was made by itself.
    pub(super) fn of(load: &Totals, single: &[Totals]) -> Option<Self> {
        let calls = load.calls();
        let mean = |sum| load.sum(sum) as f64 / calls as f64;
        let figure = |sum| Figure { mean: mean(sum), exact: exact(single, sum) };
        let counted = |sum| counts_allocations().then(|| figure(sum));
        (calls > 0).then(|| Self {
            busy_ns: mean(Sum::Busy),
            polls: figure(Sum::Polls),
            allocations: counted(Sum::Allocations),
            bytes: counted(Sum::Bytes),
            statements: figure(Sum::Queries),
            too_few_calls: single.len() < LEAST_SINGLE,
        })
    }

    /// Returns those that do not change from call to call, with what they are called.
    pub(super) fn exact(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = [
            ("allocations", self.allocations),
            ("bytes", self.bytes),
            ("polls", Some(self.polls)),
            ("SQL statements", Some(self.statements)),
        ];
        all.into_iter().filter_map(|(name, figure)| Some((name, figure?.exact?)))
    }
}

fn exact(single: &[Totals], sum: Sum) -> Option<u64> {
    let first = single.first().filter(|_| single.len() >= LEAST_SINGLE)?.sum(sum);
    single.iter().all(|call| call.calls() == 1 && call.sum(sum) == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(polls: u64) -> Totals {
        let mut totals = Totals::default();
        let mut sums = vec![0; Sum::Polls as usize + 1];
        sums[Sum::Polls as usize] = polls;
        totals.set_numbers([(0, 1)], sums);
        totals
    }

    #[test]
    fn a_figure_is_exact_where_no_call_differs() {
        let load = call(3);
        let seven_and = |last| [vec![call(2); LEAST_SINGLE - 1], vec![last]].concat();
        let polls = |single: &[Totals]| Figures::of(&load, single).unwrap().polls;
        assert_eq!(polls(&seven_and(call(2))), Figure { mean: 3.0, exact: Some(2) });
        assert_eq!(polls(&seven_and(call(3))), Figure { mean: 3.0, exact: None });
        // A call that another's counts were mixed with is none.
        let mut two = call(2);
        two.merge(&call(0));
        assert_eq!(polls(&seven_and(two)).exact, None);
        // Of fewer nothing is said, and not that they vary.
        let few = |single: &[Totals]| Figures::of(&load, single).unwrap().too_few_calls;
        assert_eq!(polls(&seven_and(call(2))[1..]).exact, None);
        assert!(few(&[]) && few(&seven_and(call(2))[1..]) && !few(&seven_and(call(3))));
        assert_eq!(Figures::of(&Totals::default(), &[]), None);
    }
}

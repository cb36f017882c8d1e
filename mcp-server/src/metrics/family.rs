//! A family of series, of which there are never too many.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::labels::{Labels, OTHER};

/// How many label sets a family has at most; a histogram counts as one, whatever its buckets.
pub(super) const MOST: usize = 1_000;

/// How many of these are kept for what is left over: three kinds with up to eight words each.
const LEFT_OVER: usize = 24;

/// Which series of a family have the names of their components.
///
/// Who came first keeps its name as long as the server runs, so that no counter ever goes back.
#[derive(Debug, Default)]
pub(super) struct Named(Mutex<HashSet<Labels>>);

impl Named {
    /// Returns the series with their names, and for those that have none, one for each kind and word.
    pub(super) fn of<V>(
        &self,
        series: impl Iterator<Item = (Labels, V)>,
        merge: fn(&mut V, V),
    ) -> Vec<(Labels, V)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut named = Vec::new();
        let mut others: BTreeMap<_, V> = BTreeMap::new();
        for (labels, value) in series {
            // A component may be named so.
            let has_room = known.len() < MOST - LEFT_OVER && labels.component != OTHER;
            if known.contains(&labels) || has_room && known.insert(labels) {
                named.push((labels, value));
                continue;
            }
            match others.entry((labels.kind, labels.word)) {
                Entry::Vacant(vacant) => _ = vacant.insert(value),
                Entry::Occupied(mut there) => merge(there.get_mut(), value),
            }
        }
        let others =
            others.into_iter().map(|((kind, word), value)| (Labels { kind, component: OTHER, word }, value));
        named.extend(others);
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(from: usize, to: usize) -> impl Iterator<Item = (Labels, u64)> {
        (from..to).map(|number| {
            let component = Box::leak(format!("c{number}").into_boxed_str());
            (Labels { kind: "tool", component, word: Some(("outcome", "ok")) }, number as u64)
        })
    }

    #[test]
    fn who_came_first_keeps_its_name_and_the_total_is_exact() {
        let named = Named::default();
        let add = |total: &mut u64, more| *total += more;
        assert_eq!(named.of(series(0, 10), add).len(), 10);
        // Others come before them, and do not take their place.
        let all: Vec<_> = series(10, 5_000).chain(series(0, 10)).collect();
        let split = named.of(all.iter().copied(), add);
        assert!(split.len() <= MOST, "{}", split.len());
        assert_eq!(split.iter().map(|(_, value)| value).sum::<u64>(), (0..5_000).sum::<u64>());
        assert!(
            (0..10).all(|number| split.iter().any(|(labels, _)| labels.component == format!("c{number}")))
        );
        assert_eq!(split.iter().filter(|(labels, _)| labels.component == OTHER).count(), 1);
        assert_eq!(named.of(all.into_iter(), add), split);
    }
}

//! Totals as bytes: a version, then numbers of seven bits to a byte.

use crate::profile::histogram::Counts;
use crate::profile::totals::Totals;

/// The form of what follows; blobs of another one are not read.
const VERSION: u8 = 1;

/// The most numbers of one kind: a blob that says more is none.
const MOST: u64 = 4_096;

/// Writes totals.
pub(super) fn write(totals: &Totals) -> Vec<u8> {
    let mut blob = vec![VERSION];
    let (outcomes, sums) = totals.numbers();
    number(&mut blob, outcomes.len() as u64);
    for (pair, calls) in outcomes {
        number(&mut blob, u64::from(*pair));
        number(&mut blob, *calls);
    }
    number(&mut blob, sums.len() as u64);
    sums.iter().for_each(|sum| number(&mut blob, *sum));
    number(&mut blob, totals.longest_poll);
    for counts in [&totals.hits, &totals.runs, &totals.failed] {
        number(&mut blob, counts.buckets().count() as u64);
        let mut last = 0;
        for (index, count) in counts.buckets() {
            number(&mut blob, (index - last) as u64);
            number(&mut blob, count);
            last = index;
        }
        number(&mut blob, counts.sum);
        number(&mut blob, counts.max);
    }
    blob
}

/// Reads totals; `None` where the bytes are none of this version.
pub(super) fn read(blob: &[u8]) -> Option<Totals> {
    let (&VERSION, mut rest) = blob.split_first()? else { return None };
    let rest = &mut rest;
    let mut totals = Totals::default();
    let outcomes = list(rest, |rest| Some((u8::try_from(take(rest)?).ok()?, take(rest)?)))?;
    let sums = list(rest, take)?;
    totals.set_numbers(outcomes, sums);
    totals.longest_poll = take(rest)?;
    for counts in [&mut totals.hits, &mut totals.runs, &mut totals.failed] {
        let mut index = 0_usize;
        let buckets = list(rest, |rest| {
            index = index.checked_add(usize::try_from(take(rest)?).ok()?)?;
            Some((index, take(rest)?))
        })?;
        *counts = Counts::of(buckets, take(rest)?, take(rest)?)?;
    }
    rest.is_empty().then_some(totals)
}

fn list<T>(rest: &mut &[u8], mut one: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let length = take(rest)?;
    (length <= MOST).then(|| (0..length).map(|_| one(rest)).collect())?
}

/// LEB128, as in DWARF and WebAssembly.
fn number(blob: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        blob.push(value as u8 | 0x80);
        value >>= 7;
    }
    blob.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, more) = rest.split_first()?;
        *rest = more;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts() -> impl Strategy<Value = Counts> {
        let buckets = prop::collection::btree_map(0_usize..1_184, 1_u64..1 << 40, 0..20);
        (buckets, any::<u64>(), any::<u64>())
            .prop_map(|(buckets, sum, max)| Counts::of(buckets, sum, max).unwrap())
    }

    proptest! {
        #[test]
        fn totals_come_back(
            outcomes in prop::collection::btree_map(0_u8..56, 1_u64..1 << 50, 0..8),
            sums in prop::collection::vec(any::<u64>(), 18),
            (hits, runs, failed) in (counts(), counts(), counts()),
        ) {
            let mut totals = Totals::default();
            totals.set_numbers(outcomes, sums);
            (totals.hits, totals.runs, totals.failed, totals.longest_poll) = (hits, runs, failed, 7);
            let blob = write(&totals);
            prop_assert_eq!(read(&blob), Some(totals));
            prop_assert_eq!(read(&blob[..blob.len() - 1]), None);
        }

        #[test]
        fn bytes_that_are_none_are_not_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            prop_assert_eq!(read(&[&[2], &bytes[..]].concat()), None);
        }
    }
}

//! How listeners know that they missed nothing: each invalidation names the one before it.

use crate::cache::level::{Event, Marks, Origin, Voided};
use crate::cache::tag::TagId;

/// The mark of everything, as a tag: no digest of a tag is all zeros.
pub(super) const EVERYTHING: [u8; 16] = [0; 16];
/// The last mark that was given, as a tag.
pub(super) const COUNTER: [u8; 16] = [0xff; 16];

/// How many invalidations are kept for listeners.
pub(super) const LONGEST_LOG: i64 = 10_000;
/// How many tags keep a mark of their own; beyond, everything is voided.
pub(super) const MOST_MARKS: i64 = 65_536;
/// The log and the marks are cut once in so many invalidations, since counting them costs a search.
pub(super) const CUT_EVERY: i64 = 256;
/// How many invalidations a listener reads at once: more than are kept. Whoever was away has heard everything with the
/// first answer, and trusts nothing again before.
pub(super) const MOST_NEWS: i64 = 2 * LONGEST_LOG;

/// One invalidation as the log keeps it.
pub(super) struct Entry {
    pub(super) mark: i64,
    pub(super) previous: i64,
    pub(super) origin: i64,
    pub(super) tags: Option<Vec<u8>>,
}

/// The last invalidation that a listener has seen.
#[derive(Default)]
pub(super) struct Position(Option<i64>);

impl Position {
    /// Returns the mark after which it reads on.
    pub(super) fn after(&self) -> i64 {
        self.0.unwrap_or(i64::MAX)
    }

    /// Goes on to what was read: entries after the position in their order, and the last mark given.
    pub(super) fn follow(&mut self, last: i64, entries: Vec<Entry>) -> Vec<Event> {
        let whole = entries.len() < MOST_NEWS as usize;
        let Some(position) = self.0 else {
            self.0 = Some(last);
            return vec![Event::Gap];
        };
        let mut at = position;
        let mut events = Vec::with_capacity(entries.len());
        for entry in entries {
            let (true, Some(voided)) = (entry.previous == at, voided(entry.tags)) else {
                self.0 = Some(last);
                return vec![Event::Gap];
            };
            at = entry.mark;
            events.push(Event::Voided(Origin(entry.origin.cast_unsigned()), voided));
        }
        // Entries are gone, or the whole database was replaced by another one.
        if whole && at != last {
            self.0 = Some(last);
            return vec![Event::Gap];
        }
        self.0 = Some(at);
        events
    }
}

fn voided(tags: Option<Vec<u8>>) -> Option<Voided> {
    tags.map_or(Some(Voided::All), |tags| Voided::read(&tags))
}

/// Puts what was read of the log into its order, apart from the last mark that was given.
pub(super) fn sorted<E>(
    rows: impl Iterator<Item = Result<Result<Entry, i64>, E>>,
) -> Result<(i64, Vec<Entry>), E> {
    let mut last = 0;
    let mut entries = Vec::new();
    for row in rows {
        match row? {
            Ok(entry) => entries.push(entry),
            Err(counter) => last = counter,
        }
    }
    entries.sort_unstable_by_key(|entry| entry.mark);
    Ok((last, entries))
}

/// Returns the digests of tags, each once, in one piece.
#[cfg(feature = "sqlite")]
pub(super) fn joined(first: &[[u8; 16]], tags: &[TagId]) -> Vec<u8> {
    first.iter().chain(tags.iter().map(TagId::as_bytes)).flatten().copied().collect()
}

/// Returns the tags of an invalidation, each once; `None`: everything.
pub(super) fn named(voided: &Voided) -> Option<Vec<TagId>> {
    let Voided::Tags(tags) = voided else { return None };
    let mut tags = tags.clone();
    tags.sort_unstable_by_key(|tag| *tag.as_bytes());
    tags.dedup();
    Some(tags)
}

/// Returns the marks as the database compares them; `None` if no value may be stored under them.
pub(super) fn expected(marks: &Marks, tags: &[TagId]) -> Option<Vec<i64>> {
    // Without a mark for everything nothing that is read later could be told from what is lost.
    let complete = marks.0.len() == tags.len() + 1 && marks.0.first().is_some_and(|&mark| mark != 0);
    complete.then(|| marks.0.iter().map(|mark| mark.cast_signed()).collect())
}

/// Returns a number of the level as the database keeps it.
pub(super) fn whole(number: u128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(previous: i64, mark: i64) -> Entry {
        Entry { mark, previous, origin: 7, tags: None }
    }

    #[test]
    fn a_listener_reports_a_gap_first_and_then_only_what_it_has_not_seen() {
        let mut position = Position::default();
        assert_eq!(position.follow(5, vec![]), [Event::Gap]);
        assert_eq!(position.after(), 5);
        assert_eq!(position.follow(5, vec![]), []);
        let news = Event::Voided(Origin(7), Voided::All);
        assert_eq!(position.follow(9, vec![entry(5, 8), entry(8, 9)]), [news.clone(), news]);
        assert_eq!(position.follow(9, vec![]), []);
    }

    #[test]
    fn a_link_that_is_missing_at_the_front_inside_or_at_the_end_is_a_gap() {
        for entries in [vec![entry(6, 9)], vec![entry(5, 6), entry(8, 9)], vec![entry(5, 8)], vec![]] {
            let mut position = Position(Some(5));
            assert_eq!(position.follow(9, entries), [Event::Gap]);
            assert_eq!(position.after(), 9);
        }
        let mut restored = Position(Some(5));
        assert_eq!(restored.follow(3, vec![]), [Event::Gap]);
    }
}

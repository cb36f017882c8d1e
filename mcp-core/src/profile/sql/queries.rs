//! What one call ran: its first statements, and those it repeated.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Statement;

/// How many statements of a call are kept one by one.
const MOST_QUERIES: usize = 50;
/// How many fingerprints of a call are counted.
const MOST_FINGERPRINTS: usize = 64;

/// A statement that ran.
#[derive(Clone, Debug)]
pub struct Query {
    /// What ran.
    pub statement: Arc<Statement>,
    /// How long it took, up to when its stream was dropped: a slow reader makes it longer.
    pub took: Duration,
    /// How many rows it returned, or changed where it returned none.
    pub rows: u64,
    /// Whether it took as long as the threshold or longer.
    pub slow: bool,
}

/// The statements of one call; takes no memory of its own before the first.
#[derive(Debug)]
pub struct Queries {
    kept: usize,
    noted: Mutex<Option<Box<Noted>>>,
}

#[derive(Debug, Default)]
struct Noted {
    count: u64,
    slow: u64,
    total: Duration,
    first: Vec<NotedQuery>,
    times: Vec<Repeated>,
}

/// One statement of a call.
#[derive(Clone, Debug)]
pub struct NotedQuery {
    /// What ran.
    pub statement: Arc<Statement>,
    /// When it began, from the begin of the call.
    pub start: Duration,
    /// How long it took.
    pub took: Duration,
    /// How many rows it returned or changed.
    pub rows: u64,
    /// The checkpoint after which it ran.
    pub after: Option<&'static str>,
}

/// A statement that a call ran more than once.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// What ran.
    pub statement: Arc<Statement>,
    /// How often.
    pub times: u64,
    /// How long all of them took.
    pub total: Duration,
    /// The checkpoint after which it ran for the second time.
    pub after: Option<&'static str>,
}

impl Default for Queries {
    fn default() -> Self {
        Self::keeping(MOST_QUERIES)
    }
}

impl Queries {
    /// Begins with none; keeps so many one by one, and counts all.
    pub const fn keeping(kept: usize) -> Self {
        Self { kept, noted: Mutex::new(None) }
    }

    /// Notes a statement that began so long after the call did.
    pub fn note(&self, query: &Query, start: Duration, after: Option<&'static str>) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = noted.get_or_insert_default();
        noted.count += 1;
        noted.slow += u64::from(query.slow);
        noted.total = noted.total.saturating_add(query.took);
        if noted.first.len() < self.kept {
            let Query { statement, took, rows, .. } = query.clone();
            noted.first.push(NotedQuery { statement, start, took, rows, after });
        }
        noted.count_repeats(query, after);
    }

    fn read<T: Default>(&self, read: impl FnOnce(&Noted) -> T) -> T {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.as_deref().map(read).unwrap_or_default()
    }

    /// Returns how many there were.
    pub fn count(&self) -> u64 {
        self.read(|noted| noted.count)
    }

    /// Returns how many of them were slow.
    pub fn slow(&self) -> u64 {
        self.read(|noted| noted.slow)
    }

    /// Returns how long they took in total; some may have run at once.
    pub fn total(&self) -> Duration {
        self.read(|noted| noted.total)
    }

    /// Returns those that ended first, as they began.
    pub fn first(&self) -> Vec<NotedQuery> {
        let mut first = self.read(|noted| noted.first.clone());
        first.sort_by_key(|query| query.start);
        first
    }

    /// Returns the statements that ran so often or more, the most frequent first.
    ///
    /// The first 64 fingerprints of a call are counted.
    pub fn repeated(&self, min: u64) -> Vec<Repeated> {
        let mut found: Vec<_> =
            self.read(|noted| noted.times.iter().filter(|one| one.times >= min).cloned().collect());
        found.sort_by_key(|one| std::cmp::Reverse(one.times));
        found
    }
}

impl Noted {
    fn count_repeats(&mut self, query: &Query, after: Option<&'static str>) {
        // Behind it are many: that they come often says nothing.
        if query.statement.is_other() {
            return;
        }
        let is_full = self.times.len() >= MOST_FINGERPRINTS;
        match self.times.iter_mut().find(|one| Arc::ptr_eq(&one.statement, &query.statement)) {
            Some(one) => {
                one.times += 1;
                one.total = one.total.saturating_add(query.took);
                if one.times == 2 {
                    one.after = after;
                }
            }
            None if is_full => {}
            None => {
                let statement = query.statement.clone();
                self.times.push(Repeated { statement, times: 1, total: query.took, after });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Statements;
    use super::*;

    fn note(queries: &Queries, statement: &Arc<Statement>, after: Option<&'static str>) {
        let query =
            Query { statement: statement.clone(), took: Duration::from_millis(2), rows: 1, slow: false };
        queries.note(&query, Duration::from_millis(1), after);
    }

    #[test]
    fn repeats_are_counted_from_the_checkpoint_where_they_began() {
        let (queries, statements) = (Queries::default(), Statements::default());
        let (one, two) = (statements.of("one"), statements.of("two"));
        note(&queries, &one, None);
        for after in ["rows loaded", "sorted", "sorted", "sorted"] {
            note(&queries, &one, Some(after));
            note(&queries, &two, Some(after));
        }
        assert_eq!((queries.count(), queries.total()), (9, Duration::from_millis(18)));
        let found = queries.repeated(5);
        assert_eq!(found.len(), 1);
        assert!(Arc::ptr_eq(&found[0].statement, &one));
        assert_eq!((found[0].times, found[0].total), (5, Duration::from_millis(10)));
        assert_eq!(found[0].after, Some("rows loaded"));
        assert_eq!(queries.repeated(4).len(), 2);
    }

    #[test]
    fn what_a_call_keeps_is_bounded() {
        let (queries, statements) = (Queries::default(), Statements::default());
        for n in 0..200 {
            note(&queries, &statements.of(&format!("SELECT c{n}")), None);
        }
        assert_eq!((queries.count(), queries.first().len()), (200, MOST_QUERIES));
        assert_eq!(queries.repeated(1).len(), MOST_FINGERPRINTS);
    }

    #[test]
    fn those_that_ended_late_stand_where_they_began() {
        let (queries, statement) = (Queries::default(), Statements::default().of("one"));
        for (start, rows) in [(5, 1), (2, 2), (9, 3)] {
            let query = Query { statement: statement.clone(), took: Duration::ZERO, rows, slow: rows == 2 };
            queries.note(&query, Duration::from_millis(start), None);
        }
        assert_eq!(queries.first().iter().map(|query| query.rows).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(queries.slow(), 1);
    }

    #[test]
    fn none_takes_no_memory() {
        let queries = Queries::default();
        assert!(queries.noted.lock().unwrap().is_none());
        assert_eq!((queries.count(), queries.first().len(), queries.repeated(1).len()), (0, 0, 0));
        assert!(size_of::<Queries>() <= 24);
    }
}

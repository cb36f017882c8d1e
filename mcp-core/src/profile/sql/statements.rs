//! The figures of each fingerprint in this process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fingerprint;
use crate::profile::ticks::nanos;

/// How many fingerprints have figures of their own; hotpath's bound as well.
const MOST_STATEMENTS: usize = 1_000;
/// How many texts are known without another look.
const MOST_TEXTS: usize = 4_096;
/// How many components a statement names.
const MOST_COMPONENTS: usize = 8;

const OTHER: &str = "<other>";
const EMPTY: &str = "<empty>";

/// The statements of this process.
///
/// sqlx tells of statements to the whole process, so there is one table, whichever server asks.
pub fn statements() -> &'static Statements {
    static STATEMENTS: LazyLock<Statements> = LazyLock::new(Statements::default);
    &STATEMENTS
}

/// A bounded table of statements by their fingerprints.
pub struct Statements {
    /// By the hash of a text, so that most texts are read once; the key of the hash is random.
    texts: RwLock<HashMap<u64, Arc<Statement>>>,
    by_fingerprint: RwLock<HashMap<Arc<str>, Arc<Statement>>>,
    other: Arc<Statement>,
    dropped: AtomicU64,
    slow_ns: AtomicU64,
    hasher: RandomState,
}

impl Default for Statements {
    fn default() -> Self {
        Self {
            texts: RwLock::default(),
            by_fingerprint: RwLock::default(),
            other: Arc::new(Statement::new(OTHER.into())),
            dropped: AtomicU64::new(0),
            slow_ns: AtomicU64::new(nanos(Duration::from_millis(100))),
            hasher: RandomState::new(),
        }
    }
}

impl Statements {
    /// Returns the statement that a text is; texts with the same fingerprint share one.
    ///
    /// After the first thousand fingerprints, all new ones share `<other>`.
    pub fn of(&self, text: &str) -> Arc<Statement> {
        let hash = self.hasher.hash_one(text);
        if let Some(known) = self.texts.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return known.clone();
        }
        let statement = self.with_fingerprint(fingerprint(text));
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        if texts.len() >= MOST_TEXTS {
            texts.clear();
        }
        texts.insert(hash, statement.clone());
        statement
    }

    fn with_fingerprint(&self, fingerprint: String) -> Arc<Statement> {
        let fingerprint: Arc<str> = if fingerprint.is_empty() { EMPTY.into() } else { fingerprint.into() };
        let mut table = self.by_fingerprint.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = table.get(&fingerprint) {
            return known.clone();
        }
        if table.len() >= MOST_STATEMENTS {
            self.dropped.fetch_add(1, Relaxed);
            return self.other.clone();
        }
        let statement = Arc::new(Statement::new(fingerprint.clone()));
        table.insert(fingerprint, statement.clone());
        statement
    }

    /// Sets from when on a statement counts as slow; 100 ms unless set.
    pub fn set_slow(&self, from: Duration) {
        self.slow_ns.store(nanos(from), Relaxed);
    }

    /// Returns from when on a statement counts as slow.
    pub fn slow(&self) -> Duration {
        Duration::from_nanos(self.slow_ns.load(Relaxed))
    }

    /// Returns how often a text had no place of its own, because the table was full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Returns the figures of all statements that ran, the one that took longest in total first.
    pub fn figures(&self) -> Vec<StatementFigures> {
        let table = self.by_fingerprint.read().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = table.values().chain([&self.other]).cloned().collect();
        drop(table);
        let mut figures: Vec<_> = all.iter().map(|statement| statement.figures()).collect();
        figures.retain(|statement| statement.calls > 0);
        figures.sort_by(|a, b| b.total_ns.cmp(&a.total_ns).then_with(|| a.fingerprint.cmp(&b.fingerprint)));
        figures
    }
}

impl std::fmt::Debug for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statements").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

/// One fingerprint and what is known of it; shared by all calls that run it.
pub struct Statement {
    fingerprint: Arc<str>,
    calls: AtomicU64,
    total_ns: AtomicU64,
    max_ns: AtomicU64,
    rows: AtomicU64,
    slow: AtomicU64,
    repeated: AtomicU64,
    /// Kind and name.
    components: [OnceLock<(&'static str, &'static str)>; MOST_COMPONENTS],
    more_components: AtomicBool,
}

impl Statement {
    fn new(fingerprint: Arc<str>) -> Self {
        Self {
            fingerprint,
            calls: AtomicU64::new(0),
            total_ns: AtomicU64::new(0),
            max_ns: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            components: Default::default(),
            more_components: AtomicBool::new(false),
        }
    }

    /// Returns the text without literals.
    pub fn fingerprint(&self) -> &Arc<str> {
        &self.fingerprint
    }

    /// Whether it stands for all that there was no place for.
    pub(super) fn is_other(&self) -> bool {
        &*self.fingerprint == OTHER
    }

    /// Whether it sets up a connection, as sqlx does with each of SQLite: no call means to run it.
    pub fn opens_a_connection(&self) -> bool {
        self.fingerprint.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("pragma"))
    }

    /// Counts a statement that ran.
    pub fn record(&self, took: Duration, rows: u64, slow: bool) {
        let took = nanos(took);
        self.calls.fetch_add(1, Relaxed);
        self.total_ns.fetch_add(took, Relaxed);
        self.max_ns.fetch_max(took, Relaxed);
        self.rows.fetch_add(rows, Relaxed);
        self.slow.fetch_add(slow.into(), Relaxed);
    }

    /// Counts a call that ran this statement repeatedly.
    pub fn record_repeated(&self) {
        self.repeated.fetch_add(1, Relaxed);
    }

    /// Remembers that a component runs this statement.
    pub fn seen_in(&self, kind: &'static str, name: &'static str) {
        for slot in &self.components {
            if *slot.get_or_init(|| (kind, name)) == (kind, name) {
                return;
            }
        }
        self.more_components.store(true, Relaxed);
    }

    /// Returns the figures as they are now.
    pub fn figures(&self) -> StatementFigures {
        let more = self.more_components.load(Relaxed).then(|| "..".to_owned());
        let components = self.components.iter().filter_map(OnceLock::get);
        let components = components.map(|(kind, name)| format!("{kind} {name}").trim_start().to_owned());
        StatementFigures {
            fingerprint: self.fingerprint.as_ref().to_owned(),
            calls: self.calls.load(Relaxed),
            total_ns: self.total_ns.load(Relaxed),
            max_ns: self.max_ns.load(Relaxed),
            rows: self.rows.load(Relaxed),
            slow: self.slow.load(Relaxed),
            repeated: self.repeated.load(Relaxed),
            components: components.chain(more).collect(),
        }
    }
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Statement").field(&self.fingerprint).finish()
    }
}

/// The figures of a statement at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementFigures {
    /// The text without literals.
    pub fingerprint: String,
    /// How often it ran.
    pub calls: u64,
    /// How long it took in total, each time up to when its stream was dropped, in nanoseconds.
    pub total_ns: u64,
    /// How long it took at most, in nanoseconds.
    pub max_ns: u64,
    /// How many rows it returned, or changed where it returned none.
    pub rows: u64,
    /// How often it took as long as the threshold or longer.
    pub slow: u64,
    /// How many calls ran it repeatedly.
    pub repeated: u64,
    /// The first eight components that ran it, then `..` if there were more.
    pub components: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_one_fingerprint_share_their_figures() {
        let statements = Statements::default();
        let (one, two) = (statements.of("SELECT 1"), statements.of("SELECT  2"));
        assert!(Arc::ptr_eq(&one, &two) && Arc::ptr_eq(&one, &statements.of("SELECT 1")));
        one.record(Duration::from_nanos(5), 1, false);
        two.record(Duration::from_nanos(7), 2, true);
        one.record_repeated();
        one.seen_in("tool", "a");
        one.seen_in("tool", "a");
        let figures = statements.figures();
        let expected = r#"[{"fingerprint":"SELECT ?","calls":2,"total_ns":12,"max_ns":7,"rows":3,"slow":1,"repeated":1,"components":["tool a"]}]"#;
        assert_eq!(serde_json::to_string(&figures).unwrap(), expected);
    }

    #[test]
    fn statements_over_the_bound_share_one_place_and_are_counted() {
        let statements = Statements::default();
        for n in 0..MOST_STATEMENTS + 5 {
            statements.of(&format!("SELECT a FROM t{n}")).record(Duration::ZERO, 0, false);
        }
        statements.of("SELECT a FROM t1004").record(Duration::ZERO, 0, false);
        statements.of("SELECT a FROM t7").record(Duration::ZERO, 0, false);
        assert_eq!(statements.dropped(), 5);
        let figures = statements.figures();
        assert_eq!(figures.len(), MOST_STATEMENTS + 1);
        let calls = |name: &str| figures.iter().find(|f| f.fingerprint == name).map(|f| f.calls);
        assert_eq!((calls(OTHER), calls("SELECT a FROM t7")), (Some(6), Some(2)));
    }

    #[test]
    fn the_memory_of_texts_is_bounded() {
        let statements = Statements::default();
        for n in 0..3 * MOST_TEXTS {
            statements.of(&format!("SELECT {n}"));
        }
        assert!(statements.texts.read().unwrap().len() <= MOST_TEXTS);
        assert_eq!(statements.by_fingerprint.read().unwrap().len(), 1);
    }

    #[test]
    fn the_first_eight_components_are_named() {
        let statement = Statement::new("".into());
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "a", "i", "j"] {
            statement.seen_in("tool", name);
        }
        assert_eq!(
            statement.figures().components,
            ["tool a", "tool b", "tool c", "tool d", "tool e", "tool f", "tool g", "tool h", ".."]
        );
    }
}

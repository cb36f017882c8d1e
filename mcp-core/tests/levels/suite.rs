//! The promises of every level, over whatever keeps it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mcp_core::cache::level::{Event, Marks, Origin, SILENCE, Voided, Write};
use tokio::sync::mpsc;

use crate::support::*;

/// Makes a test of each promise, over what an expression opens.
macro_rules! promises_of_a_level {
    ($stand:expr) => {
        promises_of_a_level! { $stand;
            stored_is_read_back_with_the_remaining_life
            another_application_sees_nothing_and_voids_nothing
            a_write_under_marks_from_before_an_invalidation_is_refused
            what_is_computed_after_an_invalidation_is_kept
            unrelated_tags_are_untouched
            nothing_old_is_good_among_concurrent_readers_writers_and_invalidators
            marks_are_not_newer_than_the_value
            expired_is_not_read
            discard_removes_exactly_that_value
            news_arrive_in_order_with_their_origin_at_two_listeners
            a_log_that_was_cut_beyond_the_position_is_a_gap
            a_later_listener_reports_a_gap_once_and_then_only_news
            silence_is_answered_in_time
            more_marks_than_are_kept_void_everything
            what_it_holds_is_counted
        }
    };
    ($stand:expr; $($promise:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let stand = $stand;
            crate::suite::$promise(&stand, &crate::suite::application(stringify!($promise))).await;
        }
    )* };
}

/// A name that no other test and no earlier run has.
pub(crate) fn application(test: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let short: String = test.chars().take(20).collect();
    format!("{}-{:x}-{}-{short}", std::process::id(), since.as_micros(), COUNT.fetch_add(1, SeqCst))
}

pub(crate) async fn stored_is_read_back_with_the_remaining_life(stand: &impl Stand, name: &str) {
    let (one, other) = (stand.open(name), stand.open(name));
    let tags = [tag("a"), tag("b")];
    let marks = marks(&*one, &tags).await;
    assert_eq!(marks.0.len(), 3);
    assert_ne!(marks.0[0], 0, "everything has a mark before anything is stored");
    assert_eq!(marks.0[1..], [0, 0]);
    let began = Instant::now();
    assert!(store(&*one, 1, &tags, &marks, b"content").await.unwrap());
    let read = other.read(&key(1), &tags).await.unwrap();
    let (value, left) = read.value.unwrap();
    assert_eq!(opened(&value).unwrap(), b"content");
    assert_eq!(read.marks, marks);
    let gone = began.elapsed() + Duration::from_secs(1);
    assert!(left <= LIFE && left >= LIFE - gone, "{left:?} are left");
    assert!(store(&*other, 1, &tags, &marks, b"").await.unwrap(), "a value replaces another");
    assert_eq!(content(&*one, 1).await.unwrap(), b"");
    assert!(content(&*one, 2).await.is_none());
}

pub(crate) async fn another_application_sees_nothing_and_voids_nothing(stand: &impl Stand, name: &str) {
    let (ours, theirs) = (stand.open(name), stand.open(&format!("{name}-other")));
    let tags = [tag("a")];
    let before = marks(&*ours, &tags).await;
    assert!(store(&*ours, 1, &tags, &before, b"ours").await.unwrap());
    assert!(content(&*theirs, 1).await.is_none());
    theirs.invalidate(&Voided::All, Origin(1)).await.unwrap();
    theirs.invalidate(&Voided::Tags(tags.to_vec()), Origin(1)).await.unwrap();
    theirs.discard(&key(1), &sealed(b"ours")).await.unwrap();
    assert_eq!(marks(&*ours, &tags).await, before);
    assert_eq!(content(&*ours, 1).await.unwrap(), b"ours");
}

pub(crate) async fn a_write_under_marks_from_before_an_invalidation_is_refused(
    stand: &impl Stand,
    name: &str,
) {
    let (one, other) = (stand.open(name), stand.open(name));
    let tags = [tag("a"), tag("b")];
    for voided in [Voided::Tags(vec![tag("b")]), Voided::Tags(tags.to_vec()), Voided::All] {
        let before = marks(&*one, &tags).await;
        assert!(store(&*one, 1, &tags, &before, b"before").await.unwrap());
        other.invalidate(&voided, Origin(1)).await.unwrap();
        let after = marks(&*one, &tags).await;
        assert_ne!(after, before, "{voided:?}");
        assert!(!store(&*one, 1, &tags, &before, b"late").await.unwrap(), "{voided:?}");
        assert_ne!(content(&*one, 1).await.as_deref(), Some(&b"late"[..]));
    }
    let none = Marks(vec![0; 3].into());
    assert!(!store(&*one, 1, &tags, &none, b"no mark").await.unwrap());
}

pub(crate) async fn what_is_computed_after_an_invalidation_is_kept(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let tags = [tag("a")];
    for (round, voided) in
        [Voided::Tags(tags.to_vec()), Voided::All, Voided::Tags(tags.to_vec())].iter().enumerate()
    {
        level.invalidate(voided, Origin(1)).await.unwrap();
        let after = marks(&*level, &tags).await;
        let content_of_round = [round as u8];
        assert!(store(&*level, 1, &tags, &after, &content_of_round).await.unwrap(), "{voided:?}");
        let read = level.read(&key(1), &tags).await.unwrap();
        assert_eq!(opened(&read.value.unwrap().0).unwrap(), content_of_round);
        assert_eq!(read.marks, after);
    }
}

pub(crate) async fn unrelated_tags_are_untouched(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let before = marks(&*level, &[tag("a"), tag("b")]).await;
    // Named twice: it is one tag all the same.
    level.invalidate(&Voided::Tags(vec![tag("a"), tag("a")]), Origin(1)).await.unwrap();
    level.invalidate(&Voided::Tags(vec![]), Origin(1)).await.unwrap();
    let after = marks(&*level, &[tag("a"), tag("b")]).await;
    assert_eq!((after.0[0], after.0[2]), (before.0[0], before.0[2]));
    assert_ne!(after.0[1], before.0[1]);
    let others = Marks([before.0[0], before.0[2]].into());
    assert!(store(&*level, 1, &[tag("b")], &others, b"b").await.unwrap());
    assert_eq!(content(&*level, 1).await.unwrap(), b"b");
}

/// A value names the marks it was stored under and the version it was made from. It is good if the
/// marks are those of now: then it is as new as the last invalidation that had returned.
pub(crate) async fn nothing_old_is_good_among_concurrent_readers_writers_and_invalidators(
    stand: &impl Stand,
    name: &str,
) {
    const EACH: u64 = 250;
    let (version, voided) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = Vec::new();
    for who in 0..4_u64 {
        let (level, version, voided) = (stand.open(name), Arc::clone(&version), Arc::clone(&voided));
        tasks.push(tokio::spawn(async move {
            let tags = [tag("a"), tag("b")];
            let (mut good, mut newest) = (0_u64, [0; 2]);
            for round in 0..EACH {
                let number = round % 2;
                let at_least = voided.load(SeqCst);
                let Ok(read) = level.read(&key(number), &tags).await else { continue };
                let numbers: Vec<u8> = read.marks.0.iter().flat_map(|mark| mark.to_le_bytes()).collect();
                if let Some((value, _)) = &read.value {
                    let (under, made_from) = opened(value).unwrap().split_at(numbers.len());
                    let made_from = u64::from_le_bytes(made_from.try_into().unwrap());
                    if under == numbers {
                        good += 1;
                        assert!(
                            made_from >= at_least,
                            "version {made_from} after the invalidation of {at_least}"
                        );
                    }
                    let mark = u64::from_le_bytes(under[16..24].try_into().unwrap());
                    let newest = &mut newest[number as usize];
                    assert!(mark >= *newest, "a write under older marks came through");
                    *newest = mark;
                }
                let now = version.load(SeqCst).to_le_bytes();
                let content = [&numbers[..], &now].concat();
                if round % 7 == who {
                    let next = version.fetch_add(1, SeqCst) + 1;
                    let what = Voided::Tags(vec![tag("b")]);
                    // SQLite has one writer: who waits too long for it tries again.
                    let mut tries = 0;
                    while let Err(error) = level.invalidate(&what, Origin(who)).await {
                        tries += 1;
                        assert!(tries < 20, "{error}");
                    }
                    voided.fetch_max(next, SeqCst);
                }
                _ = store(&*level, number, &tags, &read.marks, &content).await;
            }
            good
        }));
    }
    let mut good = 0;
    for task in tasks {
        good += task.await.unwrap();
    }
    assert!(good > 20, "only {good} reads found something good: the test shows nothing");
}

/// One task invalidates and stores what it was given after that, again and again. Whoever reads sees
/// the value of the last invalidation, or of the one before it while the new value is on its way.
pub(crate) async fn marks_are_not_newer_than_the_value(stand: &impl Stand, name: &str) {
    let (level, reader) = (stand.open(name), stand.open(name));
    let order = Arc::new(Mutex::new(HashMap::new()));
    let done = Arc::new(AtomicBool::new(false));
    let tags = [tag("a")];
    let writes = {
        let (order, done) = (Arc::clone(&order), Arc::clone(&done));
        tokio::spawn(async move {
            for round in 0..400_u64 {
                level.invalidate(&Voided::Tags(tags.to_vec()), Origin(1)).await.unwrap();
                let marks = marks(&*level, &tags).await;
                order.lock().unwrap().insert(marks.0[1], round);
                assert!(store(&*level, 1, &tags, &marks, &round.to_le_bytes()).await.unwrap());
            }
            done.store(true, SeqCst);
        })
    };
    let mut compared = 0;
    while !done.load(SeqCst) {
        let read = reader.read(&key(1), &tags).await.unwrap();
        let Some((value, _)) = read.value else { continue };
        let value = u64::from_le_bytes(opened(&value).unwrap().try_into().unwrap());
        // A mark that is not known yet is newer than all that are: the next read has it in its turn.
        let Some(mark) = order.lock().unwrap().get(&read.marks.0[1]).copied() else { continue };
        assert!(mark <= value + 1, "the marks of round {mark} came with the value of round {value}");
        compared += 1;
    }
    writes.await.unwrap();
    assert!(compared > 50, "only {compared} reads were of use: the test shows nothing");
}

pub(crate) async fn expired_is_not_read(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let marks = marks(&*level, &[]).await;
    let (key, value) = (key(1), sealed(b"short"));
    let life = Duration::from_millis(400);
    let began = Instant::now();
    assert!(level.write(Write { key: &key, tags: &[], marks: &marks, value: &value, life }).await.unwrap());
    let read = level.read(&key, &[]).await.unwrap();
    if began.elapsed() < life {
        assert!(read.value.is_some_and(|(_, left)| left <= life));
    }
    until("it is gone", async || level.read(&key, &[]).await.unwrap().value.is_none()).await;
    assert!(began.elapsed() >= life - Duration::from_millis(2));
    level.tend().await.unwrap();
    assert_eq!(level.holds().await.unwrap().entries.unwrap_or(0), 0);
}

pub(crate) async fn discard_removes_exactly_that_value(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let marks = marks(&*level, &[]).await;
    assert!(store(&*level, 1, &[], &marks, b"one").await.unwrap());
    assert!(store(&*level, 2, &[], &marks, b"one").await.unwrap());
    level.discard(&key(1), &sealed(b"another")).await.unwrap();
    assert_eq!(content(&*level, 1).await.unwrap(), b"one");
    level.discard(&key(1), &sealed(b"one")).await.unwrap();
    assert!(content(&*level, 1).await.is_none());
    assert_eq!(content(&*level, 2).await.unwrap(), b"one");
}

pub(crate) async fn news_arrive_in_order_with_their_origin_at_two_listeners(stand: &impl Stand, name: &str) {
    const COUNT: usize = 15;
    let level = stand.open(name);
    let mut listeners = Vec::new();
    for _ in 0..2 {
        let mut news = listener(&*stand.open(name)).await;
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(events) = news.next().await {
                let now = Instant::now();
                if events.into_iter().any(|event| tell.send((now, event)).is_err()) || tell.is_closed() {
                    break;
                }
            }
        });
        listeners.push(told);
    }
    let mut delays = Vec::new();
    for number in 0..COUNT {
        let voided = match number % 4 {
            3 => Voided::All,
            _ => Voided::Tags(vec![tag(&number.to_string())]),
        };
        let origin = Origin(u64::MAX - number as u64);
        level.invalidate(&voided, origin).await.unwrap();
        let done = Instant::now();
        for told in &mut listeners {
            let (at, event) = told.recv().await.unwrap();
            assert_eq!(event, Event::Voided(origin, voided.clone()));
            delays.push(at.saturating_duration_since(done));
        }
    }
    delays.sort();
    // The median: a machine that is busy with something else may delay any one of them.
    let median = delays[delays.len() / 2];
    assert!(median < Duration::from_millis(200), "news took {median:?}");
}

pub(crate) async fn a_log_that_was_cut_beyond_the_position_is_a_gap(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let mut news = listener(&*level).await;
    let voided = Voided::Tags(vec![tag("a")]);
    level.invalidate(&voided, Origin(1)).await.unwrap();
    assert_eq!(crate::support::news(&mut *news).await, [Event::Voided(Origin(1), voided.clone())]);
    for _ in 0..10_600 {
        level.invalidate(&voided, Origin(2)).await.unwrap();
    }
    assert_eq!(crate::support::news(&mut *news).await, [Event::Gap]);
    level.invalidate(&voided, Origin(3)).await.unwrap();
    assert_eq!(crate::support::news(&mut *news).await, [Event::Voided(Origin(3), voided)]);
}

pub(crate) async fn a_later_listener_reports_a_gap_once_and_then_only_news(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    for number in 0..5 {
        level.invalidate(&Voided::All, Origin(number)).await.unwrap();
    }
    let mut late = listener(&*stand.open(name)).await;
    for number in 5..8 {
        level.invalidate(&Voided::All, Origin(number)).await.unwrap();
        assert_eq!(news(&mut *late).await, [Event::Voided(Origin(number), Voided::All)]);
    }
    // All that was missed comes with one answer, after which memory is trusted again, in the order in which it happened.
    for number in 0..2_500 {
        level.invalidate(&Voided::Tags(vec![tag("a")]), Origin(number)).await.unwrap();
    }
    let seen = news(&mut *late).await;
    assert_eq!(seen.len(), 2_500);
    for (number, event) in seen.into_iter().enumerate() {
        assert_eq!(event, Event::Voided(Origin(number as u64), Voided::Tags(vec![tag("a")])));
    }
}

pub(crate) async fn silence_is_answered_in_time(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let mut news = listener(&*level).await;
    for _ in 0..2 {
        let began = Instant::now();
        assert_eq!(news.next().await.unwrap(), []);
        let took = began.elapsed();
        assert!(took <= SILENCE + Duration::from_secs(2), "silence took {took:?}");
        assert!(took >= SILENCE / 4, "it did not wait: {took:?}");
    }
}

pub(crate) async fn more_marks_than_are_kept_void_everything(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let before = marks(&*level, &[tag("x")]).await;
    for part in 0..14 {
        let tags = (0..5_000).map(|number| tag(&format!("{part}-{number}"))).collect();
        level.invalidate(&Voided::Tags(tags), Origin(1)).await.unwrap();
    }
    let after = marks(&*level, &[tag("x")]).await;
    assert_ne!(after.0[0], before.0[0], "70,000 tags have a mark of their own");
    assert!(!store(&*level, 1, &[tag("x")], &before, b"late").await.unwrap());
    assert!(store(&*level, 1, &[tag("x")], &after, b"new").await.unwrap());
}

pub(crate) async fn what_it_holds_is_counted(stand: &impl Stand, name: &str) {
    let level = stand.open(name);
    let marks = marks(&*level, &[]).await;
    for number in 0..3 {
        assert!(store(&*level, number, &[], &marks, &[0; 68]).await.unwrap());
    }
    let holds = level.holds().await.unwrap();
    assert!(holds.entries.is_none_or(|entries| entries == 3));
    assert!(holds.bytes.is_none_or(|bytes| bytes >= 300));
}

//! What the profiler promises of one call, with a clock that the test moves.

#![allow(unsafe_code, reason = "in this crate the attributes are seen to place a static")]

use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;

use super::allocator::Allocated;
use super::ticks::fake;
use super::*;
use crate::cache::CacheOutcome;
use crate::link::Item;
use crate::registry::{Entry, Registry};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Does nothing by itself: the tests bring its runs.
#[crate::tool(crate = crate, slow = "1ms")]
fn sample() {}

/// Is not measured.
#[crate::tool(crate = crate, profile = false)]
fn unseen() {}

/// A profiler with one component, and a clock that stands.
struct Bench {
    profiler: Profiler,
    entry: Arc<Entry>,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut ProfilerOptions)) -> Self {
        fake::set(1_000);
        let registry = Registry::new([Item::Tool(sample::def()), Item::Tool(unseen::def())]).unwrap();
        let mut options = ProfilerOptions { sample_rate: 0.0, ..ProfilerOptions::default() };
        change(&mut options);
        let entry = Arc::clone(registry.tool("sample").unwrap());
        Self { profiler: Profiler::new(&registry, options), entry }
    }

    fn measured(&self) -> &Arc<Measured> {
        self.profiler.component("tool", "sample").unwrap()
    }

    fn totals(&self) -> Totals {
        self.measured().totals()
    }

    /// Begins a call with a run; nothing of the clock passes.
    fn begin<F: Future + Unpin>(&self, future: F) -> (Option<Call<'_>>, Profiled<F>) {
        let mut call = self.profiler.call(&self.entry);
        let frame = call.as_mut().map(|call| {
            call.decoded();
            call.bypassed()
        });
        (call, Profiled::new(future, frame))
    }

    fn end(call: Option<Call<'_>>, outcome: Outcome) {
        if let Some(call) = call {
            call.end(outcome, CacheOutcome::Bypass);
        }
    }

    /// Runs a future in a call to its end, where it needs nobody to wake it.
    fn run<F: Future>(&self, future: F) -> F::Output {
        let (call, mut run) = self.begin(Box::pin(future));
        let output = loop {
            if let Poll::Ready(output) = poll(&mut run) {
                break output;
            }
        };
        drop(run);
        Self::end(call, Outcome::Ok);
        output
    }
}

/// Is pending once; what tokio has for it takes memory.
async fn turn() {
    let mut turned = false;
    poll_fn(|_| if std::mem::replace(&mut turned, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A future that takes so long in each poll, and is ready in the last.
fn busy(polls: Vec<u64>) -> impl Future<Output = usize> + Unpin {
    let mut done = 0;
    poll_fn(move |_| {
        fake::advance(polls[done]);
        done += 1;
        if done == polls.len() { Poll::Ready(done) } else { Poll::Pending }
    })
}

proptest! {
    #[test]
    fn wall_and_busy_are_those_of_the_polls(
        polls in prop::collection::vec(0_u64..5_000_000, 1..20),
        waits in prop::collection::vec(0_u64..5_000_000, 20),
    ) {
        let bench = Bench::new();
        let (call, mut run) = bench.begin(busy(polls.clone()));
        let mut wall = 0;
        for (index, took) in polls.iter().enumerate() {
            let waited = if index == 0 { 0 } else { waits[index] };
            fake::advance(waited);
            let _ = poll(&mut run);
            wall += took + waited;
        }
        Bench::end(call, Outcome::Ok);
        let totals = bench.totals();
        prop_assert_eq!(totals.runs.sum, wall);
        prop_assert_eq!(totals.sum(Sum::Busy), polls.iter().sum::<u64>());
        prop_assert!(totals.sum(Sum::Busy) <= wall);
        prop_assert_eq!(totals.sum(Sum::Polls), polls.len() as u64);
        prop_assert_eq!(totals.longest_poll, *polls.iter().max().unwrap());
        let phases: u64 = PHASES.iter().map(|(sum, _)| totals.sum(*sum)).sum();
        prop_assert_eq!(phases, wall, "the phases are the whole");
    }

    #[test]
    fn every_call_is_counted_once_however_it_ends(ends in prop::collection::vec((0_usize..7, 0_usize..4), 1..40)) {
        let bench = Bench::new();
        for (end, polls) in &ends {
            let outcome = Outcome::ALL[*end];
            let (call, mut run) = bench.begin(poll_fn({
                let mut done = 0;
                move |_| {
                    done += 1;
                    assert!(outcome != Outcome::Panic || done <= *polls, "as wanted");
                    if outcome != Outcome::Dropped && done > *polls { Poll::Ready(()) } else { Poll::<()>::Pending }
                }
            }));
            for _ in 0..=*polls {
                let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut run)));
                prop_assert!(Frame::current().is_none(), "nothing is left on the thread");
                if polled.is_err() {
                    break;
                }
            }
            prop_assert_eq!(bench.measured().active(), 1);
            drop(run);
            Bench::end(call, outcome);
            prop_assert_eq!(bench.measured().active(), 0);
        }
        let totals = bench.totals();
        prop_assert_eq!(totals.calls(), ends.len() as u64);
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            let expected = ends.iter().filter(|(end, _)| *end == index).count();
            prop_assert_eq!(totals.ended(outcome), expected as u64);
        }
        prop_assert_eq!(totals.hits.count() + totals.runs.count() + totals.failed.count(), ends.len() as u64);
    }
}

#[test]
fn a_run_that_is_never_polled_counts_as_that_alone() {
    let bench = Bench::new();
    let (call, run) = bench.begin(ready(()));
    drop(run);
    let totals = bench.totals();
    assert_eq!((totals.sum(Sum::Unpolled), totals.calls(), totals.sum(Sum::Polls)), (1, 0, 0));
    // Another's run served it.
    call.unwrap().end(Outcome::Ok, CacheOutcome::Coalesced);
    let totals = bench.totals();
    assert_eq!((totals.calls(), totals.hits.count(), totals.sum(Sum::Busy)), (1, 1, 0));
}

#[test]
fn the_wrapper_changes_nothing() {
    fn is_send<T: Send + Unpin>(_: &T) {}

    let bench = Bench::new();
    let (call, mut run) = bench.begin(poll_fn(|cx| {
        assert!(cx.waker().will_wake(Waker::noop()), "the waker is the caller's");
        Poll::Ready("value")
    }));
    is_send(&run);
    assert_eq!(poll(&mut run), Poll::Ready("value"));
    Bench::end(call, Outcome::Ok);

    let (_call, mut run) = bench.begin(poll_fn(|_| -> Poll<()> { std::panic::panic_any(7_u8) }));
    let payload = catch_unwind(AssertUnwindSafe(|| poll(&mut run))).unwrap_err();
    assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
}

#[test]
fn calls_that_take_turns_on_one_thread_are_told_apart() {
    let bench = Bench::new();
    let mut runs: Vec<_> = (1..=3_u64)
        .map(|n| {
            bench.begin(Box::pin(async move {
                for _ in 0..n {
                    fake::advance(n * 1_000);
                    checkpoint("turn", Some(n as f64));
                    turn().await;
                }
                Frame::current().unwrap().note(|notes| {
                    assert!(notes.checkpoints.iter().all(|checkpoint| checkpoint.value == Some(n as f64)));
                    notes.checkpoints.len() as u64
                })
            }))
        })
        .collect();
    let mut ready = [false; 3];
    while !ready.iter().all(|ready| *ready) {
        for (index, (_, run)) in
            runs.iter_mut().enumerate().filter(|(index, _)| !ready[*index]).collect::<Vec<_>>()
        {
            if let Poll::Ready(checkpoints) = poll(run) {
                assert_eq!(checkpoints, index as u64 + 1);
                ready[index] = true;
            }
            assert!(Frame::current().is_none());
        }
    }
    assert_eq!(bench.totals().sum(Sum::Busy), 1_000 + 2 * 2_000 + 3 * 3_000);
}

#[test]
fn a_call_that_moves_between_threads_is_one_call() {
    let bench = Bench::new();
    let (call, run) = bench.begin(Box::pin(async {
        for _ in 0..3 {
            fake::set(10_000);
            fake::advance(5_000);
            std::hint::black_box(vec![0_u8; 10_000]);
            turn().await;
        }
    }));
    let mut run = Some(run);
    for _ in 0..4 {
        let mut moved = run.take().unwrap();
        run = std::thread::scope(|scope| {
            let there = scope.spawn(move || {
                fake::set(10_000);
                let _ = poll(&mut moved);
                assert!(Frame::current().is_none());
                moved
            });
            Some(there.join().unwrap())
        });
    }
    Bench::end(call, Outcome::Ok);
    let totals = bench.totals();
    assert_eq!((totals.sum(Sum::Polls), totals.sum(Sum::Busy)), (4, 3 * 5_000));
    assert_eq!((totals.sum(Sum::Bytes), totals.sum(Sum::Allocations)), (30_000, 3));
}

#[test]
fn what_is_off_reads_no_clock_and_takes_no_memory() {
    let bench = Bench::with(|options| options.enabled = false);
    let (reads, allocated) = (fake::reads(), Allocated::now());
    let (call, mut run) = bench.begin(busy(Vec::new()));
    drop(run);
    assert!(call.is_none());
    let (_, mut off) = bench.begin(ready(7));
    assert_eq!(poll(&mut off), Poll::Ready(7));
    assert_eq!((fake::reads() - reads, Allocated::now().since(allocated).count), (0, 0));
    assert_eq!(bench.totals(), Totals::default());
    run = bench.begin(busy(vec![1])).1;
    drop(run);
    assert!(bench.profiler.call(&bench.entry).is_none());
}

#[test]
fn a_component_may_want_not_to_be_measured() {
    let bench = Bench::new();
    let registry = Registry::new([Item::Tool(sample::def()), Item::Tool(unseen::def())]).unwrap();
    assert!(bench.profiler.call(registry.tool("unseen").unwrap()).is_none());
}

#[test]
fn a_call_takes_no_memory_after_the_first_and_two_looks_at_the_clock_for_a_poll() {
    let bench = Bench::new();
    let call = |polls: usize| {
        let (call, mut run) = bench.begin(poll_fn({
            let mut left = polls;
            move |_| {
                left -= 1;
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            }
        }));
        while poll(&mut run).is_pending() {}
        drop(run);
        Bench::end(call, Outcome::Ok);
    };
    call(3);
    let measured = |polls| {
        let (reads, allocated) = (fake::reads(), Allocated::now());
        call(polls);
        (fake::reads() - reads, Allocated::now().since(allocated).count)
    };
    let (one, allocations) = measured(1);
    let (nine, more) = measured(9);
    assert_eq!((allocations, more), (0, 0));
    assert_eq!(nine - one, 16);
    assert_eq!(one, 2 + 2, "begin, decoded: the run ends with its poll, and the call with its run");
}

#[test]
fn a_call_keeps_to_how_it_began() {
    let bench = Bench::with(|options| options.enabled = false);
    let (off, mut off_run) = bench.begin(busy(vec![5, 5]));
    bench.profiler.set_enabled(true);
    let (on, mut on_run) = bench.begin(busy(vec![7, 7]));
    bench.profiler.set_enabled(false);
    while poll(&mut off_run).is_pending() | poll(&mut on_run).is_pending() {}
    Bench::end(off, Outcome::Ok);
    Bench::end(on, Outcome::Ok);
    let totals = bench.totals();
    assert_eq!((totals.calls(), totals.sum(Sum::Busy)), (1, 14));
}

#[test]
fn checkpoints_are_in_order_and_stay_with_their_call() {
    let bench = Bench::new();
    checkpoint("outside", None);
    bench.run(async {
        for _ in 0..20 {
            fake::advance(100_000);
            crate::checkpoint!("loaded", rows = 3);
        }
    });
    let calls = bench.profiler.slow_calls();
    let call = &calls[0];
    assert_eq!((call.checkpoints.len(), call.dropped.checkpoints), (16, 4));
    assert_eq!((&*call.checkpoints[0].label, call.checkpoints[0].value), ("loaded (rows)", Some(3.0)));
    assert!(call.checkpoints.is_sorted_by(|a, b| a.at_ns < b.at_ns && a.busy_ns < b.busy_ns));
    assert!(call.checkpoints.last().unwrap().at_ns <= call.wall_ns);

    bench.run(async { fake::advance(2_000_000) });
    assert!(bench.profiler.slow_calls().iter().filter(|call| call.checkpoints.is_empty()).count() == 1);
}

#[test]
fn a_step_ends_however_it_comes() {
    let bench = Bench::new();
    let value = bench.run(async {
        let value = crate::step!("first", async {
            fake::advance(500_000);
            1
        });
        let failed: Result<u8, &str> = async {
            crate::step!("second", async {
                fake::advance(600_000);
                Err::<u8, _>("no")
            })?;
            Ok(1)
        }
        .await;
        let dropped = async { crate::step!("third", pending::<()>()) };
        let mut dropped = Box::pin(dropped);
        assert!(poll(&mut dropped).is_pending());
        fake::advance(700_000);
        drop(dropped);
        let panicked = catch_unwind(|| {
            poll(&mut Box::pin(async { crate::step!("fourth", async { panic!("as wanted") }) }))
        });
        value + u8::from(failed.is_ok()) + u8::from(panicked.is_ok())
    });
    assert_eq!(value, 1);
    let calls = bench.profiler.slow_calls();
    let steps: Vec<_> =
        calls[0].steps.iter().map(|step| (&*step.name, step.start_ns, step.took_ns)).collect();
    assert_eq!(
        steps,
        [
            ("first", 0, 500_000),
            ("second", 500_000, 600_000),
            ("third", 1_100_000, 700_000),
            ("fourth", 1_800_000, 0)
        ]
    );
}

#[test]
fn what_is_slow_is_longer_than_said() {
    let bench = Bench::new();
    for took in [999_999, 1_000_000, 1_000_001] {
        bench.run(async { fake::advance(took) });
    }
    assert_eq!(bench.totals().sum(Sum::SlowCalls), 1);
    assert_eq!(bench.profiler.slow_calls().iter().map(|call| call.wall_ns).collect::<Vec<_>>(), [1_000_001]);
}

#[test]
fn one_is_told_once_a_minute_with_what_was_kept_back() {
    struct Told(Arc<AtomicU32>, Arc<AtomicU32>);
    impl Sink for Told {
        fn alert(&self, alert: &Alert, suppressed: u64) {
            assert_eq!(&*alert.call.name, "sample");
            self.0.fetch_add(1, Relaxed);
            self.1.fetch_add(suppressed as u32, Relaxed);
        }
    }

    let bench = Bench::new();
    let (told, suppressed) = <(Arc<AtomicU32>, Arc<AtomicU32>)>::default();
    bench.profiler.alert(Box::new(Told(Arc::clone(&told), Arc::clone(&suppressed))));
    for _ in 0..10 {
        bench.run(async { fake::advance(2_000_000) });
    }
    bench.profiler.tick();
    assert_eq!((told.load(Relaxed), suppressed.load(Relaxed)), (1, 0));
    assert_eq!(bench.profiler.slow_calls().len(), 10);
}

#[test]
fn a_sample_is_drawn_by_chance_and_counts_are_exact() {
    let bench = Bench::with(|options| options.sample_rate = 0.8);
    // Calls of a component that is quick: those of others have their processor time taken always.
    (0..100).for_each(|_| bench.measured().pace.note(Duration::from_nanos(100)));
    let sampled = |_| {
        let (call, run) = bench.begin(ready(()));
        let sampled = Frame::sampled(&run);
        drop(run);
        Bench::end(call, Outcome::Ok);
        sampled
    };
    // Every other call, and every fifth: neither stream may always be drawn or never.
    let drawn: Vec<bool> = (0..20_000).map(sampled).collect();
    let within = |calls: f64, drawn: usize| {
        let share = 0.8 / 64.0;
        let sigma = (calls * share * (1.0 - share)).sqrt();
        assert!((drawn as f64 - calls * share).abs() < 6.0 * sigma, "{drawn} of {calls}");
    };
    within(20_000.0, drawn.iter().filter(|drawn| **drawn).count());
    within(4_000.0, drawn.iter().step_by(5).filter(|drawn| **drawn).count());
    assert_eq!(bench.totals().calls(), 20_000);
}

#[test]
fn calls_inside_a_call_are_noted_and_their_memory_is_theirs() {
    let bench = Bench::new();
    bench.run(async {
        std::hint::black_box(vec![0_u8; 1_000]);
        fake::advance(1_000_000);
        bench.run(async {
            std::hint::black_box(vec![0_u8; 50_000]);
            fake::advance(2_000_000);
        });
        std::hint::black_box(vec![0_u8; 1_000]);
    });
    let calls = bench.profiler.slow_calls();
    let outer = calls.iter().find(|call| !call.children.is_empty()).unwrap();
    assert_eq!((outer.children[0].start_ns, outer.children[0].took_ns), (1_000_000, 2_000_000));
    let bytes = bench.totals().sum(Sum::Bytes);
    assert!((52_000..53_000).contains(&bytes), "{bytes}: each once");
}

#[test]
fn busy_time_and_long_polls_are_those_of_who_made_them() {
    let bench = Bench::new();
    bench.run(async {
        fake::advance(1_000_000);
        bench.run(async { fake::advance(20_000_000) });
    });
    assert_eq!(bench.totals().sum(Sum::Busy), 21_000_000, "each once");
    let calls = bench.profiler.slow_calls();
    let outer = calls.iter().find(|call| !call.children.is_empty()).unwrap();
    assert_eq!(outer.longest_poll_ns, 1_000_000);
}

#[test]
fn a_thread_that_blocks_is_a_part_of_the_run_also_when_it_panics() {
    let bench = Bench::new();
    let (call, mut run) = bench.begin(Box::pin(async {
        let frame = Frame::current();
        let there = std::thread::spawn(move || -> u8 {
            fake::set(1_000);
            blocking(frame, || {
                fake::advance(2_000);
                std::hint::black_box(vec![0_u8; 5_000]);
                checkpoint("inside", None);
                panic!("as wanted");
            })
        });
        if let Err(panic) = there.join() {
            std::panic::resume_unwind(panic);
        }
    }));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut run))).is_err());
    drop(run);
    Bench::end(call, Outcome::Panic);
    let totals = bench.totals();
    assert_eq!((totals.calls(), totals.sum(Sum::Polls), totals.sum(Sum::Busy)), (1, 1, 2_000));
    let calls = bench.profiler.slow_calls();
    let inside = &calls[0].checkpoints[0];
    assert!(inside.busy_ns == 2_000 && inside.allocated_bytes >= Some(5_000), "{inside:?}");
    assert!(Frame::current().is_none());
}

#[test]
fn a_clock_that_jumps_is_told_and_breaks_nothing() {
    let bench = Bench::new();
    bench.run(async { fake::set(10) });
    assert_eq!((bench.totals().runs.max, bench.profiler.clock_anomalies()), (0, 1));
    bench.run(async { fake::advance(2 * 3_600_000_000_000) });
    assert_eq!((bench.totals().calls(), bench.profiler.clock_anomalies()), (2, 2));
}

#[test]
fn a_call_that_hung_is_kept_once_also_when_it_ends() {
    let kept = |bench: &Bench| {
        let calls = bench.profiler.slow_calls();
        let [call] = &calls[..] else { panic!("{calls:?}") };
        (call.id.clone(), call.why.clone(), call.wall_ns)
    };
    // Between two polls, and within one.
    for within in [false, true] {
        let bench = Bench::new();
        let hung = std::cell::RefCell::new(None);
        let wait = || {
            fake::advance(11_000_000);
            bench.profiler.tick();
            hung.replace(Some(kept(&bench)));
        };
        let (call, mut run) = bench.begin(Box::pin(async {
            if within {
                wait();
            }
            turn().await;
        }));
        assert!(poll(&mut run).is_pending());
        if !within {
            wait();
        }
        bench.profiler.tick();
        assert!(poll(&mut run).is_ready());
        drop(run);
        Bench::end(call, Outcome::Ok);
        let (id, why, wall) = hung.take().unwrap();
        assert_eq!((why.as_str(), wall), ("hangs", 11_000_000), "{within}");
        assert_eq!(kept(&bench), (id, "slow".to_owned(), 11_000_000), "{within}");
    }
}

#[test]
fn a_task_that_hangs_is_told_as_its_call() {
    let bench = Bench::new();
    let task = std::cell::RefCell::new(None);
    let (call, mut run) = bench.begin(Box::pin(async {
        task.replace(Some(Box::pin(in_call(async {
            fake::advance(11_000_000);
            bench.profiler.tick();
        }))));
        turn().await;
    }));
    assert!(poll(&mut run).is_pending());
    assert!(poll(task.take().as_mut().unwrap()).is_ready());
    bench.profiler.tick();
    assert!(poll(&mut run).is_ready());
    drop(run);
    Bench::end(call, Outcome::Ok);
    let calls = bench.profiler.slow_calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!((calls[0].why.as_str(), calls[0].longest_poll_ns), ("slow", 11_000_000));
}

#[test]
fn a_call_that_is_not_measured_changes_no_times_of_who_made_it() {
    let bench = Bench::new();
    bench.run(async {
        Frame::entered();
        fake::advance(1_000);
        turn().await;
        let unmeasured = async {
            Frame::entered();
            fake::advance(100);
            Frame::returned();
        };
        Profiled::new(Box::pin(unmeasured), None).await;
        fake::advance(2_000);
        Frame::returned();
        fake::advance(500);
    });
    let totals = bench.totals();
    let sums = [Sum::Queue, Sum::Function, Sum::Encode].map(|sum| totals.sum(sum));
    assert_eq!(sums, [0, 3_100, 500]);
}

#[test]
fn what_a_task_calls_is_not_the_calls_own() {
    let bench = Bench::new();
    bench.run(async {
        let nested = in_call(async {
            fake::advance(1_000);
            bench.run(async {
                fake::advance(20_000_000);
                std::hint::black_box(vec![0_u8; 50_000]);
            });
        });
        let mut nested = Box::pin(nested);
        // As in a task: the call itself is not polled meanwhile.
        let outside = Frame::new("nobody", sql::Queries::default());
        let _outside = outside.enter();
        assert!(poll(&mut nested).is_ready());
    });
    let totals = bench.totals();
    assert_eq!((totals.calls(), totals.longest_poll), (2, 20_000_000));
    assert!((20_001_000..20_002_001).contains(&totals.sum(Sum::Busy)), "{}", totals.sum(Sum::Busy));
    assert!((50_000..53_000).contains(&totals.sum(Sum::Bytes)), "{}: each once", totals.sum(Sum::Bytes));
}

/// Runs a future to its end on a thread of its own, whose clock stands where a call's does.
fn elsewhere(future: impl Future<Output = ()> + Send + 'static) {
    let there = std::thread::spawn(move || {
        fake::set(1_000);
        let mut future = Box::pin(future);
        while poll(&mut future).is_pending() {}
        assert!(Frame::current().is_none());
    });
    there.join().unwrap();
}

#[test]
fn a_task_is_a_part_of_the_call_that_says_so() {
    let work = || async {
        fake::advance(2_000_000);
        std::hint::black_box(vec![0_u8; 5_000]);
        checkpoint("beside", None);
        turn().await;
        fake::advance(20_000_000);
    };
    let bench = Bench::new();
    let mut left = None;
    bench.run(async {
        elsewhere(work());
        elsewhere(in_call(work()));
        // Polled by the call itself, it is counted once.
        in_call(async { fake::advance(3_000_000) }).await;
        let blocking = in_call_blocking(|| fake::advance(40_000_000));
        elsewhere(async { blocking() });
        left = Some(in_call(async move {
            work().await;
            assert!(Frame::current().is_none(), "its call is over");
        }));
    });
    let totals = bench.totals();
    assert_eq!(totals.sum(Sum::Busy), 22_000_000 + 3_000_000 + 40_000_000);
    assert_eq!(totals.longest_poll, 20_000_000, "a task keeps its thread from others, who blocks does not");
    let calls = bench.profiler.slow_calls();
    let [beside] = &calls[0].checkpoints[..] else { panic!("{calls:?}") };
    assert!(beside.busy_ns == 2_000_000 && beside.allocated_bytes >= Some(5_000), "{beside:?}");

    // What comes after the end of the call is nobody's.
    elsewhere(left.unwrap());
    assert_eq!(bench.totals(), totals);
    assert_eq!(bench.profiler.slow_calls()[0].checkpoints.len(), 1);
}

#[test]
fn whoever_is_told_may_ask_for_a_report_and_may_panic() {
    struct Asks(Arc<Profiler>);
    impl Sink for Asks {
        fn alert(&self, _alert: &Alert, _suppressed: u64) {
            assert!(self.0.report("server", "1").slow.is_empty(), "as wanted");
        }
    }

    let bench = Bench::new();
    let profiler = Arc::new(bench.profiler);
    let bench = Bench {
        profiler: Profiler::new(
            &Registry::new([Item::Tool(sample::def())]).unwrap(),
            ProfilerOptions::default(),
        ),
        entry: bench.entry,
    };
    bench.profiler.alert(Box::new(Asks(Arc::clone(&profiler))));
    bench.run(async { fake::advance(2_000_000) });
    bench.profiler.tick();
    bench.profiler.tick();
    assert_eq!(bench.profiler.slow_calls().len(), 1);
}

#[test]
fn depth_has_no_limit() {
    fn nest(bench: &Bench, depth: u32) {
        if depth > 0 {
            bench.run(async { nest(bench, depth - 1) });
        }
    }
    let bench = Bench::new();
    nest(&bench, 200);
    assert_eq!(bench.totals().calls(), 200);
    assert!(Frame::current().is_none());
}

//! Calls over several connections for some time, each of them timed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::samples::{MOST, SLICES, Samples};
use super::schedule::{Behind, Schedule, Turn};

/// How long calls that are under way at the end are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection: it makes a call, and then the next.
pub(super) trait Caller: Send + 'static {
    /// What comes back.
    type Answer: Send;

    /// Gets ready for a call, outside of its time.
    fn ready(&mut self, number: u64);

    /// Makes the call.
    fn call(&mut self) -> impl Future<Output = Self::Answer> + Send;

    /// Says what has come back, outside of the call's time.
    fn judge(&self, answer: Self::Answer) -> Did;
}

/// What a call came to.
#[derive(Debug, PartialEq)]
pub(super) enum Did {
    /// What was to be measured.
    Counted,
    /// Something else, as a hit where a run was wanted.
    Else,
    Failed(String),
    /// Nothing more can be called.
    Gone(String),
}

/// For how long, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) duration: Duration,
    /// Calls a second over all connections; `None`: each waits for its answer.
    pub(super) rate: Option<f64>,
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) samples: Samples,
    pub(super) took: Duration,
    /// Answers that were not what was to be measured.
    pub(super) others: u64,
    pub(super) failed: u64,
    pub(super) first_failure: Option<String>,
    pub(super) gone: Option<String>,
    pub(super) behind: Option<Behind>,
}

impl Measured {
    /// Returns that of a call which nothing came of.
    pub(super) fn failed(why: String) -> Self {
        Self {
            samples: Samples::new(1, 0),
            took: Duration::ZERO,
            others: 0,
            failed: 1,
            first_failure: Some(why),
            gone: None,
            behind: None,
        }
    }
}

/// Calls until the time is over, or `stop` is cancelled; returns the connections too.
pub(super) async fn load<C: Caller>(
    callers: Vec<C>,
    plan: Plan,
    stop: &CancellationToken,
) -> (Vec<C>, Measured) {
    let schedule = Arc::new(Schedule::new(plan.duration, plan.rate));
    let stop = stop.child_token();
    let most = MOST / callers.len().max(1);
    let tasks = callers.into_iter().zip(0_u64..).map(|(caller, seed)| {
        let samples = Samples::new(most, seed);
        tokio::spawn(connection(caller, Arc::clone(&schedule), samples, stop.clone()))
    });
    let tasks: Vec<_> = tasks.collect();
    let overdue = tokio::spawn({
        let stop = stop.clone();
        let limit = schedule.end + plan.duration.min(PATIENCE) + PATIENCE;
        async move {
            tokio::time::sleep_until(limit).await;
            stop.cancel();
        }
    });
    let mut callers = Vec::new();
    let mut done = Vec::new();
    let mut gone = None;
    for task in tasks {
        match task.await {
            Ok((caller, one)) => {
                callers.push(caller);
                done.push(one);
            }
            Err(error) => gone = Some(format!("a connection ended: {error}")),
        }
    }
    overdue.abort();
    let mut measured = Measured {
        samples: Samples::new(1, 0),
        took: schedule.start.elapsed(),
        others: done.iter().map(|one| one.others).sum(),
        // What ended without a word did not do well.
        failed: done.iter().map(|one| one.failed).sum::<u64>() + u64::from(gone.is_some()),
        first_failure: done.iter_mut().find_map(|one| one.first_failure.take()),
        gone: done.iter_mut().find_map(|one| one.gone.take()).or(gone),
        behind: None,
    };
    if !stop.is_cancelled() && measured.gone.is_none() {
        // The last call of a schedule may be over before the time is.
        measured.took = measured.took.max(plan.duration);
        measured.behind = schedule.behind().await;
    }
    measured.samples = Samples::merged(done.into_iter().map(|one| one.samples).collect());
    (callers, measured)
}

/// What one connection saw.
struct One {
    samples: Samples,
    others: u64,
    failed: u64,
    first_failure: Option<String>,
    gone: Option<String>,
}

async fn connection<C: Caller>(
    mut caller: C,
    schedule: Arc<Schedule>,
    samples: Samples,
    stop: CancellationToken,
) -> (C, One) {
    let mut one = One { samples, others: 0, failed: 0, first_failure: None, gone: None };
    // A call that is ready at once never looks.
    while !stop.is_cancelled() {
        // Nor does it let others run, where there are fewer threads than connections.
        tokio::task::coop::consume_budget().await;
        let Some(Some(turn)) = stop.run_until_cancelled(schedule.turn()).await else { break };
        let Turn { number, intended } = turn;
        caller.ready(number);
        let begun = intended.unwrap_or_else(Instant::now);
        let Some(answer) = stop.run_until_cancelled(caller.call()).await else {
            if Instant::now() > schedule.end {
                one.fail(format!("no answer in {:?} after the end", schedule.end.elapsed()));
            }
            break;
        };
        let took = begun.elapsed();
        match caller.judge(answer) {
            Did::Counted => {
                let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
                one.samples.note(schedule.slice(begun, SLICES), nanos);
            }
            Did::Else => one.others += 1,
            Did::Failed(why) => one.fail(why),
            Did::Gone(why) => {
                one.fail(why.clone());
                one.gone = Some(why);
                // The others would wait for what does not come.
                stop.cancel();
            }
        }
    }
    (caller, one)
}

impl One {
    fn fail(&mut self, why: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a millisecond for each call, but for one.
    struct Stalls {
        number: u64,
        stalls: u64,
        fails: bool,
    }

    impl Caller for Stalls {
        type Answer = Did;

        fn ready(&mut self, number: u64) {
            self.number = number;
        }

        async fn call(&mut self) -> Did {
            let stall = self.number == self.stalls;
            tokio::time::sleep(Duration::from_millis(if stall { 1_000 } else { 1 })).await;
            if self.fails { Did::Failed("as told".to_owned()) } else { Did::Counted }
        }

        fn judge(&self, answer: Did) -> Did {
            answer
        }
    }

    async fn measured(connections: usize, seconds: u64, rate: Option<f64>, stalls: u64) -> Measured {
        let callers = (0..connections).map(|_| Stalls { number: 0, stalls, fails: false }).collect();
        let plan = Plan { duration: Duration::from_secs(seconds), rate };
        load(callers, plan, &CancellationToken::new()).await.1
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_is_charged_to_every_call_that_it_delays() {
        let open = measured(1, 20, Some(100.0), 500).await;
        let times = open.samples.percentiles().unwrap();
        assert_eq!((open.samples.seen(), open.behind, open.failed), (2_000, None, 0));
        // A hundred calls of two thousand were to begin in that second, evenly: one in a hundred waited 0.8 s or more.
        assert!((780_000_000..1_000_000_000).contains(&times.p99_ns), "{times:?}");
        assert!((1_000_000..3_000_000).contains(&times.p50_ns), "{times:?}");

        let closed = measured(1, 20, None, 500).await;
        let times = closed.samples.percentiles().unwrap();
        assert!(
            times.p999_ns < 3_000_000 && times.max_ns >= 1_000_000_000,
            "the blind spot of a closed loop"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_that_cannot_be_held_is_told() {
        // Two connections make at most two thousand calls a second.
        let measured = measured(2, 2, Some(10_000.0), u64::MAX).await;
        let behind = measured.behind.unwrap();
        assert!(behind.not_begun > 10_000 && behind.late > Duration::from_secs(3), "{behind:?}");
        assert_eq!(measured.samples.seen() + behind.not_begun, 20_000);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_counted_and_have_no_times() {
        let caller = Stalls { number: 0, stalls: 0, fails: true };
        let plan = Plan { duration: Duration::from_secs(2), rate: Some(2.0) };
        let measured = load(vec![caller], plan, &CancellationToken::new()).await.1;
        assert_eq!((measured.failed, measured.samples.seen()), (4, 0));
        assert_eq!(measured.first_failure.as_deref(), Some("as told"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_measured_so_far_is_kept_when_it_is_stopped() {
        let stop = CancellationToken::new();
        tokio::spawn({
            let stop = stop.clone();
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stop.cancel();
            }
        });
        let caller = Stalls { number: 0, stalls: u64::MAX, fails: false };
        let plan = Plan { duration: Duration::from_secs(60), rate: Some(100.0) };
        let measured = load(vec![caller], plan, &stop).await.1;
        assert_eq!((measured.samples.seen(), measured.failed, measured.behind), (100, 0, None));
    }
}

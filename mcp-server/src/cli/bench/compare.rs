//! Two runs against each other: which became slower beyond chance, and which does more than before.

use serde::Serialize;

use super::file::{Component, Pass, Run};
use super::random::Random;
use super::samples::{SLICES, median};

/// How often slices are drawn anew.
const RESAMPLES: usize = 2_000;

/// Of fewer slices nothing can be said.
const LEAST_SLICES: usize = 5;

/// What became of an earlier run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Comparison {
    pub(super) times: Vec<Times>,
    pub(super) figures: Vec<Changed>,
    /// Why times are not compared.
    pub(super) refused: Vec<String>,
    /// What is measured now only.
    pub(super) added: Vec<String>,
    /// What the baseline has, and was asked for now, and is not there.
    pub(super) missing: Vec<String>,
    /// What the baseline has, and was not asked for now.
    pub(super) not_asked: Vec<String>,
    /// Whether there is anything that both have.
    pub(super) compares: bool,
}

/// The times of one pass, then and now.
#[derive(Debug, Serialize)]
pub(super) struct Times {
    pub(super) component: String,
    pub(super) pass: String,
    pub(super) before_ns: u64,
    pub(super) now_ns: u64,
    /// `now / before`, and where it is with a chance of 95 %.
    pub(super) ratio: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) verdict: Verdict,
}

/// What a change of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Same,
    Slower,
    Faster,
    /// There are too few calls to say.
    Unclear,
}

/// An exact figure that is another than before.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pub(super) component: String,
    pub(super) pass: String,
    pub(super) figure: &'static str,
    pub(super) before: u64,
    pub(super) now: u64,
}

impl Comparison {
    /// Compares a run with an earlier one; times only of the same machine, unless by `force`.
    ///
    /// `is_asked` says whether a component of the earlier run was to be called now.
    pub(super) fn new(
        now: &Run,
        before: &Run,
        fail_over: f64,
        force: bool,
        is_asked: impl Fn(&Component) -> bool,
    ) -> Self {
        let mut refused = now.machine.differences(&before.machine);
        if now.how != before.how {
            let words = |run: &Run| {
                let rate = run.how.rate.map_or_else(String::new, |rate| format!(" at {rate} calls a second"));
                format!("{} with {} connections{rate}", run.how.over, run.how.connections)
            };
            refused.push(format!("called: `{}` then, `{}` now", words(before), words(now)));
        }
        let mut comparison = Self { refused, ..Self::default() };
        let compares_times = force || comparison.refused.is_empty();
        for component in &now.components {
            for pass in &component.passes {
                let Some(earlier) = found(before, component, pass) else {
                    comparison.added.push(format!("{}, {}", component.title(), pass.pass));
                    continue;
                };
                comparison.compares = true;
                if compares_times {
                    comparison.times.push(times(component, pass, earlier, fail_over));
                }
                comparison.figures.extend(figures(component, pass, earlier));
            }
        }
        for component in &before.components {
            let was_asked = is_asked(component);
            let gone = component.passes.iter().filter(|pass| found(now, component, pass).is_none());
            let gone = gone.map(|pass| format!("{}, {}", component.title(), pass.pass));
            if was_asked { &mut comparison.missing } else { &mut comparison.not_asked }.extend(gone);
        }
        comparison
    }

    /// Returns whether something became worse.
    pub(super) fn is_regression(&self) -> bool {
        self.times.iter().any(|times| times.verdict == Verdict::Slower)
            || self.figures.iter().any(|changed| changed.now > changed.before)
    }

    /// Returns why something could not be told, the machine apart: nobody can insist on it.
    pub(super) fn unclear(&self) -> Option<String> {
        if !self.missing.is_empty() {
            let missing = self.missing.join("; ");
            return Some(format!(
                "the baseline has what is not there now: {missing}: measure a new baseline, or name the components to compare"
            ));
        }
        if !self.compares {
            return Some(
                "the baseline has nothing of what was measured: name its components, with the same arguments"
                    .to_owned(),
            );
        }
        let is_unclear = self.times.iter().any(|times| times.verdict == Verdict::Unclear);
        is_unclear.then(|| "there are too few calls in the time: write a longer `--duration`".to_owned())
    }
}

/// Returns the pass of another run that is of the same component with the same arguments.
fn found<'a>(run: &'a Run, component: &Component, pass: &Pass) -> Option<&'a Pass> {
    let same = |other: &&Component| {
        (&other.kind, &other.name, &other.arguments)
            == (&component.kind, &component.name, &component.arguments)
    };
    run.components.iter().find(same)?.passes.iter().find(|other| other.pass == pass.pass)
}

fn times(component: &Component, now: &Pass, before: &Pass, fail_over: f64) -> Times {
    let middle = |pass: &Pass| median(&mut pass.slices_ns.clone()).unwrap_or(0);
    let (before_ns, now_ns) = (middle(before), middle(now));
    let ratio = now_ns as f64 / before_ns.max(1) as f64;
    let (low, high) = interval(&before.slices_ns, &now.slices_ns, 1);
    let verdict = if before.slices_ns.len().min(now.slices_ns.len()) < LEAST_SLICES {
        Verdict::Unclear
    } else if low > 1.0 && ratio > 1.0 + fail_over {
        Verdict::Slower
    } else if high < 1.0 && ratio < 1.0 / (1.0 + fail_over) {
        Verdict::Faster
    } else {
        Verdict::Same
    };
    let (component, pass) = (component.title(), now.pass.clone());
    Times { component, pass, before_ns, now_ns, ratio, low, high, verdict }
}

/// Returns where the ratio of two medians is with a chance of 95 %, by a bootstrap.
///
/// Whole slices of time are drawn: calls that follow each other are slow together, and drawn one by one they
/// would look more certain than they are.
fn interval(before: &[u64], now: &[u64], seed: u64) -> (f64, f64) {
    let (mut before, mut now) = (before.to_vec(), now.to_vec());
    before.sort_unstable();
    now.sort_unstable();
    let mut random = Random::new(seed);
    let mut draw = |sorted: &[u64]| drawn_median(sorted, &mut random).max(1) as f64;
    let mut ratios: Vec<f64> = (0..RESAMPLES).map(|_| draw(&now) / draw(&before)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    (ratios[RESAMPLES / 40], ratios[RESAMPLES - 1 - RESAMPLES / 40])
}

/// Returns the median of as many values as there are, each drawn from all.
fn drawn_median(sorted: &[u64], random: &mut Random) -> u64 {
    // Which were drawn how often says as much as the values, and needs no sorting.
    let mut times = [0_usize; SLICES];
    let length = sorted.len().min(SLICES);
    for _ in 0..length {
        times[random.below(length as u64) as usize] += 1;
    }
    let mut up_to = 0;
    let middle = times.iter().position(|times| {
        up_to += times;
        up_to > length.saturating_sub(1) / 2
    });
    middle.and_then(|middle| sorted.get(middle)).copied().unwrap_or(0)
}

fn figures(component: &Component, now: &Pass, before: &Pass) -> Vec<Changed> {
    let (Some(now_figures), Some(before)) = (&now.figures, &before.figures) else { return Vec::new() };
    let then: Vec<_> = before.exact().collect();
    let changed = now_figures.exact().filter_map(|(figure, value)| {
        let (_, before) = then.iter().copied().find(|(name, _)| *name == figure)?;
        (before != value).then(|| Changed {
            component: component.title(),
            pass: now.pass.clone(),
            figure,
            before,
            now: value,
        })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::run;
    use super::*;

    /// Medians of slices that wander: each is near the one before it, as on a machine that others use.
    fn slices(seed: u64, percent: u64) -> Vec<u64> {
        let mut random = Random::new(seed);
        let mut level = 1_000;
        (0..50)
            .map(|_| {
                level = (level * 3 + 950 + random.below(101)) / 4;
                (level + random.below(60)) * percent / 100
            })
            .collect()
    }

    fn compared(now: &Run, before: &Run) -> Comparison {
        Comparison::new(now, before, 0.1, false, |_| true)
    }

    #[test]
    fn the_same_program_twice_is_no_regression() {
        let regressions = (0..100).filter(|seed| {
            let (now, before) = (slices(2 * seed + 1, 100), slices(2 * seed, 100));
            compared(&run(now, Some(3)), &run(before, Some(3))).is_regression()
        });
        assert!(regressions.count() <= 5);
    }

    #[test]
    fn a_third_more_is_a_regression_and_a_third_less_is_none() {
        for seed in 0..10 {
            let before = run(slices(2 * seed, 100), Some(3));
            let verdict = |percent| {
                let found = compared(&run(slices(2 * seed + 1, percent), Some(3)), &before);
                (found.times[0].verdict, found.is_regression())
            };
            assert_eq!(verdict(130), (Verdict::Slower, true), "{seed}");
            assert_eq!(verdict(70), (Verdict::Faster, false), "{seed}");
            // Beyond chance, and not worth a failure.
            assert_eq!(verdict(107), (Verdict::Same, false), "{seed}");
        }
    }

    #[test]
    fn an_interval_holds_the_ratio_and_chance_alone_is_no_change() {
        let (low, high) = interval(&slices(1, 100), &slices(2, 130), 1);
        assert!(low > 1.2 && low < 1.3 && high > 1.3 && high < 1.4, "{low} {high}");
        // Two levels, by chance more of one: the median changes by half, and the interval has 1 in it.
        let mixed = |high: usize| (0..50).map(|index| if index < high { 1_500 } else { 1_000 }).collect();
        let found = compared(&run(mixed(27), None), &run(mixed(23), None));
        assert!(found.times[0].ratio > 1.4 && found.times[0].verdict == Verdict::Same, "{found:?}");
    }

    #[test]
    fn one_allocation_more_is_told_and_one_less_is_no_regression() {
        let before = run(slices(1, 100), Some(3));
        let now = |allocations| compared(&run(slices(1, 100), allocations), &before);
        let changed = |now| Changed {
            component: "tool add".into(),
            pass: "calls".into(),
            figure: "allocations",
            before: 3,
            now,
        };
        assert_eq!((now(Some(4)).figures, now(Some(4)).is_regression()), (vec![changed(4)], true));
        assert_eq!((now(Some(2)).figures, now(Some(2)).is_regression()), (vec![changed(2)], false));
        assert!(!now(Some(3)).is_regression() && now(Some(3)).figures.is_empty());
        // What varies is not compared.
        assert!(now(None).figures.is_empty());
    }

    #[test]
    fn times_of_another_machine_or_another_load_are_compared_by_force_only() {
        let before = run(slices(1, 100), Some(3));
        let mut elsewhere = run(slices(1, 200), Some(3));
        elsewhere.machine = elsewhere.machine.with_governor("abacus");
        let refused = compared(&elsewhere, &before);
        assert!(refused.times.is_empty() && !refused.is_regression());
        assert!(refused.refused[0].contains("`abacus` now"), "{:?}", refused.refused);
        let forced = Comparison::new(&elsewhere, &before, 0.1, true, |_| true);
        assert!(forced.is_regression() && forced.times[0].verdict == Verdict::Slower);

        let mut crowd = run(slices(1, 100), Some(3));
        crowd.how.connections = 4;
        assert_eq!(
            compared(&crowd, &before).refused,
            ["called: `process with 1 connections` then, `process with 4 connections` now"]
        );
    }

    #[test]
    fn few_slices_say_nothing_and_other_arguments_are_another_thing() {
        let before = run(slices(1, 100), Some(3));
        let few = compared(&run(vec![9_000; 4], Some(3)), &before);
        assert!(few.times[0].verdict == Verdict::Unclear && !few.is_regression());
        assert!(few.unclear().is_some_and(|why| why.contains("too few calls")));
        let mut other = run(slices(1, 200), Some(9));
        other.components[0].arguments = "1".into();
        let missing = compared(&other, &before);
        assert!(!missing.is_regression() && missing.added == ["tool add, calls"], "{missing:?}");
    }

    #[test]
    fn what_is_in_one_of_them_only_is_told_and_is_no_good_end_where_it_was_asked_for() {
        let before = run(slices(1, 100), Some(3));
        let mut now = before.clone();
        now.components[0].passes[0].pass = "warm".into();
        let asked = compared(&now, &before);
        assert_eq!((asked.added.len(), &*asked.missing), (1, &["tool add, calls".to_owned()][..]));
        assert!(asked.unclear().is_some_and(|why| why.contains("not there now: tool add, calls")));
        // Nothing in common: well only for who does not look.
        let apart = Comparison::new(&now, &before, 0.1, false, |_| false);
        assert_eq!((apart.missing.len(), &*apart.not_asked), (0, &["tool add, calls".to_owned()][..]));
        assert!(apart.unclear().is_some_and(|why| why.contains("nothing of what was measured")));

        let mut more = before.clone();
        more.components.push(now.components[0].clone());
        more.components[1].name = "other".into();
        let part = Comparison::new(&before, &more, 0.1, false, |component| component.name == "add");
        assert_eq!((part.unclear(), &*part.not_asked), (None, &["tool other, warm".to_owned()][..]));
    }
}

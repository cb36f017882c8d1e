//! What is derived from the figures of a window.

use mcp_core::cache::CacheOutcome;
use mcp_core::profile::{ComponentReport, Outcome, Report, Span, Window};

/// A component in one window.
#[derive(Debug)]
pub(crate) struct Figures<'a> {
    pub(crate) component: &'a ComponentReport,
    pub(crate) window: &'a Window,
}

/// Returns all components in one window: by their busy time, then by their names.
pub(crate) fn by_busy_time(report: &Report, span: Span) -> Vec<Figures<'_>> {
    let components = report.components.iter();
    let mut all: Vec<_> = components.filter_map(|component| Figures::of(component, span)).collect();
    let name = |figures: &Figures<'_>| (figures.component.name.clone(), figures.component.kind.clone());
    all.sort_by_cached_key(|figures| (std::cmp::Reverse(figures.window.busy_ns), name(figures)));
    all
}

impl<'a> Figures<'a> {
    pub(crate) fn of(component: &'a ComponentReport, span: Span) -> Option<Self> {
        let window = component.windows.get(span.word())?;
        Some(Self { component, window })
    }

    pub(crate) fn per_minute(&self) -> f64 {
        if self.window.seconds > 0.0 { self.window.calls as f64 * 60.0 / self.window.seconds } else { 0.0 }
    }

    /// Returns the share of calls that ended well.
    pub(crate) fn ok(&self) -> Option<f64> {
        let ok = self.window.outcomes.get(Outcome::Ok.word()).copied().unwrap_or(0);
        share(ok, self.window.calls)
    }

    /// Returns the share of calls that the cache answered, of those that it had a part in.
    pub(crate) fn hits(&self) -> Option<f64> {
        let cached = |outcome: &CacheOutcome| *outcome != CacheOutcome::Bypass;
        let calls = |outcome: CacheOutcome| self.window.cache.get(outcome.word()).copied().unwrap_or(0);
        let all: u64 = CacheOutcome::ALL.into_iter().filter(cached).map(calls).sum();
        share(all - calls(CacheOutcome::Computed), all)
    }

    /// Returns the busy time as a share of one processor's.
    pub(crate) fn busy(&self) -> f64 {
        let busy = self.window.busy_ns as f64 / 1e9;
        if self.window.seconds > 0.0 { busy / self.window.seconds } else { 0.0 }
    }

    /// Returns how many bytes a call allocated, where that is counted.
    pub(crate) fn bytes(&self) -> Option<f64> {
        share(self.window.allocated_bytes?, self.window.calls)
    }

    /// Returns how many statements a call ran.
    pub(crate) fn queries(&self) -> Option<f64> {
        share(self.window.queries, self.window.calls)
    }

    /// Returns each part of the calls' time with its share, those that took none left out.
    pub(crate) fn phases(&self) -> Vec<(&'static str, u64, f64)> {
        let phases = mcp_core::profile::PHASES.iter();
        let took = |name: &str| self.window.phases_ns.get(name).copied().unwrap_or(0);
        let all: u64 = self.window.phases_ns.values().sum();
        let phases = phases.filter_map(|(_, name)| Some((*name, took(name), share(took(name), all)?)));
        phases.filter(|(_, took, _)| *took > 0).collect()
    }
}

/// Returns a part of a whole; `None` where there is no whole.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

//! What times were measured on: those of another machine or build are not compared.

use std::fs;

use mcp_core::profile::counts_allocations;
use serde::{Deserialize, Serialize};

/// The machine, and how the program was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    cpu: String,
    processors: usize,
    governor: Option<String>,
    rustc: String,
    profile: String,
    version: String,
    features: Vec<String>,
    counts_allocations: bool,
}

impl Machine {
    /// Looks at this one.
    pub(super) fn this() -> Self {
        let governor = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").ok();
        let features = [
            ("mimalloc", cfg!(feature = "mimalloc")),
            ("otel", cfg!(feature = "otel")),
            ("encryption", cfg!(feature = "encryption")),
        ];
        Self {
            cpu: cpu(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            governor: governor.map(|governor| governor.trim().to_owned()),
            rustc: env!("MCP_SERVER_RUSTC").to_owned(),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            features: features.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()).collect(),
            counts_allocations: counts_allocations(),
        }
    }

    /// Returns what is another with an earlier one, in words.
    pub(super) fn differences(&self, earlier: &Self) -> Vec<String> {
        let fields = |machine: &Self| {
            [
                ("processor", machine.cpu.clone()),
                ("number of processors", machine.processors.to_string()),
                ("scaling governor", machine.governor.clone().unwrap_or_else(|| "unknown".to_owned())),
                ("compiler", machine.rustc.clone()),
                ("build", machine.profile.clone()),
                ("version of mcp-server", machine.version.clone()),
                ("features", machine.features.join(", ")),
                (
                    "allocations",
                    if machine.counts_allocations { "counted" } else { "not counted" }.to_owned(),
                ),
            ]
        };
        let pairs = fields(self).into_iter().zip(fields(earlier));
        let others = pairs.filter(|((_, now), (_, then))| now != then);
        others.map(|((name, now), (_, then))| format!("{name}: `{then}` then, `{now}` now")).collect()
    }

    /// Returns the line of it that a report begins with.
    pub(super) fn line(&self) -> String {
        let Self { cpu, processors, rustc, profile, .. } = self;
        format!("{cpu}, {processors} processors; {profile} build, {rustc}")
    }

    /// Returns whether the program was built without optimisation.
    pub(super) fn is_debug(&self) -> bool {
        self.profile == "debug"
    }

    #[cfg(test)]
    pub(super) fn with_governor(mut self, governor: &str) -> Self {
        self.governor = Some(governor.to_owned());
        self
    }
}

fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_machine_does_not_differ_and_each_part_counts() {
        let this = Machine::this();
        assert_eq!(this.differences(&Machine::this()), Vec::<String>::new());
        let other = this.clone().with_governor("abacus");
        let known = this.governor.clone().unwrap_or_else(|| "unknown".to_owned());
        assert_eq!(other.differences(&this), [format!("scaling governor: `{known}` then, `abacus` now")]);
        assert!(this.rustc.starts_with("rustc ") && this.is_debug() == cfg!(debug_assertions));
    }
}

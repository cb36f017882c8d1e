//! What was measured, as it is written to a file and printed as JSON.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::machine::Machine;
use super::samples::Percentiles;

/// The form of the file that this version writes and reads.
pub(super) const VERSION: u32 = 1;

/// How large a file may be, in bytes.
const MOST: u64 = 16 << 20;

/// What one `bench` measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) version: u32,
    pub(super) machine: Machine,
    pub(super) how: How,
    pub(super) components: Vec<Component>,
}

/// How it was called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct How {
    /// `process`, `http` or `stdio`.
    pub(super) over: String,
    pub(super) connections: usize,
    /// Calls a second; `None`: each connection waited for its answer.
    pub(super) rate: Option<f64>,
}

/// A component with certain arguments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Component {
    pub(super) kind: String,
    pub(super) name: String,
    /// What tells the arguments apart from others; themselves they are not written.
    pub(super) arguments: String,
    pub(super) passes: Vec<Pass>,
}

/// One pass over a component.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pass {
    /// `cold`: the function ran each time; `warm`: it never did; `calls`: as it came.
    pub(super) pass: String,
    /// How many calls have their times in the percentiles.
    pub(super) calls: u64,
    pub(super) seconds: f64,
    pub(super) calls_per_second: f64,
    /// Answers that are of another pass: a hit among the cold ones.
    pub(super) others: u64,
    pub(super) failed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_failure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) behind: Option<Behind>,
    pub(super) times: Option<Percentiles>,
    /// The medians of equal slices of time.
    pub(super) slices_ns: Vec<u64>,
    pub(super) figures: Option<Figures>,
}

/// How far a rate was from being held.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Behind {
    pub(super) late_ns: u64,
    pub(super) not_begun: u64,
}

impl Component {
    /// Returns kind and name.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

impl Run {
    /// Returns how many calls failed.
    pub(super) fn failed(&self) -> u64 {
        self.components.iter().flat_map(|component| &component.passes).map(|pass| pass.failed).sum()
    }

    /// Writes it beside the file, and renames it into place, so that a reader never sees half of it.
    pub(super) fn save(&self, path: &Path) -> Result<(), String> {
        let draft = draft(path);
        let written = serde_json::to_vec_pretty(self).map_err(std::io::Error::other).and_then(|text| {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            std::fs::rename(&draft, path)
        });
        written.map_err(|error| {
            let _ = std::fs::remove_file(&draft);
            unwritten(path, &error)
        })
    }

    /// Reads what an earlier `bench` saved.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let mut text = String::new();
        let file = File::open(path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
        file.map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
        if text.len() as u64 > MOST {
            return Err(format!("`{}` is larger than {MOST} bytes: it is no baseline", path.display()));
        }
        Self::parse(&text).map_err(|error| format!("`{}` {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }

        let wrong = |error| format!("is no baseline ({error}): make one with `bench --save FILE`");
        // First alone: another version may have another form.
        let Version { version } = serde_json::from_str(text).map_err(wrong)?;
        if version != VERSION {
            return Err(format!(
                "is of version {version}, and this program knows version {VERSION}: make one with `bench --save FILE`"
            ));
        }
        serde_json::from_str(text).map_err(wrong)
    }
}

/// Finds out whether a file can be written there, and leaves none.
pub(super) fn may_be_written(path: &Path) -> Result<(), String> {
    let draft = draft(path);
    let written = File::create(&draft).and_then(|_| std::fs::remove_file(&draft));
    written.map_err(|error| unwritten(path, &error))
}

fn draft(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.draft", std::process::id()));
    draft.into()
}

fn unwritten(path: &Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be written: {error}", path.display())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::figures::Figure;
    use super::*;

    /// A run of one component, with the medians of its slices and what it allocates.
    pub(in super::super) fn run(slices: Vec<u64>, allocations: Option<u64>) -> Run {
        let figure = |exact| Figure { mean: 1.0, exact };
        let figures = Figures {
            busy_ns: 1.0,
            polls: figure(Some(1)),
            allocations: Some(figure(allocations)),
            bytes: None,
            statements: figure(Some(0)),
            too_few_calls: false,
        };
        let pass = Pass {
            pass: "calls".into(),
            calls: 1_000,
            seconds: 1.0,
            calls_per_second: 1_000.0,
            others: 0,
            failed: 0,
            first_failure: None,
            behind: None,
            times: None,
            slices_ns: slices,
            figures: Some(figures),
        };
        let component =
            Component { kind: "tool".into(), name: "add".into(), arguments: "0".into(), passes: vec![pass] };
        let how = How { over: "process".into(), connections: 1, rate: None };
        Run { version: VERSION, machine: Machine::this(), how, components: vec![component] }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let path = std::env::temp_dir().join(format!("bench-file-{}.json", std::process::id()));
        run(vec![1, 2, 3], Some(4)).save(&path).unwrap();
        let read = Run::read(&path).unwrap();
        assert_eq!(read.components[0].passes[0].slices_ns, [1, 2, 3]);
        assert_eq!(read.machine, Machine::this());
        std::fs::remove_file(&path).unwrap();
        assert!(Run::read(&path).unwrap_err().contains("cannot be read"));
        let nowhere = path.join("nowhere.json");
        assert_eq!(may_be_written(&path), Ok(()));
        assert!(!path.exists() && may_be_written(&nowhere).is_err());
        assert!(run(Vec::new(), None).save(&nowhere).unwrap_err().contains("cannot be written"));
    }

    #[test]
    fn what_is_no_baseline_is_refused_in_words() {
        for (text, expected) in [
            (r#"{"version":2,"anything":[]}"#, "is of version 2, and this program knows version 1"),
            (r#"{"version":1}"#, "is no baseline (missing field `machine`"),
            ("{}", "is no baseline (missing field `version`"),
            ("text", "is no baseline (expected"),
        ] {
            let error = Run::parse(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}

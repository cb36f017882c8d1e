//! The processes that a server is made of, which end with the benchmark.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::process::Child;

/// The groups that are still to be ended, by their numbers.
static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A process and all that it started, ended by force when this is dropped.
pub(super) struct Group(u32);

impl Group {
    /// Takes the group that a process was started to lead; `None`: it is over already.
    pub(super) fn of(child: &Child) -> Option<Self> {
        let id = child.id()?;
        groups().push(id);
        Some(Self(id))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        groups().retain(|id| *id != self.0);
        kill(self.0);
    }
}

/// Ends what no drop will: the process is about to exit.
pub(in crate::cli::bench) fn end_all() {
    groups().drain(..).for_each(kill);
}

fn groups() -> MutexGuard<'static, Vec<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn kill(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    if let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // One that is over is no failure.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Elsewhere the process alone is ended, by its handle.
#[cfg(not(unix))]
fn kill(_id: u32) {}

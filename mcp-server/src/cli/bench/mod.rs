//! `bench`: how long components take, within this process or in a server that runs.
//!
//! In reading order: `options` is the command line, `run` the order of things, `target` what is called.
//! `load` calls it, by a `schedule`, and keeps `samples`; `in_process` and `client` are who it calls.
//! `figures` are what a run uses beside time. `file` is what is saved, with the `machine` it was measured on,
//! `compare` holds two of them against each other, and `shown` prints it.

mod client;
mod compare;
mod figures;
mod file;
mod in_process;
mod load;
mod machine;
mod options;
mod random;
mod run;
mod samples;
mod schedule;
mod shown;
mod target;

pub(super) use options::command;
pub(super) use run::run;

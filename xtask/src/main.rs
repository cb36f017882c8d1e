//! Development commands of this repository: `cargo xtask bench peers`.

mod cases;
mod levels;
mod load;
mod measure;
mod process;
mod report;
mod request;
mod servers;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Development commands of this repository",
    disable_help_subcommand = true
)]
enum Command {
    /// Measures how fast servers are.
    #[command(subcommand)]
    Bench(Bench),
    /// Is one of the compared servers; `bench peers` starts them.
    Serve(servers::Options),
}

#[derive(Subcommand)]
enum Bench {
    /// Compares our server with its peers, and with HTTP alone.
    Peers(cases::Options),
    /// Compares hits of the cache with what they cannot cost less than.
    Levels(levels::Options),
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Bench(Bench::Peers(options)) => cases::run(&options),
        Command::Bench(Bench::Levels(options)) => levels::run(&options),
        Command::Serve(options) => servers::run(&options),
    }
}

//! The command line.
/// x
pub fn main(_s: crate::Server) -> std::process::ExitCode { std::process::ExitCode::SUCCESS }

//! A server for a Git repository: its history, its files at any revision, a prompt to review a change.
//!
//! What is asked about a commit by its id is kept for a day, as it cannot change. What is asked about a
//! name (`HEAD`, a branch, a tag) is kept until a name of the repository means another commit.

mod arguments;
mod files;
mod history;
mod repository;

mcp_server::main!();

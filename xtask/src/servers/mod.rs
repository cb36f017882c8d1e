//! The compared servers: the same tools, each in the form that its framework documents.

mod flymcprust;
mod http1;
mod hyper;
mod ours;
mod rmcp;
mod start;
pub(crate) mod work;

pub(crate) use start::{Options, Server, raise_open_files, run};

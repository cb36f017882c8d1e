//! The protocol: from rmcp's messages to dispatch and back. Only this folder and `transport` know it.

mod client;
mod handler;
pub(crate) mod hub;
pub(crate) mod lists;
mod render;
mod rounds;

pub use handler::Handler;
pub(crate) use render::value;
pub(crate) use rounds::Seal;

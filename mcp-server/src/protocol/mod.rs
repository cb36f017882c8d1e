//! The protocol: from rmcp's messages to dispatch and back. Only this folder and `transport` know it.

mod handler;

mod calls;
mod client;
pub(crate) mod lists;
mod render;
mod rounds;

pub(crate) mod lane;

pub(crate) mod hub;
mod telling;

pub use handler::Handler;
pub(crate) use render::value;
pub(crate) use rounds::Seal;

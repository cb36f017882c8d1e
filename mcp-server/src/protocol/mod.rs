//! The protocol: from rmcp's messages to dispatch and back. Only this folder and `transport` know it.

mod handler;
mod observed;

#[cfg(feature = "http")]
mod heard;

mod calls;
mod client;
pub(crate) mod lists;
mod render;
mod rounds;

pub(crate) mod lane;

pub(crate) mod hub;
mod telling;

pub use handler::Handler;
#[cfg(feature = "http")]
pub(crate) use heard::{Heard, Receipt};
pub(crate) use observed::Observed;
pub(crate) use render::value;
pub(crate) use rounds::Seal;

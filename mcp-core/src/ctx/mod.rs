//! The request, as a component sees it.

mod client;
mod form;
mod questions;
mod request;

pub use client::{Asking, Client, LogLevel, Nobody, RequestInfo};
pub use questions::{Elicited, Root, Sample, Sampled};
pub use request::Ctx;

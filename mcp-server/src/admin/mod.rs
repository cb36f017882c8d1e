//! What a server measured, over HTTP: metrics, and a page for people.
//!
//! It is where the protocol is while only this machine reaches that, or at an address of its own (`admin`).
//! Where others reach it, it asks for a token. Nothing here changes anything, and nothing that callers sent or
//! got is shown.

mod listener;

mod routes;
mod service;

mod access;
mod assets;
mod data;
mod form;
mod guesses;
mod live;
mod page;

pub(crate) use guesses::Guesses;
pub(crate) use listener::open;
pub(crate) use service::Admin;

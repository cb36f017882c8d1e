//! Many caches in one process, what lies below them, and what can go wrong on the way there.

mod chaos;
mod node;
mod oracle;
mod proxy;
mod server;
mod shelf;

pub(crate) use chaos::{Chaos, Dice, Faults};
pub(crate) use node::{
    Node, PATIENCE, SECOND, application, failed, good, level, millis, policy, redis_url, seen, text, until,
};
pub(crate) use oracle::Oracle;
pub(crate) use proxy::{Mode, Proxy};
pub(crate) use server::{Server, connect, query};
pub(crate) use shelf::Shelf;

//! Bodies in fewer bytes: content codings of RFC 9110, both ways.
//!
//! An answer is a head, a payload that the cache may share with thousands of other answers, and a tail. A
//! payload is compressed once, on its own, and the compressed bytes are spliced between the head and the tail
//! of each answer.

mod encoding;
mod gzip;
mod inflate;
mod packed;
mod store;
mod zstd;

#[cfg(test)]
mod samples;

pub(crate) use self::{
    encoding::{Encoding, negotiate},
    inflate::{Inflate, inflate},
    packed::whole,
    store::Precompressed,
};

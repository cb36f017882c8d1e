//! When and where a message came.

use mcp_core::profile;
#[cfg(feature = "otel")]
use opentelemetry::Context;

/// A message on its way in: made when it has been read.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// In nanoseconds of the profiler's clock.
    pub(super) at: u64,
    pub(super) network: Network,
    /// What the program that serves was doing: a request of HTTP, most of the time.
    #[cfg(feature = "otel")]
    pub(super) ambient: Context,
    /// The other end of the connection, where it is known.
    #[cfg(feature = "otel")]
    pub(super) client: Option<std::net::SocketAddr>,
}

/// The other end of the connection that a request of HTTP came by: an extension of it.
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(
    #[cfg_attr(not(feature = "otel"), allow(dead_code, reason = "only spans tell it"))]
    pub(crate)  std::net::SocketAddr,
);

/// What carries messages: how they are transported, and in which version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// Not known: the program that embeds the server transports them.
    Other,
    Pipe,
    #[cfg(feature = "http")]
    Http1,
    #[cfg(feature = "http")]
    Http2,
    /// HTTP in a version that is rarely met.
    #[cfg(feature = "http")]
    Http,
}

impl Network {
    pub(super) const COUNT: usize = 5;

    pub(super) fn transport(self) -> Option<&'static str> {
        match self {
            Self::Other => None,
            Self::Pipe => Some("pipe"),
            #[cfg(feature = "http")]
            _ => Some("tcp"),
        }
    }

    pub(super) fn protocol(self) -> Option<&'static str> {
        match self {
            Self::Other | Self::Pipe => None,
            #[cfg(feature = "http")]
            _ => Some("http"),
        }
    }

    pub(super) fn version(self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "http")]
            Self::Http1 => Some("1.1"),
            #[cfg(feature = "http")]
            Self::Http2 => Some("2"),
            _ => None,
        }
    }
}

#[cfg(feature = "http")]
impl From<http::Version> for Network {
    fn from(version: http::Version) -> Self {
        match version {
            http::Version::HTTP_11 => Self::Http1,
            http::Version::HTTP_2 => Self::Http2,
            _ => Self::Http,
        }
    }
}

impl Arrival {
    /// Notes that a message has been read.
    pub(crate) fn now(network: Network) -> Self {
        Self {
            at: profile::now(),
            network,
            // What reads a pipe does so for all messages, and is the cause of none.
            #[cfg(feature = "otel")]
            ambient: if network == Network::Pipe { Context::new() } else { Context::current() },
            #[cfg(feature = "otel")]
            client: None,
        }
    }

    /// Notes that a request of HTTP has been read.
    #[cfg(feature = "http")]
    pub(crate) fn of(request: &http::request::Parts) -> Self {
        Self {
            #[cfg(feature = "otel")]
            client: request.extensions.get::<Peer>().map(|Peer(address)| *address),
            ..Self::now(request.version.into())
        }
    }
}

//! What of an address may be known and shown: where it leads, and whether it is guarded.

use std::net::IpAddr;

/// A URL without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) scheme: String,
    /// Several for a cluster; none for a socket file or a file.
    pub(super) hosts: Vec<(String, Option<u16>)>,
    pub(super) has_password: bool,
}

impl Address {
    /// Reads a URL; `None` where it is none.
    pub(super) fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            hosts: hosts.split(',').filter(|host| !host.is_empty()).map(host_and_port).collect(),
            has_password: user.split_once(':').is_some_and(|(_, password)| !password.is_empty()),
        })
    }

    /// Returns whether everything stays on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.hosts.iter().all(|(host, _)| is_loopback(host))
    }

    /// Returns the first host, and the port that is meant where it says none.
    pub(super) fn first(&self) -> Option<(&str, u16)> {
        let (host, port) = self.hosts.first()?;
        Some((host, port.unwrap_or(if self.scheme == "https" { 443 } else { 80 })))
    }
}

/// Returns the parts of `host`, `host:port`, `[::1]` or `[::1]:port`.
pub(super) fn host_and_port(text: &str) -> (String, Option<u16>) {
    let text = text.trim();
    let (host, port) = match text.rsplit_once(':') {
        // An IPv6 address without brackets has no port.
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, port.parse().ok()),
        _ => (text, None),
    };
    (host.trim_matches(['[', ']']).to_ascii_lowercase(), port)
}

/// Returns whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_somewhere_and_is_guarded_or_not() {
        for (url, scheme, first, has_password, is_local) in [
            ("redis://127.0.0.1/", "redis", Some(("127.0.0.1", 80)), false, true),
            ("rediss://u:s3cret@cache.example:6380/0", "rediss", Some(("cache.example", 6380)), true, false),
            ("redis://:s3cret@[::1]:6379", "redis", Some(("::1", 6379)), true, true),
            (
                "redis+cluster://u:@localhost,b.example",
                "redis+cluster",
                Some(("localhost", 80)),
                false,
                false,
            ),
            ("HTTPS://Collector.example/v1?x=y@z:1", "https", Some(("collector.example", 443)), false, false),
            ("unix:///run/redis.sock", "unix", None, false, true),
        ] {
            let address = Address::read(url).unwrap();
            assert_eq!(
                (&*address.scheme, address.first(), address.has_password, address.is_local()),
                (scheme, first, has_password, is_local),
                "{url}"
            );
        }
        assert_eq!(Address::read("sqlite:cache.db"), None);
        assert_eq!(host_and_port("::1"), ("::1".to_owned(), None));
        assert_eq!(host_and_port("0.0.0.0:9090"), ("0.0.0.0".to_owned(), Some(9090)));
    }
}

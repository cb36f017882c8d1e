//! Where alerts are posted, a URL that may hold secrets.

use crate::error::Error;

/// A URL, and what of it may be shown.
pub(super) struct Target {
    #[cfg_attr(not(feature = "webhook"), expect(dead_code, reason = "it is refused"))]
    pub(super) url: String,
    /// Scheme, host and port: names, passwords, paths and queries may be secrets.
    #[cfg_attr(not(feature = "webhook"), expect(dead_code, reason = "it is refused"))]
    pub(super) shown: String,
}

impl Target {
    /// Reads a URL; no message repeats it.
    pub(super) fn new(url: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Err(Error::start(format!("`alert_webhook` {reason}")));
        if !cfg!(feature = "webhook") {
            return refuse("needs the feature `webhook` of `mcp-server`: add it in Cargo.toml");
        }
        let none = "is no URL that can be posted to: write `http://host/path` or `https://host/path`";
        let Some((scheme, rest)) = url.split_once("://") else { return refuse(none) };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "http" => {}
            "https" if cfg!(feature = "webhook-tls") => {}
            "https" => {
                return refuse(
                    "is https and needs the feature `webhook-tls` of `mcp-server`: add it in Cargo.toml",
                );
            }
            _ => return refuse(none),
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return refuse(
                "has a name or a password in it, which would not be sent: put the secret into the path",
            );
        }
        let is_host = |char: char| char.is_ascii_alphanumeric() || "-_.:[]".contains(char);
        if authority.is_empty() || !authority.chars().all(is_host) {
            return refuse(none);
        }
        Ok(Self { url: url.to_owned(), shown: format!("{scheme}://{authority}") })
    }
}

#[cfg(all(test, feature = "webhook"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_no_secret_is_shown() {
        for (url, shown) in [
            ("http://hooks.example/T0/s3cret?key=s3cret", "http://hooks.example"),
            ("HTTP://[::1]:8080?s3cret", "http://[::1]:8080"),
        ] {
            assert_eq!(Target::new(url).map(|target| target.shown).unwrap(), shown);
        }
        for url in
            ["s3cret", "ftp://s3cret", "http://", "http:///s3cret", "http://u:s3cret@host", "http://s3 cret/"]
        {
            let error = Target::new(url).err().unwrap().to_string();
            assert!(error.starts_with("`alert_webhook` ") && !error.contains("s3"), "{error}");
        }
    }

    #[cfg(not(feature = "webhook-tls"))]
    #[test]
    fn tls_is_asked_for() {
        let error = Target::new("https://host/s3cret").err().unwrap().to_string();
        assert!(error.contains("feature `webhook-tls`") && !error.contains("s3cret"), "{error}");
    }
}

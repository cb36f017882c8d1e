//! Who may call, who may look, and what goes through the open.

use mcp_core::Config;

use super::address::{Address, host_and_port, is_loopback};
use super::facts::Facts;
use super::verdict::{Group, State, Verdict, first};

const OF: Group = Group::Security;

/// The shortest secret that nobody tries out: 128 bits as hexadecimal digits.
const SHORTEST: usize = 32;

/// With fewer different characters a text is no random one.
const FEWEST: usize = 8;

/// What stands in examples, of those that are long enough.
pub(super) const KNOWN: [&str; 2] =
    ["the same random text for all who share", "change-me-to-a-long-random-string"];

pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    let mut all = vec![hosts(facts)];
    all.extend(secrets(&facts.config));
    all.extend(admin(&facts.config));
    all.extend(origins(&facts.config));
    all.extend(issuer(facts));
    all.extend(webhook(facts));
    all
}

fn hosts(facts: &Facts) -> Verdict {
    let name = "hosts";
    let hosts = &facts.config.allowed_hosts;
    let beyond: Vec<_> = hosts.iter().filter(|host| !is_loopback(&host_and_port(host).0)).collect();
    if beyond.is_empty() && facts.asks_callers() {
        return OF.pass(name, "loopback alone, and callers are asked who they are");
    }
    if beyond.is_empty() {
        // Where it will listen is a flag of `serve`; and who reaches it writes into `Host` what he likes.
        return OF.skip(
            name,
            "nobody is asked who calls, which is for stdio and loopback alone: where `--http` is another \
             address, set `MCP_AUTH_TOKENS=alice=..`, and `MCP_ALLOWED_HOSTS`",
        );
    }
    let named = first(beyond.iter().map(|host| host.as_str()));
    if facts.asks_callers() {
        return OF.pass(name, format!("{named}: callers are asked who they are"));
    }
    OF.fail(
        name,
        format!("{named}: anybody who reaches the server may call"),
        "set `MCP_AUTH_TOKENS=alice=..`, or `MCP_AUTH_ISSUER` and `MCP_AUTH_AUDIENCE` (feature `jwt`)",
    )
}

/// Nothing where there is none.
fn secrets(config: &Config) -> Option<Verdict> {
    let name = "secrets";
    // Where it must not be short, that is said of the address.
    let told = admin(config).is_some_and(|verdict| verdict.state == State::Fail);
    let admin_token = if told { &None } else { &config.admin_token };
    let own = [("admin_token", admin_token), ("cache_secret", &config.cache_secret)];
    let own = own.into_iter().filter_map(|(key, secret)| Some((key.to_owned(), secret.as_deref()?)));
    // By its number: of a token that was written without a name, the name is the secret.
    let tokens = config.auth_tokens.iter().enumerate();
    let tokens = tokens.map(|(at, (_, token))| (format!("auth_tokens, number {}", at + 1), token.as_str()));
    let all: Vec<_> = own.chain(tokens).collect();
    if all.is_empty() {
        return None;
    }
    let weak: Vec<_> =
        all.iter().filter(|(_, secret)| is_weak(secret)).map(|(key, _)| key.as_str()).collect();
    if weak.is_empty() {
        return Some(OF.pass(name, format!("none is short or known, of {}", all.len())));
    }
    Some(OF.warn(
        name,
        format!("short, known or not random: {}", first(weak.into_iter())),
        format!("`openssl rand -hex 32` writes one; {SHORTEST} characters at least"),
    ))
}

fn is_weak(secret: &str) -> bool {
    let different: std::collections::BTreeSet<_> = secret.chars().collect();
    secret.chars().count() < SHORTEST || different.len() < FEWEST || KNOWN.contains(&secret)
}

fn admin(config: &Config) -> Option<Verdict> {
    let name = "admin";
    let address = config.admin.as_deref()?;
    if is_loopback(&host_and_port(address).0) {
        return Some(OF.pass(name, format!("`{address}`, which this machine alone reaches")));
    }
    let length = config.admin_token.as_ref().map_or(0, |token| token.chars().count());
    if length >= SHORTEST {
        return Some(OF.pass(name, format!("`{address}`, for who has the token")));
    }
    let token = if length == 0 { "there is no token" } else { "the token is short" };
    let port = host_and_port(address).1.unwrap_or(9090);
    Some(OF.fail(
        name,
        format!("`{address}`, which others reach, and {token}"),
        format!(
            "set `MCP_ADMIN_TOKEN` to {SHORTEST} random characters or more (`openssl rand -hex 32`), or \
             `MCP_ADMIN=127.0.0.1:{port}`"
        ),
    ))
}

/// Nothing where none is named.
fn origins(config: &Config) -> Option<Verdict> {
    let name = "origins";
    let all = &config.allowed_origins;
    if all.is_empty() {
        return None;
    }
    if all.iter().any(|origin| origin.eq_ignore_ascii_case("null")) {
        return Some(OF.fail(
            name,
            "`null` is what every sandboxed page and every local file calls from",
            "remove `null` from `MCP_ALLOWED_ORIGINS`, and name origins: `https://app.example`",
        ));
    }
    // A port may be `*`; nothing else is ever matched by one.
    let wild = |origin: &&String| origin.strip_suffix(":*").unwrap_or(origin).contains('*');
    if let Some(origin) = all.iter().find(wild) {
        return Some(OF.warn(
            name,
            format!("`{origin}` is no origin, and lets no page call"),
            "name origins in `MCP_ALLOWED_ORIGINS`: `https://app.example`",
        ));
    }
    Some(OF.pass(name, format!("pages of {} may call", first(all.iter().map(String::as_str)))))
}

/// Access tokens: the server itself refuses an issuer without an audience, and keys that come without TLS.
fn issuer(facts: &Facts) -> Option<Verdict> {
    let name = "issuer";
    if let Some(mistake) = &facts.auth_mistake {
        return Some(OF.mistake(name, mistake));
    }
    let issuer = facts.config.auth_issuer.as_deref()?;
    Some(OF.pass(name, format!("`{issuer}`, with an audience")))
}

fn webhook(facts: &Facts) -> Option<Verdict> {
    let name = "webhook";
    let address = facts.config.alert_webhook.as_deref().and_then(Address::read)?;
    if facts.webhook_mistake.is_some() {
        return None;
    }
    if address.scheme == "https" || address.is_local() {
        return Some(OF.pass(name, "alerts go over TLS, or stay on this machine"));
    }
    Some(OF.warn(
        name,
        "alerts and the URL, which may hold a secret, go through the network in the clear",
        "write an `https://` URL into `MCP_ALERT_WEBHOOK` (feature `webhook-tls`)",
    ))
}

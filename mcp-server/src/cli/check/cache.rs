//! Where results are kept, and who may read them there.

use std::time::Duration;

use mcp_core::policy::{Levels, Scope};

use super::address::Address;
use super::facts::{Component, DatabaseSeen, Facts, RedisSeen};
use super::verdict::{Group, Verdict, first};
use crate::levels::redis_url;
use crate::text_report::bytes;

const OF: Group = Group::Cache;

/// How far apart two clocks may be.
const APART: Duration = Duration::from_secs(2);

pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    let mut all = vec![enabled(facts)];
    if let Some(seen) = &facts.redis {
        all.push(redis(seen));
        all.extend(seen.iter().filter_map(memory));
        all.extend(seen.iter().filter_map(clock));
        all.extend(guarded(facts));
    }
    if let Some(seen) = &facts.database {
        all.push(database(seen));
        all.extend(seen.iter().filter_map(network));
    }
    if !facts.has_levels() {
        all.push(OF.skip("levels", "not used: results are in the memory of this process alone"));
    }
    all.extend(private(facts));
    all
}

fn enabled(facts: &Facts) -> Verdict {
    let config = &facts.config;
    if config.cache_enabled {
        let (life, room) = (config.cache_duration, bytes(config.cache_memory_bytes as f64));
        return OF
            .pass("enabled", format!("results are fresh for {life:?} by default, {room} of them in memory"));
    }
    OF.warn("enabled", "off: each call runs its function", "set `MCP_CACHE_ENABLED=true`, or remove it")
}

fn redis(seen: &Result<RedisSeen, String>) -> Verdict {
    match seen {
        Ok(seen) => {
            let version = seen.version.as_deref().unwrap_or("it does not tell its version, and");
            OF.pass("redis", format!("{version} answers; a value was written, read and removed"))
        }
        Err(error) => OF.fail(
            "redis",
            error,
            "start it, or correct `MCP_CACHE_REDIS_URL` (`MCP_REDIS_URL`): `redis://user:password@host:6379`",
        ),
    }
}

/// Nothing where it does not tell.
fn memory(seen: &RedisSeen) -> Option<Verdict> {
    let name = "redis memory";
    let (most, policy) = (seen.max_memory?, seen.policy.as_deref()?);
    Some(match (most, policy) {
        (0, _) => OF.pass(name, format!("no limit, `{policy}`")),
        (most, "noeviction") => OF.warn(
            name,
            format!("{}, `noeviction`: writes fail when it is full", bytes(most as f64)),
            "`redis-cli config set maxmemory-policy volatile-lru`, and the same in redis.conf",
        ),
        // The hash of marks has no end of its own: without it everything counts as invalid.
        (most, policy) if policy.starts_with("allkeys") => OF.warn(
            name,
            format!("{}, `{policy}`: it may evict what tells old results from new ones", bytes(most as f64)),
            "`redis-cli config set maxmemory-policy volatile-lru`, and the same in redis.conf",
        ),
        (most, policy) => OF.pass(name, format!("{}, `{policy}`", bytes(most as f64))),
    })
}

fn clock(seen: &RedisSeen) -> Option<Verdict> {
    let name = "redis clock";
    let ahead = seen.ahead_ms?;
    let found = format!("{} ms {} ours", ahead.unsigned_abs(), if ahead < 0 { "behind" } else { "ahead of" });
    if u128::from(ahead.unsigned_abs()) <= APART.as_millis() {
        return Some(OF.pass(name, found));
    }
    Some(OF.warn(name, found, "let both machines follow an NTP server: `timedatectl set-ntp true`"))
}

/// Nothing of one on this machine.
fn guarded(facts: &Facts) -> Option<Verdict> {
    let name = "redis access";
    let address = redis_url(&facts.config).and_then(Address::read).filter(|address| !address.is_local())?;
    let tls = ["rediss", "valkeys"].iter().any(|scheme| address.scheme.starts_with(scheme));
    let missing = match (tls, address.has_password) {
        (true, true) => return Some(OF.pass(name, "with TLS and a password")),
        (false, true) => "without TLS",
        (true, false) => "without a password",
        (false, false) => "without TLS and a password",
    };
    Some(OF.warn(
        name,
        format!("it is on another machine, {missing}"),
        "write `rediss://user:password@host:6379` (feature `redis-tls`)",
    ))
}

fn database(seen: &Result<DatabaseSeen, String>) -> Verdict {
    match seen {
        Ok(DatabaseSeen { anew: Some(why), .. }) => OF.warn(
            "database",
            format!("{why}: it is left as it is, and would be made anew at the first start"),
            "keep a copy if it matters, or write another place into `MCP_CACHE_DATABASE_URL`",
        ),
        Ok(seen) if seen.exists => OF.pass("database", "answers; a value was written, read and removed"),
        Ok(_) => OF.pass("database", "nothing is there yet, and the first start may make it"),
        Err(error) => OF.fail(
            "database",
            error,
            "start it, or correct `MCP_CACHE_DATABASE_URL`: `sqlite://path`, whose folder is there, or \
             `postgres://user:password@host/name`",
        ),
    }
}

fn network(seen: &DatabaseSeen) -> Option<Verdict> {
    let kind = seen.network.as_ref()?;
    Some(OF.warn(
        "database file",
        format!("it is on a network file system ({kind}), where SQLite's locks do not hold"),
        "put it on a local disk, or use `postgres://` for several machines",
    ))
}

/// Who may read the results of one caller; nothing where none are cached, or where they stay here.
fn private(facts: &Facts) -> Option<Verdict> {
    let name = "private results";
    let config = &facts.config;
    let is_private = |component: &&Component| {
        component.cache.is_some_and(|policy| policy.scope != Scope::Public && policy.levels != Levels::Memory)
    };
    let private: Vec<_> = facts.components.iter().flatten().filter(is_private).collect();
    if private.is_empty() || !facts.has_levels() {
        return None;
    }
    let named = first(private.iter().map(|component| component.name.as_str()));
    let secret = "set `MCP_CACHE_SECRET` to the same random text for all who share (`openssl rand -hex 32`)";
    let Some(_) = config.cache_secret else {
        let found = if config.cache_share_private {
            "shared without a secret, and who sees the keys can guess arguments"
        } else {
            "not shared, for want of a secret"
        };
        return Some(OF.warn(name, format!("{named}: {found}"), secret));
    };
    Some(match (config.cache_encrypt, facts.leaves_machine()) {
        (true, _) => OF.pass(name, format!("{named}: shared, encrypted")),
        (false, false) => OF.pass(name, format!("{named}: shared, on this machine")),
        (false, true) => OF.warn(
            name,
            format!("{named}: shared in the clear, for who reads the level"),
            "set `MCP_CACHE_ENCRYPT=true` (feature `encryption`)",
        ),
    })
}

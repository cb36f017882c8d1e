//! How the program was built.

use super::facts::Facts;
use super::verdict::{Group, Verdict};

const OF: Group = Group::Build;

pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    vec![assertions(facts), panics(facts), allocations(facts)]
}

fn assertions(facts: &Facts) -> Verdict {
    let name = "debug assertions";
    if facts.build.debug {
        return OF.fail(name, "on: this is a debug build, several times slower", "build with `--release`");
    }
    OF.pass(name, "off")
}

fn panics(facts: &Facts) -> Verdict {
    let name = "panics";
    if facts.build.aborts {
        return OF.fail(
            name,
            "abort: one tool that panics ends the server, for all callers",
            "remove `panic = \"abort\"` from the profile in Cargo.toml",
        );
    }
    OF.pass(name, "unwind: a tool that panics fails one call")
}

fn allocations(facts: &Facts) -> Verdict {
    let name = "allocations";
    if facts.build.counted {
        return OF.pass(name, "counted, for each call");
    }
    OF.warn(
        name,
        "not counted: the program has an allocator of its own",
        "write `mcp_server::main!()`, or wrap the allocator in `mcp_server::profile::CountingAllocator`",
    )
}

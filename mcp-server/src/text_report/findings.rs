//! What was found, in one line each, with the place and what to do.

use mcp_core::profile::Finding;

use super::units::counted;

/// Returns a finding in one line.
pub(crate) fn finding(finding: &Finding) -> String {
    let kind = finding.kind.replace("_sql", " SQL").replace('_', " ");
    let after = finding.after.as_ref().map_or_else(String::new, |after| format!(" after `{after}`"));
    let times = if finding.times > 1 {
        format!(", {}", counted(finding.times, "time", "times"))
    } else {
        String::new()
    };
    format!(
        "{}, {kind}{after}{times}: {}; at {}; to change: {}",
        finding.component, finding.says, finding.place, finding.fix
    )
}

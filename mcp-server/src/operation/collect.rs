//! The series of operations and of sessions as Prometheus reads them.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel as _, EncodeLabelSet, LabelSetEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::operations::Operations;
use super::series::{Labels, Series, Snapshot, boundaries};

/// `mcp_server_operation_duration_seconds` and its like of sessions: the names that dashboards look for.
#[derive(Debug)]
pub(crate) struct OperationDurations(pub(crate) Arc<Operations>);

impl Collector for OperationDurations {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Duration of MCP requests and notifications on the server.";
        write(&mut encoder, "mcp_server_operation_duration", help, self.0.all())?;
        let help = "Duration of MCP sessions on the server.";
        write(&mut encoder, "mcp_server_session_duration", help, self.0.sessions.all())
    }
}

fn write<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    all: impl Iterator<Item = &'a Series>,
) -> Result<(), fmt::Error> {
    let mut encoder = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
    for series in all {
        let Snapshot { buckets, sum } = series.snapshot();
        let count = buckets.iter().sum();
        let buckets: Vec<_> = boundaries().chain([f64::INFINITY]).zip(buckets).collect();
        encoder.encode_family(&series.labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
    }
    Ok(())
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, value) in self.attributes().filter(|(name, _)| *name != "gen_ai.operation.name") {
            (&*name.replace('.', "_"), value).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mcp_core::registry::Registry;
    use prometheus_client::registry::Registry as Families;

    use super::*;
    use crate::operation::{Arrival, Asked, Ending, Network, Session};

    #[test]
    fn series_have_the_names_and_the_labels_that_dashboards_look_for() {
        let registry = Registry::new([]).unwrap();
        let operations = Arc::new(Operations::new(
            &registry,
            true,
            #[cfg(feature = "otel")]
            false,
        ));
        for (network, method, revision) in [
            (Network::Http2, "tools/call", "2026-07-28"),
            (Network::Pipe, "prompts/get", "2025-11-25"),
            (Network::Pipe, "made/up", "made up"),
        ] {
            let asked = Asked::new(method, Some(revision)).named(&registry, "made up");
            let begun = operations.begin(&Arrival::now(network), &asked);
            operations.operation(begun).finish(&Ending::TOOL_ERROR.into());
        }
        drop(Session::begin(&operations, Network::Http2, "2025-11-25"));
        let mut families = Families::default();
        families.register_collector(Box::new(OperationDurations(operations)));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &families).unwrap();

        assert!(text.starts_with(
            "# HELP mcp_server_operation_duration_seconds Duration of MCP requests and notifications on the server.\n\
             # TYPE mcp_server_operation_duration_seconds histogram\n\
             # UNIT mcp_server_operation_duration_seconds seconds\n"
        ));
        for line in [
            "mcp_server_operation_duration_seconds_count{mcp_method_name=\"tools/call\",\
             gen_ai_tool_name=\"_OTHER\",error_type=\"tool_error\",network_transport=\"tcp\",\
             network_protocol_name=\"http\",network_protocol_version=\"2\",mcp_protocol_version=\"2026-07-28\"} 1\n",
            "mcp_server_operation_duration_seconds_bucket{le=\"0.01\",mcp_method_name=\"prompts/get\",\
             gen_ai_prompt_name=\"_OTHER\",error_type=\"tool_error\",network_transport=\"pipe\",\
             mcp_protocol_version=\"2025-11-25\"} 1\n",
            "mcp_server_operation_duration_seconds_bucket{le=\"+Inf\",mcp_method_name=\"_OTHER\",\
             error_type=\"tool_error\",network_transport=\"pipe\"} 1\n",
            "# UNIT mcp_server_session_duration_seconds seconds\n\
             mcp_server_session_duration_seconds_sum{network_transport=\"tcp\",network_protocol_name=\"http\",\
             network_protocol_version=\"2\",mcp_protocol_version=\"2025-11-25\"} ",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
    }
}

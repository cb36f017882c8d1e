//! The way back to the client, over rmcp's peer.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are deprecated by SEP-2577, and part of every revision served"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use mcp_core::ask::Question;
use mcp_core::component::BoxFuture;
use mcp_core::ctx::{Asking, Client, LogLevel};
use mcp_core::{ErrorKind, ToolError};
use rmcp::RoleServer;
use rmcp::model::{
    ClientCapabilities, ClientResult, LoggingLevel, LoggingMessageNotification,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProgressToken, ProtocolVersion,
    ServerNotification, ServerRequest,
};
use rmcp::service::{Peer, RequestContext};
use serde_json::{Value, json};

/// The client of one request.
pub(super) struct PeerClient {
    peer: Peer<RoleServer>,
    modern: bool,
    capabilities: ClientCapabilities,
    progress: Option<ProgressToken>,
    /// The least important level that the client wants; `None`: it wants no log.
    level: Option<LogLevel>,
    logger: String,
}

/// Returns whether a request is of revision 2026-07-28 or later.
pub(super) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

impl PeerClient {
    pub(super) fn new(context: &RequestContext<RoleServer>, session: &SessionLevel, logger: &str) -> Self {
        let modern = is_modern(context);
        Self {
            peer: context.peer.clone(),
            modern,
            capabilities: context.client_capabilities().unwrap_or_default(),
            progress: context.meta.get_progress_token(),
            level: if modern { context.meta.log_level().map(level) } else { session.get() },
            logger: logger.to_owned(),
        }
    }
}

impl Client for PeerClient {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(token) = &self.progress else { return };
            let mut report = ProgressNotificationParam::new(token.clone(), done);
            report.total = total;
            report.message = message;
            if let Err(error) = self.peer.notify_progress(report).await {
                tracing::debug!(%error, "progress not sent");
            }
        })
    }

    fn log(&self, level: LogLevel, data: Value) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.level.is_none_or(|wanted| level < wanted) {
                return;
            }
            let params = LoggingMessageNotificationParam::new(protocol_level(level), data)
                .with_logger(self.logger.clone());
            let message =
                ServerNotification::LoggingMessageNotification(LoggingMessageNotification::new(params));
            if let Err(error) = self.peer.send_notification(message).await {
                tracing::debug!(%error, "log message not sent");
            }
        })
    }

    fn asking(&self) -> Asking {
        if self.modern { Asking::InRounds } else { Asking::Directly }
    }

    fn answers(&self, method: &str) -> bool {
        match method {
            // `{}` means forms, as before there were modes.
            "elicitation/create" => self
                .capabilities
                .elicitation
                .as_ref()
                .is_some_and(|modes| modes.form.is_some() || modes.url.is_none()),
            "sampling/createMessage" => self.capabilities.sampling.is_some(),
            "roots/list" => self.capabilities.roots.is_some(),
            _ => false,
        }
    }

    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Value, ToolError>> {
        Box::pin(async move {
            let Question { method, params } = question;
            let request: ServerRequest =
                serde_json::from_value(json!({ "method": method, "params": params }))
                    .map_err(|error| ToolError::new(format_args!("`{method}` cannot be asked: {error}")))?;
            let answer = self.peer.send_request(request).await;
            let answer = answer.map_err(|error| {
                ToolError::new(format_args!("the client did not answer `{method}`: {error}"))
            })?;
            let value = match answer {
                ClientResult::ElicitResult(result) => serde_json::to_value(result),
                ClientResult::CreateMessageResult(result) => serde_json::to_value(result),
                ClientResult::ListRootsResult(result) => serde_json::to_value(result),
                _ => {
                    return Err(ToolError::new(format_args!(
                        "the client answered something else than `{method}`"
                    )));
                }
            };
            Ok(value?)
        })
    }
}

/// The level that `logging/setLevel` set for a session, before revision 2026-07-28.
#[derive(Clone)]
pub(super) struct SessionLevel(Arc<AtomicU8>);

impl Default for SessionLevel {
    fn default() -> Self {
        // What a client gets that never said: the specification leaves it to the server.
        Self(Arc::new(AtomicU8::new(LogLevel::Info as u8)))
    }
}

impl SessionLevel {
    pub(super) fn set(&self, wanted: LoggingLevel) {
        self.0.store(level(wanted) as u8, Relaxed);
    }

    fn get(&self) -> Option<LogLevel> {
        let wanted = self.0.load(Relaxed);
        LEVELS.into_iter().map(|(ours, _)| ours).find(|ours| *ours as u8 == wanted)
    }
}

const LEVELS: [(LogLevel, LoggingLevel); 8] = [
    (LogLevel::Debug, LoggingLevel::Debug),
    (LogLevel::Info, LoggingLevel::Info),
    (LogLevel::Notice, LoggingLevel::Notice),
    (LogLevel::Warning, LoggingLevel::Warning),
    (LogLevel::Error, LoggingLevel::Error),
    (LogLevel::Critical, LoggingLevel::Critical),
    (LogLevel::Alert, LoggingLevel::Alert),
    (LogLevel::Emergency, LoggingLevel::Emergency),
];

fn level(theirs: LoggingLevel) -> LogLevel {
    LEVELS.into_iter().find(|(_, level)| *level == theirs).map_or(LogLevel::Debug, |(ours, _)| ours)
}

fn protocol_level(ours: LogLevel) -> LoggingLevel {
    LEVELS.into_iter().find(|(level, _)| *level == ours).map_or(LoggingLevel::Debug, |(_, theirs)| theirs)
}

/// Returns the capabilities that a client would have needed.
pub(super) fn missing(error: &ToolError) -> Option<ClientCapabilities> {
    let Some(ErrorKind::MissingCapability(method)) = error.kind() else { return None };
    let mut capabilities = ClientCapabilities::default();
    match method {
        "elicitation/create" => {
            capabilities.elicitation = Some(rmcp::model::ElicitationCapability::default());
        }
        "sampling/createMessage" => capabilities.sampling = Some(rmcp::model::SamplingCapability::default()),
        _ => capabilities.roots = Some(rmcp::model::RootsCapabilities::default()),
    }
    Some(capabilities)
}

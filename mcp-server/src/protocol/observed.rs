//! The handler with each of its requests observed as an operation: what rmcp is given.
//!
//! Over a pipe rmcp takes any `Service`, which sees every message. Over HTTP it takes a `ServerHandler` alone,
//! which sees what becomes a call of a method: what rmcp refuses itself is observed where its answer goes out.

use mcp_core::registry::Registry;
use rmcp::model::{
    ClientNotification, ClientRequest, ErrorData, NotificationMetaObject, ProtocolVersion, RequestMetaObject,
    ServerConfig, ServerResult,
};
use rmcp::service::{NotificationContext, Peer, RequestContext};
use rmcp::{RoleServer, Service};
use tokio_util::sync::CancellationToken;

use super::client::is_modern;
use super::handler::Handler;
use crate::operation::{Arrival, Asked, Begun, Ended, Ending, Id, Network, Outcome};
use crate::started::Core;

/// The method of a request that no client sends: the lane opens rmcp's side with it.
const OPENING: &str = "lane/opening";

/// What a request is about.
#[derive(Clone, Copy)]
pub(super) enum About<'a> {
    Nothing,
    /// A tool or a prompt.
    Name(&'a str),
    Uri(&'a str),
}

impl<'a> About<'a> {
    fn of(request: &'a ClientRequest) -> Self {
        match request {
            ClientRequest::CallToolRequest(request) => Self::Name(&request.params.name),
            ClientRequest::GetPromptRequest(request) => Self::Name(&request.params.name),
            ClientRequest::ReadResourceRequest(request) => Self::Uri(&request.params.uri),
            ClientRequest::SubscribeRequest(request) => Self::Uri(&request.params.uri),
            ClientRequest::UnsubscribeRequest(request) => Self::Uri(&request.params.uri),
            _ => Self::Nothing,
        }
    }

    fn add_to(self, asked: Asked<'a>, registry: &'a Registry) -> Asked<'a> {
        match self {
            Self::Nothing => asked,
            Self::Name(name) => asked.named(registry, name),
            Self::Uri(uri) => asked.of_uri(Some(uri)),
        }
    }
}

/// Begins the operation of a request.
pub(super) fn request(
    core: &Core,
    arrival: &Arrival,
    method: &str,
    about: About<'_>,
    context: &RequestContext<RoleServer>,
) -> Begun {
    let revision = context.protocol_version();
    let meta: &RequestMetaObject = &context.meta;
    let asked = Asked {
        id: Some(Id::Given(&context.id)),
        traceparent: meta.get_traceparent(),
        tracestate: meta.get_tracestate(),
        #[cfg(feature = "http")]
        session: super::heard::session(&context.extensions),
        ..Asked::new(method, revision.as_ref().map(ProtocolVersion::as_str))
    };
    core.operations.begin(arrival, &about.add_to(asked, &core.dispatch.registry))
}

/// Begins the operation of a notification.
pub(super) fn notification(
    core: &Core,
    arrival: &Arrival,
    method: &str,
    context: &NotificationContext<RoleServer>,
) -> Begun {
    let peer: &Peer<RoleServer> = &context.peer;
    let info = peer.peer_info();
    let meta: &NotificationMetaObject = &context.meta;
    let asked = Asked {
        traceparent: meta.get_traceparent(),
        tracestate: meta.get_tracestate(),
        #[cfg(feature = "http")]
        session: super::heard::session(&context.extensions),
        ..Asked::new(method, info.as_ref().map(|info| info.protocol_version.as_str()))
    };
    core.operations.begin(arrival, &asked)
}

/// What decides how the end of a request is told, beside its answer.
pub(super) struct Terms {
    modern: bool,
    cancelled: CancellationToken,
}

impl Terms {
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        Self { modern: is_modern(context), cancelled: context.ct.clone() }
    }
}

/// Answers a request as an operation.
pub(super) async fn answered<T: Outcome>(
    core: &Core,
    begun: Begun,
    terms: Terms,
    answer: impl Future<Output = Result<T, ErrorData>>,
) -> Result<T, ErrorData> {
    let operation = core.operations.operation(begun);
    let answer = operation.within(answer).await;
    // Nobody is sent what the handler says to a request that was cancelled.
    let ended = match &answer {
        Err(_) if terms.cancelled.is_cancelled() => Ending::CANCELLED.into(),
        answer => Ended::of(answer, terms.modern),
    };
    operation.finish(&ended);
    answer
}

/// Hears a notification as an operation.
pub(super) async fn heard<T>(core: &Core, begun: Begun, hearing: impl Future<Output = T>) -> T {
    let operation = core.operations.operation(begun);
    let heard = operation.within(hearing).await;
    operation.finish(&Ending::OK.into());
    heard
}

/// The handler of a pipe.
pub(crate) struct Observed(pub(crate) Handler);

impl Service<RoleServer> for Observed {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        if request.method() == OPENING {
            return self.0.handle_request(request, context).await;
        }
        let core = &*self.0.core;
        let arrival = Arrival::now(Network::Pipe);
        let begun = self::request(core, &arrival, request.method(), About::of(&request), &context);
        let terms = Terms::of(&context);
        let answer = answered(core, begun, terms, self.0.handle_request(request, context)).await;
        if let Some(revision) = answer.as_ref().ok().and_then(Outcome::revision) {
            self.0.begun(Network::Pipe, &revision);
        }
        answer
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let core = &*self.0.core;
        let method = match &notification {
            ClientNotification::CancelledNotification(_) => "notifications/cancelled",
            ClientNotification::ProgressNotification(_) => "notifications/progress",
            ClientNotification::InitializedNotification(_) => "notifications/initialized",
            ClientNotification::RootsListChangedNotification(_) => "notifications/roots/list_changed",
            ClientNotification::CustomNotification(custom) => &custom.method,
            _ => "",
        };
        let begun = self::notification(core, &Arrival::now(Network::Pipe), method, &context);
        heard(core, begun, self.0.handle_notification(notification, context)).await
    }

    fn get_info(&self) -> ServerConfig {
        Service::get_info(&self.0)
    }
}

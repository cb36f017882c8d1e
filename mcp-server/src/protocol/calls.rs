//! From a request to a call of a component, or of a function beside one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mcp_core::arguments::Input;
use mcp_core::component::BoxFuture;
use mcp_core::ctx::{Client, Ctx, RequestInfo};
use mcp_core::invocation::Invocation;
use mcp_core::registry::Entry;
use mcp_core::{Identity, ToolError};
use rmcp::RoleServer;
use rmcp::model::{ErrorData, Resource};
use rmcp::service::RequestContext;
use serde_json::Value;

use super::client::{PeerClient, is_modern};
use super::handler::Handler;
use super::render::Target;
use super::rounds::Round;
use crate::dispatch::{Answer, Arguments, Call, Caller};

/// How long a function beside a component may take, where the component has no `timeout`.
const ASIDE: Duration = Duration::from_secs(30);

impl Handler {
    fn client(&self, context: &RequestContext<RoleServer>) -> Arc<dyn Client> {
        Arc::new(PeerClient::new(context, &self.level, &self.core.name))
    }

    /// Brings a call to dispatch and returns its answer with what it is rendered for.
    pub(super) async fn answer<'a>(
        &'a self,
        entry: &'a Arc<Entry>,
        input: Input<'_>,
        uri: Option<&str>,
        arguments: &'a str,
        (responses, state): (Option<BTreeMap<String, Value>>, Option<String>),
        context: &RequestContext<RoleServer>,
    ) -> Result<(Target<'a>, Answer), ErrorData> {
        if self.core.stopping.is_cancelled() {
            return Err(ErrorData::internal_error("the server is stopping", None));
        }
        let identity = identity(context);
        // Only who takes a `Ctx` can see the request and talk to the client.
        let mut request = entry.def.uses_ctx.then(|| (request_info(context), self.client(context)));
        let round = |identity: Identity| Round {
            kind: entry.def.kind.word(),
            name: entry.def.name,
            arguments,
            identity,
        };
        let continues = responses.is_some() || state.is_some();
        if continues {
            let answers = self.core.seal.answers(&round(identity.clone()), responses, state.as_deref());
            let answers = answers.map_err(|error| ErrorData::invalid_params(error, None))?;
            if let Some((request, _)) = &mut request {
                request.answers = answers;
            }
        }
        let revision = context.protocol_version().map(|version| version.to_string()).unwrap_or_default();
        let caller = Caller { identity: identity.clone(), request, cancelled: Some(context.ct.clone()) };
        let call = Call { entry, arguments: Arguments::Raw(input), uri, caller, continues };
        let answer = self.core.dispatch.answer(call).await;
        let asking = Some((&self.core.seal, round(identity)));
        let target = Target { entry, revision: revision.into(), modern: is_modern(context), asking };
        Ok((target, answer))
    }

    /// Returns the instances of a template that its `list` function enumerates.
    pub(super) async fn instances(
        &self,
        entry: &Arc<Entry>,
        mime: Option<&str>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Vec<Resource>, ErrorData> {
        let mcp_core::component::Kind::Resource(part) = entry.def.kind else { return Ok(Vec::new()) };
        let Some(list) = part.list.filter(|_| entry.allow(&identity(context)).is_ok()) else {
            return Ok(Vec::new());
        };
        let listed = self.aside(entry, context, list).await?;
        let resources = listed.into_iter().map(|instance| {
            let mut resource = Resource::new(instance.uri, instance.name);
            resource.title = instance.title;
            resource.description = instance.description;
            resource.size = instance.size;
            resource.mime_type = mime.map(ToOwned::to_owned);
            resource
        });
        Ok(resources.collect())
    }

    /// Runs a function beside a component; its panic and its errors are this request's alone.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        entry: &Entry,
        context: &RequestContext<RoleServer>,
        run: impl FnOnce(Invocation) -> BoxFuture<'static, Result<T, ToolError>>,
    ) -> Result<T, ErrorData> {
        let stopped = context.ct.clone();
        let identity = identity(context);
        let ctx = Ctx::new(identity.clone(), self.client(context), request_info(context), stopped.clone());
        let cx = Invocation::new(identity, self.core.dispatch.providers.clone()).with_ctx(Some(ctx));
        let failed = |reason: String| {
            let id = crate::error::log_id();
            tracing::error!(component = entry.def.name, id, reason, "a function beside the component failed");
            ErrorData::internal_error(format!("internal error (id {id})"), None)
        };
        let limit = entry.def.timeout.unwrap_or(ASIDE);
        let mut task = tokio::task::JoinSet::new();
        let running = self.core.operations.carried(run(cx));
        task.spawn(async move { tokio::time::timeout(limit, running).await });
        // Dropped with the request, the set ends its task.
        let ended = tokio::select! {
            ended = task.join_next() => ended,
            () = stopped.cancelled() => None,
        };
        let Some(ended) = ended else {
            return Err(ErrorData::internal_error("the request was cancelled", None));
        };
        let ended = ended.map(|ended| {
            ended.unwrap_or_else(|_| Err(ToolError::new(format_args!("it took longer than {limit:?}"))))
        });
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if error.is_hidden() => Err(failed(error.message())),
            Ok(Err(error)) => Err(ErrorData::internal_error(error.message(), None)),
            Err(panic) => Err(failed(panic.to_string())),
        }
    }
}

/// Returns who calls: what the transport found out.
pub(super) fn identity(context: &RequestContext<RoleServer>) -> Identity {
    let found = context.extensions.get::<Identity>().cloned();
    #[cfg(feature = "http")]
    let found = found
        .or_else(|| context.extensions.get::<http::request::Parts>()?.extensions.get::<Identity>().cloned());
    found.unwrap_or_default()
}

fn request_info(context: &RequestContext<RoleServer>) -> RequestInfo {
    let mut info = RequestInfo::default();
    info.protocol_version = context.protocol_version().map(|version| version.to_string()).unwrap_or_default();
    let traces = [
        ("traceparent", context.meta.get_traceparent()),
        ("tracestate", context.meta.get_tracestate()),
        ("baggage", context.meta.get_baggage()),
    ];
    info.trace = traces.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect();
    #[cfg(feature = "http")]
    if let Some(parts) = context.extensions.get::<http::request::Parts>() {
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        // A token that a component could see, it could leak.
        info.headers = headers.filter(|(name, _)| name != "authorization").collect();
    }
    info
}

//! rmcp's handler: its requests into calls, the calls' answers into its results.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are deprecated by SEP-2577, and part of every revision served"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mcp_core::arguments::Input;
use mcp_core::cache::TagId;
use mcp_core::component::{Completing, known_arguments};
use mcp_core::registry::resource_tags;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CompletionInfo,
    CustomRequest, CustomResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, Reference, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::calls::identity;
use super::client::{SessionLevel, is_modern};
use super::hub::{Listener, Wants};
use super::lane::Settled;
use super::lists::Page;
use super::render;
use super::telling::{tell_session, tell_subscription};
use crate::operation::{Network, Session};
use crate::started::Core;

/// A server as rmcp serves it: one for each connection or session.
///
/// Made by [`Server::rmcp`](crate::Server::rmcp).
pub struct Handler {
    pub(super) core: Arc<Core>,
    pub(super) level: SessionLevel,
    /// Who hears of changes through this session, before revision 2026-07-28.
    listener: OnceLock<Arc<Listener>>,
    told: AtomicBool,
    /// Counts how long the session is, from its handshake on.
    session: OnceLock<Session>,
    settled: Arc<Settled>,
    /// Subscriptions that are accepted and not yet running.
    accepted: Mutex<Vec<(SubscriptionFilter, Arc<Listener>)>>,
    ended: CancellationToken,
    _end: DropGuard,
}

impl Handler {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        Self {
            core,
            level: SessionLevel::default(),
            listener: OnceLock::new(),
            told: AtomicBool::new(false),
            session: OnceLock::new(),
            settled: Arc::default(),
            accepted: Mutex::default(),
            ended,
            _end: guard,
        }
    }

    /// Returns what the handshake settles on.
    pub(crate) fn settled(&self) -> Arc<Settled> {
        Arc::clone(&self.settled)
    }

    /// Notes that a handshake has settled on a revision, and a session has begun.
    pub(super) fn begun(&self, network: Network, revision: &ProtocolVersion) {
        self.session.get_or_init(|| Session::begin(&self.core.operations, network, revision.as_str()));
    }

    fn tags(&self, uri: &str) -> Option<Vec<TagId>> {
        let dispatch = &self.core.dispatch;
        resource_tags(&dispatch.registry, uri, &dispatch.cache)
    }

    /// Refuses a resource to a caller who lacks a scope of it.
    fn allow(&self, uri: &str, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let Some((entry, _)) = self.core.dispatch.registry.resource(uri) else { return Ok(()) };
        entry.allow(&identity(context)).map_err(|forbidden| render::forbidden(entry, &forbidden))
    }

    /// Returns who hears of changes through this session; made when the session can be told.
    fn listener(&self) -> &Arc<Listener> {
        let everything = || Wants { tools: true, prompts: true, resources: true, ..Wants::default() };
        self.listener.get_or_init(|| self.core.hub.listen(everything()))
    }

    fn page<'a>(&self, request: Option<&'a PaginatedRequestParams>) -> Page<'a> {
        let cursor = request.and_then(|request| request.cursor.as_deref());
        Page { cursor, size: self.core.page_size }
    }

    fn wants(&self, filter: &SubscriptionFilter) -> Wants {
        let uris = filter.resource_subscriptions.iter().flatten().take(super::hub::MAX_SUBSCRIPTIONS);
        Wants {
            tools: filter.tools_list_changed == Some(true),
            prompts: filter.prompts_list_changed == Some(true),
            resources: filter.resources_list_changed == Some(true),
            updates: uris.filter_map(|uri| Some((uri.clone(), self.tags(uri)?))).collect(),
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.core.info()
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if let Some(info) = context.peer.peer_info() {
            self.settled.set(&info.protocol_version);
        }
        // A client may say so more than once; it is told once.
        if self.told.swap(true, Ordering::AcqRel) {
            return;
        }
        let (listener, peer, ended) = (Arc::clone(self.listener()), context.peer, self.ended.clone());
        tokio::spawn(async move {
            ended.run_until_cancelled_owned(tell_session(&listener, &peer)).await;
        });
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let tools = &self.core.lists.tools;
        let index = tools.binary_search_by(|(entry, _)| entry.def.name.cmp(name)).ok()?;
        tools.get(index).map(|(_, forms)| forms.modern.clone())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let page = self.core.lists.tools_page(is_modern(&context), self.page(request.as_ref()));
        page.map_err(unknown_cursor)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let page = self.core.lists.prompts_page(is_modern(&context), self.page(request.as_ref()));
        page.map_err(unknown_cursor)
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut instances = Vec::new();
        for (entry, template) in self.core.lists.templates.iter().filter(|(entry, _)| entry.is_listed()) {
            instances.extend(self.instances(entry, template.mime_type.as_deref(), &context).await?);
        }
        let (modern, page) = (is_modern(&context), self.page(request.as_ref()));
        self.core.lists.resources_page(instances, modern, page).map_err(unknown_cursor)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let page = self.core.lists.templates_page(is_modern(&context), self.page(request.as_ref()));
        page.map_err(unknown_cursor)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let entry = self.core.dispatch.registry.tool(&request.name);
        let Some(entry) = entry else {
            let error = format!("no tool is named `{}`: see `tools/list`", request.name);
            return Err(ErrorData::invalid_params(error, None));
        };
        let arguments = serde_json::to_string(&request.arguments.unwrap_or_default())
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let input = Input::Json(&arguments);
        let rounds = (request.input_responses, request.request_state);
        let (target, answer) = self.answer(entry, input, None, &arguments, rounds, &context).await?;
        render::tool(&target, answer)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let found = self.core.dispatch.registry.resource(&request.uri);
        let Some((entry, values)) = found else { return Err(render::unknown_resource(&request.uri)) };
        let rounds = (request.input_responses, request.request_state);
        let uri = request.uri.as_str();
        let (target, answer) =
            self.answer(entry, Input::Text(&values), Some(uri), uri, rounds, &context).await?;
        render::resource(&target, uri, answer)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let entry = self.core.dispatch.registry.prompt(&request.name);
        let Some(entry) = entry else {
            let error = format!("no prompt is named `{}`: see `prompts/list`", request.name);
            return Err(ErrorData::invalid_params(error, None));
        };
        let given = request.arguments.unwrap_or_default();
        let arguments = serde_json::to_string(&given).unwrap_or_default();
        let given: Vec<_> = given.into_iter().map(|(name, value)| (name.to_string(), text(&value))).collect();
        let rounds = (request.input_responses, request.request_state);
        let (target, answer) =
            self.answer(entry, Input::Text(&given), None, &arguments, rounds, &context).await?;
        render::prompt(&target, answer)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let registry = &self.core.dispatch.registry;
        let entry = match &request.r#ref {
            Reference::Prompt(prompt) => registry.prompt(&prompt.name),
            Reference::Resource(resource) => registry.resource_declared(&resource.uri),
            _ => None,
        };
        let Some(entry) = entry else {
            let error = "the reference names no prompt and no resource template of this server";
            return Err(ErrorData::invalid_params(error, None));
        };
        let argument = &request.argument;
        let known = known_arguments(entry.def);
        if !known.iter().any(|known| known.name == argument.name) {
            let names: Vec<_> = known.iter().map(|known| format!("`{}`", known.name)).collect();
            let error = format!(
                "`{}` has no argument `{}`: it takes {}",
                entry.def.name,
                argument.name,
                names.join(", ")
            );
            return Err(ErrorData::invalid_params(error, None));
        }
        let Some((_, complete)) = entry.def.complete.iter().find(|(name, _)| *name == argument.name) else {
            return Ok(CompleteResult::default());
        };
        let chosen =
            request.context.and_then(|context| context.arguments).unwrap_or_default().into_iter().collect();
        let completing = Completing::new(argument.value.clone(), chosen);
        if let Err(forbidden) = entry.allow(&identity(&context)) {
            return Err(render::forbidden(entry, &forbidden));
        }
        let mut values = self.aside(entry, &context, |cx| complete(completing, cx)).await?;
        let total = values.len();
        values.truncate(CompletionInfo::MAX_VALUES);
        let more = total > values.len();
        let info = CompletionInfo::with_pagination(values, u32::try_from(total).ok(), more);
        info.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if is_modern(&context) {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "logging/setLevel", None));
        }
        self.level.set(request.level);
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.allow(&request.uri, &context)?;
        let Some(tags) = self.tags(&request.uri) else { return Err(render::unknown_resource(&request.uri)) };
        self.listener().subscribe(request.uri, tags).map_err(|error| ErrorData::invalid_params(error, None))
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.listener().unsubscribe(&request.uri);
        Ok(())
    }

    /// Listens from here on, not from `listen` on: the client is told in between that it is heard.
    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        const WAITING: usize = 64;
        let mut accepted = requested.clone();
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.truncate(super::hub::MAX_SUBSCRIPTIONS);
            uris.retain(|uri| self.tags(uri).is_some());
        }
        let listener = self.core.hub.listen(self.wants(&accepted));
        let mut waiting = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING {
            waiting.remove(0);
        }
        waiting.push((requested.clone(), listener));
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let waiting = {
            let mut waiting = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
            let at = waiting.iter().position(|(requested, _)| requested == context.requested());
            at.map(|at| waiting.remove(at).1)
        };
        let listener = waiting.unwrap_or_else(|| self.core.hub.listen(self.wants(context.accepted())));
        // What was accepted was so without a look at who asks, which rmcp shows only here.
        for uri in context.accepted().resource_subscriptions.iter().flatten() {
            if self.allow(uri, context.request_context()).is_err() {
                listener.unsubscribe(uri);
            }
        }
        tokio::select! {
            () = context.cancelled() => {}
            () = self.core.stopping.cancelled() => {}
            () = tell_subscription(&listener, &context) => {}
        }
        Ok(())
    }

    /// rmcp hands over what it could not parse: for a known method, its parameters are wrong.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        const WITH_PARAMETERS: [&str; 4] =
            ["tools/call", "resources/read", "prompts/get", "completion/complete"];
        const LEGACY: [&str; 3] = ["logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
        let method = request.method.as_str();
        if WITH_PARAMETERS.contains(&method) || (LEGACY.contains(&method) && !is_modern(&context)) {
            let error = format!("the parameters of `{method}` do not have the form of its schema");
            return Err(ErrorData::invalid_params(error, None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None))
    }
}
fn unknown_cursor(error: String) -> ErrorData {
    ErrorData::invalid_params(error, None)
}

/// Returns the text of a prompt's argument; the protocol says text, and some clients send numbers.
pub(super) fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

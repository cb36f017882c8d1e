//! The handler as rmcp takes it over HTTP: a method each, all observed in the same way.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are deprecated by SEP-2577, and part of every revision served"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelledNotificationParam, CompleteRequestParams,
    CompleteResult, CustomNotification, CustomRequest, CustomResult, DiscoverResult, Extensions,
    GetPromptRequestParams, GetPromptResponse, InitializeRequestParams, InitializeResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::handler::Handler;
use super::observed::{About, Terms, answered, heard, notification, request};
use crate::operation::{Arrival, Begun, Network};

/// The handler of requests over HTTP.
pub(crate) struct Heard(pub(crate) Handler);

/// When a request came, and whether a method of the handler has heard of it.
pub(crate) struct Receipt {
    pub(crate) arrival: Arrival,
    heard: AtomicBool,
}

impl Receipt {
    pub(crate) fn new(arrival: Arrival) -> Self {
        Self { arrival, heard: AtomicBool::new(false) }
    }

    pub(crate) fn is_heard(&self) -> bool {
        self.heard.load(Relaxed)
    }
}

/// Returns the session that a message belongs to.
pub(super) fn session(extensions: &Extensions) -> Option<&str> {
    extensions.get::<Parts>()?.headers.get("mcp-session-id")?.to_str().ok()
}

fn arrival(extensions: &Extensions) -> Arrival {
    let parts = extensions.get::<Parts>();
    match parts.and_then(|parts| parts.extensions.get::<Arc<Receipt>>()) {
        Some(receipt) => {
            receipt.heard.store(true, Relaxed);
            receipt.arrival.clone()
        }
        None => Arrival::now(parts.map_or(Network::Other, |parts| parts.version.into())),
    }
}

impl Heard {
    fn begin(&self, method: &str, about: About<'_>, context: &RequestContext<RoleServer>) -> Begun {
        request(&self.0.core, &arrival(&context.extensions), method, about, context)
    }
}

/// Writes the methods that answer a request with parameters.
macro_rules! requests {
    ($($name:ident($params:ty) -> $result:ty: $method:expr, $about:expr;)*) => {$(
        async fn $name(
            &self,
            params: $params,
            context: RequestContext<RoleServer>,
        ) -> Result<$result, ErrorData> {
            let about: for<'a> fn(&'a $params) -> About<'a> = $about;
            let method: for<'a> fn(&'a $params) -> &'a str = $method;
            let begun = self.begin(method(&params), about(&params), &context);
            let terms = Terms::of(&context);
            answered(&self.0.core, begun, terms, ServerHandler::$name(&self.0, params, context)).await
        }
    )*};
}

/// Writes the methods that answer a request without parameters.
macro_rules! bare_requests {
    ($($name:ident -> $result:ty: $method:literal;)*) => {$(
        async fn $name(&self, context: RequestContext<RoleServer>) -> Result<$result, ErrorData> {
            let begun = self.begin($method, About::Nothing, &context);
            let terms = Terms::of(&context);
            answered(&self.0.core, begun, terms, ServerHandler::$name(&self.0, context)).await
        }
    )*};
}

/// Writes the methods that hear a notification.
macro_rules! notifications {
    ($($name:ident($($params:ident: $kind:ty)?): $method:literal;)*) => {$(
        async fn $name(&self, $($params: $kind,)? context: NotificationContext<RoleServer>) {
            let begun = notification(&self.0.core, &arrival(&context.extensions), $method, &context);
            heard(&self.0.core, begun, ServerHandler::$name(&self.0, $($params,)? context)).await
        }
    )*};
}

impl ServerHandler for Heard {
    fn get_info(&self) -> ServerConfig {
        self.0.get_info()
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.get_tool(name)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.0.accepted_subscription_filter(requested)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let asked = context.request_context();
        let (begun, terms) = (self.begin("subscriptions/listen", About::Nothing, asked), Terms::of(asked));
        answered(&self.0.core, begun, terms, self.0.listen(context)).await
    }

    async fn initialize(
        &self,
        params: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let network = context.extensions.get::<Parts>().map_or(Network::Other, |parts| parts.version.into());
        let (begun, terms) = (self.begin("initialize", About::Nothing, &context), Terms::of(&context));
        let answer = answered(&self.0.core, begun, terms, self.0.initialize(params, context)).await;
        if let Ok(result) = &answer {
            self.0.begun(network, &result.protocol_version);
        }
        answer
    }

    bare_requests! {
        ping -> (): "ping";
        discover -> DiscoverResult: "server/discover";
    }

    requests! {
        call_tool(CallToolRequestParams) -> CallToolResponse: |_| "tools/call", |it| About::Name(&it.name);
        read_resource(ReadResourceRequestParams) -> ReadResourceResponse:
            |_| "resources/read", |it| About::Uri(&it.uri);
        get_prompt(GetPromptRequestParams) -> GetPromptResponse: |_| "prompts/get", |it| About::Name(&it.name);
        list_tools(Option<PaginatedRequestParams>) -> ListToolsResult: |_| "tools/list", |_| About::Nothing;
        list_prompts(Option<PaginatedRequestParams>) -> ListPromptsResult:
            |_| "prompts/list", |_| About::Nothing;
        list_resources(Option<PaginatedRequestParams>) -> ListResourcesResult:
            |_| "resources/list", |_| About::Nothing;
        list_resource_templates(Option<PaginatedRequestParams>) -> ListResourceTemplatesResult:
            |_| "resources/templates/list", |_| About::Nothing;
        complete(CompleteRequestParams) -> CompleteResult: |_| "completion/complete", |_| About::Nothing;
        set_level(SetLevelRequestParams) -> (): |_| "logging/setLevel", |_| About::Nothing;
        subscribe(SubscribeRequestParams) -> (): |_| "resources/subscribe", |it| About::Uri(&it.uri);
        unsubscribe(UnsubscribeRequestParams) -> (): |_| "resources/unsubscribe", |it| About::Uri(&it.uri);
        on_custom_request(CustomRequest) -> CustomResult: |it| &it.method, |_| About::Nothing;
    }

    async fn on_custom_notification(
        &self,
        custom: CustomNotification,
        context: NotificationContext<RoleServer>,
    ) {
        let arrival = arrival(&context.extensions);
        let begun = notification(&self.0.core, &arrival, &custom.method, &context);
        heard(&self.0.core, begun, self.0.on_custom_notification(custom, context)).await;
    }

    notifications! {
        on_initialized(): "notifications/initialized";
        on_cancelled(params: CancelledNotificationParam): "notifications/cancelled";
        on_progress(params: ProgressNotificationParam): "notifications/progress";
        on_roots_list_changed(): "notifications/roots/list_changed";
    }
}

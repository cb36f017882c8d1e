//! What the lists show: definitions, made once from what the attributes emitted.

use std::borrow::Cow;
#[cfg(feature = "http")]
use std::collections::HashMap;
use std::sync::Arc;

use mcp_core::component::{Contract, Def, Kind, known_arguments};
use mcp_core::registry::{Entry, Registry};
use rmcp::model::{
    CacheScope, Icon, JsonObject, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, MetaObject, Prompt, PromptArgument, Resource, ResourceTemplate, ServerCapabilities,
    Tool, ToolAnnotations,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The definitions of a server's components, in the order of the registry.
pub(crate) struct Lists {
    pub(crate) tools: Vec<(Arc<Entry>, Forms<Tool>)>,
    /// The arguments that a tool wants in headers too, by its name; tools without any are not there.
    #[cfg(feature = "http")]
    mirrors: HashMap<&'static str, Vec<Mirror>>,
    pub(crate) resources: Vec<(Arc<Entry>, Resource)>,
    pub(crate) templates: Vec<(Arc<Entry>, ResourceTemplate)>,
    pub(crate) prompts: Vec<(Arc<Entry>, Prompt)>,
}

/// A definition as revisions differ about it.
pub(crate) struct Forms<T> {
    /// Since 2026-07-28.
    pub(crate) modern: T,
    /// Before: a structured result is an object.
    pub(crate) legacy: T,
}

/// An argument that is repeated in a header, for those who route requests without reading them (SEP-2243).
#[cfg(feature = "http")]
pub(crate) struct Mirror {
    /// The way to the argument, from property to property.
    pub(crate) path: Vec<String>,
    /// The header's whole name, in lower case.
    pub(crate) header: String,
}

impl Lists {
    pub(crate) fn new(registry: &Registry) -> Self {
        let (mut resources, mut templates) = (Vec::new(), Vec::new());
        for entry in registry.of_kind("resource") {
            if entry.template.as_ref().is_some_and(|template| template.variables().next().is_some()) {
                templates.push((Arc::clone(entry), template(entry.def)));
            } else {
                resources.push((Arc::clone(entry), resource(entry.def)));
            }
        }
        let tools: Vec<_> = registry.of_kind("tool").map(|entry| (Arc::clone(entry), tool(entry))).collect();
        Self {
            #[cfg(feature = "http")]
            mirrors: tools
                .iter()
                .filter_map(|(entry, forms)| mirrored(entry.def.name, &forms.modern))
                .collect(),
            tools,
            prompts: registry.of_kind("prompt").map(|entry| (Arc::clone(entry), prompt(entry.def))).collect(),
            resources,
            templates,
        }
    }
}

impl Lists {
    /// Returns the arguments that a tool wants in headers too.
    #[cfg(feature = "http")]
    pub(crate) fn mirrors(&self, tool: &str) -> &[Mirror] {
        if self.mirrors.is_empty() { &[] } else { self.mirrors.get(tool).map_or(&[], Vec::as_slice) }
    }

    /// Returns one page of the tools.
    ///
    /// # Errors
    ///
    /// Fails where the cursor is none of this list's, as the others do.
    pub(crate) fn tools_page(&self, modern: bool, page: Page<'_>) -> Result<ListToolsResult, String> {
        let (page, next) = page.of(listed(&self.tools))?;
        let tools = page.into_iter().map(|forms| if modern { &forms.modern } else { &forms.legacy });
        let mut result = ListToolsResult::with_all_items(tools.cloned().collect());
        result.next_cursor = next;
        (result.ttl_ms, result.cache_scope) = hints(modern);
        Ok(result)
    }

    /// Returns one page of the prompts.
    pub(crate) fn prompts_page(&self, modern: bool, page: Page<'_>) -> Result<ListPromptsResult, String> {
        let (page, next) = page.of(listed(&self.prompts))?;
        let mut result = ListPromptsResult::with_all_items(page.into_iter().cloned().collect());
        result.next_cursor = next;
        (result.ttl_ms, result.cache_scope) = hints(modern);
        Ok(result)
    }

    /// Returns one page of the resources: the fixed ones, then the given instances of templates.
    pub(crate) fn resources_page(
        &self,
        instances: Vec<Resource>,
        modern: bool,
        page: Page<'_>,
    ) -> Result<ListResourcesResult, String> {
        let (page, next) = page.of(listed(&self.resources).cloned().chain(instances))?;
        let mut result = ListResourcesResult::with_all_items(page);
        result.next_cursor = next;
        (result.ttl_ms, result.cache_scope) = hints(modern);
        Ok(result)
    }

    /// Returns one page of the templates.
    pub(crate) fn templates_page(
        &self,
        modern: bool,
        page: Page<'_>,
    ) -> Result<ListResourceTemplatesResult, String> {
        let (page, next) = page.of(listed(&self.templates))?;
        let mut result = ListResourceTemplatesResult::with_all_items(page.into_iter().cloned().collect());
        result.next_cursor = next;
        (result.ttl_ms, result.cache_scope) = hints(modern);
        Ok(result)
    }
}

/// Finds the properties of a tool's schema that are annotated with `x-mcp-header`.
#[cfg(feature = "http")]
fn mirrored(name: &'static str, tool: &Tool) -> Option<(&'static str, Vec<Mirror>)> {
    fn collect(properties: Option<&Value>, path: &mut Vec<String>, found: &mut Vec<Mirror>) {
        for (name, schema) in properties.and_then(Value::as_object).into_iter().flatten() {
            path.push(name.clone());
            if let Some(header) = schema.get("x-mcp-header").and_then(Value::as_str) {
                let header = format!("mcp-param-{}", header.to_ascii_lowercase());
                found.push(Mirror { path: path.clone(), header });
            }
            collect(schema.get("properties"), path, found);
            path.pop();
        }
    }

    let mut found = Vec::new();
    collect(tool.input_schema.get("properties"), &mut Vec::new(), &mut found);
    (!found.is_empty()).then_some((name, found))
}

/// Returns the definitions that the lists show.
fn listed<T>(all: &[(Arc<Entry>, T)]) -> impl Iterator<Item = &T> {
    all.iter().filter(|(entry, _)| entry.is_listed()).map(|(_, definition)| definition)
}

/// Returns the hints of a list: it may change at any moment, of which subscribers are told.
fn hints(modern: bool) -> (Option<u64>, Option<CacheScope>) {
    if modern { (Some(0), Some(CacheScope::Private)) } else { (None, None) }
}

/// The name under which a structured result that is no object travels before 2026-07-28.
pub(crate) const WRAPPER: &str = "result";

fn tool(entry: &Entry) -> Forms<Tool> {
    let def = entry.def;
    let mut tool = Tool::new(def.name, description(def), input_schema(def));
    tool.title = def.title.map(ToOwned::to_owned);
    tool.icons = icons(def);
    tool.meta = meta(def);
    if let Kind::Tool(part) = def.kind {
        let hints = (part.read_only, part.destructive, part.idempotent, part.open_world);
        if hints != (None, None, None, None) {
            tool.annotations = Some(ToolAnnotations::from_raw(None, hints.0, hints.1, hints.2, hints.3));
        }
    }
    let mut legacy = tool.clone();
    if let Some(output) = def.output.and_then(|schema| schema()) {
        let mut output = output.to_value();
        plain_formats(&mut output);
        let mut older = if entry.object_output == Some(true) {
            object(output.clone())
        } else {
            let definitions = output.get("$defs").cloned();
            let mut inner = object(output.clone());
            inner.remove("$defs");
            inner.remove("$schema");
            let mut wrapped = object(json!({
                "type": "object",
                "properties": { WRAPPER: inner },
                "required": [WRAPPER],
            }));
            wrapped.extend(definitions.map(|definitions| ("$defs".to_owned(), definitions)));
            wrapped
        };
        spell_out(&mut older);
        legacy.output_schema = Some(Arc::new(older));
        tool.output_schema = Some(Arc::new(object(output)));
    }
    Forms { modern: tool, legacy }
}

fn resource(def: &'static Def) -> Resource {
    let Kind::Resource(part) = def.kind else { return Resource::new("", def.name) };
    let mut resource = Resource::new(part.uri, def.name);
    resource.title = def.title.map(ToOwned::to_owned);
    resource.description = non_empty(def.description);
    resource.mime_type = part.mime.map(ToOwned::to_owned);
    resource.icons = icons(def);
    resource.meta = meta(def);
    resource
}

fn template(def: &'static Def) -> ResourceTemplate {
    let Kind::Resource(part) = def.kind else { return ResourceTemplate::new("", def.name) };
    let mut template = ResourceTemplate::new(part.uri, def.name);
    template.title = def.title.map(ToOwned::to_owned);
    template.description = non_empty(def.description);
    template.mime_type = part.mime.map(ToOwned::to_owned);
    template.icons = icons(def);
    template.meta = meta(def);
    template
}

fn prompt(def: &Def) -> Prompt {
    let arguments = known_arguments(def).into_iter().map(|known| {
        let mut argument = PromptArgument::new(known.name);
        argument.description = known.description;
        argument.required = Some(known.required);
        argument
    });
    let arguments: Vec<_> = arguments.collect();
    let mut prompt =
        Prompt::new(def.name, non_empty(def.description), (!arguments.is_empty()).then_some(arguments));
    prompt.title = def.title.map(ToOwned::to_owned);
    prompt.icons = icons(def);
    prompt.meta = meta(def);
    prompt
}

fn input_schema(def: &Def) -> JsonObject {
    let mut schema = def.arguments.map(|schema| schema(Contract::Deserialize).to_value()).unwrap_or_default();
    plain_formats(&mut schema);
    let mut schema = object(schema);
    // The protocol asks for an object with properties, also where there are none; the name of the
    // generated type says nothing to a model.
    schema.insert("type".to_owned(), json!("object"));
    schema.entry("properties").or_insert_with(|| json!({}));
    schema.remove("title");
    spell_out(&mut schema);
    schema
}

/// Removes the names of Rust's own number types, which no other reader of a schema knows as formats.
fn plain_formats(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let rust = |format: &Value| {
                format.as_str().is_some_and(|format| {
                    format.starts_with("uint") || matches!(format, "int" | "int8" | "int16" | "int128")
                })
            };
            if map.get("type").is_some() && map.get("format").is_some_and(rust) {
                map.remove("format");
            }
            map.values_mut().for_each(plain_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(plain_formats),
        _ => {}
    }
}

/// Writes the schema of anything, `true`, as an object: before 2026-07-28 a property's schema is one.
fn spell_out(schema: &mut JsonObject) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(JsonObject::values_mut) {
        match property {
            Value::Bool(true) => *property = json!({}),
            Value::Bool(false) => *property = json!({ "not": {} }),
            _ => {}
        }
    }
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(map) => map,
        // `true`, the schema of anything.
        _ => JsonObject::new(),
    }
}

fn description(def: &Def) -> Cow<'static, str> {
    let fallback = || Cow::Owned(format!("The {} `{}`.", def.kind.word(), def.name));
    if def.description.is_empty() { fallback() } else { Cow::Borrowed(def.description) }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn icons(def: &Def) -> Option<Vec<Icon>> {
    def.icons.and_then(|icons| converted(&icons(), def, "icons"))
}

fn meta(def: &Def) -> Option<MetaObject> {
    def.meta.and_then(|meta| converted(&meta(), def, "meta"))
}

fn converted<T: DeserializeOwned>(value: &impl serde::Serialize, def: &Def, key: &str) -> Option<T> {
    let converted = serde_json::to_value(value).and_then(serde_json::from_value);
    converted
        .inspect_err(|error| tracing::warn!(component = def.name, place = %def.place, key, %error, "left out of the list"))
        .ok()
}

/// Which part of a list is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    /// What the page before ended with; `None`: the first page.
    pub(crate) cursor: Option<&'a str>,
    /// How many entries it has at most.
    pub(crate) size: usize,
}

impl Page<'_> {
    /// Takes the page out of a list, with the cursor of the next one.
    fn of<T>(self, items: impl Iterator<Item = T>) -> Result<(Vec<T>, Option<String>), String> {
        let start = match self.cursor {
            None => 0,
            Some(cursor) => {
                cursor.strip_prefix("after-").and_then(|start| start.parse::<usize>().ok()).ok_or_else(
                    || format!("unknown cursor `{cursor}`: send `nextCursor` of the page before, as it was"),
                )?
            }
        };
        let mut items = items.skip(start);
        let page: Vec<_> = items.by_ref().take(self.size).collect();
        let next = items.next().map(|_| format!("after-{}", start + page.len()));
        Ok((page, next))
    }
}

/// Returns what the protocol is told of the server: what it has components for.
#[expect(deprecated, reason = "logging is deprecated by SEP-2577, and part of every revision served")]
pub(crate) fn capabilities(registry: &Registry) -> ServerCapabilities {
    let has = |kind| registry.of_kind(kind).next().is_some();
    let mut capabilities = ServerCapabilities::builder().enable_logging().build();
    if has("tool") {
        let tools = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        capabilities.tools = tools.tools;
    }
    if has("prompt") {
        let prompts = ServerCapabilities::builder().enable_prompts().enable_prompts_list_changed().build();
        capabilities.prompts = prompts.prompts;
    }
    if has("resource") {
        let resources = ServerCapabilities::builder()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_resources_list_changed()
            .build();
        capabilities.resources = resources.resources;
    }
    if registry.entries().iter().any(|entry| !entry.def.complete.is_empty()) {
        capabilities.completions = ServerCapabilities::builder().enable_completions().build().completions;
    }
    capabilities
}

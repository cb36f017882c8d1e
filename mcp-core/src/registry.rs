//! The components of a server: sorted, checked, and then fixed.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::arguments::Input;
use crate::cache::{Cache, KeyRoot, TagId};
use crate::component::{Contract, Def, Kind, Prepared};
use crate::error::Failure;
use crate::identity::Identity;
use crate::keying;
use crate::link::Item;
use crate::pace::Pace;
use crate::places::Places;
use crate::provider::{Need, ProviderDef};
use crate::uri::Template;

/// The components of one server; never changes after the start, but for what [`Components`](crate::Components) masks.
#[derive(Debug)]
pub struct Registry {
    entries: Vec<Arc<Entry>>,
    tools: HashMap<&'static str, Arc<Entry>>,
    prompts: HashMap<&'static str, Arc<Entry>>,
    resources: HashMap<&'static str, Arc<Entry>>,
    /// Resources with variables, the most specific first.
    templates: Vec<Arc<Entry>>,
    static_resources: HashMap<&'static str, Arc<Entry>>,
    providers: Vec<&'static ProviderDef>,
    /// How often a component was switched on or off.
    switched: AtomicU64,
}

/// The variables of a URI, by name.
pub type Variables = Vec<(String, String)>;

/// One component with all that a call of it needs.
#[derive(Debug)]
pub struct Entry {
    /// What the attribute emitted.
    pub def: &'static Def,
    /// Where it stands among all of its server: its index in [`Registry::entries`].
    pub number: usize,
    /// How long calls keep their thread.
    pub pace: Pace,
    /// See [`keying::root`].
    root: OnceLock<KeyRoot>,
    /// The parsed URI of a resource.
    pub template: Option<Template>,
    /// Whether a tool's structured result is an object in every case; `None` where it declares none.
    pub object_output: Option<bool>,
    /// Free places, where the component limits how many calls run at once.
    pub places: Option<Arc<Places>>,
    enabled: AtomicBool,
}

impl Registry {
    /// Checks and sorts components.
    ///
    /// # Errors
    ///
    /// Returns every mistake, each with its places: names or URIs that are taken twice, templates
    /// that are none, arguments that cannot make a key, and settings that this version does not have.
    pub fn new(items: impl IntoIterator<Item = Item>) -> Result<Self, Vec<String>> {
        let mut defs = Vec::new();
        let mut providers = Vec::new();
        for item in items {
            match item {
                Item::Provider(def) => providers.push(def),
                item => defs.extend(item.component()),
            }
        }
        let order = |def: &&'static Def| (def.kind.word(), def.name, def.place.file, def.place.line);
        defs.sort_by_key(order);
        providers.sort_by_key(|def| (def.name, def.place.file, def.place.line));

        let mut errors = Vec::new();
        let mut registry = Self {
            entries: Vec::new(),
            tools: HashMap::new(),
            prompts: HashMap::new(),
            resources: HashMap::new(),
            templates: Vec::new(),
            static_resources: HashMap::new(),
            providers,
            switched: AtomicU64::new(0),
        };
        for def in defs {
            match Entry::new(def) {
                Ok(entry) => registry.add(entry, &mut errors),
                Err(found) => errors.extend(found),
            }
        }
        for provider in &registry.providers {
            if provider.pool.is_some() {
                errors.push(later(provider.name, &provider.place.to_string(), "pool"));
            }
        }
        registry
            .templates
            .sort_by_key(|entry| std::cmp::Reverse(entry.template.as_ref().map_or(0, Template::fixed_len)));
        if errors.is_empty() { Ok(registry) } else { Err(errors) }
    }

    fn add(&mut self, mut entry: Entry, errors: &mut Vec<String>) {
        entry.number = self.entries.len();
        let entry = Arc::new(entry);
        let def = entry.def;
        let names = match def.kind {
            Kind::Tool(_) => &mut self.tools,
            Kind::Resource(_) => &mut self.resources,
            Kind::Prompt => &mut self.prompts,
        };
        if let Some(other) = names.insert(def.name, Arc::clone(&entry)) {
            errors.push(format!(
                "two {kind}s are named `{name}`: {} and {}; give one of them `name = \"..\"`",
                other.def.place,
                def.place,
                kind = def.kind.word(),
                name = def.name,
            ));
        }
        if let Kind::Resource(part) = def.kind {
            let is_template =
                entry.template.as_ref().is_some_and(|template| template.variables().next().is_some());
            let other = if is_template {
                let same = |other: &&Arc<Entry>| matches!(other.def.kind, Kind::Resource(other) if other.uri == part.uri);
                let other = self.templates.iter().find(same).cloned();
                self.templates.push(Arc::clone(&entry));
                other
            } else {
                self.static_resources.insert(part.uri, Arc::clone(&entry))
            };
            if let Some(other) = other {
                errors.push(format!(
                    "two resources have the URI `{}`: {} and {}; change one of them",
                    part.uri, other.def.place, def.place
                ));
            }
        }
        self.entries.push(entry);
    }

    /// Returns a component by its name, also one that is switched off: a tool before a resource, and a
    /// resource before a prompt.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<Entry>> {
        self.tools.get(name).or_else(|| self.resources.get(name)).or_else(|| self.prompts.get(name))
    }

    /// Returns all components, sorted by kind and name.
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// Returns the components of one kind (`tool`, `resource` or `prompt`), sorted by name.
    pub fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().filter(move |entry| entry.def.kind.word() == kind)
    }

    /// Returns a number that changes whenever a component is switched on or off.
    pub fn mask(&self) -> u64 {
        self.switched.load(Ordering::Acquire)
    }

    /// Switches a component on or off; returns whether that changed it.
    pub(crate) fn switch(&self, entry: &Entry, on: bool) -> bool {
        let changed = entry.enabled.swap(on, Ordering::AcqRel) != on;
        if changed {
            self.switched.fetch_add(1, Ordering::AcqRel);
        }
        changed
    }

    /// Returns the providers, sorted by name.
    pub fn providers(&self) -> &[&'static ProviderDef] {
        &self.providers
    }

    /// Returns a tool by its name, unless it is switched off.
    pub fn tool(&self, name: &str) -> Option<&Arc<Entry>> {
        self.tools.get(name).filter(|entry| entry.is_enabled())
    }

    /// Returns a prompt by its name, unless it is switched off.
    pub fn prompt(&self, name: &str) -> Option<&Arc<Entry>> {
        self.prompts.get(name).filter(|entry| entry.is_enabled())
    }

    /// Returns a resource by the URI or template of its declaration.
    pub fn resource_declared(&self, uri: &str) -> Option<&Arc<Entry>> {
        let declared =
            |entry: &&Arc<Entry>| matches!(entry.def.kind, Kind::Resource(part) if part.uri == uri);
        self.static_resources.get(uri).or_else(|| self.templates.iter().find(declared))
    }

    /// Returns the resource that a URI belongs to, with the values of its variables.
    ///
    /// A resource without variables comes before a template, and of several templates that match, the
    /// one with the most fixed characters is meant.
    pub fn resource(&self, uri: &str) -> Option<(&Arc<Entry>, Variables)> {
        if let Some(entry) = self.static_resources.get(uri).filter(|entry| entry.is_enabled()) {
            return Some((entry, Vec::new()));
        }
        let enabled = self.templates.iter().filter(|entry| entry.is_enabled());
        enabled.filter_map(|entry| Some((entry, entry.template.as_ref()?.matches(uri)?))).next()
    }
}

impl Entry {
    fn new(def: &'static Def) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let place = def.place.to_string();
        let template = match def.kind {
            Kind::Resource(part) => match Template::parse(part.uri) {
                Ok(template) => Some(template),
                Err(error) => {
                    errors.push(format!("resource `{}` ({place}): {error}", def.name));
                    None
                }
            },
            Kind::Tool(part) => {
                if part.background.is_some() {
                    errors.push(later(def.name, &place, "background"));
                }
                None
            }
            Kind::Prompt => None,
        };
        if def.cache.is_some() {
            errors.extend(unwritten_argument(def).map(|property| {
                format!(
                    "`{}` ({place}) caches, but serde reads `{property}` and does not write it under that name, so results for \
                     different values would be mixed up: remove its `skip_serializing` or `rename`, or do not cache",
                    def.name
                )
            }));
        }
        if def.needs.iter().any(Need::is_pooled) {
            errors.push(later(def.name, &place, "Pooled<_>"));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let places = def.concurrency.map(|calls| Arc::new(Places::new(calls)));
        let output = def.output.and_then(|schema| schema());
        let object_output = output.map(|schema| schema.get("type").is_some_and(|name| name == "object"));
        Ok(Self {
            def,
            number: 0,
            pace: Pace::default(),
            root: OnceLock::new(),
            template,
            object_output,
            places,
            enabled: AtomicBool::new(true),
        })
    }

    /// Returns what keys of this component are hashed with; derived once, as a registry has one cache.
    pub fn root(&self, cache: &Cache) -> KeyRoot {
        *self.root.get_or_init(|| keying::root(self.def, cache))
    }

    /// Reads the arguments of a call into their types.
    ///
    /// # Errors
    ///
    /// [`Failure::Error`] where they do not fit, [`Failure::Panic`] where a type of the user's panics.
    pub fn read(&self, input: Input<'_>) -> Result<Box<dyn Prepared>, Failure> {
        let read = catch_unwind(AssertUnwindSafe(|| (self.def.prepare)(input)));
        read.map_or(Err(Failure::Panic), |read| read.map_err(Failure::Error))
    }

    /// Returns whether a caller holds the scopes that the component asks for.
    ///
    /// # Errors
    ///
    /// [`Failure::Forbidden`] with those scopes.
    pub fn allow(&self, identity: &Identity) -> Result<(), Failure> {
        let holds_all = self.def.scopes.iter().all(|scope| identity.has_scope(scope));
        if holds_all { Ok(()) } else { Err(Failure::Forbidden(self.def.scopes)) }
    }

    /// Returns whether it can be called; see [`Components`](crate::Components).
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Acquire)
    }

    /// Returns whether the lists show it.
    pub fn is_listed(&self) -> bool {
        self.is_enabled() && !self.def.hidden
    }
}

fn later(name: &str, place: &str, key: &str) -> String {
    format!("`{name}` ({place}) uses `{key}`, which this version does not have: remove it")
}

/// Returns an argument that is read but not written under its name: a key made of what is written would miss it.
fn unwritten_argument(def: &Def) -> Option<String> {
    fn missing(read: &serde_json::Value, written: &serde_json::Value) -> Option<String> {
        match (read, written) {
            (serde_json::Value::Object(read), serde_json::Value::Object(written)) => {
                if let (Some(read), Some(written)) = (read.get("properties"), written.get("properties"))
                    && let (Some(read), Some(written)) = (read.as_object(), written.as_object())
                    && let Some(name) = read.keys().find(|name| !written.contains_key(*name))
                {
                    return Some(name.clone());
                }
                read.iter().find_map(|(name, read)| missing(read, written.get(name)?))
            }
            (serde_json::Value::Array(read), serde_json::Value::Array(written)) => {
                read.iter().zip(written).find_map(|(read, written)| missing(read, written))
            }
            _ => None,
        }
    }

    let schema = def.arguments?;
    missing(schema(Contract::Deserialize).as_value(), schema(Contract::Serialize).as_value())
}

/// Returns the tags that make a resource's content change; for those who subscribed to it.
///
/// `None` where no component has the URI, or its variables do not fit.
pub fn resource_tags(registry: &Registry, uri: &str, cache: &Cache) -> Option<Vec<TagId>> {
    let (entry, values) = registry.resource(uri)?;
    let prepared = prepared(entry, &values)?;
    let mut tags = cache.resource_tags(uri);
    tags.extend(keying::declared_tags(entry.def, &*prepared));
    Some(tags)
}

/// Returns the tags of a resource's arguments; see [`Cache::resolve_resources`].
///
/// Of every component that has or had the URI, also where it is switched off now: what it has cached
/// may be served again.
pub fn resource_arguments_tags(registry: &Registry, uri: &str, cache: &Cache) -> Vec<TagId> {
    let fixed = registry.static_resources.get(uri).map(|entry| (entry, Vec::new()));
    let templates = registry.templates.iter();
    let matching = templates.filter_map(|entry| Some((entry, entry.template.as_ref()?.matches(uri)?)));
    let tags = fixed.into_iter().chain(matching).filter_map(|(entry, values)| {
        keying::arguments_tag(entry.def, entry.root(cache), &*prepared(entry, &values)?)
    });
    tags.collect()
}

/// Reads the variables of a URI.
fn prepared(entry: &Entry, values: &[(String, String)]) -> Option<Box<dyn Prepared>> {
    entry.read(Input::Text(values)).ok()
}

//! The parts of a definition: what kind of component it is, and what only that kind has.

use std::time::Duration;

use super::listed::ListFn;

/// Where a component is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The source file, as the compiler names it.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// The module path, which starts with the crate's name.
    pub module: &'static str,
}

impl Place {
    /// Creates a place; the attributes pass `file!()`, `line!()` and `module_path!()`.
    pub const fn new(file: &'static str, line: u32, module: &'static str) -> Self {
        Self { file, line, module }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a component is to the protocol, with what only that kind has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A tool.
    Tool(ToolPart),
    /// A resource, or a template of resources.
    Resource(ResourcePart),
    /// A prompt.
    Prompt,
}

impl Kind {
    /// Returns the word for it: `tool`, `resource` or `prompt`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Tool(_) => "tool",
            Self::Resource(_) => "resource",
            Self::Prompt => "prompt",
        }
    }
}

/// What only a tool has.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ToolPart {
    /// The tool changes nothing.
    pub read_only: Option<bool>,
    /// The tool may destroy something.
    pub destructive: Option<bool>,
    /// A second call with the same arguments changes nothing more.
    pub idempotent: Option<bool>,
    /// The tool reaches beyond a closed set of things.
    pub open_world: Option<bool>,
    /// The tool may run in the background.
    pub background: Option<Background>,
}

/// When and how a tool runs in the background.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Background {
    /// Calls expected to take at least this long become tasks.
    pub threshold: Option<Duration>,
    /// Calls with at least this many bytes of arguments become tasks.
    pub input_bytes: Option<u64>,
    /// `high`, `default` or `low`.
    pub priority: &'static str,
    /// How often a failed run is repeated.
    pub retries: u32,
}

impl Background {
    /// Creates the setting of a bare `background`.
    pub const fn new() -> Self {
        Self { threshold: None, input_bytes: None, priority: "default", retries: 0 }
    }

    /// Sets the expected time from which a call becomes a task, in milliseconds.
    pub const fn threshold_ms(mut self, ms: u64) -> Self {
        self.threshold = Some(Duration::from_millis(ms));
        self
    }

    /// Sets the size of the arguments from which a call becomes a task.
    pub const fn input_bytes(mut self, bytes: u64) -> Self {
        self.input_bytes = Some(bytes);
        self
    }

    /// Sets the queue.
    pub const fn priority(mut self, priority: &'static str) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how often a failed run is repeated.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::new()
    }
}

/// What only a resource has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ResourcePart {
    /// The URI, or an RFC 6570 template of it.
    pub uri: &'static str,
    /// The media type of its content; `None`: what the returned type says.
    pub mime: Option<&'static str>,
    /// Enumerates the instances of a template.
    pub list: Option<ListFn>,
}

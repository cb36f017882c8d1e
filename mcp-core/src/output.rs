//! What a function may return, and the bytes that it becomes.

use std::borrow::Cow;

use bytes::Bytes;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::component::dialect;
use crate::content::{self, Content, Contents, Message};
use crate::error::ToolError;
use crate::json;

/// The result of one run: neutral bytes, which every revision of the protocol is rendered from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The JSON object of the result, without what depends on the revision or the request.
    pub body: Bytes,
    /// Whether the result may be kept.
    pub store: bool,
    /// Whether it describes a failure (`isError`).
    pub failed: bool,
}

impl Reply {
    fn new(result: &impl Serialize, store: bool) -> Result<Self, ToolError> {
        Ok(Self { body: written(result)?.into(), store, failed: false })
    }
}

/// A value as JSON: structured content with a text copy from a tool, a document from a resource.
///
/// The type's JSON Schema becomes the tool's `outputSchema`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// The result of a tool in full, for what the shorter types cannot say.
///
/// # Examples
///
/// ```
/// use mcp_core::{Content, ToolOutput};
///
/// let output = ToolOutput::new([Content::text("3 of 5 tests failed")]).error();
/// assert!(output.is_error);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ToolOutput {
    /// The blocks that the model reads.
    pub content: Vec<Content>,
    /// The result as JSON.
    pub structured_content: Option<Box<RawValue>>,
    /// Whether the content describes a failure.
    pub is_error: bool,
    /// The `_meta` object.
    pub meta: Option<serde_json::Value>,
}

impl ToolOutput {
    /// Creates a result from its blocks.
    pub fn new(content: impl IntoIterator<Item = impl Into<Content>>) -> Self {
        Self { content: content.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Sets the result as JSON, beside the blocks.
    ///
    /// # Errors
    ///
    /// Fails where the value has no JSON form (a map with keys that are not text).
    pub fn structured(mut self, value: &impl Serialize) -> Result<Self, ToolError> {
        self.structured_content = Some(serde_json::value::to_raw_value(value)?);
        Ok(self)
    }

    /// Marks the result as a failure that the model should read.
    #[must_use]
    pub fn error(mut self) -> Self {
        self.is_error = true;
        self
    }

    /// Sets the `_meta` object.
    #[must_use]
    pub fn meta(mut self, meta: serde_json::Value) -> Self {
        self.meta = Some(meta);
        self
    }
}

/// What a tool may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a tool",
    label = "not a result of a tool",
    note = "return `()`, text, a number, `bool`, `Json<T>`, `Content`, a `Vec<Content>`, `ToolOutput`, or `Result` of one of these with `ToolError`"
)]
pub trait IntoToolOutput {
    /// What `unless = ..` looks at.
    type Success;

    /// Returns the value of a success.
    fn success(&self) -> Option<&Self::Success>;

    /// Turns the value into the result of the call.
    ///
    /// # Errors
    ///
    /// The error that the function returned, or that of a value without a JSON form.
    fn into_tool_output(self) -> Result<ToolOutput, ToolError>;

    /// Returns the schema of the structured content, where there is one.
    fn output_schema() -> Option<Schema> {
        None
    }
}

/// What a resource may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a resource",
    label = "not the content of a resource",
    note = "return text, bytes, `Json<T>`, `Contents`, a `Vec<Contents>`, or `Result` of one of these with `ToolError`"
)]
pub trait IntoResourceOutput {
    /// What `unless = ..` looks at.
    type Success;

    /// Returns the value of a success.
    fn success(&self) -> Option<&Self::Success>;

    /// Turns the value into the parts of the resource.
    ///
    /// # Errors
    ///
    /// The error that the function returned, or that of a value without a JSON form.
    fn into_resource_output(self) -> Result<Vec<Contents>, ToolError>;

    /// Returns the media type where neither the attribute nor the value names one.
    fn default_mime() -> Option<&'static str> {
        None
    }
}

/// What a prompt may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a prompt",
    label = "not the messages of a prompt",
    note = "return text, `Message`, a `Vec<Message>`, or `Result` of one of these with `ToolError`"
)]
pub trait IntoPromptOutput {
    /// What `unless = ..` looks at.
    type Success;

    /// Returns the value of a success.
    fn success(&self) -> Option<&Self::Success>;

    /// Turns the value into the messages of the prompt.
    ///
    /// # Errors
    ///
    /// The error that the function returned.
    fn into_prompt_output(self) -> Result<Vec<Message>, ToolError>;
}

/// Turns a tool's return value into its reply.
pub(crate) fn tool_reply<T: IntoToolOutput>(
    value: T,
    unkept: bool,
    _mime: Option<&'static str>,
) -> Result<Reply, ToolError> {
    let output = value.into_tool_output()?;
    let failed = output.is_error;
    Ok(Reply { body: tool_result(&output)?.into(), store: !unkept && !failed, failed })
}

/// Writes the result of a tool, most of which is the text of its blocks.
fn tool_result(output: &ToolOutput) -> Result<Vec<u8>, ToolError> {
    let mut result = br#"{"content":["#.to_vec();
    for (index, block) in output.content.iter().enumerate() {
        if index > 0 {
            result.push(b',');
        }
        match block {
            Content::Text { text, notes } if notes.is_empty() => {
                result.extend_from_slice(br#"{"type":"text","text":"#);
                json::text(&mut result, text);
                result.push(b'}');
            }
            other => result.append(&mut written(other)?),
        }
    }
    result.push(b']');
    if let Some(structured) = &output.structured_content {
        result.extend_from_slice(br#","structuredContent":"#);
        result.extend_from_slice(structured.get().as_bytes());
    }
    if output.is_error {
        result.extend_from_slice(br#","isError":true"#);
    }
    if output.meta.is_some() {
        result.extend_from_slice(br#","_meta":"#);
        content::object(&output.meta, &mut serde_json::Serializer::new(&mut result))
            .map_err(ToolError::unwritten)?;
    }
    result.push(b'}');
    Ok(result)
}

fn written(value: &impl Serialize) -> Result<Vec<u8>, ToolError> {
    serde_json::to_vec(value).map_err(ToolError::unwritten)
}

/// Turns a resource's return value into its reply.
///
/// The URI is left out: it is the request's, and one resource may be asked for by more than one.
pub(crate) fn resource_reply<T: IntoResourceOutput>(
    value: T,
    unkept: bool,
    mime: Option<&'static str>,
) -> Result<Reply, ToolError> {
    #[derive(Serialize)]
    struct Read {
        contents: Vec<Contents>,
    }

    let mut contents = value.into_resource_output()?;
    for part in &mut contents {
        let fallback = if part.blob.is_some() { "application/octet-stream" } else { "text/plain" };
        part.mime_type.get_or_insert_with(|| mime.or_else(T::default_mime).unwrap_or(fallback).to_owned());
    }
    Reply::new(&Read { contents }, !unkept)
}

/// Turns a prompt's return value into its reply.
pub(crate) fn prompt_reply<T: IntoPromptOutput>(
    value: T,
    unkept: bool,
    _mime: Option<&'static str>,
) -> Result<Reply, ToolError> {
    #[derive(Serialize)]
    struct Got {
        messages: Vec<Message>,
    }

    Reply::new(&Got { messages: value.into_prompt_output()? }, !unkept)
}

/// Implements an output trait for `Result`, once for each of the three.
macro_rules! output_of_result {
    ($into:ident, $method:ident, $output:ty $(, $extra:ident -> $returns:ty)?) => {
        impl<T: $into, E: Into<ToolError>> $into for Result<T, E> {
            type Success = T::Success;

            fn success(&self) -> Option<&Self::Success> {
                self.as_ref().ok().and_then(T::success)
            }

            fn $method(self) -> Result<$output, ToolError> {
                self.map_err(Into::into)?.$method()
            }

            $(fn $extra() -> $returns {
                T::$extra()
            })?
        }
    };
}

output_of_result!(IntoToolOutput, into_tool_output, ToolOutput, output_schema -> Option<Schema>);
output_of_result!(IntoResourceOutput, into_resource_output, Vec<Contents>, default_mime -> Option<&'static str>);
output_of_result!(IntoPromptOutput, into_prompt_output, Vec<Message>);

/// Implements an output trait for types that are their own success.
macro_rules! output {
    ($into:ident, $method:ident, $output:ty, |$value:ident| $body:expr, $($type:ty),+) => {
        $(impl $into for $type {
            type Success = Self;

            fn success(&self) -> Option<&Self> {
                Some(self)
            }

            fn $method(self) -> Result<$output, ToolError> {
                let $value = self;
                Ok($body)
            }
        })+
    };
}

output!(IntoToolOutput, into_tool_output, ToolOutput, |_value| ToolOutput::default(), ());
output!(
    IntoToolOutput,
    into_tool_output,
    ToolOutput,
    |value| ToolOutput::new([Content::text(value)]),
    String,
    &'static str,
    Box<str>,
    Cow<'static, str>
);
output!(
    IntoToolOutput,
    into_tool_output,
    ToolOutput,
    |value| ToolOutput::new([Content::text(value.to_string())]),
    bool,
    char,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    f32,
    f64
);
output!(IntoToolOutput, into_tool_output, ToolOutput, |value| ToolOutput::new([value]), Content);
output!(IntoToolOutput, into_tool_output, ToolOutput, |value| value, ToolOutput);

impl<T: Into<Content>> IntoToolOutput for Vec<T> {
    type Success = Self;

    fn success(&self) -> Option<&Self> {
        Some(self)
    }

    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput::new(self))
    }
}

impl<T: Serialize + JsonSchema> IntoToolOutput for Json<T> {
    type Success = T;

    fn success(&self) -> Option<&T> {
        Some(&self.0)
    }

    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        let structured = serde_json::value::to_raw_value(&self.0).map_err(ToolError::unwritten)?;
        let text = Content::text(structured.get());
        Ok(ToolOutput { content: vec![text], structured_content: Some(structured), ..ToolOutput::default() })
    }

    fn output_schema() -> Option<Schema> {
        Some(dialect().for_serialize().into_generator().into_root_schema_for::<T>())
    }
}

#[cfg(feature = "rmcp")]
impl IntoToolOutput for rmcp::model::CallToolResult {
    type Success = Self;

    fn success(&self) -> Option<&Self> {
        Some(self)
    }

    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        let structured = self.structured_content.as_ref().map(serde_json::value::to_raw_value).transpose()?;
        let content = self.content.iter().map(|block| serde_json::from_value(serde_json::to_value(block)?));
        Ok(ToolOutput {
            content: content.collect::<Result<_, serde_json::Error>>()?,
            structured_content: structured,
            is_error: self.is_error.unwrap_or(false),
            meta: self.meta.as_ref().map(serde_json::to_value).transpose()?,
        })
    }
}

output!(
    IntoResourceOutput,
    into_resource_output,
    Vec<Contents>,
    |value| vec![Contents::new(value)],
    String,
    &'static str,
    Vec<u8>,
    &'static [u8],
    bytes::Bytes
);
output!(IntoResourceOutput, into_resource_output, Vec<Contents>, |value| vec![value], Contents);
output!(IntoResourceOutput, into_resource_output, Vec<Contents>, |value| value, Vec<Contents>);

impl<T: Serialize> IntoResourceOutput for Json<T> {
    type Success = T;

    fn success(&self) -> Option<&T> {
        Some(&self.0)
    }

    fn into_resource_output(self) -> Result<Vec<Contents>, ToolError> {
        Ok(vec![Contents::new(serde_json::to_string(&self.0).map_err(ToolError::unwritten)?)])
    }

    fn default_mime() -> Option<&'static str> {
        Some("application/json")
    }
}

output!(
    IntoPromptOutput,
    into_prompt_output,
    Vec<Message>,
    |value| vec![Message::user(Content::text(value))],
    String,
    &'static str,
    Cow<'static, str>
);
output!(IntoPromptOutput, into_prompt_output, Vec<Message>, |value| vec![value], Message);
output!(IntoPromptOutput, into_prompt_output, Vec<Message>, |value| value, Vec<Message>);

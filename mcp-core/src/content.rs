//! What components return, block by block.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// One block of a result or a message.
///
/// # Examples
///
/// ```
/// use mcp_core::Content;
///
/// let blocks = vec![
///     Content::text("A picture of the hall:"),
///     Content::image(b"\x89PNG..", "image/png"),
///     Content::link("file:///plans/hall.pdf", "plan"),
/// ];
/// assert_eq!(blocks.len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// For whom it is and how much it matters.
        #[serde(flatten)]
        notes: Notes,
    },
    /// A picture.
    #[serde(rename_all = "camelCase")]
    Image {
        /// The bytes in base64.
        data: String,
        /// The media type.
        mime_type: String,
        /// For whom it is and how much it matters.
        #[serde(flatten)]
        notes: Notes,
    },
    /// Sound.
    #[serde(rename_all = "camelCase")]
    Audio {
        /// The bytes in base64.
        data: String,
        /// The media type.
        mime_type: String,
        /// For whom it is and how much it matters.
        #[serde(flatten)]
        notes: Notes,
    },
    /// A resource with its content.
    Resource {
        /// The resource.
        resource: Contents,
        /// For whom it is and how much it matters.
        #[serde(flatten)]
        notes: Notes,
    },
    /// A resource that the client may read.
    #[serde(rename_all = "camelCase")]
    ResourceLink {
        /// The URI to read.
        uri: String,
        /// The name.
        name: String,
        /// A name for people.
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// What it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The media type.
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// The size in bytes.
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
        /// Pictures of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        icons: Option<Vec<Icon>>,
        /// For whom it is and how much it matters.
        #[serde(flatten)]
        notes: Notes,
    },
}

/// Annotations and metadata that every block may carry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notes {
    /// `audience`, `priority` and `lastModified` in the protocol's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Value>,
    /// The `_meta` object.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none", serialize_with = "object")]
    pub meta: Option<Value>,
}

impl Notes {
    pub(crate) fn is_empty(&self) -> bool {
        self.annotations.is_none() && self.meta.is_none()
    }
}

impl Content {
    /// Creates a block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), notes: Notes::default() }
    }

    /// Creates a picture from its bytes.
    pub fn image(bytes: impl AsRef<[u8]>, mime: impl Into<String>) -> Self {
        Self::Image { data: STANDARD.encode(bytes), mime_type: mime.into(), notes: Notes::default() }
    }

    /// Creates a sound from its bytes.
    pub fn audio(bytes: impl AsRef<[u8]>, mime: impl Into<String>) -> Self {
        Self::Audio { data: STANDARD.encode(bytes), mime_type: mime.into(), notes: Notes::default() }
    }

    /// Creates a resource with its content: `Content::resource(uri, "text")` or with bytes.
    pub fn resource(uri: impl Into<String>, body: impl Into<Body>) -> Self {
        Self::Resource { resource: Contents::new(body).uri(uri), notes: Notes::default() }
    }

    /// Creates a link to a resource that the client may read.
    pub fn link(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self::ResourceLink {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            icons: None,
            notes: Notes::default(),
        }
    }

    /// Sets the media type of an embedded resource or a link; text has none, and pictures and sounds have theirs.
    #[must_use]
    pub fn mime(mut self, mime: impl Into<String>) -> Self {
        match &mut self {
            Self::Image { mime_type, .. } | Self::Audio { mime_type, .. } => *mime_type = mime.into(),
            Self::Resource { resource, .. } => resource.mime_type = Some(mime.into()),
            Self::ResourceLink { mime_type, .. } => *mime_type = Some(mime.into()),
            Self::Text { .. } => {}
        }
        self
    }

    /// Sets for whom the block is: `user`, `assistant` or both.
    #[must_use]
    pub fn audience(self, audience: &[Role]) -> Self {
        self.annotate("audience", serde_json::json!(audience))
    }

    /// Sets how much the block matters, from 0 to 1.
    #[must_use]
    pub fn priority(self, priority: f32) -> Self {
        // By its decimals: as a number of 64 bits, 0.7 would become 0.699999988079071.
        let decimals = priority.clamp(0.0, 1.0).to_string().parse::<f64>();
        self.annotate("priority", serde_json::json!(decimals.unwrap_or_default()))
    }

    /// Sets the `_meta` object of the block.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.notes_mut().meta = Some(meta);
        self
    }

    fn annotate(mut self, key: &str, value: Value) -> Self {
        let annotations =
            self.notes_mut().annotations.get_or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(map) = annotations {
            map.insert(key.to_owned(), value);
        }
        self
    }

    fn notes_mut(&mut self) -> &mut Notes {
        match self {
            Self::Text { notes, .. }
            | Self::Image { notes, .. }
            | Self::Audio { notes, .. }
            | Self::Resource { notes, .. }
            | Self::ResourceLink { notes, .. } => notes,
        }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// The content of a resource: text or bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Text.
    Text(String),
    /// Bytes, which travel in base64.
    Blob(Vec<u8>),
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_owned())
    }
}

impl<const N: usize> From<&[u8; N]> for Body {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl From<bytes::Bytes> for Body {
    fn from(bytes: bytes::Bytes) -> Self {
        Self::Blob(bytes.into())
    }
}

/// One part of what a resource contains.
///
/// A resource that consists of several returns a list of them; the URI and the media type default
/// to those of the resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contents {
    /// The URI of this part; empty: that of the resource.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// The media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The content, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The content in base64, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
    /// The `_meta` object.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none", serialize_with = "object")]
    pub meta: Option<Value>,
}

impl Contents {
    /// Creates a part from text or bytes.
    pub fn new(body: impl Into<Body>) -> Self {
        let (text, blob) = match body.into() {
            Body::Text(text) => (Some(text), None),
            Body::Blob(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        Self { uri: String::new(), mime_type: None, text, blob, meta: None }
    }

    /// Sets the URI.
    #[must_use]
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = uri.into();
        self
    }

    /// Sets the media type.
    #[must_use]
    pub fn mime(mut self, mime: impl Into<String>) -> Self {
        self.mime_type = Some(mime.into());
        self
    }

    /// Sets the `_meta` object.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.meta = Some(meta);
        self
    }
}

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

impl Message {
    /// Creates a message of the user.
    pub fn user(content: impl Into<Content>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// Creates a message of the model.
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// A picture of a component, for the client's interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Icon {
    /// An `https:` or `data:` URI.
    pub src: String,
    /// The media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Sizes such as `48x48`, or `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Vec<String>>,
    /// `light` or `dark`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}

impl Icon {
    /// Creates an icon from its `https:` or `data:` URI.
    pub fn new(src: impl Into<String>) -> Self {
        Self { src: src.into(), mime_type: None, sizes: None, theme: None }
    }

    /// Sets the media type.
    #[must_use]
    pub fn mime(mut self, mime: impl Into<String>) -> Self {
        self.mime_type = Some(mime.into());
        self
    }

    /// Sets the sizes, each such as `48x48`, or `any`.
    #[must_use]
    pub fn sizes(mut self, sizes: &[&str]) -> Self {
        self.sizes = Some(sizes.iter().map(|size| (*size).to_owned()).collect());
        self
    }

    /// Sets the theme: `light` or `dark`.
    #[must_use]
    pub fn theme(mut self, theme: impl Into<String>) -> Self {
        self.theme = Some(theme.into());
        self
    }
}

impl From<&str> for Icon {
    fn from(src: &str) -> Self {
        Self::new(src)
    }
}

/// Writes a `_meta`, which the protocol knows as an object only.
pub(crate) fn object<S: Serializer>(meta: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    match meta {
        None | Some(Value::Object(_)) => meta.serialize(serializer),
        Some(_) => Err(S::Error::custom("a `_meta` is an object: write `json!({ \"key\": .. })`")),
    }
}

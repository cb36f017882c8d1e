//! The labels of a series.

use std::fmt;

use prometheus_client::encoding::{EncodeLabel as _, EncodeLabelSet, LabelSetEncoder};

/// What stands in place of the components that there is no room for.
pub(super) const OTHER: &str = "<other>";

/// The labels of what was measured of a component, with one more word where a family splits by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Labels {
    pub(super) kind: &'static str,
    pub(super) component: &'static str,
    /// The name and the value of that label.
    pub(super) word: Option<(&'static str, &'static str)>,
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        ("kind", self.kind).encode(encoder.encode_label())?;
        ("component", self.component).encode(encoder.encode_label())?;
        self.word.map_or(Ok(()), |word| word.encode(encoder.encode_label()))
    }
}

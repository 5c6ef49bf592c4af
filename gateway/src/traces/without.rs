//! In place of the exporter in a binary without the feature `traces`.

use http::HeaderMap;
use tokio::runtime::Handle;
use tracing::{Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Identity;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{ConfigError, Traces};

/// There is none: the configuration's check refuses the setting.
pub(crate) enum Exporter {}

impl Exporter {
    /// Never creates one.
    #[allow(clippy::unnecessary_wraps, reason = "the same signature as with the feature")]
    pub(crate) fn new(_: &Traces) -> Result<Option<Self>, ConfigError> {
        Ok(None)
    }

    /// Never called.
    #[allow(clippy::unused_self, reason = "the same signature as with the feature")]
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        Identity::new()
    }

    /// Never called.
    pub(crate) fn begin(&self, _: &Handle) -> Result<(), ConfigError> {
        match *self {}
    }

    /// Never called.
    pub(crate) fn end(self) {
        match self {}
    }
}

/// Does nothing: no span is created.
pub(super) fn follow(_: &Span, _: &HeaderMap) {}

/// Does nothing: no span is created.
pub(super) fn inject(_: &Span, _: &mut HeaderMap) {}

//! OCI image manifests as Ollama lays models out in them: weights, template, parameters as layers by media type.

use super::digest::ModelDigest;
use super::error::{SourceError, SourceErrorKind};
use serde::Deserialize;

/// Media types of the layers, as Ollama writes them.
pub(crate) const WEIGHTS_LAYER: &str = "application/vnd.ollama.image.model";
pub(crate) const TEMPLATE_LAYER: &str = "application/vnd.ollama.image.template";
pub(crate) const SYSTEM_LAYER: &str = "application/vnd.ollama.image.system";
pub(crate) const PARAMS_LAYER: &str = "application/vnd.ollama.image.params";

/// Manifest media types asked for: Docker schema 2 (Ollama's registry) and OCI 1.
pub(crate) const ACCEPT: &str =
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Manifest {
    #[serde(rename = "schemaVersion")]
    schema_version: u32,
    #[serde(default)]
    pub(crate) config: Option<Layer>,
    #[serde(default)]
    pub(crate) layers: Vec<Layer>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Layer {
    #[serde(rename = "mediaType")]
    pub(crate) media_type: String,
    pub(crate) digest: ModelDigest,
    pub(crate) size: u64,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// It is not a single-image manifest of schema version 2.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, SourceError> {
        let invalid = |why: String| {
            SourceError::new(SourceErrorKind::Server, format!("the model's manifest is not valid: {why}"))
        };
        let manifest: Self = serde_json::from_slice(text).map_err(|error| invalid(error.to_string()))?;
        if manifest.schema_version != 2 {
            return Err(invalid(format!("schema version {}, expected 2", manifest.schema_version)));
        }
        Ok(manifest)
    }

    pub(crate) fn layer(&self, media_type: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.media_type == media_type)
    }

    pub(crate) fn weights(&self) -> Option<&Layer> {
        self.layer(WEIGHTS_LAYER)
    }
}

/// The parts of Ollama's configuration blob that describe the weights.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ModelConfig {
    #[serde(default)]
    pub(crate) model_family: Option<String>,
    /// Quantisation, such as `Q4_K_M`.
    #[serde(default)]
    pub(crate) file_type: Option<String>,
}

impl ModelConfig {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let config: Self = serde_json::from_slice(text).ok()?;
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty() && text != "unknown");
        Some(Self { model_family: filled(config.model_family), file_type: filled(config.file_type) })
    }
}

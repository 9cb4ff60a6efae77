//! What `puma models list|show|where` tell, as plain values.

use super::catalogue::{CatalogueEntry, runs_embedded};
use super::error::SourceError;
use super::facts::GgufFacts;
use super::library::Library;
use super::local::Location;
use super::name::ModelName;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The catalogue beside what is on this machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListReport {
    pub catalogue_version: String,
    pub default: String,
    /// In the catalogue's order.
    pub models: Vec<ListedModel>,
    /// On this machine but not in the catalogue, by store and name.
    pub other: Vec<LocalModel>,
}

/// One catalogue entry with its local copies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedModel {
    pub tag: String,
    pub params_b: f64,
    /// Size of the first source's file; approximate unless the source records it.
    pub size_bytes: u64,
    pub context_window: u32,
    pub architecture: String,
    /// Whether the embedded engine runs it; if not, it needs a server.
    pub embedded: bool,
    pub logprobs: bool,
    pub license: Option<String>,
    /// Ids of its sources in the order they are tried.
    pub sources: Vec<String>,
    pub local: Vec<Location>,
}

/// A model outside the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LocalModel {
    /// A name that resolves to it.
    pub name: String,
    pub location: Location,
}

/// Everything known about one name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShowReport {
    pub name: String,
    pub catalogue: Option<CatalogueEntry>,
    /// Whether the embedded engine runs its architecture, by the file if it is here, else by the catalogue.
    pub embedded: Option<bool>,
    pub local: Vec<Location>,
    /// What the file a run would use says about itself; `None` if it is not on this machine.
    pub gguf: Option<GgufFacts>,
    /// Why that file cannot be read, if it cannot.
    pub gguf_problem: Option<String>,
}

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhereReport {
    pub name: String,
    /// The first is the one a run uses.
    pub locations: Vec<Location>,
}

impl Library {
    /// The catalogue merged with local copies, and the local models it does not list.
    pub fn list(&self) -> ListReport {
        let models: Vec<ListedModel> = self.catalogue.models.iter().map(|entry| self.listed(entry)).collect();
        let listed: BTreeSet<&Path> = models.iter().flat_map(|m| &m.local).map(|l| l.path.as_path()).collect();
        let other = self.scan().into_iter().filter(|(_, location)| !listed.contains(location.path.as_path()));
        let other = other.map(|(name, location)| LocalModel { name, location }).collect();
        ListReport {
            catalogue_version: self.catalogue.version.clone(),
            default: self.catalogue.default.clone(),
            models,
            other,
        }
    }

    /// What the catalogue and the stores know about `name`.
    ///
    /// # Errors
    /// The name has no known form, or neither the catalogue nor this machine has it.
    pub fn show(&self, name: &str) -> Result<ShowReport, SourceError> {
        let parsed = ModelName::parse(name)?;
        let catalogue = match &parsed {
            ModelName::Registry { reference, .. } => self.entry(reference).cloned(),
            _ => None,
        };
        let local = self.locations(&parsed);
        if catalogue.is_none() && local.is_empty() {
            return Err(self.not_found(name, &parsed));
        }
        let (gguf, gguf_problem) = match local.first().map(|location| GgufFacts::read(&location.path)) {
            Some(Ok(facts)) => (Some(facts), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        let architecture = gguf.as_ref().and_then(|facts| facts.architecture.as_deref());
        let embedded = architecture.map(runs_embedded).or_else(|| catalogue.as_ref().map(CatalogueEntry::embedded));
        Ok(ShowReport { name: name.to_owned(), catalogue, embedded, local, gguf, gguf_problem })
    }

    /// Every place on this machine that has `name`.
    ///
    /// # Errors
    /// The name has no known form, or nothing has it.
    pub fn locate(&self, name: &str) -> Result<WhereReport, SourceError> {
        let parsed = ModelName::parse(name)?;
        let locations = self.locations(&parsed);
        if locations.is_empty() {
            return Err(self.not_found(name, &parsed));
        }
        Ok(WhereReport { name: name.to_owned(), locations })
    }

    fn listed(&self, entry: &CatalogueEntry) -> ListedModel {
        ListedModel {
            tag: entry.tag.clone(),
            params_b: entry.params_b,
            size_bytes: entry.size_bytes(),
            context_window: entry.context_window,
            architecture: entry.architecture.clone(),
            embedded: entry.embedded(),
            logprobs: entry.logprobs,
            license: entry.license.clone(),
            sources: entry.sources.iter().map(|source| source.id.clone()).collect(),
            local: self.entry_locations(entry),
        }
    }

    fn entry_locations(&self, entry: &CatalogueEntry) -> Vec<Location> {
        ModelName::parse(&entry.tag).map(|name| self.locations(&name)).unwrap_or_default()
    }
}

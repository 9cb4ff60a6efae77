//! The models that can be judged: those on this machine, those of an Ollama server, those of the catalogue.

use super::header;
use crate::failure::Failure;
use puma_backends::ollama::OllamaBackend;
use puma_backends::sources::{CatalogueEntry, Library, Location, runs_embedded};
use puma_host::fit::{CatalogueFacts, ModelShape, active_params_in_name, shape_from_catalogue};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A model and what is known of its size.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub name: String,
    /// Or a sentence that says why it cannot be judged.
    pub shape: Result<ModelShape, String>,
    /// Of the weights file, exact or as published.
    pub size_bytes: Option<u64>,
    pub params_b: Option<f64>,
    pub quantization: Option<String>,
    pub on_this_machine: bool,
    /// Upstream profiles that the catalogue lists it for; `None` outside the catalogue.
    pub profiles: Option<Vec<String>>,
    pub is_default: bool,
}

impl Candidate {
    /// Whether PUMA's own engine runs the architecture; `None` where that is not known.
    pub(crate) fn runs_embedded(&self) -> Option<bool> {
        let shape = self.shape.as_ref().ok()?;
        shape.architecture.as_deref().map(runs_embedded)
    }
}

/// Where models are looked for.
pub(crate) struct Shelves<'a> {
    pub library: &'a Library,
    /// Asked first where it answers: its files may lie on another machine.
    pub ollama: Option<&'a OllamaBackend>,
    /// False for a recorded machine, on which none of these files lie: their headers count all the same.
    pub here: bool,
}

impl Shelves<'_> {
    /// Every model of the catalogue, in its order, and every other one on this machine or server.
    pub(crate) fn all(&self) -> Vec<Candidate> {
        let mut candidates = self.catalogue();
        for model in self.library.list().other {
            candidates.push(self.of_location(&model.name, &model.location));
        }
        let known: BTreeSet<String> = candidates.iter().map(|candidate| candidate.name.clone()).collect();
        if let Some(server) = self.ollama {
            for model in server.installed().unwrap_or_default() {
                if !known.contains(&model.name) {
                    candidates.extend(self.of_server(&model.name));
                }
            }
        }
        candidates
    }

    /// Every model of the catalogue, in its order.
    pub(crate) fn catalogue(&self) -> Vec<Candidate> {
        self.library.catalogue.models.iter().map(|entry| self.of_catalogue(entry)).collect()
    }

    /// The model that `name` means.
    ///
    /// # Errors
    /// Nothing here, in the catalogue or on the server has that name.
    pub(crate) fn named(&self, name: &str) -> Result<Candidate, Failure> {
        if let Some(entry) = self.library.catalogue.get(name) {
            return Ok(self.of_catalogue(entry));
        }
        if let Some(candidate) = self.of_server(name) {
            return Ok(candidate);
        }
        let report = self.library.locate(name)?;
        let first = report.locations.first().expect("a model that is nowhere is an error");
        Ok(self.of_location(name, first))
    }

    fn of_catalogue(&self, entry: &CatalogueEntry) -> Candidate {
        let local = self.library.locate(&entry.tag).ok().and_then(|report| report.locations.into_iter().next());
        let on_this_machine = self.here && local.is_some();
        let exact = local.as_ref().and_then(|location| Some((header::of_file(&location.path).ok()?, location)));
        let catalogue = Candidate {
            name: entry.tag.clone(),
            shape: of_entry(entry),
            size_bytes: Some(entry.size_bytes()),
            params_b: Some(entry.params_b),
            quantization: entry.sources.first().and_then(|source| source.quantization.clone()),
            on_this_machine,
            profiles: Some(entry.profiles.clone()),
            is_default: entry.tag == self.library.catalogue.default,
        };
        if let Some((shape, location)) = exact {
            let quantization = location.quantization.clone().or_else(|| catalogue.quantization.clone());
            return Candidate { shape: Ok(shape), size_bytes: Some(location.size_bytes), quantization, ..catalogue };
        }
        match self.of_server(&entry.tag) {
            Some(served) => Candidate {
                shape: served.shape,
                size_bytes: served.size_bytes,
                quantization: served.quantization,
                on_this_machine: true,
                ..catalogue
            },
            None => catalogue,
        }
    }

    fn of_server(&self, name: &str) -> Option<Candidate> {
        let served = self.ollama?.facts(name).ok()?;
        let shape = header::of_served(&served);
        Some(Candidate {
            params_b: shape.as_ref().ok().and_then(billions),
            shape,
            name: name.to_owned(),
            size_bytes: served.size_bytes,
            quantization: served.quantization,
            on_this_machine: true,
            profiles: None,
            is_default: false,
        })
    }

    fn of_location(&self, name: &str, location: &Location) -> Candidate {
        let shape = header::of_file(&location.path);
        Candidate {
            name: name.to_owned(),
            params_b: shape.as_ref().ok().and_then(billions),
            shape,
            size_bytes: Some(location.size_bytes),
            quantization: location.quantization.clone(),
            on_this_machine: self.here,
            profiles: None,
            is_default: false,
        }
    }
}

/// The file behind a name, where it lies on this machine.
pub(crate) fn file_of(library: &Library, name: &str) -> Option<PathBuf> {
    library.locate(name).ok()?.locations.into_iter().next().map(|location| location.path)
}

fn billions(shape: &ModelShape) -> Option<f64> {
    shape.parameters.map(|count| (count as f64 / 1e6).round() / 1e3)
}

fn of_entry(entry: &CatalogueEntry) -> Result<ModelShape, String> {
    shape_from_catalogue(&CatalogueFacts {
        architecture: &entry.architecture,
        params_b: entry.params_b,
        active_params_b: active_params_in_name(&entry.tag),
        size_bytes: entry.size_bytes(),
        context_window: entry.context_window,
    })
    .map_err(|problem| problem.to_string())
}

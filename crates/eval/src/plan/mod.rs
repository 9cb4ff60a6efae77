//! Jobs from a spec: a pure function. Everything that can be wrong is found here, before a model is asked anything.
//!
//! Start at [`plan`]; it gives a [`Plan`], which knows every [`Job`] and the parts of the run's header.

mod build;
mod definition;
mod error;
mod options;
mod render;

pub use build::{PlanInput, parser_mode, plan, strategies_of};
pub(crate) use definition::model_key;
pub use definition::{Job, Plan, RunFacts, Unchanged};
pub use error::PlanError;

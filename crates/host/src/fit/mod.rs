//! Whether a model fits this machine: what it needs, what is there, and the verdict.
//!
//! Start at [`shape_from_header`], which reads a model's [`ModelShape`] from its GGUF header, and [`judge`], which
//! holds it against a [`Budget`]. Everything here is computed from what is handed in; nothing is read or asked.

mod budget;
mod context;
mod header;
mod hyperparameters;
mod key;
mod layers;
mod load;
mod nominal;
mod placement;
mod shape;
mod speed_input;
mod split;
mod tensor_type;
mod verdict;
mod wired_limit;

pub use budget::{Budget, MARGIN_BYTES, Pool, PoolKind};
pub use context::{CONTEXT_STEP, ContextLimit, LargestContext, largest_context};
pub use header::{ShapeProblem, TensorFact, shape_from_header};
pub use key::machine_key;
pub use load::{AmdDriver, EngineRules, Family, KvType, Load, LogitRows, Needs};
pub use nominal::{CatalogueFacts, active_params_in_name, shape_from_catalogue};
pub use placement::{NoBudget, budget};
pub use shape::{Experts, LayerShape, ModelShape, ShapeSource};
pub use speed_input::{Question, speed_input};
pub use tensor_type::{TENSOR_TYPES, TensorType};
pub use verdict::{Fit, Verdict, judge};
pub use wired_limit::wired_limit_mib;

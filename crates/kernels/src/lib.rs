//! Block formats, integer dot products per instruction set, and the one float order of PUMA's engine.
//!
//! Start at [`Kernels`]: a table of functions for one [`Level`] (instruction set), built once and passed by reference.
//! Every level gives the same bits; `docs/numerics.md` is the contract ([`CONTRACT`]). Architecture code returns
//! integers only, every float sum has one order, written once in [`float`] and [`matmul`].

mod arch;
pub mod block;
pub mod float;
pub mod level;
pub mod math;
pub mod matmul;
pub mod table;
pub mod tensor_type;

pub use arch::ceiling::{IntegerLoop, integer_loops, read_words};
pub use float::attention::{Attention, BLOCK_LEN, Cached, LayerBlock};
pub use level::{Level, UnknownLevel};
pub use matmul::activation::ActivationGroup;
pub use matmul::{Columns, Packed, Weights};
pub use table::Kernels;
pub use tensor_type::TensorType;

/// The numerics contract these kernels fulfil; stored with every run.
pub const CONTRACT: &str = "N1";

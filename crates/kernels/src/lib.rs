//! Block formats, integer dot products per instruction set, and the one float order of PUMA's engine.
//!
//! The contract is `docs/numerics.md` (N1): architecture code returns integers only, every float sum has one order.

pub mod tensor_type;

pub use tensor_type::TensorType;

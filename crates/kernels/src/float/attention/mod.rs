//! Attention of several tokens and query heads that share one head of keys and values.
//!
//! Start at [`Attention`], the job. The order is contract N1, section 5: it depends on absolute positions only, so
//! that neither the tokens computed together nor blocks, windows or threads change a bit. Keys lie transposed, so that
//! the lanes of a register are positions and the tree of a dot product becomes additions of whole registers.

mod attend;
mod exponentials;
mod job;
mod scores;
mod values;

pub(crate) use attend::attend;
pub use job::{Attention, BLOCK_LEN, Cached, LayerBlock, padded};

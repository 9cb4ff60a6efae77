//! The forward pass: a batch of tokens of several sequences through all layers.
//!
//! Every token is computed from its own column and its sequence's cache alone, and every output element is summed in
//! the one order of the kernels; so batch, chunks, threads and neighbours change no bit. One pass serves every
//! architecture: what differs is data of the configuration and of the layers.

mod attention;
mod experts;
mod feed_forward;
mod linear;
mod pass;
mod rope;

pub(crate) use pass::{Buffers, Forward, Slot, kv_shape};
pub(crate) use rope::Rotations;

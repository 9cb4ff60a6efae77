//! The portable float code. Each function here is compiled once per instruction set from this one source, so the
//! order of operations, and with it every bit, is the same on all of them.

pub mod activation;
pub mod attention;
pub mod norm;
pub mod order;
pub mod rope;

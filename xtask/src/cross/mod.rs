//! Executables for other platforms than this one: who builds them, and what they must be.

mod executable;
mod signature;
mod target;
mod zig;

pub(crate) use target::{ARM_LINUX, MAC, TARGETS, Target};
pub(crate) use zig::{Provided, Zig, standard_library};

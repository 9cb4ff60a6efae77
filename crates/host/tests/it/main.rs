//! What the crate says about whole machines.

mod expected;
mod machines;
mod machines_linux;
mod machines_mac;

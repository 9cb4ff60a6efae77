//! What the crate says about whole machines.

mod expected;
mod gpus;
mod machines;
mod machines_gpu;
mod machines_linux;
mod recording;
mod machines_mac;

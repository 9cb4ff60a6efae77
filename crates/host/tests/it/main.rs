//! What the crate says about whole machines.

mod caches;
mod classes;
mod expected;
mod gpus;
mod machines;
mod machines_gpu;
mod machines_linux;
mod machines_mac;
mod nonsense;
mod recording;

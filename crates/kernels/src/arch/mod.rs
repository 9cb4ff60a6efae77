//! The code that differs between instruction sets: integer sums, and instances of the portable float code.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod scalar;

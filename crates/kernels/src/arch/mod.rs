//! One file for each instruction set, and what each brings to the kernels.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod ceiling;
mod instances;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
#[cfg(target_arch = "aarch64")]
mod neon_dots;
pub(crate) mod rows;
pub(crate) mod scalar;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ymm;

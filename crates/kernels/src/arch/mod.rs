//! One file for each instruction set, and what each brings to the kernels.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod instances;
pub(crate) mod rows;
pub(crate) mod scalar;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ymm;

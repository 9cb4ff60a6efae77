//! Which instruction set the kernels may use. A token inside the level is the proof that it was detected.

use std::fmt;
use std::str::FromStr;

/// Proof that this CPU has the instructions of a level; only [`Level::available`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detected(());

/// An instruction set this CPU was found to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// Portable code at the target's baseline.
    Scalar,
    /// AVX2 and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2(Detected),
    /// AVX2, F16C and AVX-VNNI (256-bit dot products of bytes).
    #[cfg(target_arch = "x86_64")]
    AvxVnni(Detected),
    /// AVX-512 F, BW, VL and VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512(Detected),
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon(Detected),
    /// NEON with dot products of bytes (`dotprod`, ARMv8.2).
    #[cfg(target_arch = "aarch64")]
    NeonDotprod(Detected),
    /// NEON with dot products and matrix products of bytes (`i8mm`, ARMv8.6).
    #[cfg(target_arch = "aarch64")]
    NeonI8mm(Detected),
}

impl Level {
    /// Every level this CPU can run, slowest first.
    #[cfg(target_arch = "x86_64")]
    pub fn available() -> Vec<Self> {
        let ymm = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c");
        let zmm = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        let levels = [
            (true, Self::Scalar),
            (ymm, Self::Avx2(Detected(()))),
            (ymm && is_x86_feature_detected!("avxvnni"), Self::AvxVnni(Detected(()))),
            (zmm && is_x86_feature_detected!("avx512vnni"), Self::Avx512(Detected(()))),
        ];
        levels.into_iter().filter(|(detected, _)| *detected).map(|(_, level)| level).collect()
    }

    /// Every level this CPU can run, slowest first.
    #[cfg(target_arch = "aarch64")]
    pub fn available() -> Vec<Self> {
        use std::arch::is_aarch64_feature_detected;
        let neon = is_aarch64_feature_detected!("neon");
        let dotprod = neon && is_aarch64_feature_detected!("dotprod");
        let levels = [
            (true, Self::Scalar),
            (neon, Self::Neon(Detected(()))),
            (dotprod, Self::NeonDotprod(Detected(()))),
            (dotprod && is_aarch64_feature_detected!("i8mm"), Self::NeonI8mm(Detected(()))),
        ];
        levels.into_iter().filter(|(detected, _)| *detected).map(|(_, level)| level).collect()
    }

    /// Every level this CPU can run, slowest first.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub fn available() -> Vec<Self> {
        vec![Self::Scalar]
    }

    /// The fastest level of this CPU.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::Scalar)
    }

    /// The spelling used on command lines and in stored runs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni(_) => "avx-vnni",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
            #[cfg(target_arch = "aarch64")]
            Self::NeonDotprod(_) => "neon-dotprod",
            #[cfg(target_arch = "aarch64")]
            Self::NeonI8mm(_) => "neon-i8mm",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A level was asked for that this CPU or this build does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel {
    /// What was asked for.
    pub name: String,
}

impl fmt::Display for UnknownLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
        write!(
            formatter,
            "instruction set `{}` is not available here; this machine has: {}",
            self.name,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Finds an available level by its [`name`](Level::name).
    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Self::available()
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| UnknownLevel { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_level_parses_back_from_its_name() {
        for level in Level::available() {
            assert_eq!(level.name().parse::<Level>(), Ok(level));
        }
        let error = "mmx".parse::<Level>().unwrap_err();
        assert!(error.to_string().contains("scalar"));
    }
}

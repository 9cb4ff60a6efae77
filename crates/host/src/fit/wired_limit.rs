//! The setting by which a Mac lets its GPU use more memory, where that is safe.

const GIB: u64 = 1 << 30;

/// The value for `sudo sysctl iogpu.wired_limit_mb=N` that lets the GPU use `wanted_bytes`, if that leaves the rest of
/// the system 4 GiB or 15 %, whichever is more.
pub fn wired_limit_mib(wanted_bytes: u64, memory_bytes: u64) -> Option<u64> {
    let rest = (4 * GIB).max(memory_bytes / 100 * 15);
    let most = memory_bytes.checked_sub(rest)?;
    let mebibytes = wanted_bytes.div_ceil(1 << 20);
    (mebibytes <= most >> 20).then_some(mebibytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wired_limit_is_offered_only_where_the_system_keeps_enough() {
        assert_eq!(wired_limit_mib(20 * GIB, 32 * GIB), Some(20 << 10));
        assert_eq!(wired_limit_mib(28 * GIB, 32 * GIB), None);
        assert_eq!(wired_limit_mib(4 * GIB, 8 * GIB), Some(4 << 10));
        assert_eq!(wired_limit_mib(4 * GIB + 1, 8 * GIB), None);
        assert_eq!(wired_limit_mib(GIB, 2 * GIB), None);
        assert_eq!(wired_limit_mib(108 * GIB, 128 * GIB), Some(108 << 10));
        assert_eq!(wired_limit_mib(110 * GIB, 128 * GIB), None);
    }
}

//! How much the caches hold that lie next to memory.

use super::fields::cpu_list;
use crate::source::HostSource;
use std::collections::BTreeMap;

const FOLDER: &str = "/sys/devices/system/cpu";

/// Bytes of all last-level caches together; `None` where the kernel does not tell. Processors that share a cache count
/// it once.
pub fn last_level_cache_bytes(host: &dyn HostSource) -> Option<u64> {
    let online = host.read(&format!("{FOLDER}/online")).ok().and_then(|text| cpu_list(&text))?;
    let mut caches: BTreeMap<String, u64> = BTreeMap::new();
    for processor in online {
        let folder = format!("{FOLDER}/cpu{processor}/cache");
        let read = |index: &str, name: &str| host.read(&format!("{folder}/{index}/{name}")).ok();
        let level = |index: &String| read(index, "level")?.trim().parse::<u32>().ok();
        let indices = host.list(&folder).unwrap_or_default();
        let last = indices.iter().filter_map(|index| Some((level(index)?, index))).max();
        let Some((_, index)) = last else { continue };
        let (sharing, size) = (read(index, "shared_cpu_list"), read(index, "size"));
        if let Some((sharing, bytes)) = sharing.zip(size.as_deref().and_then(bytes)) {
            caches.insert(sharing.trim().to_owned(), bytes);
        }
    }
    Some(caches.into_values().fold(0, u64::saturating_add)).filter(|bytes| *bytes > 0)
}

/// `32768K`, as the kernel writes it.
fn bytes(text: &str) -> Option<u64> {
    text.trim().strip_suffix('K')?.parse::<u64>().ok()?.checked_mul(1 << 10)
}

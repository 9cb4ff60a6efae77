//! The caches next to memory, as Linux lists them.

use puma_host::machine::last_level_cache_bytes;
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};

/// Processors with a second level of their own and a third that those in `sharing` have together.
fn host(processors: &[(&str, &str)]) -> ScriptedHost {
    let folder = "/sys/devices/system/cpu";
    let mut host = ScriptedHost::new("linux", ManualClock::default())
        .file(&format!("{folder}/online"), format!("0-{}\n", processors.len() - 1));
    for (number, (sharing, size)) in processors.iter().enumerate() {
        let cache = format!("{folder}/cpu{number}/cache");
        host = host.folder(&cache, &["index2", "index3", "uevent"]);
        for (index, level, sharing, size) in
            [("index2", "2", number.to_string().as_str(), "1024K"), ("index3", "3", *sharing, *size)]
        {
            host = host
                .file(&format!("{cache}/{index}/level"), format!("{level}\n"))
                .file(&format!("{cache}/{index}/shared_cpu_list"), format!("{sharing}\n"))
                .file(&format!("{cache}/{index}/size"), format!("{size}\n"));
        }
    }
    host
}

#[test]
fn processors_that_share_a_last_level_cache_count_it_once() {
    let two_complexes = host(&[("0-1", "32768K"), ("0-1", "32768K"), ("2-3", "98304K"), ("2-3", "98304K")]);
    assert_eq!(last_level_cache_bytes(&two_complexes), Some(128 << 20));
}

#[test]
fn a_cache_of_no_size_is_unknown_and_not_none() {
    assert_eq!(last_level_cache_bytes(&host(&[("0", "nonsense")])), None);
    assert_eq!(last_level_cache_bytes(&ScriptedHost::new("linux", ManualClock::default())), None);
}

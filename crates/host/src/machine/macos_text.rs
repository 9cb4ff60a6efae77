//! What the programs of macOS print, read.
//!
//! Every reader takes any text and answers `None` to what it does not know.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What `vm_stat` counts: pages by name, and how large a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VmPages {
    page_bytes: u64,
    /// `Pages free`, `Pageins`, …, as printed without quotes.
    counts: BTreeMap<String, u64>,
}

impl VmPages {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let header = text.lines().next()?;
        let page_bytes = header.split("page size of ").nth(1)?.split_whitespace().next()?.parse().ok()?;
        let counts = text.lines().skip(1).filter_map(|line| {
            let (name, count) = line.rsplit_once(':')?;
            Some((name.trim().trim_matches('"').to_owned(), count.trim().trim_end_matches('.').parse().ok()?))
        });
        let counts: BTreeMap<String, u64> = counts.collect();
        let known_page = [4096, 16384].contains(&page_bytes);
        (known_page && counts.contains_key("Pages free")).then_some(Self { page_bytes, counts })
    }

    /// What is counted under this name, in bytes.
    pub(crate) fn bytes(&self, name: &str) -> Option<u64> {
        self.counts.get(name)?.checked_mul(self.page_bytes)
    }

    /// Bytes that programs can get without anything being compressed or swapped: free, and used only to save work.
    pub(crate) fn available_bytes(&self) -> u64 {
        let kinds = ["Pages free", "Pages speculative", "Pages inactive", "Pages purgeable"];
        let pages = kinds.iter().filter_map(|kind| self.counts.get(*kind)).fold(0_u64, |sum, n| sum.saturating_add(*n));
        pages.saturating_mul(self.page_bytes)
    }
}

/// What `sysctl vm.swapusage` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Swap {
    pub(crate) total_bytes: u64,
    pub(crate) used_bytes: u64,
}

impl Swap {
    /// `total = 2048.00M  used = 1021.88M  free = 1026.12M  (encrypted)`; some languages write `2048,00M`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let amount = |name: &str| {
            let place = words.windows(2).position(|pair| pair == [name, "="])?;
            amount_bytes(words.get(place + 2)?)
        };
        Some(Self { total_bytes: amount("total")?, used_bytes: amount("used")? })
    }
}

fn amount_bytes(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let factor = match unit {
        'B' => 1_u64,
        'K' => 1 << 10,
        'M' => 1 << 20,
        'G' => 1 << 30,
        'T' => 1 << 40,
        _ => return None,
    };
    let number: f64 = text.strip_suffix(unit)?.replace(',', ".").parse().ok()?;
    (number.is_finite() && (0.0..1e9).contains(&number)).then(|| (number * factor as f64).round() as u64)
}

/// The core count that `ioreg -rc AGXAccelerator` prints.
pub(crate) fn gpu_core_count(text: &str) -> Option<u32> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("\"gpu-core-count\" = "));
    lines.filter_map(|count| count.trim().parse().ok()).find(|count| *count > 0)
}

#[derive(Deserialize)]
struct Displays {
    #[serde(rename = "SPDisplaysDataType")]
    displays: Vec<Display>,
}

#[derive(Deserialize)]
struct Display {
    /// A number written as a string.
    sppci_cores: Option<String>,
    spdisplays_vendor: Option<String>,
}

/// The cores of Apple's GPU in `system_profiler SPDisplaysDataType -json`.
pub(crate) fn profiler_gpu_cores(text: &str) -> Option<u32> {
    let answer: Displays = serde_json::from_str(text).ok()?;
    let apple = answer
        .displays
        .into_iter()
        .filter(|display| display.spdisplays_vendor.as_deref().is_none_or(|vendor| vendor.contains("Apple")));
    apple.filter_map(|display| display.sppci_cores?.trim().parse().ok()).find(|cores| *cores > 0)
}

/// What `system_profiler SPHardwareDataType -json` says that `sysctl` may not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProfilerHardware {
    pub(crate) chip: Option<String>,
    pub(crate) memory_bytes: Option<u64>,
}

#[derive(Deserialize)]
struct HardwareAnswer {
    #[serde(rename = "SPHardwareDataType")]
    items: Vec<HardwareItem>,
}

#[derive(Deserialize)]
struct HardwareItem {
    chip_type: Option<String>,
    /// `24 GB`.
    physical_memory: Option<String>,
}

pub(crate) fn profiler_hardware(text: &str) -> Option<ProfilerHardware> {
    let answer: HardwareAnswer = serde_json::from_str(text).ok()?;
    let item = answer.items.into_iter().next()?;
    let gib = item.physical_memory.as_deref().and_then(|text| text.strip_suffix(" GB")?.parse::<u64>().ok());
    let memory_bytes = gib.and_then(|gib| gib.checked_mul(1 << 30)).filter(|bytes| *bytes > 0);
    Some(ProfilerHardware { chip: item.chip_type, memory_bytes })
}

/// Metal's default device, as [`crate::NativeQuery::MetalDevice`] answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct MetalDevice {
    pub(crate) name: Option<String>,
    /// `recommendedMaxWorkingSetSize`.
    pub(crate) working_set_bytes: Option<u64>,
    /// `currentAllocatedSize`: of this process.
    pub(crate) allocated_bytes: Option<u64>,
}

/// A working set of 0 is no answer.
pub(crate) fn metal_device(text: &str) -> Option<MetalDevice> {
    let device: MetalDevice = serde_json::from_str(text).ok()?;
    let named = device.name.filter(|name| !name.trim().is_empty() && !name.contains(char::is_control));
    Some(MetalDevice { name: named, working_set_bytes: device.working_set_bytes.filter(|bytes| *bytes > 0), ..device })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VM_STAT: &str = "\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                    33762.
Pages active:                                 399751.
Pages inactive:                               401894.
Pages speculative:                            172602.
Pages throttled:                                   0.
Pages wired down:                             106180.
Pages purgeable:                                5850.
\"Translation faults\":                     2059157267.
Pages copy-on-write:                        58902729.
Anonymous pages:                              326288.
Pages occupied by compressor:                  24572.
Pageins:                                    23222205.
";

    #[test]
    fn vm_stat_tells_what_programs_can_still_get() {
        let pages = VmPages::parse(VM_STAT).expect("counts");
        assert_eq!(pages.counts.get("Translation faults"), Some(&2_059_157_267));
        assert_eq!(pages.available_bytes(), (33_762 + 172_602 + 401_894 + 5_850) * 16_384);
        let intel = VmPages::parse(&VM_STAT.replace("16384", "4096")).expect("counts");
        assert_eq!(intel.available_bytes() * 4, pages.available_bytes());
        assert_eq!(VmPages::parse("vm_stat: cannot allocate memory\n"), None);
    }

    #[test]
    fn swap_is_read_in_every_language() {
        let swap = |text| Swap::parse(text).map(|swap| (swap.total_bytes, swap.used_bytes));
        let mib = |count: f64| (count * 1_048_576.0) as u64;
        assert_eq!(
            swap("vm.swapusage: total = 2048.00M  used = 1021.88M  free = 1026.12M  (encrypted)"),
            Some((2048 << 20, mib(1021.88) + 1))
        );
        assert_eq!(
            swap("total = 20.00G  used = 18.25G  free = 1.75G  (encrypted)"),
            Some((20 << 30, mib(18.25 * 1024.0)))
        );
        assert_eq!(
            swap("total = 2048,00M  used = 12,50M  free = 2035,50M  (encrypted)"),
            Some((2048 << 20, mib(12.5)))
        );
        assert_eq!(swap("vm.swapusage: total = 0.00M  used = 0.00M  free = 0.00M  (encrypted)"), Some((0, 0)));
        for nonsense in ["", "total = ", "total = -1M used = 0M", "total = NaNM used = 0M", "total = 1e99G used = 0M"] {
            assert_eq!(swap(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn the_gpus_cores_are_counted_by_either_program() {
        let ioreg = "+-o AGXAcceleratorG16G  <class AGXAcceleratorG16G, id 0x10000039c, registered, matched>\n    {\n      \
            \"PerformanceStatistics\" = {\"In use system memory (driver)\"=0,\"Device Utilization %\"=30}\n      \
            \"model\" = \"Apple M4\"\n      \"gpu-core-count\" = 10\n    }\n";
        assert_eq!(gpu_core_count(ioreg), Some(10));
        assert_eq!(gpu_core_count(""), None);
        let profiler = r#"{"SPDisplaysDataType":[{"_name":"kHW_AppleM1Item","spdisplays_vendor":"sppci_vendor_Apple",
            "sppci_bus":"spdisplays_builtin","sppci_cores":"7","sppci_model":"Apple M1"}]}"#;
        assert_eq!(profiler_gpu_cores(profiler), Some(7));
        assert_eq!(profiler_gpu_cores(r#"{"SPDisplaysDataType":[{"sppci_model":"AMD Radeon Pro 5500M"}]}"#), None);
    }

    #[test]
    fn the_profiler_tells_chip_and_memory_in_every_form_of_its_core_counts() {
        for processors in [r#""proc 8:4:4""#, r#""proc 18:6:0:12""#, "2"] {
            let text = format!(
                r#"{{"SPHardwareDataType":[{{"chip_type":"Apple M2","number_processors":{processors},"physical_memory":"24 GB"}}]}}"#
            );
            let expected = ProfilerHardware { chip: Some("Apple M2".to_owned()), memory_bytes: Some(24 << 30) };
            assert_eq!(profiler_hardware(&text), Some(expected), "{processors}");
        }
        assert_eq!(profiler_hardware("{}"), None);
    }

    #[test]
    fn a_metal_device_without_a_working_set_is_one_that_says_nothing() {
        let device = metal_device(r#"{"name":"Apple M4","working_set_bytes":0,"allocated_bytes":16384}"#);
        assert_eq!(device.expect("a device").working_set_bytes, None);
        assert_eq!(metal_device("null"), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(?s).{0,300}", count in "[0-9]{0,25}") {
            for text in [text.clone(), VM_STAT.replace("33762", &count), format!("total = {count}T used = {text}")] {
                let _ = VmPages::parse(&text).map(|pages| pages.available_bytes());
                let _ = Swap::parse(&text);
                let _ = (gpu_core_count(&text), profiler_gpu_cores(&text), profiler_hardware(&text), metal_device(&text));
            }
        }
    }
}

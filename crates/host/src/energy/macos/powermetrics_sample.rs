//! What `powermetrics` prints for one stretch of time.
//!
//! Property lists, one after the other with a zero byte in between. They are not read strictly: some hold a key twice,
//! and newer versions add keys. Text is understood too, for a version that knows no `-f plist`.

use serde::Deserialize;
use std::time::Duration;

/// Mean power over a stretch of time. `None` where `powermetrics` does not tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// `None` in a text without it.
    pub(super) duration: Option<Duration>,
    pub(super) processor_w: Option<f64>,
    pub(super) gpu_w: Option<f64>,
    pub(super) neural_engine_w: Option<f64>,
}

#[derive(Deserialize)]
struct Document {
    elapsed_ns: u64,
    processor: Processor,
}

/// Milliwatts.
#[derive(Deserialize)]
struct Processor {
    cpu_power: Option<f64>,
    gpu_power: Option<f64>,
    ane_power: Option<f64>,
}

impl Sample {
    /// The last whole sample in what `powermetrics` printed; `None` when there is none, or when it says that the
    /// processor spent nothing, as a faulty version did.
    pub(super) fn parse(printed: &str) -> Option<Self> {
        let documents = printed.split('\0').rev().filter(|document| !document.trim().is_empty());
        let sample = documents.filter_map(Self::of_property_list).next().or_else(|| Self::of_text(printed))?;
        sample.processor_w.is_some_and(|watts| watts > 0.0).then_some(sample)
    }

    fn of_property_list(text: &str) -> Option<Self> {
        let document: Document = plist::from_bytes(text.trim().as_bytes()).ok()?;
        let duration = Duration::from_nanos(document.elapsed_ns);
        Some(Self {
            duration: Some(duration).filter(|duration| !duration.is_zero()),
            processor_w: watts(document.processor.cpu_power),
            gpu_w: watts(document.processor.gpu_power),
            neural_engine_w: watts(document.processor.ane_power),
        })
    }

    fn of_text(text: &str) -> Option<Self> {
        let milliwatts = |name: &str| {
            let line = text.lines().rev().find_map(|line| line.trim().strip_prefix(name))?;
            watts(line.strip_prefix(':')?.trim().strip_suffix(" mW")?.trim().parse().ok())
        };
        let milliseconds = text.split('(').filter_map(|part| part.split_once("ms elapsed")).next_back();
        let duration = milliseconds.and_then(|(number, _)| number.trim().parse::<f64>().ok());
        Some(Self {
            duration: duration.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok()),
            processor_w: Some(milliwatts("CPU Power")?),
            gpu_w: milliwatts("GPU Power"),
            neural_engine_w: milliwatts("ANE Power"),
        })
    }
}

/// More than any Mac draws is a misreading.
fn watts(milliwatts: Option<f64>) -> Option<f64> {
    milliwatts.map(|milliwatts| milliwatts / 1000.0).filter(|watts| (0.0..2000.0).contains(watts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The keys and numbers of a real capture, without the clusters' tables; `gpu` holds `idle_ratio` twice as the
    /// stream of some versions does.
    fn captured(elapsed_ns: u64, milliwatts: [f64; 3], energies: [u64; 3]) -> String {
        let [cpu, gpu, ane] = milliwatts;
        let [cpu_mj, gpu_mj, ane_mj] = energies;
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
<key>is_delta</key><true/>
<key>elapsed_ns</key><integer>{elapsed_ns}</integer>
<key>hw_model</key><string>Mac14,14</string>
<key>thermal_pressure</key><string>Nominal</string>
<key>processor</key><dict>
<key>clusters</key><array><dict><key>name</key><string>E0-Cluster</string><key>idle_ratio</key><real>0.97</real></dict></array>
<key>ane_energy</key><integer>{ane_mj}</integer>
<key>ane_power</key><real>{ane}</real>
<key>cpu_energy</key><integer>{cpu_mj}</integer>
<key>cpu_power</key><real>{cpu}</real>
<key>gpu_energy</key><integer>{gpu_mj}</integer>
<key>gpu_power</key><real>{gpu}</real>
<key>combined_power</key><real>{}</real>
</dict>
<key>gpu</key><dict><key>freq_hz</key><real>1398</real><key>idle_ratio</key><real>0.05</real>
<key>idle_ratio</key><real>0.05</real><key>gpu_energy</key><integer>73491</integer></dict>
</dict>
</plist>
"#,
            cpu + gpu + ane
        )
    }

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-9)
    }

    #[test]
    fn real_captures_are_read_and_agree_with_their_own_energies() {
        let m1 = (2_019_178_750, [44.0773, 15.3528, 0.0], [89, 31, 0]);
        let m2_ultra = (1_023_721_416, [835.188, 70_924.6, 0.0], [855, 72_607, 0]);
        for (elapsed_ns, milliwatts, energies) in [m1, m2_ultra] {
            let sample = Sample::parse(&captured(elapsed_ns, milliwatts, energies)).expect("a sample");
            let seconds = sample.duration.expect("a duration").as_secs_f64();
            assert!(close(sample.processor_w, milliwatts[0] / 1000.0) && close(sample.gpu_w, milliwatts[1] / 1000.0));
            for (watts, millijoules) in [(sample.processor_w, energies[0]), (sample.gpu_w, energies[1])] {
                let joules = watts.expect("watts") * seconds;
                assert!((joules - millijoules as f64 / 1000.0).abs() < 0.001, "{joules} J for {millijoules} mJ");
            }
        }
    }

    #[test]
    fn of_several_samples_the_last_whole_one_counts() {
        let first = captured(2_000_000_000, [100.0, 10.0, 1.0], [200, 20, 2]);
        let second = captured(2_000_000_000, [300.0, 30.0, 3.0], [600, 60, 6]);
        let half = &second[..second.len() / 2];
        let watts = |text: String| Sample::parse(&text).and_then(|sample| sample.processor_w);
        assert!(close(watts(format!("{first}\0{second}\0")), 0.3));
        assert!(close(watts(format!("\0{first}\0{half}")), 0.1));
    }

    #[test]
    fn text_is_understood_as_a_last_resort() {
        let text = "*** Sampled system activity (Fri Nov 20 10:00:00 2026 +0100) (2003.23ms elapsed) ***\n\n\
            E-Cluster Power: 40 mW\nCPU Power: 823 mW\nGPU Power: 26 mW\nANE Power: 323 mW\n\
            Combined Power (CPU + GPU + ANE): 1172 mW\nCurrent pressure level: Nominal\n";
        let sample = Sample::parse(text).expect("a sample");
        assert_eq!(sample.duration, Some(Duration::from_micros(2_003_230)));
        assert!(close(sample.processor_w, 0.823) && close(sample.gpu_w, 0.026) && close(sample.neural_engine_w, 0.323));
    }

    #[test]
    fn a_processor_that_spends_nothing_is_no_reading() {
        assert_eq!(Sample::parse(&captured(2_000_000_000, [0.0, 0.0, 0.0], [0, 0, 0])), None);
        for garbage in ["", "\0\0", "powermetrics must be invoked as the superuser", "<plist><dict></dict></plist>"] {
            assert_eq!(Sample::parse(garbage), None, "{garbage:?}");
        }
    }

    #[test]
    fn energies_beyond_sixteen_bits_and_whole_milliwatts_are_read() {
        let text = captured(2_000_000_000, [1.0, 2.0, 3.0], [u64::from(u32::MAX), 1 << 40, 70_000])
            .replace("<real>1</real>", "<integer>1</integer>");
        assert!(close(Sample::parse(&text).and_then(|sample| sample.processor_w), 0.001));
    }

    proptest! {
        #[test]
        fn no_print_is_too_strange(text in "(?s).{0,300}", cut in 0_usize..1400) {
            let _ = Sample::parse(&text);
            let whole = captured(2_000_000_000, [100.0, 10.0, 1.0], [200, 20, 2]);
            let _ = Sample::parse(&whole[..cut.min(whole.len())]);
            let _ = Sample::parse(&format!("CPU Power: {text} mW"));
        }
    }
}

//! What measuring costs: the same work with and without a session, alternately, and the time of one reading.
//!
//! `cargo bench -p puma-host --bench sampling`. The meters are those of this machine and, so that there is more to read,
//! five RAPL zones in a folder of files. Processor time is compared, not wall time: it does not depend on who else runs.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use puma_core::SystemClock;
use puma_host::energy::{Chain, ChainOptions, EnergySession, SessionOptions, chain};
use puma_host::{HostSource, Machine, RealHost};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PAIRS: usize = 7;
const READINGS: u32 = 1000;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    zones(folder.path());
    let variables = BTreeMap::from([("PUMA_POWERCAP_ROOT".to_owned(), folder.path().display().to_string())]);
    let host: Arc<dyn HostSource> = Arc::new(RealHost::new(variables));
    let machine = Machine::probe(host.as_ref());
    let open = || -> Chain {
        let mut all = chain(&host, &machine, &ChainOptions::default());
        let mode = Some(puma_core::measure::TrackingMode::Estimated);
        all.extend(chain(&host, &machine, &ChainOptions { mode, ..ChainOptions::default() }));
        all
    };
    for meter in &mut open().meters {
        let began = Instant::now();
        for reading in 0..READINGS {
            let _ = black_box(meter.read(Duration::from_secs(u64::from(reading))));
        }
        let each = began.elapsed() / READINGS;
        let share = each.as_secs_f64() / meter.interval().as_secs_f64() * 100.0;
        println!("{:<20} {each:>10.1?} a reading, every {:?}: {share:.4} %", meter.source(), meter.interval());
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        without.push(processor_seconds(work));
        with.push(processor_seconds(|| {
            let mut session = EnergySession::start(open(), Arc::new(SystemClock::default()), SessionOptions::default());
            work();
            session.finish();
        }));
    }
    let (with, without) = (median(with), median(without));
    println!(
        "work without measuring {without:.3} s, with {with:.3} s (medians of {PAIRS}): {:+.2} %",
        (with / without - 1.0) * 100.0
    );
}

/// Two sockets with memory and a platform.
fn zones(root: &Path) {
    let zones = [("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "dram"), ("intel-rapl:1", "package-1")];
    let more = [("intel-rapl:1:0", "dram"), ("intel-rapl:2", "psys")];
    for (place, (folder, name)) in zones.into_iter().chain(more).enumerate() {
        let path = root.join(folder);
        std::fs::create_dir(&path).expect("a folder");
        let files = [("name", name.to_owned()), ("energy_uj", format!("{}", 1 + place * 1_000_000_007))];
        for (file, text) in files.into_iter().chain([("max_energy_range_uj", "262143328850".to_owned())]) {
            std::fs::write(path.join(file), text).expect("a file");
        }
    }
}

/// Some seconds of arithmetic.
fn work() {
    let mut number = 1u64;
    for _ in 0..6_000_000_000u64 {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

/// Processor time of the whole process while `run` runs.
fn processor_seconds(run: impl FnOnce()) -> f64 {
    let before = process_time();
    run();
    (process_time() - before).as_secs_f64()
}

fn process_time() -> Duration {
    // Ticks of a hundredth of a second, of all threads, also of those that have ended.
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = text.rsplit_once(')').expect("a name").1.split_whitespace().skip(11);
    let ticks: u64 = fields.take(2).map(|field| field.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

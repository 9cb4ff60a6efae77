//! What watching costs: the time of one sample of this machine, as share of the second between two.
//!
//! `cargo bench -p puma-host --bench watching`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use puma_core::SystemClock;
use puma_host::pressure::{Change, Judge, JudgeContext, MonitorOptions, Sampler};
use puma_host::{HostSource, Machine, RealHost};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SAMPLES: u32 = 2000;

fn main() {
    let host: Arc<dyn HostSource> = Arc::new(RealHost::new(BTreeMap::new()));
    let machine = Machine::probe(host.as_ref());
    let interval = MonitorOptions::default().interval;
    for (name, servers) in [("embedded engine", vec![]), ("a server's processes too", vec!["ollama".to_owned()])] {
        let mut sampler = Sampler::new(Arc::clone(&host), &machine, Arc::new(SystemClock::default()), &servers);
        let mut judge = Judge::new(JudgeContext::default());
        let mut times: Vec<Duration> = Vec::new();
        let mut before = sampler.read();
        for _ in 0..SAMPLES {
            let began = Instant::now();
            let mut sample = sampler.read();
            // Without waiting for it, a second has passed.
            sample.at = before.at + interval;
            if let Some(change) = Change::between(&before, &sample) {
                judge.push(&change);
            }
            black_box(judge.paging());
            times.push(began.elapsed());
            before = sample;
        }
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let share = median.as_secs_f64() / interval.as_secs_f64() * 100.0;
        println!("{name:<26} {median:>10.1?} a sample (99 % below {worst:.1?}), every {interval:?}: {share:.4} %");
    }
}

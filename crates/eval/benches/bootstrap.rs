//! 10,000 resamples of 100,000 predictions: macro F1 of answers among four labels, and the mean absolute error of
//! numbers, once of a deck of cards and once all different.
//!
//! `cargo bench -p puma-eval --bench bootstrap`; with `TWO_THREADS`, as on a machine of two cores. The item counter is
//! resamples.

use divan::counter::ItemsCount;
use puma_eval::stats::{Bootstrap, Clustered, Estimate, MeanTally, SplitMix64, Tally};

const PREDICTIONS: u32 = 100_000;
const RESAMPLES: u32 = 10_000;
const TWO_THREADS: usize = 2;
const LABELS: usize = 4;

fn main() {
    divan::main();
}

/// A confusion matrix with a column for no answer, read as macro F1.
#[derive(Clone)]
struct MacroF1 {
    cells: [u32; LABELS * (LABELS + 1)],
}

impl Tally for MacroF1 {
    type Item = usize;

    fn clear(&mut self) {
        self.cells.fill(0);
    }

    fn add(&mut self, cell: &usize) {
        self.cells[*cell] += 1;
    }

    fn read(&mut self, values: &mut [f64]) {
        let columns = LABELS + 1;
        let f1 = |label: usize| {
            let gold: u32 = self.cells[label * columns..(label + 1) * columns].iter().sum();
            let answered: u32 = self.cells.iter().skip(label).step_by(columns).sum();
            2.0 * f64::from(self.cells[label * columns + label]) / f64::from(gold + answered)
        };
        values[0] = (0..LABELS).map(f1).sum::<f64>() / LABELS as f64;
    }

    fn kind(&self, cell: &usize) -> Option<u128> {
        Some(*cell as u128)
    }

    fn add_times(&mut self, cell: &usize, times: u32) {
        self.cells[*cell] += times;
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }
}

fn sample<T>(mut item: impl FnMut(&mut SplitMix64) -> T) -> Clustered<T> {
    let mut generator = SplitMix64::new(1);
    let mut sample = Clustered::default();
    (0..PREDICTIONS).for_each(|_| sample.push([item(&mut generator)]));
    sample
}

fn estimate<T: Tally>(bencher: divan::Bencher<'_, '_>, sample: &Clustered<T::Item>, tally: &T) {
    let bootstrap = Bootstrap { resamples: RESAMPLES, seed: 42, confidence: 0.95 };
    let run = || -> Vec<Estimate> {
        let mut own = tally.fork().expect("it can be copied");
        bootstrap.estimate_with(TWO_THREADS, sample, &mut own, 1)
    };
    bencher.counter(ItemsCount::new(RESAMPLES)).bench_local(run);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn macro_f1(bencher: divan::Bencher<'_, '_>) {
    let cells = (LABELS * (LABELS + 1)) as u32;
    estimate(bencher, &sample(|random| random.below(cells) as usize), &MacroF1 { cells: [0; LABELS * (LABELS + 1)] });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn mean_absolute_error_of_cards(bencher: divan::Bencher<'_, '_>) {
    const DECK: [f64; 8] = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 40.0];
    let card = |random: &mut SplitMix64| DECK[random.below(8) as usize];
    estimate(bencher, &sample(|random| (card(random) - card(random)).abs()), &MeanTally::default());
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn mean_absolute_error_of_numbers(bencher: divan::Bencher<'_, '_>) {
    estimate(bencher, &sample(|random| random.unit() * 20.0), &MeanTally::default());
}

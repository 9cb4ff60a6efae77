//! Matrix products per level and tensor type: a feed-forward matrix of a small model, one column and sixty-four.
//!
//! `cargo bench -p puma-kernels`; the item counter is multiplications.

use divan::counter::ItemsCount;
use puma_kernels::{Columns, Kernels, Level, Packed, TensorType, Weights};

const ROWS: usize = 1536;
const LEN: usize = 768;

fn main() {
    divan::main();
}

fn cases() -> Vec<(&'static str, &'static str, usize)> {
    let mut cases = Vec::new();
    for kind in TensorType::all() {
        for level in Level::available() {
            for count in [1, 64] {
                cases.push((kind.name(), level.name(), count));
            }
        }
    }
    cases
}

#[divan::bench(args = cases(), sample_count = 20)]
fn multiply(bencher: divan::Bencher<'_, '_>, (kind, level, count): (&str, &str, usize)) {
    let kind = TensorType::all().find(|known| known.name() == kind).expect("a known type");
    let kernels = Kernels::new(level.parse::<Level>().expect("an available level"));
    let bytes = vec![0x11u8; kind.row_bytes(LEN).expect("whole blocks") * ROWS];
    let mut weights = Weights::new(kind, &bytes, ROWS, LEN).expect("matching sizes");
    let mut packed = vec![0; Packed::bytes_needed(&weights).unwrap_or(0)];
    weights.packed = Packed::pack(&weights, &mut packed);
    let values: Vec<f32> = (0..LEN * count).map(|i| (i % 17) as f32 - 8.0).collect();
    let mut columns = Columns::default();
    columns.fill(&kernels, &values, LEN);
    let mut out = vec![0.0f32; ROWS * count];
    bencher.counter(ItemsCount::new(ROWS * LEN * count)).bench_local(|| {
        let mut slices: Vec<&mut [f32]> = out.chunks_mut(ROWS).collect();
        kernels.multiply(&weights, 0..ROWS, &columns, &mut slices);
    });
}

//! The product against a naive oracle: f64 sums of dequantised weights and activations.

use puma_kernels::{ActivationGroup, Columns, Kernels, Level, TensorType, Weights, block};

mod common;
use common::{Numbers, random_row};

/// One output element from definitions only.
fn naive(kind: TensorType, row: &[u8], column: &[f32], groups: &[ActivationGroup]) -> (f64, f64) {
    let mut weights = vec![0.0f32; column.len()];
    block::dequantise(kind, row, &mut weights);
    let x = |i: usize| match kind {
        TensorType::F32 | TensorType::F16 | TensorType::BF16 => f64::from(column[i]),
        _ => f64::from(groups[i / 32].quants[i % 32]) * f64::from(groups[i / 32].d),
    };
    let products: Vec<f64> = (0..column.len()).map(|i| f64::from(weights[i]) * x(i)).collect();
    (products.iter().sum(), products.iter().map(|product| product.abs()).sum())
}

#[test]
fn products_equal_the_naive_sum_within_rounding() {
    let mut numbers = Numbers::new(7);
    for kind in TensorType::all() {
        let (len, rows, count) = (512, 19, 6);
        let bytes: Vec<u8> = (0..rows).flat_map(|_| random_row(&mut numbers, kind, len)).collect();
        let weights = Weights::new(kind, &bytes, rows, len).unwrap();
        let values: Vec<f32> = (0..len * count).map(|_| numbers.float(2.0)).collect();
        for level in Level::available() {
            let kernels = Kernels::new(level);
            let mut columns = Columns::default();
            columns.fill(&kernels, &values, len);
            let mut out = vec![0.0f32; rows * count];
            kernels.multiply(&weights, 0..rows, &columns, &mut out.chunks_mut(rows).collect::<Vec<_>>());
            for (column, out) in out.chunks(rows).enumerate() {
                for (row, got) in bytes.chunks(weights.row_bytes()).zip(out) {
                    let (want, size) = naive(kind, row, columns.values(column), columns.groups(column));
                    assert!((f64::from(*got) - want).abs() <= 1e-5 * size, "{} {level}: {got} {want}", kind.name());
                }
            }
        }
    }
}

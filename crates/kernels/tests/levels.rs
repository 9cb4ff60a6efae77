//! Every level, batch size and row split gives the scalar level's bits.

use proptest::prelude::*;
use puma_kernels::{Columns, Kernels, Level, Packed, TensorType, Weights};

mod common;
use common::{Numbers, random_row};

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The product computed in row ranges of `split` and batches of `batch` columns, as `[column][row]`.
fn product(level: Level, weights: &Weights<'_>, values: &[f32], split: usize, batch: usize) -> Vec<f32> {
    let kernels = Kernels::new(level);
    let mut result = Vec::new();
    for part in values.chunks(batch * weights.len) {
        let mut columns = Columns::default();
        columns.fill(&kernels, part, weights.len);
        let mut out = vec![0.0f32; weights.rows * columns.count()];
        let mut row = 0;
        while row < weights.rows {
            let end = weights.rows.min(row + split);
            let mut slices: Vec<&mut [f32]> = out.chunks_mut(weights.rows).map(|out| &mut out[row..end]).collect();
            kernels.multiply(weights, row..end, &columns, &mut slices);
            row = end;
        }
        result.extend(out);
    }
    result
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn products_have_one_set_of_bits(
        seed in any::<u64>(), kind in 0..TensorType::all().count(), blocks in 1usize..4, rows in 1usize..40, count in 1usize..20,
        split in 1usize..40, batch in 1usize..20,
    ) {
        let kind = TensorType::all().nth(kind).unwrap();
        let len = blocks * kind.block_len().max(32);
        let mut numbers = Numbers::new(seed);
        let bytes: Vec<u8> = (0..rows).flat_map(|_| random_row(&mut numbers, kind, len)).collect();
        let weights = Weights::new(kind, &bytes, rows, len).unwrap();
        let values: Vec<f32> = (0..len * count).map(|_| numbers.float(3.0)).collect();
        let want = product(Level::Scalar, &weights, &values, rows, count);
        for level in Level::available() {
            let mut packed = vec![0; Packed::bytes_needed(&weights).unwrap_or(0)];
            let weights = Weights { packed: Packed::pack(&weights, &mut packed), ..weights };
            prop_assert_eq!(bits(&product(level, &weights, &values, rows, count)), bits(&want), "{} packed", level);
            prop_assert_eq!(bits(&product(level, &weights, &values, split, batch)), bits(&want), "{} packed split", level);
            let weights = Weights { packed: None, ..weights };
            prop_assert_eq!(bits(&product(level, &weights, &values, rows, count)), bits(&want), "{}", level);
            prop_assert_eq!(bits(&product(level, &weights, &values, split, batch)), bits(&want), "{} split", level);
        }
    }

    #[test]
    fn vector_functions_have_one_set_of_bits(seed in any::<u64>(), len in 1usize..300) {
        let mut numbers = Numbers::new(seed);
        let x: Vec<f32> = (0..len).map(|_| numbers.float(9.0)).collect();
        let y: Vec<f32> = (0..len).map(|_| numbers.float(9.0)).collect();
        let run = |level| {
            let kernels = Kernels::new(level);
            let mut normal = vec![0.0; len];
            (kernels.rms_norm)(&x, &y, 1e-5, &mut normal);
            let mut gate = x.clone();
            (kernels.silu_mul)(&mut gate, &y);
            let mut gelu = x.clone();
            (kernels.gelu_mul)(&mut gelu, &y);
            (kernels.soft_cap)(&mut gelu, 5.0);
            let mut sum = x.clone();
            (kernels.add)(&mut sum, &y);
            let vectors = [&normal, &gate, &gelu, &sum].map(|vector| bits(vector));
            (vectors, (kernels.dot)(&x, &y).to_bits(), (kernels.log_normaliser)(&x).to_bits())
        };
        for level in Level::available() {
            prop_assert_eq!(run(level), run(Level::Scalar), "{}", level);
        }
    }
}

#[test]
fn expected_levels_are_present() {
    let available: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
    if let Ok(expected) = std::env::var("PUMA_EXPECT_LEVELS") {
        for name in expected.split(',') {
            assert!(available.contains(&name), "this machine lacks {name}; it has {available:?}");
        }
    }
    assert!(available.contains(&"scalar"));
}

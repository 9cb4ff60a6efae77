//! One committed number for all kernels together: it changes only with the contract version.

use puma_kernels::{
    Attention, BLOCK_LEN, CONTRACT, Cached, Columns, Kernels, LayerBlock, Level, TensorType, Weights, math,
};

mod common;
use common::{Numbers, random_row};

/// Contract version and the FNV-1a hash of all result bits under it.
const DIGEST: (&str, u64) = ("N1", 0x29b3_f5c9_3257_d1ac);

/// The types that [`DIGEST`] covers, in the order of [`TensorType::all`].
const FIRST_TYPES: usize = 13;

/// The products of each type that came later, by the same hash.
const LATER_TYPES: [(TensorType, u64); 4] = [
    (TensorType::IQ4NL, 0x6fea_0085_9bbb_52a7),
    (TensorType::IQ4XS, 0xb38d_3fc7_3e12_e008),
    (TensorType::MXFP4, 0x16c9_702b_b7ab_734f),
    (TensorType::Q8K, 0x5f4f_08cd_f53f_3bbd),
];

const START: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(hash: &mut u64, values: &[f32]) {
    for byte in values.iter().flat_map(|value| value.to_bits().to_le_bytes()) {
        *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

/// Adds a product with weights of `kind` and one dequantised row of them.
fn add_products(state: &mut u64, kernels: &Kernels, numbers: &mut Numbers, kind: TensorType) {
    let (len, rows, count) = (768, 21, 7);
    let bytes: Vec<u8> = (0..rows).flat_map(|_| random_row(numbers, kind, len)).collect();
    let weights = Weights::new(kind, &bytes, rows, len).expect("sizes that fit");
    let values: Vec<f32> = (0..len * count).map(|_| numbers.float(4.0)).collect();
    let mut columns = Columns::default();
    columns.fill(kernels, &values, len);
    let mut out = vec![0.0f32; rows * count];
    kernels.multiply(&weights, 0..rows, &columns, &mut out.chunks_mut(rows).collect::<Vec<_>>());
    hash(state, &out);
    let mut row = vec![0.0f32; len];
    puma_kernels::block::dequantise(kind, &bytes[..weights.row_bytes()], &mut row);
    hash(state, &row);
}

/// One head of 96 numbers over nine positions, which stand 100 numbers apart in `keys` and `values` from the fourth on.
fn attention(kernels: &Kernels, keys: &[f32], values: &[f32]) -> Vec<f32> {
    let (mut block_keys, mut block_values) = (vec![0.0; 96 * BLOCK_LEN], vec![0.0; 96 * BLOCK_LEN]);
    for position in 0..9 {
        for d in 0..96 {
            block_keys[d * BLOCK_LEN + position] = keys[position * 100 + 3 + d];
            block_values[position * 96 + d] = values[position * 100 + 3 + d];
        }
    }
    let block = LayerBlock { keys: Cached::F32(&block_keys), values: Cached::F32(&block_values) };
    let job = Attention {
        blocks: &[block],
        kv_head: 0,
        head_len: 96,
        heads: 1,
        queries: &keys[..96],
        query_stride: 96,
        position: 8,
        window: usize::MAX,
        scale: 0.1,
        softcap: 0.0,
    };
    let mut out = vec![0.0; 96];
    (kernels.attend)(&job, &mut Vec::new(), &mut [&mut out]);
    out
}

fn digest(level: Level) -> u64 {
    let kernels = Kernels::new(level);
    let mut numbers = Numbers::new(2026);
    let mut state = START;
    for kind in TensorType::all().take(FIRST_TYPES) {
        add_products(&mut state, &kernels, &mut numbers, kind);
    }
    let x: Vec<f32> = (0..1000).map(|_| numbers.float(8.0)).collect();
    let y: Vec<f32> = (0..1000).map(|_| numbers.float(8.0)).collect();
    let mut out = vec![0.0; 1000];
    (kernels.rms_norm)(&x, &y, 1e-6, &mut out);
    (kernels.silu_mul)(&mut out, &x);
    hash(&mut state, &out);
    hash(&mut state, &[(kernels.dot)(&x, &y), (kernels.log_normaliser)(&x) as f32]);
    let out = attention(&kernels, &x, &y);
    hash(&mut state, &out);
    for i in 0..1000 {
        let angle = f64::from(i) * 1.37;
        let (sin, cos) = math::sin_cos::sin_cos(angle);
        hash(&mut state, &[sin as f32, cos as f32, math::pow::pow(1e5, -f64::from(i) / 1000.0) as f32]);
    }
    state
}

#[test]
fn the_digest_of_all_kernels_is_the_committed_one_at_every_level() {
    assert_eq!(CONTRACT, DIGEST.0, "a new contract version needs a new digest");
    for level in Level::available() {
        let got = digest(level);
        assert_eq!(got, DIGEST.1, "{level}: {got:#018x}");
    }
}

#[test]
fn the_digest_of_every_later_tensor_type_is_the_committed_one_at_every_level() {
    assert!(TensorType::all().skip(FIRST_TYPES).eq(LATER_TYPES.map(|(kind, _)| kind)), "a type has no digest");
    for (kind, want) in LATER_TYPES {
        for level in Level::available() {
            let (mut state, mut numbers) = (START, Numbers::new(2027));
            add_products(&mut state, &Kernels::new(level), &mut numbers, kind);
            assert_eq!(state, want, "{} {level}: {state:#018x}", kind.name());
        }
    }
}

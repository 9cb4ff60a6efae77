//! Every tensor type against an independent reader: PyPI's gguf (`scripts/golden/dequantise.py`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use puma_kernels::{TensorType, block};

const GOLDEN: &str = include_str!("golden/dequantised.txt");

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn every_tensor_type_holds_the_numbers_that_gguf_reads() {
    let mut seen = Vec::new();
    for line in GOLDEN.lines() {
        let [name, bytes, bits] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("three fields a line: {line}")
        };
        let kind = TensorType::all().find(|kind| kind.name() == name).unwrap();
        let want: Vec<u32> =
            (0..bits.len() / 8).map(|i| u32::from_str_radix(&bits[8 * i..8 * i + 8], 16).unwrap()).collect();
        let mut got = vec![0.0f32; want.len()];
        block::dequantise(kind, &from_hex(bytes), &mut got);
        for (i, (got, want)) in got.iter().zip(want).enumerate() {
            let want = f32::from_bits(want);
            // 0 times a negative number: the sign of a zero weight is of no consequence and differs between readers.
            assert!(got.to_bits() == want.to_bits() || (*got == 0.0 && want == 0.0), "{name} {i}: {got} {want}");
        }
        seen.push(kind);
    }
    assert!(TensorType::all().all(|kind| seen.contains(&kind)), "a type has no golden: {seen:?}");
}

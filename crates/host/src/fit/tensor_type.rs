//! Block sizes of ggml's tensor types, also of those the embedded engine does not compute with.
//!
//! Source: `enum ggml_type` and the block structures of ggml.

/// How a tensor's numbers are packed: `block_len` numbers in `block_bytes` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorType {
    /// Number in `enum ggml_type`.
    pub id: u32,
    pub name: &'static str,
    pub block_len: u64,
    pub block_bytes: u64,
}

const fn kind(id: u32, name: &'static str, block_len: u64, block_bytes: u64) -> TensorType {
    TensorType { id, name, block_len, block_bytes }
}

/// By number. Types that ggml removed before GGUF existed are absent.
pub const TENSOR_TYPES: [TensorType; 34] = [
    kind(0, "F32", 1, 4),
    kind(1, "F16", 1, 2),
    kind(2, "Q4_0", 32, 18),
    kind(3, "Q4_1", 32, 20),
    kind(6, "Q5_0", 32, 22),
    kind(7, "Q5_1", 32, 24),
    kind(8, "Q8_0", 32, 34),
    kind(9, "Q8_1", 32, 36),
    kind(10, "Q2_K", 256, 84),
    kind(11, "Q3_K", 256, 110),
    kind(12, "Q4_K", 256, 144),
    kind(13, "Q5_K", 256, 176),
    kind(14, "Q6_K", 256, 210),
    kind(15, "Q8_K", 256, 292),
    kind(16, "IQ2_XXS", 256, 66),
    kind(17, "IQ2_XS", 256, 74),
    kind(18, "IQ3_XXS", 256, 98),
    kind(19, "IQ1_S", 256, 50),
    kind(20, "IQ4_NL", 32, 18),
    kind(21, "IQ3_S", 256, 110),
    kind(22, "IQ2_S", 256, 82),
    kind(23, "IQ4_XS", 256, 136),
    kind(24, "I8", 1, 1),
    kind(25, "I16", 1, 2),
    kind(26, "I32", 1, 4),
    kind(27, "I64", 1, 8),
    kind(28, "F64", 1, 8),
    kind(29, "IQ1_M", 256, 56),
    kind(30, "BF16", 1, 2),
    kind(34, "TQ1_0", 256, 54),
    kind(35, "TQ2_0", 256, 66),
    kind(39, "MXFP4", 32, 17),
    kind(40, "NVFP4", 64, 36),
    kind(41, "Q1_0", 128, 18),
];

impl TensorType {
    /// The type with ggml's number `id`.
    pub fn from_id(id: u32) -> Option<Self> {
        TENSOR_TYPES.into_iter().find(|kind| kind.id == id)
    }

    /// The type called `name`, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        TENSOR_TYPES.into_iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
    }

    /// Bytes of a tensor with these dimensions, fastest first: rows are whole numbers of blocks. `None` where they are
    /// not, or where the size does not fit 64 bits.
    pub fn size_bytes(self, shape: &[u64]) -> Option<u64> {
        let row_len = shape.first().copied().unwrap_or(1);
        if !row_len.is_multiple_of(self.block_len) {
            return None;
        }
        let rows = shape.iter().skip(1).try_fold(1u64, |rows, &length| rows.checked_mul(length))?;
        (row_len / self.block_len).checked_mul(self.block_bytes)?.checked_mul(rows)
    }

    /// Bits a number takes on average.
    pub fn bits_per_weight(self) -> f64 {
        self.block_bytes as f64 * 8.0 / self.block_len as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_per_weight_are_those_ggml_publishes() {
        for (name, bits) in [("F16", 16.0), ("Q8_0", 8.5), ("Q6_K", 6.5625), ("Q4_K", 4.5), ("Q4_1", 5.0)] {
            assert_eq!(TensorType::from_name(name).unwrap().bits_per_weight(), bits, "{name}");
        }
        for (name, bits) in [("iq1_s", 1.5625), ("iq4_xs", 4.25), ("mxfp4", 4.25), ("nvfp4", 4.5), ("tq1_0", 1.6875)] {
            assert_eq!(TensorType::from_name(name).unwrap().bits_per_weight(), bits, "{name}");
        }
    }

    #[test]
    fn numbers_and_names_are_unique_and_found() {
        for kind in TENSOR_TYPES {
            assert_eq!(TensorType::from_id(kind.id), Some(kind));
            assert_eq!(TensorType::from_name(kind.name), Some(kind));
        }
    }

    #[test]
    fn a_size_counts_whole_blocks_and_never_wraps() {
        let q4 = TensorType::from_name("Q4_0").unwrap();
        assert_eq!(q4.size_bytes(&[64, 3]), Some(2 * 18 * 3));
        assert_eq!(q4.size_bytes(&[33, 3]), None);
        assert_eq!(q4.size_bytes(&[1 << 40, 1 << 40]), None);
        assert_eq!(TensorType::from_id(0).unwrap().size_bytes(&[]), Some(4));
    }
}

//! The tensor types of a GGUF file: their numbers, block lengths and block sizes.

/// How a tensor's numbers are stored. Numbers and layouts: the GGUF specification and ggml's block structs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TensorType {
    F32,
    F16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    BF16,
    IQ4NL,
    IQ4XS,
    MXFP4,
    Q8K,
}

struct Row {
    kind: TensorType,
    id: u32,
    name: &'static str,
    /// Weights in one block.
    block_len: usize,
    /// Bytes of one block.
    block_bytes: usize,
}

const fn row(kind: TensorType, id: u32, name: &'static str, block_len: usize, block_bytes: usize) -> Row {
    Row { kind, id, name, block_len, block_bytes }
}

/// In the order of the enum, so that `kind as usize` is the index. New types go to the end: committed digests and goldens
/// walk the types in this order.
const TABLE: [Row; 17] = [
    row(TensorType::F32, 0, "F32", 1, 4),
    row(TensorType::F16, 1, "F16", 1, 2),
    row(TensorType::Q4_0, 2, "Q4_0", 32, 18),
    row(TensorType::Q4_1, 3, "Q4_1", 32, 20),
    row(TensorType::Q5_0, 6, "Q5_0", 32, 22),
    row(TensorType::Q5_1, 7, "Q5_1", 32, 24),
    row(TensorType::Q8_0, 8, "Q8_0", 32, 34),
    row(TensorType::Q2K, 10, "Q2_K", 256, 84),
    row(TensorType::Q3K, 11, "Q3_K", 256, 110),
    row(TensorType::Q4K, 12, "Q4_K", 256, 144),
    row(TensorType::Q5K, 13, "Q5_K", 256, 176),
    row(TensorType::Q6K, 14, "Q6_K", 256, 210),
    row(TensorType::BF16, 30, "BF16", 1, 2),
    row(TensorType::IQ4NL, 20, "IQ4_NL", 32, 18),
    row(TensorType::IQ4XS, 23, "IQ4_XS", 256, 136),
    row(TensorType::MXFP4, 39, "MXFP4", 32, 17),
    row(TensorType::Q8K, 15, "Q8_K", 256, 292),
];

impl TensorType {
    /// Every type the engine computes with.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    /// The type with GGUF number `id`, if the engine knows it.
    pub fn from_id(id: u32) -> Option<Self> {
        TABLE.iter().find(|row| row.id == id).map(|row| row.kind)
    }

    /// The type's number in a GGUF file.
    pub fn id(self) -> u32 {
        TABLE[self as usize].id
    }

    /// The usual spelling, `Q4_K`.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].name
    }

    /// Weights in one block; 1 for plain floats.
    pub fn block_len(self) -> usize {
        TABLE[self as usize].block_len
    }

    /// Bytes of one block.
    pub fn block_bytes(self) -> usize {
        TABLE[self as usize].block_bytes
    }

    /// Bytes of a row of `len` weights; `None` when `len` is no multiple of the block length or too large.
    pub fn row_bytes(self, len: usize) -> Option<usize> {
        if len.is_multiple_of(self.block_len()) {
            (len / self.block_len()).checked_mul(self.block_bytes())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_enum_order() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, index);
            assert_eq!(TensorType::from_id(row.id), Some(row.kind));
        }
    }
}

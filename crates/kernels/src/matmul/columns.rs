//! The two operands of a matrix product.

use crate::matmul::activation::ActivationGroup;
use crate::matmul::packed::Packed;
use crate::{Kernels, TensorType};

/// A matrix as stored: `rows` rows of `len` weights, row after row. Beside it may stand its packed form, which saves packing
/// while multiplying and changes no bit.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    pub kind: TensorType,
    pub bytes: &'a [u8],
    pub rows: usize,
    pub len: usize,
    pub packed: Option<&'a Packed>,
}

impl<'a> Weights<'a> {
    /// A view of `bytes` as `rows` rows of `len` weights; `None` if the sizes do not fit each other.
    pub fn new(kind: TensorType, bytes: &'a [u8], rows: usize, len: usize) -> Option<Self> {
        let wanted = kind.row_bytes(len)?.checked_mul(rows)?;
        (wanted == bytes.len() && len > 0).then_some(Self { kind, bytes, rows, len, packed: None })
    }

    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.bytes.len().checked_div(self.rows).unwrap_or(0)
    }
}

/// A batch of vectors to multiply with, in f32 and, where weights are quantised, in integers too.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    len: usize,
    values: Vec<f32>,
    groups: Vec<ActivationGroup>,
}

impl Columns {
    /// Takes `values`, `[count][len]`, and quantises them if `len` is a whole number of groups.
    ///
    /// Panics if `values` is no whole number of columns.
    pub fn fill(&mut self, kernels: &Kernels, values: &[f32], len: usize) {
        assert!(len > 0 && values.len().is_multiple_of(len), "columns of length {len} from {} numbers", values.len());
        self.len = len;
        self.values.clear();
        self.values.extend_from_slice(values);
        self.groups.clear();
        if len.is_multiple_of(32) {
            self.groups.resize(values.len() / 32, ActivationGroup::ZERO);
            (kernels.quantise)(values, &mut self.groups);
        }
    }

    /// Numbers in one column.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True before the first fill.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many columns there are.
    pub fn count(&self) -> usize {
        self.values.len().checked_div(self.len).unwrap_or(0)
    }

    /// Column `index` in f32.
    #[inline(always)]
    pub fn values(&self, index: usize) -> &[f32] {
        &self.values[index * self.len..][..self.len]
    }

    /// Column `index` in integers. Panics if the column length is no multiple of 32.
    #[inline(always)]
    pub fn groups(&self, index: usize) -> &[ActivationGroup] {
        let groups = self.len / 32;
        &self.groups[index * groups..][..groups]
    }
}

//! The two operands of a matrix product.

use crate::block::format::GROUP_LEN;
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
    pub packed: Option<Packed<'a>>,
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
        self.reset(values.len() / len, len);
        for mut part in self.parts_mut(usize::MAX) {
            part.fill(kernels, &|index, column| column.copy_from_slice(&values[index * len..][..len]));
        }
    }

    /// Makes room for `count` columns of `len` numbers; [`parts_mut`](Self::parts_mut) fills them.
    pub fn reset(&mut self, count: usize, len: usize) {
        assert!(len > 0, "columns without numbers");
        self.len = len;
        self.values.resize(count * len, 0.0);
        let groups = if len.is_multiple_of(GROUP_LEN) { len / GROUP_LEN } else { 0 };
        self.groups.resize(count * groups, ActivationGroup::ZERO);
    }

    /// The columns in parts of `count`, to be filled by several threads.
    pub fn parts_mut(&mut self, count: usize) -> impl Iterator<Item = ColumnsPart<'_>> {
        let len = self.len;
        let count = count.min(self.count()).max(1);
        let groups = if len.is_multiple_of(GROUP_LEN) { len / GROUP_LEN } else { 0 };
        let mut of_parts = self.groups.chunks_mut((count * groups).max(1));
        self.values.chunks_mut(count * len).enumerate().map(move |(part, values)| {
            let groups = of_parts.next().unwrap_or_default();
            ColumnsPart { first: part * count, len, values, groups }
        })
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
        let groups = self.len / GROUP_LEN;
        &self.groups[index * groups..][..groups]
    }
}

/// Some neighbouring columns of a batch, to be filled.
pub struct ColumnsPart<'a> {
    first: usize,
    len: usize,
    values: &'a mut [f32],
    groups: &'a mut [ActivationGroup],
}

impl ColumnsPart<'_> {
    /// Lets `write` write each column, which it is given by its index in the whole batch, and quantises it.
    pub fn fill(&mut self, kernels: &Kernels, write: &dyn Fn(usize, &mut [f32])) {
        let groups = self.len / GROUP_LEN;
        for (index, column) in self.values.chunks_exact_mut(self.len).enumerate() {
            write(self.first + index, column);
            if self.len.is_multiple_of(GROUP_LEN) {
                (kernels.quantise)(column, &mut self.groups[index * groups..][..groups]);
            }
        }
    }
}

//! Finding tensors by name and checking their shapes.

use crate::error::EngineError;
use crate::gguf::{Gguf, TensorInfo};
use puma_kernels::{TensorType, Weights, block};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A weight matrix left where it is in the file.
#[derive(Clone, Debug)]
pub struct Matrix {
    info: TensorInfo,
    /// The tensor's row this matrix begins with; above 0 where one tensor holds several matrices.
    first_row: usize,
    /// Output numbers.
    pub rows: usize,
    /// Input numbers.
    pub len: usize,
}

impl Matrix {
    /// The type its weights are stored in.
    pub fn kind(&self) -> TensorType {
        self.info.kind
    }

    /// The weights, as a view of the file.
    pub(crate) fn weights<'a>(&self, gguf: &'a Gguf) -> Weights<'a> {
        let row_bytes = self.info.kind.row_bytes(self.len).expect("shape and size were checked at loading");
        let bytes = &gguf.data(&self.info)[self.first_row * row_bytes..][..self.rows * row_bytes];
        Weights::new(self.info.kind, bytes, self.rows, self.len).expect("shape and size were checked at loading")
    }

    /// The `rows` rows from `first` on. Panics if there are not as many.
    pub(super) fn part(&self, first: usize, rows: usize) -> Self {
        assert!(first + rows <= self.rows, "rows {first} to {} of {}", first + rows, self.rows);
        Self { info: self.info.clone(), first_row: self.first_row + first, rows, len: self.len }
    }

    /// Row `index` in f32.
    pub(crate) fn row(&self, gguf: &Gguf, index: usize, out: &mut [f32]) {
        let weights = self.weights(gguf);
        block::dequantise(weights.kind, &weights.bytes[index * weights.row_bytes()..][..weights.row_bytes()], out);
    }
}

/// A file's tensors while a model is being loaded; remembers which were taken.
pub(super) struct Tensors<'a> {
    gguf: &'a Gguf,
    taken: RefCell<BTreeSet<String>>,
}

impl<'a> Tensors<'a> {
    pub(super) fn new(gguf: &'a Gguf) -> Self {
        Self { gguf, taken: RefCell::default() }
    }

    fn error(&self, message: String) -> EngineError {
        let hint = Some("the file may be damaged or made by an incompatible converter".to_owned());
        EngineError::Model { file: self.gguf.metadata().file().to_owned(), message, hint }
    }

    fn find(&self, name: &str) -> Option<&'a TensorInfo> {
        let info = self.gguf.tensor(name)?;
        self.taken.borrow_mut().insert(name.to_owned());
        Some(info)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.gguf.tensor(name).is_some()
    }

    pub(super) fn missing(&self, name: &str) -> EngineError {
        self.error(format!("the tensor {name} is missing"))
    }

    pub(super) fn unknown(&self, name: &str) -> EngineError {
        self.error(format!("the engine does not know what the tensor {name} is for"))
    }

    /// The matrix `name` with `len` inputs and `rows` outputs; `None` for `rows` accepts any number.
    pub(super) fn matrix(&self, name: &str, len: usize, rows: Option<usize>) -> Result<Matrix, EngineError> {
        let info = self.find(name).ok_or_else(|| self.missing(name))?;
        let &[file_len, file_rows] = info.shape.as_slice() else {
            return Err(self.error(format!("the tensor {name} is not a matrix: its shape is {:?}", info.shape)));
        };
        let rows = rows.unwrap_or(usize::try_from(file_rows).unwrap_or(0));
        if file_len != len as u64 || file_rows != rows as u64 || rows == 0 {
            let message = format!("the tensor {name} has the shape {:?}, but should have [{len}, {rows}]", info.shape);
            return Err(self.error(message));
        }
        self.checked(info, rows, len)
    }

    /// The `count` matrices of the tensor `name`, each with `len` inputs and `rows` outputs.
    pub(super) fn matrices(
        &self,
        name: &str,
        len: usize,
        rows: usize,
        count: usize,
    ) -> Result<Vec<Matrix>, EngineError> {
        let info = self.find(name).ok_or_else(|| self.missing(name))?;
        if info.shape != [len as u64, rows as u64, count as u64] {
            let message =
                format!("the tensor {name} has the shape {:?}, but should have [{len}, {rows}, {count}]", info.shape);
            return Err(self.error(message));
        }
        let whole = self.checked(info, rows * count, len)?;
        Ok((0..count).map(|index| whole.part(index * rows, rows)).collect())
    }

    /// A matrix of `rows` rows of `len` weights, if the tensor's type and bytes allow it.
    fn checked(&self, info: &TensorInfo, rows: usize, len: usize) -> Result<Matrix, EngineError> {
        let quantised = info.kind.block_len() > 1;
        if quantised && !len.is_multiple_of(32) || Weights::new(info.kind, self.gguf.data(info), rows, len).is_none() {
            let message = format!("the rows of {} are no whole number of {} blocks", info.name, info.kind.name());
            return Err(self.error(message));
        }
        Ok(Matrix { info: info.clone(), first_row: 0, rows, len })
    }

    /// The vector `name` of `len` numbers in f32, if it is there.
    pub(super) fn optional_vector(&self, name: &str, len: usize) -> Result<Option<Vec<f32>>, EngineError> {
        let Some(info) = self.find(name) else { return Ok(None) };
        if info.elements() != len as u64 || info.kind.row_bytes(len) != Some(self.gguf.data(info).len()) {
            let message = format!("the tensor {name} has the shape {:?}, but should have [{len}]", info.shape);
            return Err(self.error(message));
        }
        let mut values = vec![0.0; len];
        block::dequantise(info.kind, self.gguf.data(info), &mut values);
        Ok(Some(values))
    }

    /// As [`optional_vector`](Self::optional_vector), for vectors a model cannot do without.
    pub(super) fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, EngineError> {
        self.optional_vector(name, len)?.ok_or_else(|| self.missing(name))
    }

    /// Fails if a tensor was left unused: it would change the answer. Those of an image encoder in the same file do not.
    pub(super) fn finish(&self) -> Result<(), EngineError> {
        let taken = self.taken.borrow();
        let left = self.gguf.tensors().iter().find(|info| {
            let harmless = info.name.starts_with("v.") || info.name.starts_with("mm.");
            !harmless && !info.name.ends_with("rot_embd.weight") && !taken.contains(&info.name)
        });
        match left {
            None => Ok(()),
            Some(info) => Err(self.unknown(&info.name)),
        }
    }
}

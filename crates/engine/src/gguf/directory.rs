//! The tensor directory: which tensors there are and where their bytes lie.

use super::cursor::Cursor;
use super::error::{GgufError, GgufErrorKind};
use puma_kernels::TensorType;
use std::collections::BTreeMap;
use std::ops::Range;

/// ggml's tensors have at most four dimensions.
const MAX_DIMENSIONS: u32 = 4;

/// Tensor types of ggml that exist in the wild but that the engine does not compute with. Numbers: `enum ggml_type`.
const UNSUPPORTED: [(u32, &str); 23] = [
    (4, "Q4_2"),
    (5, "Q4_3"),
    (9, "Q8_1"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (40, "NVFP4"),
    (41, "Q1_0"),
    (42, "Q2_0"),
];

/// One tensor of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorInfo {
    pub name: String,
    /// Length of each dimension, fastest first: `[columns, rows]` for a matrix.
    pub shape: Vec<u64>,
    pub kind: TensorType,
    /// Where the bytes lie in the file.
    pub(super) range: Range<usize>,
}

impl TensorInfo {
    /// Number of weights.
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// Bytes the tensor takes in the file.
    pub fn size_bytes(&self) -> u64 {
        self.range.len() as u64
    }
}

/// Reads the directory of `count` tensors, then places them: their data begin at the next multiple of `alignment`.
pub(super) fn read_directory(
    cursor: &mut Cursor<'_>,
    count: usize,
    alignment: u64,
    file_bytes: u64,
) -> Result<(Vec<TensorInfo>, BTreeMap<String, usize>), GgufError> {
    let mut entries = Vec::with_capacity(count);
    let mut by_name = BTreeMap::new();
    for index in 0..count {
        cursor.set_subject(format!("tensor entry {} of {count}", index + 1));
        let entry = read_entry(cursor, alignment)?;
        if by_name.insert(entry.name.clone(), index).is_some() {
            return Err(cursor.error(GgufErrorKind::Malformed, format!("the tensor {} occurs twice", entry.name)));
        }
        entries.push(entry);
    }
    let data_start = (cursor.position() as u64).next_multiple_of(alignment);
    let tensors = place(cursor, entries, data_start, file_bytes)?;
    check_overlaps(cursor, &tensors)?;
    Ok((tensors, by_name))
}

/// A directory entry whose offset still counts from the start of the tensor data.
struct Entry {
    name: String,
    shape: Vec<u64>,
    kind: TensorType,
    offset: u64,
    size_bytes: u64,
}

fn read_entry(cursor: &mut Cursor<'_>, alignment: u64) -> Result<Entry, GgufError> {
    let name = cursor.name("tensor name")?.to_owned();
    cursor.set_subject(format!("tensor {name}"));
    let shape = read_shape(cursor)?;
    let kind = read_kind(cursor, &name)?;
    let offset = cursor.u64()?;
    if offset % alignment != 0 {
        let message = format!("the data offset {offset} is no multiple of the file's alignment, {alignment}");
        return Err(cursor.error(GgufErrorKind::Malformed, message));
    }
    let size_bytes = size_of(&shape, kind).ok_or_else(|| {
        let message = format!(
            "the shape {shape:?} does not fit type {}: dimensions must be positive, rows a multiple of {} weights, \
             and the size below 2^64 bytes",
            kind.name(),
            kind.block_len()
        );
        cursor.error(GgufErrorKind::Malformed, message)
    })?;
    Ok(Entry { name, shape, kind, offset, size_bytes })
}

/// The length of each dimension, fastest first.
pub(super) fn read_shape(cursor: &mut Cursor<'_>) -> Result<Vec<u64>, GgufError> {
    let dimensions = cursor.u32()?;
    if dimensions > MAX_DIMENSIONS {
        let message = format!("{dimensions} dimensions are announced, allowed are at most {MAX_DIMENSIONS}");
        return Err(cursor.error(GgufErrorKind::Malformed, message));
    }
    (0..dimensions).map(|_| cursor.u64()).collect()
}

fn read_kind(cursor: &mut Cursor<'_>, name: &str) -> Result<TensorType, GgufError> {
    let id = cursor.u32()?;
    TensorType::from_id(id).ok_or_else(|| {
        let supported: Vec<&str> = TensorType::all().map(TensorType::name).collect();
        let known = UNSUPPORTED.iter().find(|(number, _)| *number == id);
        let message = match known {
            Some((_, kind)) => format!("the tensor {name} has type {kind} (number {id}), which is not supported"),
            None => format!("the tensor {name} has the unknown type number {id}"),
        };
        cursor
            .error(GgufErrorKind::UnsupportedType, message)
            .with_hint(format!("use a file quantised to one of {}", supported.join(", ")))
    })
}

fn size_of(shape: &[u64], kind: TensorType) -> Option<u64> {
    if shape.contains(&0) {
        return None;
    }
    let row_len = usize::try_from(shape.first().copied().unwrap_or(1)).ok()?;
    let row_bytes = kind.row_bytes(row_len)? as u64;
    let rows = shape.iter().skip(1).try_fold(1u64, |rows, &length| rows.checked_mul(length))?;
    // The number of weights must fit too: `TensorInfo::elements` multiplies without a check.
    rows.checked_mul(row_len as u64)?;
    row_bytes.checked_mul(rows)
}

fn place(
    cursor: &Cursor<'_>,
    entries: Vec<Entry>,
    data_start: u64,
    file_bytes: u64,
) -> Result<Vec<TensorInfo>, GgufError> {
    let end_of = |entry: &Entry| data_start.checked_add(entry.offset)?.checked_add(entry.size_bytes);
    let mut needed = Some(0u64);
    for entry in &entries {
        needed = needed.and_then(|largest| Some(largest.max(end_of(entry)?)));
    }
    entries
        .into_iter()
        .map(|entry| match end_of(&entry) {
            Some(end) if end <= file_bytes => {
                let start = usize::try_from(data_start + entry.offset);
                let range = start.ok().zip(usize::try_from(end).ok()).map(|(start, end)| start..end);
                let range = range.expect("the file is in memory, so its offsets fit");
                Ok(TensorInfo { name: entry.name, shape: entry.shape, kind: entry.kind, range })
            }
            _ => Err(out_of_file(cursor, &entry, needed, file_bytes)),
        })
        .collect()
}

fn out_of_file(cursor: &Cursor<'_>, entry: &Entry, needed: Option<u64>, file_bytes: u64) -> GgufError {
    let message = match needed {
        Some(needed) => format!("the file has {file_bytes} bytes, but its tensors need {needed}"),
        None => format!("the file has {file_bytes} bytes, but its tensors need more than 2^64"),
    };
    GgufError::new(GgufErrorKind::Truncated, cursor.file(), format!("tensor {}", entry.name), message)
        .with_hint("the download was cut, or the file is damaged; fetch it again")
}

fn check_overlaps(cursor: &Cursor<'_>, tensors: &[TensorInfo]) -> Result<(), GgufError> {
    let mut order: Vec<&TensorInfo> = tensors.iter().collect();
    order.sort_by_key(|tensor| (tensor.range.start, tensor.range.end));
    for pair in order.windows(2) {
        if pair[1].range.start < pair[0].range.end {
            let message = format!("the tensors {} and {} overlap", pair[0].name, pair[1].name);
            let place = format!("tensor {}, byte {}", pair[1].name, pair[1].range.start);
            return Err(GgufError::new(GgufErrorKind::Malformed, cursor.file(), place, message));
        }
    }
    Ok(())
}

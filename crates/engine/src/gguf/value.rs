//! Metadata values and how they are read.

use super::cursor::Cursor;
use super::error::{GgufError, GgufErrorKind};

/// Arrays of arrays deeper than this are refused; no known writer nests more than two.
const MAX_NESTING: usize = 4;

/// One metadata value. Arrays of the same element type are kept flat.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(String),
    U64(u64),
    I64(i64),
    F64(f64),
    /// Any array of integers of up to 32 bits signed, or smaller.
    Integers(Vec<i64>),
    /// An array of `f32` or `f64`; the latter are rounded to `f32`.
    Floats(Vec<f32>),
    Bools(Vec<bool>),
    Strings(StringList),
    Arrays(Vec<Value>),
}

/// Many strings in one allocation: a vocabulary has hundreds of thousands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StringList {
    text: String,
    /// End of each string in `text`.
    ends: Vec<usize>,
}

impl StringList {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Some(&self.text[start..end])
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index).expect("the index is below the length"))
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }
}

impl Value {
    /// What the value is, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::U8(_) => "an 8-bit unsigned integer",
            Self::I8(_) => "an 8-bit integer",
            Self::U16(_) => "a 16-bit unsigned integer",
            Self::I16(_) => "a 16-bit integer",
            Self::U32(_) => "a 32-bit unsigned integer",
            Self::I32(_) => "a 32-bit integer",
            Self::U64(_) => "a 64-bit unsigned integer",
            Self::I64(_) => "a 64-bit integer",
            Self::F32(_) => "a 32-bit float",
            Self::F64(_) => "a 64-bit float",
            Self::Bool(_) => "a boolean",
            Self::String(_) => "a string",
            Self::Integers(_) => "an array of integers",
            Self::Floats(_) => "an array of floats",
            Self::Bools(_) => "an array of booleans",
            Self::Strings(_) => "an array of strings",
            Self::Arrays(_) => "an array of arrays",
        }
    }

    /// The value as an integer, whatever its width.
    pub(crate) fn integer(&self) -> Option<i128> {
        Some(match *self {
            Self::U8(value) => value.into(),
            Self::I8(value) => value.into(),
            Self::U16(value) => value.into(),
            Self::I16(value) => value.into(),
            Self::U32(value) => value.into(),
            Self::I32(value) => value.into(),
            Self::U64(value) => value.into(),
            Self::I64(value) => value.into(),
            _ => return None,
        })
    }
}

/// GGUF's numbers for value types.
mod type_id {
    pub(super) const U8: u32 = 0;
    pub(super) const I8: u32 = 1;
    pub(super) const U16: u32 = 2;
    pub(super) const I16: u32 = 3;
    pub(super) const U32: u32 = 4;
    pub(super) const I32: u32 = 5;
    pub(super) const F32: u32 = 6;
    pub(super) const BOOL: u32 = 7;
    pub(super) const STRING: u32 = 8;
    pub(super) const ARRAY: u32 = 9;
    pub(super) const U64: u32 = 10;
    pub(super) const I64: u32 = 11;
    pub(super) const F64: u32 = 12;
}

/// Reads a value of GGUF type `type_id` at the cursor.
pub(super) fn read_value(cursor: &mut Cursor<'_>, type_id: u32) -> Result<Value, GgufError> {
    Ok(match type_id {
        type_id::U8 => Value::U8(u8::from_le_bytes(cursor.array()?)),
        type_id::I8 => Value::I8(i8::from_le_bytes(cursor.array()?)),
        type_id::U16 => Value::U16(u16::from_le_bytes(cursor.array()?)),
        type_id::I16 => Value::I16(i16::from_le_bytes(cursor.array()?)),
        type_id::U32 => Value::U32(cursor.u32()?),
        type_id::I32 => Value::I32(i32::from_le_bytes(cursor.array()?)),
        type_id::F32 => Value::F32(f32::from_le_bytes(cursor.array()?)),
        type_id::BOOL => Value::Bool(read_bool(cursor)?),
        type_id::STRING => Value::String(cursor.string()?.to_owned()),
        type_id::ARRAY => read_array(cursor, 1)?,
        type_id::U64 => Value::U64(cursor.u64()?),
        type_id::I64 => Value::I64(i64::from_le_bytes(cursor.array()?)),
        type_id::F64 => Value::F64(f64::from_le_bytes(cursor.array()?)),
        unknown => return Err(unknown_type(cursor, unknown)),
    })
}

fn unknown_type(cursor: &Cursor<'_>, type_id: u32) -> GgufError {
    cursor.error(GgufErrorKind::Malformed, format!("metadata value type {type_id} is not one of GGUF's 13"))
}

fn read_bool(cursor: &mut Cursor<'_>) -> Result<bool, GgufError> {
    match cursor.array::<1>()? {
        [0] => Ok(false),
        [1] => Ok(true),
        [other] => Err(cursor.error(GgufErrorKind::Malformed, format!("a boolean has the value {other}"))),
    }
}

fn read_array(cursor: &mut Cursor<'_>, depth: usize) -> Result<Value, GgufError> {
    if depth > MAX_NESTING {
        return Err(
            cursor.error(GgufErrorKind::Malformed, format!("arrays are nested more than {MAX_NESTING} levels deep"))
        );
    }
    let element_type = cursor.u32()?;
    let count = cursor.u64()?;
    // The smallest size an element can have bounds the count by what the file can hold, before anything is reserved.
    let smallest = match element_type {
        type_id::U8 | type_id::I8 | type_id::BOOL => 1,
        type_id::U16 | type_id::I16 => 2,
        type_id::U32 | type_id::I32 | type_id::F32 => 4,
        type_id::U64 | type_id::I64 | type_id::F64 | type_id::STRING => 8,
        type_id::ARRAY => 12,
        unknown => return Err(unknown_type(cursor, unknown)),
    };
    let count = cursor.check_count(count, smallest, "array elements")?;
    Ok(match element_type {
        type_id::F32 => Value::Floats(read_many(cursor, count, |bytes| f32::from_le_bytes(*bytes))?),
        #[expect(clippy::cast_possible_truncation, reason = "no known key needs more than f32")]
        type_id::F64 => Value::Floats(read_many(cursor, count, |bytes| f64::from_le_bytes(*bytes) as f32)?),
        type_id::U8 => Value::Integers(read_many(cursor, count, |bytes| u8::from_le_bytes(*bytes).into())?),
        type_id::I8 => Value::Integers(read_many(cursor, count, |bytes| i8::from_le_bytes(*bytes).into())?),
        type_id::U16 => Value::Integers(read_many(cursor, count, |bytes| u16::from_le_bytes(*bytes).into())?),
        type_id::I16 => Value::Integers(read_many(cursor, count, |bytes| i16::from_le_bytes(*bytes).into())?),
        type_id::U32 => Value::Integers(read_many(cursor, count, |bytes| u32::from_le_bytes(*bytes).into())?),
        type_id::I32 => Value::Integers(read_many(cursor, count, |bytes| i32::from_le_bytes(*bytes).into())?),
        type_id::I64 => Value::Integers(read_many(cursor, count, |bytes| i64::from_le_bytes(*bytes))?),
        type_id::U64 => {
            let wide: Vec<u64> = read_many(cursor, count, |bytes| u64::from_le_bytes(*bytes))?;
            let narrow: Result<Vec<i64>, _> = wide.into_iter().map(i64::try_from).collect();
            Value::Integers(narrow.map_err(|_| {
                cursor.error(GgufErrorKind::Malformed, "an array element does not fit 63 bits".to_owned())
            })?)
        }
        type_id::BOOL => Value::Bools((0..count).map(|_| read_bool(cursor)).collect::<Result<_, _>>()?),
        type_id::STRING => {
            let mut list = StringList::default();
            for _ in 0..count {
                list.push(cursor.string()?);
            }
            Value::Strings(list)
        }
        _ => Value::Arrays((0..count).map(|_| read_array(cursor, depth + 1)).collect::<Result<_, _>>()?),
    })
}

fn read_many<const N: usize, T>(
    cursor: &mut Cursor<'_>,
    count: usize,
    convert: impl Fn(&[u8; N]) -> T,
) -> Result<Vec<T>, GgufError> {
    let bytes = cursor.take(count.saturating_mul(N))?;
    let (chunks, _) = bytes.as_chunks::<N>();
    Ok(chunks.iter().map(convert).collect())
}

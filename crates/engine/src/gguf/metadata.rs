//! The file's metadata, by key and type.

use super::cursor::Cursor;
use super::error::{GgufError, GgufErrorKind};
use super::value::{StringList, Value, read_value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All metadata of a file. A getter gives `Ok(None)` when the key is absent and an error when its value has another
/// type or does not fit; the `required_…` form makes absence an error too.
#[derive(Clone, Debug)]
pub struct Metadata {
    file: PathBuf,
    values: BTreeMap<String, Value>,
}

/// Writes a getter and its `required_` form.
macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $required:ident -> $type:ty = $what:literal, $convert:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// The value has another type or does not fit.
            pub fn $name(&self, key: &str) -> Result<Option<$type>, GgufError> {
                let Some(value) = self.values.get(key) else { return Ok(None) };
                match $convert(value) {
                    Some(converted) => Ok(Some(converted)),
                    None => Err(self.wrong_type(key, value, $what)),
                }
            }

            /// As the getter without `required_`, for keys a model cannot do without.
            ///
            /// # Errors
            /// The key is absent, or its value has another type or does not fit.
            pub fn $required(&self, key: &str) -> Result<$type, GgufError> {
                self.$name(key)?.ok_or_else(|| self.missing(key))
            }
        )*
    };
}

impl Metadata {
    /// Reads `count` key-value pairs.
    pub(super) fn read(cursor: &mut Cursor<'_>, count: usize) -> Result<Self, GgufError> {
        let mut values = BTreeMap::new();
        for index in 0..count {
            cursor.set_subject(format!("metadata entry {} of {count}", index + 1));
            let key = cursor.name("metadata key")?;
            cursor.set_subject(format!("metadata key {key}"));
            let type_id = cursor.u32()?;
            let value = read_value(cursor, type_id)?;
            if values.insert(key.to_owned(), value).is_some() {
                return Err(cursor.error(GgufErrorKind::Malformed, format!("the metadata key {key} occurs twice")));
            }
        }
        Ok(Self { file: cursor.file().to_owned(), values })
    }

    /// The untyped value, if the key is present.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Every key and value, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The file the metadata came from, for messages.
    pub fn file(&self) -> &Path {
        &self.file
    }

    getters! {
        /// A string.
        string, required_string -> &str = "a string", text;
        /// An integer of any width that fits 32 bits unsigned.
        u32, required_u32 -> u32 = "an unsigned 32-bit integer", unsigned_32;
        /// An integer of any width that fits 64 bits unsigned.
        u64, required_u64 -> u64 = "an unsigned 64-bit integer", unsigned_64;
        /// A float; a 64-bit float is rounded.
        f32, required_f32 -> f32 = "a float", float;
        /// A boolean.
        bool, required_bool -> bool = "a boolean", boolean;
        /// An array of strings.
        strings, required_strings -> &StringList = "an array of strings", strings;
        /// An array of floats.
        f32s, required_f32s -> &[f32] = "an array of floats", floats;
        /// An array of integers of any width that fit 32 bits signed.
        i32s, required_i32s -> Vec<i32> = "an array of 32-bit integers", integers;
    }

    fn wrong_type(&self, key: &str, value: &Value, wanted: &str) -> GgufError {
        let found = match value.integer() {
            Some(integer) => format!("{} ({integer})", value.type_name()),
            None => value.type_name().to_owned(),
        };
        let message = format!("the value of {key} should be {wanted}, but is {found}");
        GgufError::new(GgufErrorKind::Metadata, &self.file, format!("metadata key {key}"), message)
    }

    fn missing(&self, key: &str) -> GgufError {
        let message = format!("the metadata key {key} is missing");
        GgufError::new(GgufErrorKind::Metadata, &self.file, format!("metadata key {key}"), message)
            .with_hint("the file may be a vocabulary, an adapter or a projector instead of a language model")
    }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::String(text) = value { Some(text) } else { None }
}

fn unsigned_32(value: &Value) -> Option<u32> {
    value.integer().and_then(|integer| u32::try_from(integer).ok())
}

fn unsigned_64(value: &Value) -> Option<u64> {
    value.integer().and_then(|integer| u64::try_from(integer).ok())
}

fn boolean(value: &Value) -> Option<bool> {
    if let Value::Bool(flag) = value { Some(*flag) } else { None }
}

fn strings(value: &Value) -> Option<&StringList> {
    if let Value::Strings(list) = value { Some(list) } else { None }
}

fn floats(value: &Value) -> Option<&[f32]> {
    match value {
        Value::Floats(list) => Some(list),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f32> {
    match *value {
        Value::F32(number) => Some(number),
        #[expect(clippy::cast_possible_truncation, reason = "the getter promises rounding")]
        Value::F64(number) => Some(number as f32),
        _ => None,
    }
}

fn integers(value: &Value) -> Option<Vec<i32>> {
    let Value::Integers(list) = value else { return None };
    list.iter().map(|&integer| i32::try_from(integer).ok()).collect()
}

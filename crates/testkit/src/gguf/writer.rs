//! Writes GGUF files, byte by byte as the specification lays them out.

use puma_kernels::TensorType;

/// A metadata value to write.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataValue {
    U32(u32),
    U64(u64),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(String),
    Strings(Vec<String>),
    F32s(Vec<f32>),
    I32s(Vec<i32>),
}

impl From<&str> for MetadataValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

struct Tensor {
    name: String,
    shape: Vec<u64>,
    type_id: u32,
    bytes: Vec<u8>,
}

/// Collects metadata and tensors, then writes the file.
pub struct GgufWriter {
    version: u32,
    alignment: usize,
    metadata: Vec<(String, MetadataValue)>,
    tensors: Vec<Tensor>,
}

impl GgufWriter {
    /// A file of format `version` (2 or 3) with the default alignment of 32 bytes.
    pub fn new(version: u32) -> Self {
        Self { version, alignment: 32, metadata: Vec::new(), tensors: Vec::new() }
    }

    /// Aligns tensor data to `alignment` bytes and says so in the metadata.
    pub fn alignment(&mut self, alignment: u32) -> &mut Self {
        self.alignment = alignment as usize;
        self.metadata("general.alignment", MetadataValue::U32(alignment))
    }

    /// Adds a metadata entry; an entry written twice is written twice.
    pub fn metadata(&mut self, key: &str, value: impl Into<MetadataValue>) -> &mut Self {
        self.metadata.push((key.to_owned(), value.into()));
        self
    }

    /// Adds a tensor; `shape` is fastest-first.
    ///
    /// # Panics
    /// If `bytes` is not what `shape` and `kind` take.
    pub fn tensor(&mut self, name: &str, shape: &[u64], kind: TensorType, bytes: Vec<u8>) -> &mut Self {
        let rows: u64 = shape[1..].iter().product();
        let row_bytes = kind.row_bytes(shape[0] as usize).expect("a row is a whole number of blocks");
        assert_eq!(bytes.len(), row_bytes * rows as usize, "tensor {name} has another size than its shape says");
        self.raw_tensor(name, shape, kind.id(), bytes)
    }

    /// Adds a tensor without checks, to write files that are wrong.
    pub fn raw_tensor(&mut self, name: &str, shape: &[u64], type_id: u32, bytes: Vec<u8>) -> &mut Self {
        self.tensors.push(Tensor { name: name.to_owned(), shape: shape.to_vec(), type_id, bytes });
        self
    }

    /// The file's bytes.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            write_string(&mut out, key);
            write_value(&mut out, value);
        }
        let mut offset = 0;
        for tensor in &self.tensors {
            write_string(&mut out, &tensor.name);
            out.extend((tensor.shape.len() as u32).to_le_bytes());
            for length in &tensor.shape {
                out.extend(length.to_le_bytes());
            }
            out.extend(tensor.type_id.to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset += tensor.bytes.len().next_multiple_of(self.alignment);
        }
        for tensor in &self.tensors {
            out.resize(out.len().next_multiple_of(self.alignment), 0);
            out.extend(&tensor.bytes);
        }
        out.resize(out.len().next_multiple_of(self.alignment), 0);
        out
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn write_value(out: &mut Vec<u8>, value: &MetadataValue) {
    let (type_id, element_type) = match value {
        MetadataValue::U32(_) => (4u32, 0u32),
        MetadataValue::I32(_) => (5, 0),
        MetadataValue::F32(_) => (6, 0),
        MetadataValue::Bool(_) => (7, 0),
        MetadataValue::String(_) => (8, 0),
        MetadataValue::U64(_) => (10, 0),
        MetadataValue::Strings(_) => (9, 8),
        MetadataValue::F32s(_) => (9, 6),
        MetadataValue::I32s(_) => (9, 5),
    };
    out.extend(type_id.to_le_bytes());
    let array_header = |out: &mut Vec<u8>, count: usize| {
        out.extend(element_type.to_le_bytes());
        out.extend((count as u64).to_le_bytes());
    };
    match value {
        MetadataValue::U32(number) => out.extend(number.to_le_bytes()),
        MetadataValue::I32(number) => out.extend(number.to_le_bytes()),
        MetadataValue::F32(number) => out.extend(number.to_le_bytes()),
        MetadataValue::U64(number) => out.extend(number.to_le_bytes()),
        MetadataValue::Bool(flag) => out.push(u8::from(*flag)),
        MetadataValue::String(text) => write_string(out, text),
        MetadataValue::Strings(list) => {
            array_header(out, list.len());
            list.iter().for_each(|text| write_string(out, text));
        }
        MetadataValue::F32s(list) => {
            array_header(out, list.len());
            list.iter().for_each(|number| out.extend(number.to_le_bytes()));
        }
        MetadataValue::I32s(list) => {
            array_header(out, list.len());
            list.iter().for_each(|number| out.extend(number.to_le_bytes()));
        }
    }
}

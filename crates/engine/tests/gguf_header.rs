//! The header alone: also of files whose tensors the engine cannot compute with, and of files cut after it.

use puma_engine::gguf::{Gguf, GgufErrorKind, GgufHeader};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, GgufWriter, MetadataValue, TinyModel};

/// A type that ggml has and the engine does not: IQ3_XXS, 98 bytes for 256 numbers.
const IQ3_XXS: u32 = 18;

fn file() -> Vec<u8> {
    let mut writer = GgufWriter::new(3);
    writer
        .metadata("general.architecture", "newcomer")
        .metadata("newcomer.block_count", MetadataValue::U32(1))
        .tensor("output_norm.weight", &[32], TensorType::F32, vec![0; 128])
        .raw_tensor("blk.0.attn_k.weight", &[256, 2], IQ3_XXS, vec![0; 196]);
    writer.finish()
}

#[test]
fn tensors_of_any_type_are_announced() {
    let refused = Gguf::from_bytes(file()).unwrap_err();
    assert_eq!(refused.kind, GgufErrorKind::UnsupportedType);
    let header = GgufHeader::from_bytes(file()).unwrap();
    let seen: Vec<(&str, u32)> = header.tensors().iter().map(|tensor| (tensor.name.as_str(), tensor.type_id)).collect();
    assert_eq!(seen, [("output_norm.weight", 0), ("blk.0.attn_k.weight", IQ3_XXS)]);
    assert_eq!(header.tensors()[1].shape, [256, 2]);
    assert_eq!(header.metadata().u32("newcomer.block_count").unwrap(), Some(1));
    assert_eq!(header.file_bytes(), file().len() as u64);
}

#[test]
fn a_file_cut_in_its_data_still_has_a_header_and_one_cut_before_has_none() {
    let whole = file();
    let cut = |length: usize| GgufHeader::from_bytes(whole[..length].to_vec());
    assert!(cut(whole.len() - 300).is_ok());
    for length in [0, 3, 10, 40, 100] {
        assert!(cut(length).is_err(), "{length} bytes");
    }
}

#[test]
fn what_the_engine_opens_has_the_same_header() {
    let bytes = TinyModel::new(Architecture::Llama, TensorType::Q4_0).write();
    let (whole, header) = (Gguf::from_bytes(bytes.clone()).unwrap(), GgufHeader::from_bytes(bytes).unwrap());
    assert_eq!(header.version(), whole.version());
    let announced: Vec<_> = header.tensors().iter().map(|t| (t.name.clone(), t.shape.clone(), t.type_id)).collect();
    let opened: Vec<_> = whole.tensors().iter().map(|t| (t.name.clone(), t.shape.clone(), t.kind.id())).collect();
    assert_eq!(announced, opened);
}

//! The GGUF reader against files written by the testkit, whole, cut and damaged.

use proptest::prelude::*;
use puma_engine::gguf::{Gguf, GgufError, GgufErrorKind, Value};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, GgufWriter, MetadataValue, TinyModel, Vocabulary};
use std::io::Write as _;
use std::sync::OnceLock;

fn small_file() -> GgufWriter {
    let mut file = GgufWriter::new(3);
    file.metadata("general.architecture", "llama")
        .metadata("a.u32", MetadataValue::U32(7))
        .metadata("a.i32", MetadataValue::I32(-7))
        .metadata("a.u64", MetadataValue::U64(1 << 40))
        .metadata("a.f32", MetadataValue::F32(0.5))
        .metadata("a.bool", MetadataValue::Bool(true))
        .metadata("a.strings", MetadataValue::Strings(vec!["".to_owned(), "é".to_owned(), "▁x".to_owned()]))
        .metadata("a.floats", MetadataValue::F32s(vec![1.0, -2.0]))
        .metadata("a.integers", MetadataValue::I32s(vec![1, -2]));
    file.tensor("first", &[4, 2], TensorType::F32, (0..32).collect());
    file.tensor("second", &[32], TensorType::Q8_0, (100..134).collect());
    file
}

fn failure(bytes: Vec<u8>) -> GgufError {
    Gguf::from_bytes(bytes).expect_err("the file is wrong")
}

#[test]
fn what_was_written_is_read() {
    let gguf = Gguf::from_bytes(small_file().finish()).unwrap();
    let metadata = gguf.metadata();
    assert_eq!(gguf.version(), 3);
    assert_eq!(metadata.string("general.architecture").unwrap(), Some("llama"));
    assert_eq!(metadata.u32("a.u32").unwrap(), Some(7));
    assert_eq!(metadata.u64("a.u64").unwrap(), Some(1 << 40));
    assert_eq!(metadata.f32("a.f32").unwrap(), Some(0.5));
    assert_eq!(metadata.bool("a.bool").unwrap(), Some(true));
    assert_eq!(metadata.strings("a.strings").unwrap().unwrap().iter().collect::<Vec<_>>(), ["", "é", "▁x"]);
    assert_eq!(metadata.f32s("a.floats").unwrap(), Some(&[1.0, -2.0][..]));
    assert_eq!(metadata.i32s("a.integers").unwrap(), Some(vec![1, -2]));
    assert_eq!(metadata.get("a.i32"), Some(&Value::I32(-7)));
    assert_eq!(metadata.u32("absent").unwrap(), None);
    let second = gguf.tensor("second").unwrap();
    assert_eq!((second.shape.as_slice(), second.kind, second.size_bytes()), (&[32][..], TensorType::Q8_0, 34));
    assert_eq!(gguf.data(second), (100..134).collect::<Vec<u8>>());
    assert_eq!(gguf.data(gguf.tensor("first").unwrap()), (0..32).collect::<Vec<u8>>());
    assert!(gguf.tensor("third").is_none());
}

#[test]
fn a_wrong_type_or_a_missing_key_is_named() {
    let gguf = Gguf::from_bytes(small_file().finish()).unwrap();
    let wrong = gguf.metadata().u32("general.architecture").unwrap_err();
    assert_eq!(wrong.kind, GgufErrorKind::Metadata);
    assert!(wrong.message.contains("general.architecture") && wrong.message.contains("a string"), "{wrong}");
    let negative = gguf.metadata().u32("a.i32").unwrap_err();
    assert!(negative.message.contains("-7"), "{negative}");
    let missing = gguf.metadata().required_u32("llama.block_count").unwrap_err();
    assert!(missing.message.contains("llama.block_count") && missing.hint.is_some(), "{missing}");
}

#[test]
fn a_file_can_be_mapped_and_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let bytes = small_file().finish();
    file.write_all(&bytes).unwrap();
    let gguf = Gguf::open(file.path()).unwrap();
    shared(&gguf);
    assert_eq!(gguf.bytes(), bytes);
    assert_eq!(gguf.size_bytes(), bytes.len() as u64);
}

#[test]
fn every_tensor_type_and_both_versions_are_read() {
    for version in [2, 3] {
        for kind in TensorType::all() {
            let model = TinyModel { version, layers: 1, ..TinyModel::new(Architecture::Llama, kind) };
            let gguf = Gguf::from_bytes(model.write()).unwrap();
            assert_eq!(gguf.version(), version);
            assert_eq!(gguf.tensor("blk.0.attn_q.weight").unwrap().kind, kind);
            assert_eq!(gguf.tensors().len(), 11);
        }
    }
}

#[test]
fn the_alignment_key_is_honoured() {
    for alignment in [1, 8, 64, 4096] {
        let mut file = GgufWriter::new(3);
        file.alignment(alignment).tensor("a", &[1], TensorType::F32, vec![1, 2, 3, 4]);
        file.tensor("b", &[1], TensorType::F32, vec![5, 6, 7, 8]);
        let gguf = Gguf::from_bytes(file.finish()).unwrap();
        assert_eq!(gguf.data(gguf.tensor("b").unwrap()), [5, 6, 7, 8]);
    }
    let mut file = GgufWriter::new(3);
    file.metadata("general.alignment", MetadataValue::U32(24));
    assert!(failure(file.finish()).message.contains("power of two"));
}

#[test]
fn other_files_are_recognised() {
    for (bytes, hint) in [
        (&b""[..], "fetch it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"{\"error\": \"unauthorised\"}", "JSON"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x00\x01\x02\x03rest", "safetensors"),
    ] {
        let error = failure(bytes.to_vec());
        assert_eq!(error.kind, GgufErrorKind::NotGguf);
        assert!(error.hint.as_deref().unwrap().contains(hint), "{error:?}");
    }
    assert!(failure(b"<html>\xff".to_vec()).message.contains("<html>\\xff"));
}

#[test]
fn other_versions_and_byte_orders_are_named() {
    for (version, words) in [(1u32, "version 1"), (4, "version 4"), (3u32.swap_bytes(), "big-endian"), (0, "version 0")]
    {
        let mut bytes = small_file().finish();
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        let error = failure(bytes);
        assert_eq!(error.kind, GgufErrorKind::Version);
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn a_cut_file_tells_both_sizes() {
    let bytes = small_file().finish();
    // The last tensor ends before its padding does.
    let needed = bytes.len() - 30;
    let error = failure(bytes[..needed - 1].to_vec());
    assert_eq!(error.kind, GgufErrorKind::Truncated);
    assert!(error.message.contains(&format!("has {} bytes", needed - 1)), "{error}");
    assert!(error.message.contains(&format!("need {needed}")), "{error}");
    assert!(error.place.contains("second"), "{error}");
}

#[test]
fn unsupported_and_unknown_tensor_types_are_named() {
    for (id, words) in [(18, "IQ3_XXS (number 18)"), (40, "NVFP4"), (250, "unknown type number 250")] {
        let mut file = GgufWriter::new(3);
        file.raw_tensor("blk.0.attn_q.weight", &[256], id, vec![0; 512]);
        let error = failure(file.finish());
        assert_eq!(error.kind, GgufErrorKind::UnsupportedType);
        assert!(error.message.contains(words) && error.message.contains("blk.0.attn_q.weight"), "{error}");
        assert!(error.hint.unwrap().contains("Q4_K"));
    }
}

#[test]
fn contradictions_are_refused() {
    let mut twice = small_file();
    twice.metadata("a.u32", MetadataValue::U32(8));
    let mut same_tensor = small_file();
    same_tensor.tensor("first", &[1], TensorType::F32, vec![0; 4]);
    let mut odd_row = GgufWriter::new(3);
    odd_row.raw_tensor("odd", &[33], TensorType::Q8_0.id(), vec![0; 68]);
    let mut empty = GgufWriter::new(3);
    empty.raw_tensor("empty", &[0, 4], 0, vec![]);
    let mut deep = GgufWriter::new(3);
    deep.raw_tensor("deep", &[1, 1, 1, 1, 1], 0, vec![0; 4]);
    let mut huge = GgufWriter::new(3);
    huge.raw_tensor("huge", &[1 << 40, 1 << 40], 0, vec![0; 4]);
    let mut unnamed = GgufWriter::new(3);
    unnamed.raw_tensor("", &[1], 0, vec![0; 4]);
    // The first tensor announces more than its bytes, so that the second lies inside it.
    let mut overlapping = GgufWriter::new(3);
    overlapping.raw_tensor("long", &[16], 0, vec![0; 4]).raw_tensor("short", &[16], 0, vec![0; 64]);
    for (file, words) in [
        (twice, "a.u32 occurs twice"),
        (same_tensor, "first occurs twice"),
        (odd_row, "multiple of 32"),
        (empty, "must be positive"),
        (deep, "5 dimensions"),
        (huge, "does not fit"),
        (unnamed, "0 bytes"),
        (overlapping, "long and short overlap"),
    ] {
        let error = failure(file.finish());
        assert_eq!(error.kind, GgufErrorKind::Malformed);
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn announced_counts_reserve_no_memory() {
    for position in [8, 16] {
        let mut bytes = small_file().finish();
        bytes[position..position + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(failure(bytes).kind, GgufErrorKind::Truncated);
    }
}

#[test]
fn a_missing_file_and_a_folder_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Gguf::open(folder.path()).unwrap_err().message.contains("folder"));
    let error = Gguf::open(&folder.path().join("no.gguf")).unwrap_err();
    assert_eq!(error.kind, GgufErrorKind::Io);
    assert!(error.to_string().contains("no.gguf") && error.hint.is_some(), "{error}");
}

/// Reads every value and every tensor's bytes; false if the file is refused.
fn read_everything(bytes: Vec<u8>) -> bool {
    let Ok(gguf) = Gguf::from_bytes(bytes) else { return false };
    let values = gguf.metadata().iter().count();
    let read: usize = gguf.tensors().iter().map(|tensor| gguf.data(tensor).len()).sum();
    values + read > 0
}

fn tiny_file() -> Vec<u8> {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let model = TinyModel { layers: 1, ..TinyModel::new(Architecture::Qwen2, TensorType::Q4_0) };
        TinyModel { vocabulary: Vocabulary::SentencePiece, ..model }.write()
    })
    .clone()
}

proptest! {
    #[test]
    fn any_cut_before_the_last_tensors_end_is_an_error(cut in 0.0..1.0f64) {
        let bytes = tiny_file();
        let cut = (bytes.len() as f64 * cut) as usize;
        prop_assume!(cut + 32 < bytes.len());
        prop_assert!(!read_everything(bytes[..cut].to_vec()));
    }

    #[test]
    fn damaged_files_never_panic(damage in proptest::collection::vec((0usize..30_000, any::<u8>()), 1..8)) {
        let mut bytes = tiny_file();
        for (position, value) in damage {
            bytes[position] = value;
        }
        read_everything(bytes);
    }

    #[test]
    fn damaged_lengths_never_panic(position in 0usize..600, value in any::<u64>(), shift in 0u32..64) {
        let mut bytes = small_file().finish();
        let position = position.min(bytes.len() - 8);
        bytes[position..position + 8].copy_from_slice(&(value >> shift).to_le_bytes());
        read_everything(bytes);
    }
}

//! One block of the cache: keys and values of 32 positions, counted in a ledger as long as it lives.

use crate::kv::{KvShape, KvType};
use puma_kernels::float::attention::padded;
use puma_kernels::math::half::f32_to_f16;
use puma_kernels::{BLOCK_LEN, Cached, LayerBlock};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the blocks of one engine: those that live, and those that running sequences were promised.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    live: AtomicUsize,
    promised: AtomicUsize,
    peak: AtomicUsize,
}

impl Ledger {
    /// Blocks in memory.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Blocks that sequences may still make without asking.
    pub(crate) fn promised(&self) -> usize {
        self.promised.load(Ordering::Relaxed)
    }

    /// The most blocks that ever lived at once.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) fn promise(&self, blocks: usize) {
        self.promised.fetch_add(blocks, Ordering::Relaxed);
    }

    /// Takes back what was promised and not used.
    pub(crate) fn release(&self, blocks: usize) {
        self.promised.fetch_sub(blocks, Ordering::Relaxed);
    }
}

/// One living block in its ledger.
#[derive(Debug)]
struct Entry(Arc<Ledger>);

impl Entry {
    fn new(ledger: Arc<Ledger>) -> Self {
        let live = ledger.live.fetch_add(1, Ordering::Relaxed) + 1;
        ledger.peak.fetch_max(live, Ordering::Relaxed);
        Self(ledger)
    }
}

impl Clone for Entry {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Keys and values of 32 positions.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    numbers: Numbers,
    _entry: Entry,
}

impl Block {
    pub(crate) fn zeroed(shape: KvShape, kind: KvType, ledger: &Arc<Ledger>) -> Self {
        Self { numbers: Numbers::zeroed(shape, kind), _entry: Entry::new(Arc::clone(ledger)) }
    }

    /// The view of one layer.
    pub(crate) fn layer(&self, shape: KvShape, layer: usize) -> LayerBlock<'_> {
        self.numbers.layer(shape, layer)
    }

    /// Writes the keys and values of `layer` at position `slot` of the block.
    pub(crate) fn write(&mut self, shape: KvShape, layer: usize, slot: usize, keys: &[f32], values: &[f32]) {
        self.numbers.write(shape, layer, slot, keys, values);
    }
}

/// Numbers that begin at a cache line, where registers are loaded fastest.
#[derive(Debug)]
struct Aligned<T> {
    numbers: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy + Default> Aligned<T> {
    const LINE_BYTES: usize = 64;

    fn zeroed(len: usize) -> Self {
        let spare = Self::LINE_BYTES / size_of::<T>();
        let numbers = vec![T::default(); len + spare];
        let start = numbers.as_ptr().align_offset(Self::LINE_BYTES).min(spare);
        Self { numbers, start, len }
    }

    fn get(&self) -> &[T] {
        &self.numbers[self.start..self.start + self.len]
    }

    fn get_mut(&mut self) -> &mut [T] {
        &mut self.numbers[self.start..self.start + self.len]
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::zeroed(self.len);
        copy.get_mut().copy_from_slice(self.get());
        copy
    }
}

/// For each layer its keys, then its values, laid out as [`LayerBlock`] says.
#[derive(Clone, Debug)]
enum Numbers {
    F32(Aligned<f32>),
    F16(Aligned<u16>),
}

impl Numbers {
    fn zeroed(shape: KvShape, kind: KvType) -> Self {
        let len = shape.layers * (shape.keys() + shape.values());
        match kind {
            KvType::F32 => Self::F32(Aligned::zeroed(len)),
            KvType::F16 => Self::F16(Aligned::zeroed(len)),
        }
    }

    fn layer(&self, shape: KvShape, layer: usize) -> LayerBlock<'_> {
        let start = layer * (shape.keys() + shape.values());
        let (middle, end) = (start + shape.keys(), start + shape.keys() + shape.values());
        match self {
            Self::F32(numbers) => LayerBlock {
                keys: Cached::F32(&numbers.get()[start..middle]),
                values: Cached::F32(&numbers.get()[middle..end]),
            },
            Self::F16(numbers) => LayerBlock {
                keys: Cached::F16(&numbers.get()[start..middle]),
                values: Cached::F16(&numbers.get()[middle..end]),
            },
        }
    }

    fn write(&mut self, shape: KvShape, layer: usize, slot: usize, keys: &[f32], values: &[f32]) {
        match self {
            Self::F32(numbers) => put(numbers.get_mut(), shape, layer, slot, (keys, values), |number| number),
            Self::F16(numbers) => put(numbers.get_mut(), shape, layer, slot, (keys, values), f32_to_f16),
        }
    }
}

/// Puts keys, transposed, and values where [`LayerBlock`] wants them.
fn put<T: Copy>(
    block: &mut [T],
    shape: KvShape,
    layer: usize,
    slot: usize,
    (keys, values): (&[f32], &[f32]),
    convert: impl Fn(f32) -> T,
) {
    let layer = &mut block[layer * (shape.keys() + shape.values())..][..shape.keys() + shape.values()];
    let (kept_keys, kept_values) = layer.split_at_mut(shape.keys());
    for (kept, key) in kept_keys.chunks_exact_mut(BLOCK_LEN).zip(keys) {
        kept[slot] = convert(*key);
    }
    let width = padded(shape.head_len);
    for (kept, values) in kept_values.chunks_exact_mut(BLOCK_LEN * width).zip(values.chunks_exact(shape.head_len)) {
        for (kept, value) in kept[slot * width..].iter_mut().zip(values) {
            *kept = convert(*value);
        }
    }
}

//! The weights in the order of the kernels: made once for a model, beside the file's mapping, where memory allows it.

use super::loaded::Model;
use crate::pool::Pool;
use memmap2::MmapMut;
use puma_kernels::{Packed, Weights};
use std::collections::BTreeMap;
use std::ops::Range;

/// Where the packed form of a matrix is, by the address of its weights in the file's mapping.
type Places = BTreeMap<usize, Range<usize>>;

/// All packed matrices, one after the other.
#[derive(Debug)]
pub(super) struct PackedWeights {
    places: Places,
    bytes: MmapMut,
}

fn key(weights: &Weights<'_>) -> usize {
    weights.bytes.as_ptr().addr()
}

impl PackedWeights {
    /// The packed form of `weights`, if there is one.
    pub(super) fn of(&self, weights: &Weights<'_>) -> Option<Packed<'_>> {
        let place = self.places.get(&key(weights))?;
        Packed::new(weights, &self.bytes[place.clone()])
    }
}

/// Memory for all packed matrices: whole pages, large ones where the system has them. A core finds its way through large
/// pages in a fraction of the time, and reading weights is all that it does while tokens come one by one.
fn allocate(bytes: usize) -> Option<MmapMut> {
    let map = MmapMut::map_anon(bytes.max(1)).ok()?;
    #[cfg(target_os = "linux")]
    // A system without large pages refuses, and nothing follows from that.
    let _refused = map.advise(memmap2::Advice::HugePage);
    Some(map)
}

impl Model {
    /// Packs every matrix that is multiplied with, once for all engines that share this model. The packed form is the same
    /// on all instruction sets, and no bit depends on it; if there is no memory for it, products read the file instead.
    pub(crate) fn pack(&self, pool: &Pool) -> bool {
        let packed = self.packed.get_or_init(|| {
            let mut places = Places::new();
            let mut matrices = Vec::new();
            let mut end = 0;
            for matrix in self.layers.iter().flat_map(|layer| layer.matrices()).chain([&self.output]) {
                let weights = matrix.weights(self.gguf());
                if let (Some(of_panel), Some(needed)) =
                    (Packed::bytes_of_panel(&weights), Packed::bytes_needed(&weights))
                {
                    places.insert(key(&weights), end..end + needed);
                    matrices.push((weights, of_panel, needed));
                    end += needed;
                }
            }
            let mut bytes = allocate(end)?;
            let mut rest = &mut bytes[..];
            let mut panels = Vec::new();
            for (weights, of_panel, needed) in matrices {
                let (own, later) = rest.split_at_mut(needed);
                rest = later;
                panels.extend(own.chunks_exact_mut(of_panel).enumerate().map(|(index, panel)| (weights, index, panel)));
            }
            pool.each(panels, |(weights, index, panel)| Packed::pack_panel(&weights, index, panel));
            Some(PackedWeights { places, bytes })
        });
        packed.is_some()
    }
}

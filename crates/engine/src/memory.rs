//! What is kept in memory: decided before a model is loaded, from sizes alone.

/// Memory left to everything that is not weights or cache: buffers of a step, the tokenizer, the program, and the pages
/// that the system needs to go on; a part of what is available, at least [`LEAST_MARGIN_BYTES`].
const MARGIN_SHARE: u64 = 16;
const LEAST_MARGIN_BYTES: u64 = 128 << 20;

/// How a model's weights are held. Nothing here changes a bit of any answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Whether a second copy of the weights, in the order of the kernels, is made in memory. Else products read the file.
    pub packed: bool,
    /// Whether parts of the file will be read from the disk again for every token. `puma fit` says `WILL_PAGE` to it.
    pub will_page: bool,
}

/// Plans for `weights_bytes` of weights, mapped from a file, and `kv_bytes` of keys and values in `available_bytes` of
/// memory: what the system could give now, its cache of files counted as free; `None` if nobody knows, which is taken
/// for enough.
///
/// While weights are packed their file passes through memory once, but its pages can be dropped behind; so the packed
/// copy needs room for the weights once, and what is mapped and not packed needs as much.
///
/// ```
/// # use puma_engine::{MemoryPlan, memory_plan};
/// let gib = 1 << 30;
/// assert_eq!(memory_plan(4 * gib, gib, Some(16 * gib)), MemoryPlan { packed: true, will_page: false });
/// assert_eq!(memory_plan(4 * gib, gib, Some(5 * gib)), MemoryPlan { packed: false, will_page: false });
/// assert_eq!(memory_plan(40 * gib, gib, Some(16 * gib)), MemoryPlan { packed: false, will_page: true });
/// ```
pub fn memory_plan(weights_bytes: u64, kv_bytes: u64, available_bytes: Option<u64>) -> MemoryPlan {
    let Some(available) = available_bytes else { return MemoryPlan { packed: true, will_page: false } };
    let needed = weights_bytes.saturating_add(kv_bytes);
    let margin = (available / MARGIN_SHARE).max(LEAST_MARGIN_BYTES);
    MemoryPlan { packed: needed.saturating_add(margin) <= available, will_page: needed > available }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn more_memory_never_makes_a_plan_worse_and_a_packed_model_never_pages(
            weights in any::<u64>(), kv in any::<u64>(), available in any::<u64>(), more in any::<u64>(),
        ) {
            let plan = memory_plan(weights, kv, Some(available));
            let better = memory_plan(weights, kv, Some(available.saturating_add(more)));
            prop_assert!(!(plan.packed && plan.will_page));
            prop_assert!(better.packed || !plan.packed);
            prop_assert!(plan.will_page || !better.will_page);
        }
    }

    #[test]
    fn without_a_number_everything_is_taken_to_fit() {
        assert_eq!(memory_plan(u64::MAX, u64::MAX, None), MemoryPlan { packed: true, will_page: false });
    }
}

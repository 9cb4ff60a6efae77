//! Whether a model fits, and the numbers that say so.

use super::budget::{Budget, Pool};
use super::load::{EngineRules, Load, Needs};
use super::shape::ModelShape;
use super::split::{Split, split};
use super::wired_limit::wired_limit_mib;
use serde::{Deserialize, Serialize};

/// The verdicts, best first. More memory needed never makes a verdict better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// With the margin kept.
    Fits,
    /// Only by using the margin.
    Tight,
    /// Some layers on the GPU, the others in main memory.
    PartialOffload,
    /// It starts, and then reads weights from the disk at every token.
    WillPage,
    /// It does not start, or is stopped by the system.
    WillNotFit,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fits => "FITS",
            Self::Tight => "TIGHT",
            Self::PartialOffload => "PARTIAL_OFFLOAD",
            Self::WillPage => "WILL_PAGE",
            Self::WillNotFit => "WILL_NOT_FIT",
        }
    }
}

/// A verdict with what led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    pub verdict: Verdict,
    /// Everything the model takes, wherever it lies.
    pub needs: Needs,
    /// What of it lies in GPU memory.
    pub gpu_bytes: u64,
    /// What of it lies in main memory. On a machine with unified memory everything lies there and is counted once.
    pub host_bytes: u64,
    /// Layers on the GPU; `None` where no GPU is used.
    pub gpu_layers: Option<u32>,
    /// The rule that decided, with its numbers.
    pub reason: String,
    /// What the user could do about it.
    pub hint: Option<String>,
}

/// A model larger than this many times its pool is not even tried: MLX's allocator draws the line there, and a model
/// that pages half of its weights at every token answers nothing in useful time.
const PAGING_LIMIT: f64 = 1.5;
/// No program gets more of a Mac's memory.
const MAC_MEMORY_SHARE: f64 = 0.95;

/// Judges `shape` with `load`, run by an engine of these rules, against `budget`.
pub fn judge(shape: &ModelShape, load: &Load, rules: &EngineRules, budget: &Budget) -> Fit {
    let needs = shape.needs(load, rules);
    match budget {
        Budget::Cpu { host } => on_cpu(needs, host),
        Budget::Metal { working_set, memory_bytes } => on_metal(needs, working_set, *memory_bytes, shape),
        Budget::Discrete { devices, host } => on_cards(&Case { shape, load, rules, needs }, devices, host),
        Budget::Integrated { pool, carve_out_bytes, host } => {
            on_integrated(&Case { shape, load, rules, needs }, pool, *carve_out_bytes, host)
        }
    }
}

fn scaled(bytes: u64, factor: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in bytes")]
    let product = (bytes as f64 * factor) as u64;
    product
}

/// A number of bytes for people.
pub(super) fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / (1u64 << 30) as f64)
}

fn within(need: u64, pool: &Pool) -> Option<(Verdict, String)> {
    let (need_text, budget, limit) = (gib(need), gib(pool.budget_bytes()), gib(pool.limit_bytes()));
    let (kind, margin) = (pool.kind.as_str(), gib(pool.margin_bytes));
    if need <= pool.budget_bytes() {
        let reason = format!("{need_text} needed, {limit} of {kind} free; {margin} of it is kept free");
        Some((Verdict::Fits, reason))
    } else if need <= pool.limit_bytes() {
        let reason = format!("{need_text} needed, more than the {budget} that leave {margin} of the {kind} free");
        Some((Verdict::Tight, reason))
    } else {
        None
    }
}

fn on_cpu(needs: Needs, host: &Pool) -> Fit {
    let need = needs.total_bytes();
    let fit =
        |verdict, reason, hint| Fit { verdict, needs, gpu_bytes: 0, host_bytes: need, gpu_layers: None, reason, hint };
    if let Some((verdict, reason)) = within(need, host) {
        return fit(verdict, reason, None);
    }
    let (kind, available) = (host.kind.as_str(), host.limit_bytes());
    let hint = (need.saturating_add(host.margin_bytes) <= host.total_bytes)
        .then(|| format!("other programs use {}; ending some would make room", gib(host.total_bytes - available)));
    // Weights are mapped from their file and may be read again; everything else must stay.
    let private = need - needs.weights_bytes;
    if private <= available && need <= scaled(available, PAGING_LIMIT) {
        let reason = format!(
            "{} needed, {} of {kind} free: weights would be read from the disk again and again",
            gib(need),
            gib(available)
        );
        return fit(Verdict::WillPage, reason, hint);
    }
    fit(Verdict::WillNotFit, format!("{} needed, {} of {kind} free", gib(need), gib(available)), hint)
}

fn on_metal(needs: Needs, working_set: &Pool, memory_bytes: u64, shape: &ModelShape) -> Fit {
    let need = needs.total_bytes();
    let all_layers = u32::try_from(shape.layers.len()).ok();
    let fit = |verdict, reason, hint| Fit {
        verdict,
        needs,
        gpu_bytes: need,
        host_bytes: need,
        gpu_layers: all_layers,
        reason,
        hint,
    };
    if let Some((verdict, reason)) = within(need, working_set) {
        return fit(verdict, reason, None);
    }
    let wanted = need.saturating_add(working_set.margin_bytes);
    let hint = wired_limit_mib(wanted, memory_bytes).map(|mebibytes| {
        format!(
            "`sudo sysctl iogpu.wired_limit_mb={mebibytes}` would make room until the next restart and leave {} for \
             the system",
            gib(memory_bytes - mebibytes * (1 << 20))
        )
    });
    let limit = working_set.limit_bytes();
    let ceiling = scaled(limit, PAGING_LIMIT).min(scaled(memory_bytes, MAC_MEMORY_SHARE));
    let numbers = format!("{} needed, Metal lets the GPU use {} of {}", gib(need), gib(limit), gib(memory_bytes));
    if need <= ceiling {
        return fit(Verdict::WillPage, format!("{numbers}: it loads without an error and then pages"), hint);
    }
    fit(Verdict::WillNotFit, numbers, hint)
}

/// What both kinds of machines with a GPU beside main memory have in common.
struct Case<'a> {
    shape: &'a ModelShape,
    load: &'a Load,
    rules: &'a EngineRules,
    needs: Needs,
}

impl Case<'_> {
    /// The last layers on the devices, as many as have room.
    fn split(&self, room: &[u64]) -> Split {
        split(self.shape, self.load, self.rules, room)
    }

    /// Whether no layer is left for main memory.
    fn is_whole(&self, split: &Split) -> bool {
        split.layers as usize == self.shape.layers.len()
    }

    /// Main memory a split takes besides what the GPU takes of it.
    fn beside(&self, split: &Split) -> u64 {
        split.host_bytes.saturating_add(self.needs.program_bytes)
    }

    fn fit(&self, verdict: Verdict, split: &Split, host_bytes: u64, reason: String) -> Fit {
        let (gpu_bytes, gpu_layers) = (split.gpu_bytes, Some(split.layers));
        Fit { verdict, needs: self.needs, gpu_bytes, host_bytes, gpu_layers, reason, hint: None }
    }

    /// Judges the layers that the GPU has no room for, which need `host_bytes` where `free` are.
    fn partly(&self, split: &Split, host_bytes: u64, free: u64, gpu_free: u64) -> Fit {
        if !self.rules.can_split {
            let (need, name) = (gib(self.needs.total_bytes()), self.rules.name);
            let reason =
                format!("{need} needed, {} of GPU memory free, and {name} cannot split a model", gib(gpu_free));
            return self.fit(Verdict::WillNotFit, split, host_bytes, reason);
        }
        let reason = format!(
            "{} of {} layers in {} of GPU memory; {} needed in main memory, {} free",
            split.layers,
            self.shape.layers.len(),
            gib(gpu_free),
            gib(host_bytes),
            gib(free)
        );
        let verdict = if host_bytes <= free {
            Verdict::PartialOffload
        } else if host_bytes <= scaled(free, PAGING_LIMIT) {
            Verdict::WillPage
        } else {
            Verdict::WillNotFit
        };
        self.fit(verdict, split, host_bytes, reason)
    }
}

fn on_cards(case: &Case<'_>, devices: &[Pool], host: &Pool) -> Fit {
    let rooms = |of: fn(&Pool) -> u64| devices.iter().map(of).collect::<Vec<_>>();
    let (kept, all) = (case.split(&rooms(Pool::budget_bytes)), case.split(&rooms(Pool::limit_bytes)));
    let free: u64 = devices.iter().map(Pool::limit_bytes).sum();
    let margin = gib(devices.first().map_or(0, |device| device.margin_bytes));
    for (verdict, split) in [(Verdict::Fits, &kept), (Verdict::Tight, &all)] {
        if case.is_whole(split) && case.beside(split) <= host.limit_bytes() {
            let numbers = format!("{} needed in VRAM, {} free", gib(split.gpu_bytes), gib(free));
            let reason = match verdict {
                Verdict::Fits => format!("{numbers}; {margin} of each card is kept free"),
                _ => format!("{numbers}: less than {margin} would stay free"),
            };
            return case.fit(verdict, split, case.beside(split), reason);
        }
    }
    case.partly(&kept, case.beside(&kept), host.limit_bytes(), free)
}

fn on_integrated(case: &Case<'_>, pool: &Pool, carve_out_bytes: u64, host: &Pool) -> Fit {
    // The pool beyond the carve-out is main memory: it must be free there too.
    let room = |bytes: u64, host_bytes: u64| bytes.min(carve_out_bytes.saturating_add(host_bytes));
    let shared = |split: &Split| split.gpu_bytes.saturating_sub(carve_out_bytes);
    let bounds = [
        (Verdict::Fits, room(pool.budget_bytes(), host.budget_bytes()), host.budget_bytes()),
        (Verdict::Tight, room(pool.limit_bytes(), host.limit_bytes()), host.limit_bytes()),
    ];
    for (verdict, bytes, limit) in bounds {
        let split = case.split(&[bytes]);
        let main = shared(&split).saturating_add(case.beside(&split));
        if case.is_whole(&split) && main <= limit {
            let reason = format!(
                "{} needed on the GPU, which may use {} ({} of its own, the rest main memory, {} free)",
                gib(split.gpu_bytes),
                gib(pool.limit_bytes()),
                gib(carve_out_bytes),
                gib(host.limit_bytes())
            );
            return case.fit(verdict, &split, main, reason);
        }
    }
    let kept = case.split(&[room(pool.budget_bytes(), host.budget_bytes())]);
    let main = shared(&kept).saturating_add(case.beside(&kept));
    case.partly(&kept, main, host.limit_bytes(), pool.limit_bytes())
}

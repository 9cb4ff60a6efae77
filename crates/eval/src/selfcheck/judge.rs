//! How far each pass lies from the reference, and how far the worst one does.

use super::pass::Pass;
use crate::cross_arch::{CrossArch, Level, Options, cross_arch};
use crate::metric::Task;
use puma_core::RecordedRun;
use serde::{Deserialize, Serialize};

/// What one pass showed against the reference pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PassReport {
    pub name: &'static str,
    pub what: &'static str,
    /// Why it was not run; `None` if it was.
    pub skipped: Option<String>,
    /// The strongest agreement that holds for every question; `None` where nothing could be compared.
    pub level: Option<Level>,
    /// Questions answered in both passes.
    pub jobs: usize,
    /// Questions that failed in the backend in either pass: nothing is known of them.
    pub backend_failed: usize,
    /// Questions whose parsed answer changed.
    pub label_flips: usize,
    /// Questions whose generated tokens changed.
    pub token_changes: usize,
    pub logprobs: LogprobNoise,
}

/// Differences of the logprobs of the same tokens in the same context, in nats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LogprobNoise {
    /// How many were compared; 0 where the backend gives none.
    pub n: usize,
    pub equal_bits: usize,
    pub mean_abs: Option<f64>,
    pub p99_abs: Option<f64>,
    pub max_abs: Option<f64>,
}

/// The worst over the passes: differences up to these come from the backend itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    /// Whether nothing differed at all: every answer, and every logprob where there are any.
    pub zero: bool,
    /// The weakest of the passes; `None` where nothing could be compared.
    pub level: Option<Level>,
    pub label_flips: usize,
    pub token_changes: usize,
    pub logprob_mean_abs: Option<f64>,
    pub logprob_p99_abs: Option<f64>,
    pub logprob_max_abs: Option<f64>,
}

/// Holds `run` against `reference`.
pub fn judge_pass(pass: &Pass, reference: &RecordedRun, run: &RecordedRun, task: &Task) -> PassReport {
    // Both passes asked the same model on the same machine: what makes two machines incomparable cannot be here.
    let compared = cross_arch(reference, run, task, &Options { force: true, ..Options::default() });
    let sum = |part: fn(&crate::cross_arch::GroupVerdict) -> usize| compared.groups.iter().map(part).sum::<usize>();
    PassReport {
        level: compared.level,
        jobs: sum(|group| group.pairs.judged),
        backend_failed: sum(|group| group.pairs.backend_failed),
        label_flips: sum(|group| group.tokens.flips.len()),
        token_changes: sum(|group| group.pairs.judged - group.tokens.same_tokens),
        logprobs: noise(&compared),
        ..skipped_for(pass, None)
    }
}

/// A pass that was not run, and why.
pub fn skipped(pass: &Pass, why: &str) -> PassReport {
    skipped_for(pass, Some(why.to_owned()))
}

fn skipped_for(pass: &Pass, skipped: Option<String>) -> PassReport {
    PassReport {
        name: pass.name,
        what: pass.what,
        skipped,
        level: None,
        jobs: 0,
        backend_failed: 0,
        label_flips: 0,
        token_changes: 0,
        logprobs: LogprobNoise::default(),
    }
}

fn noise(compared: &CrossArch) -> LogprobNoise {
    let parts = || compared.groups.iter().map(|group| &group.tokens.listed);
    let n: usize = parts().map(|part| part.n).sum();
    let total: f64 = parts().filter_map(|part| Some(part.mean_abs? * part.n as f64)).sum();
    LogprobNoise {
        n,
        equal_bits: parts().map(|part| part.equal_bits).sum(),
        mean_abs: (n > 0).then(|| total / n as f64),
        p99_abs: parts().filter_map(|part| part.p99_abs).reduce(f64::max),
        max_abs: parts().filter_map(|part| part.max_abs).reduce(f64::max),
    }
}

/// The worst of `passes`, those that were skipped left out.
pub fn floor(passes: &[PassReport]) -> Floor {
    let ran = || passes.iter().filter(|pass| pass.skipped.is_none());
    let worst = |part: fn(&LogprobNoise) -> Option<f64>| ran().filter_map(|pass| part(&pass.logprobs)).reduce(f64::max);
    let level = ran().map(|pass| pass.level).min().flatten();
    let compared = ran().any(|pass| pass.jobs > 0) && ran().all(|pass| pass.backend_failed == 0);
    let unchanged = ran()
        .all(|pass| pass.label_flips == 0 && pass.token_changes == 0 && pass.logprobs.equal_bits == pass.logprobs.n);
    Floor {
        zero: compared && unchanged,
        level,
        label_flips: ran().map(|pass| pass.label_flips).max().unwrap_or(0),
        token_changes: ran().map(|pass| pass.token_changes).max().unwrap_or(0),
        logprob_mean_abs: worst(|noise| noise.mean_abs),
        logprob_p99_abs: worst(|noise| noise.p99_abs),
        logprob_max_abs: worst(|noise| noise.max_abs),
    }
}

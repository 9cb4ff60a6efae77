//! The fingerprints of a run.

use puma_core::RecordedRun;
use puma_eval::run::{logprobs_digest, predictions_summary_hash};
use puma_store::bundle::{Hashes, prompts_digest};

pub(crate) fn hashes(run: &RecordedRun) -> Hashes {
    Hashes {
        spec_hash: run.header.spec_hash.to_string(),
        dataset_sha256: run.header.dataset.sha256.clone(),
        templates: run.header.templates.clone(),
        prompts_digest: prompts_digest(&run.records),
        predictions_summary_hash: predictions_summary_hash(&run.records),
        logprobs_digest: logprobs_digest(&run.records),
    }
}

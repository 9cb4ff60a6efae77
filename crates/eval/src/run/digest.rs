//! Two hashes that tell whether two runs came out the same: of the predictions, and of every logprob bit.

use puma_core::canon::{hex, sha256_hex};
use puma_core::{JobRecord, TokenLogprob};
use sha2::{Digest, Sha256};

/// SHA-256 of the predictions as upstream computes its integrity hash: CSV rows of instance id, answer, confidence
/// (six decimals) and prompt hash, sorted, without header and final line end.
///
/// Rows are ordered by instance, model, strategy, perturbation and repetition, so that a run with several of these has
/// one hash and not, as upstream, one for each order the rows happen to come in.
/// Source: `puma/community` integrity recipe, verified against the published submission.
pub fn predictions_summary_hash(records: &[JobRecord]) -> String {
    let rows: Vec<String> = in_order(records)
        .into_iter()
        .map(|record| {
            let confidence = record.confidence.map(|value| format!("{value:.6}")).unwrap_or_default();
            [
                record.instance_id.as_str(),
                record.answer.as_deref().unwrap_or_default(),
                &confidence,
                &record.prompt_hash,
            ]
            .map(csv_cell)
            .join(",")
        })
        .collect();
    sha256_hex(rows.join("\n").trim_end_matches('\n').as_bytes())
}

fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// SHA-256 over the id and the logprob bits of every generated token, in instance order; `None` if no completion has
/// logprobs. Lengths are hashed as well, so that tokens cannot move between jobs unseen.
///
/// Layout, little-endian: per record the number of completions (u64); per completion the number of tokens (u64); per
/// token its id (u32, `u32::MAX` where the backend gives none) and the bits of its logprob (u32). Where answers were scored,
/// their number (u64) follows, and per answer its tokens in the same way and the bits of its ending's logprob (u32,
/// `u32::MAX` without one).
pub fn logprobs_digest(records: &[JobRecord]) -> Option<String> {
    let mut any = false;
    let mut hash = Sha256::new();
    for record in in_order(records) {
        hash.update((record.completions.len() as u64).to_le_bytes());
        for completion in &record.completions {
            any |= !completion.tokens.is_empty();
            hash_tokens(&mut hash, &completion.tokens);
            if completion.scores.is_empty() {
                continue;
            }
            hash.update((completion.scores.len() as u64).to_le_bytes());
            for score in &completion.scores {
                hash_tokens(&mut hash, &score.tokens);
                let ending = score.ending.map_or(u32::MAX, |ending| ending.0.to_bits());
                hash.update(ending.to_le_bytes());
            }
        }
    }
    any.then(|| hex(&hash.finalize()))
}

fn hash_tokens(hash: &mut Sha256, tokens: &[TokenLogprob]) {
    hash.update((tokens.len() as u64).to_le_bytes());
    for token in tokens {
        hash.update(token.id.unwrap_or(u32::MAX).to_le_bytes());
        hash.update(token.logprob.to_bits().to_le_bytes());
    }
}

fn in_order(records: &[JobRecord]) -> Vec<&JobRecord> {
    let mut sorted: Vec<&JobRecord> = records.iter().collect();
    sorted.sort_by(|left, right| {
        let key = |record: &JobRecord| {
            (
                record.instance_id.clone(),
                record.model.clone(),
                record.strategy.clone(),
                record.perturbation.clone(),
                record.repeat,
                record.job_id.clone(),
            )
        };
        key(left).cmp(&key(right))
    });
    sorted
}

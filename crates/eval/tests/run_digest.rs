//! The two hashes that tell whether runs came out the same.

use proptest::prelude::*;
use puma_core::{
    Completion, FinishReason, InstanceId, JobId, JobRecord, Outcome, Phases, Timestamp, TokenLogprob, Usage,
};
use puma_eval::run::{logprobs_digest, predictions_summary_hash};

fn record(instance: &str, answer: Option<&str>, confidence: Option<f64>, prompt_hash: &str) -> JobRecord {
    JobRecord {
        job_id: JobId::new(format!("job of {instance}")),
        instance_id: InstanceId::new(instance),
        model: "m".into(),
        strategy: "zero-shot".into(),
        perturbation: None,
        repeat: 0,
        seed: 42,
        gold: String::new(),
        group: None,
        prompt: String::new(),
        prompt_hash: prompt_hash.into(),
        outcome: Outcome::Answered,
        answer: answer.map(str::to_owned),
        rule: None,
        confidence,
        label_probabilities: Default::default(),
        completions: Vec::new(),
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(0),
        finished_at: Timestamp(0),
    }
}

fn with_tokens(instance: &str, tokens: &[(u32, f32)]) -> JobRecord {
    let tokens = tokens
        .iter()
        .map(|&(id, logprob)| TokenLogprob { id: Some(id), token: String::new(), logprob, top: Vec::new() })
        .collect();
    let completion = Completion {
        text: String::new(),
        reasoning: None,
        finish: FinishReason::Stop,
        tokens,
        scores: Vec::new(),
        usage: Usage::default(),
        phases: Phases::default(),
        attempts: Vec::new(),
        from_cache: false,
    };
    JobRecord { completions: vec![completion], ..record(instance, None, None, "") }
}

#[test]
fn the_summary_hash_is_what_python_computes() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("golden/summary_hash.json")).unwrap();
    let records: Vec<JobRecord> = golden["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |column: usize| row[column].as_str();
            record(text(0).unwrap(), text(1), row[2].as_f64(), text(3).unwrap())
        })
        .collect();
    assert_eq!(predictions_summary_hash(&records), golden["sha256"].as_str().unwrap());
}

#[test]
fn records_of_one_instance_have_an_order_of_their_own() {
    let original = record("I", Some("A"), None, "1");
    let perturbed = JobRecord { perturbation: Some("case_upper".into()), ..record("I", Some("B"), None, "2") };
    let repeated = JobRecord { repeat: 1, ..record("I", Some("A"), None, "1") };
    let one = [original.clone(), perturbed.clone(), repeated.clone()];
    let two = [repeated, perturbed, original];
    assert_eq!(predictions_summary_hash(&one), predictions_summary_hash(&two));
}

#[test]
fn without_tokens_there_is_no_digest() {
    assert_eq!(logprobs_digest(&[]), None);
    assert_eq!(logprobs_digest(&[record("I", None, None, ""), with_tokens("J", &[])]), None);
}

proptest! {
    #[test]
    fn one_flipped_bit_or_moved_token_changes_the_digest_and_order_does_not(
        tokens in proptest::collection::vec((any::<u32>(), any::<f32>()), 1..6), which in 0usize..6, bit in 0u32..32,
    ) {
        let run = [with_tokens("A", &tokens), with_tokens("B", &[(1, -0.5)])];
        let digest = logprobs_digest(&run).expect("there are tokens");
        prop_assert_eq!(logprobs_digest(&[run[1].clone(), run[0].clone()]), Some(digest.clone()));
        let mut flipped = tokens.clone();
        let changed = &mut flipped[which % tokens.len()];
        changed.1 = f32::from_bits(changed.1.to_bits() ^ (1 << bit));
        prop_assert_ne!(logprobs_digest(&[with_tokens("A", &flipped), run[1].clone()]), Some(digest.clone()));
        let mut moved = tokens.clone();
        let last = moved.pop().expect("at least one token");
        let moved = [with_tokens("A", &moved), with_tokens("B", &[last, (1, -0.5)])];
        prop_assert_ne!(logprobs_digest(&moved), Some(digest));
    }
}

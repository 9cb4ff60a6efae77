//! Whether what a bundle holds agrees with itself.

use super::inspect::{Finding, Inspection};
use super::manifest::{Counts, Hashes, Manifest, prompts_digest};
use super::member::Member;
use puma_core::canon::short_hash;
use puma_core::{JobRecord, Origin, Outcome, RecordedRun, RunStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Adds what `run` contradicts: the manifest, the stated hashes, itself.
pub(super) fn check(inspection: &mut Inspection, run: &RecordedRun) {
    let mut found = Vec::new();
    if let Some(manifest) = &inspection.manifest {
        found.extend(manifest_findings(manifest, run));
    }
    if let Some(hashes) = &inspection.hashes {
        found.extend(header_hash_findings(hashes, run));
    }
    let texts = inspection.manifest.as_ref().is_some_and(|manifest| manifest.texts);
    found.extend(count_findings(run));
    found.extend(record_findings(run, texts));
    found.into_iter().for_each(|finding| inspection.add(finding));
}

/// What differs between the fingerprints that a bundle states and those computed from its run. Without texts, the
/// tokens that `logprobs_digest` covers are not there, so it is not compared.
pub fn hash_differences(stated: &Hashes, computed: &Hashes, texts: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let summary = (&stated.predictions_summary_hash, &computed.predictions_summary_hash);
    differs(&mut found, Member::Hashes, "predictions_summary_hash", summary.0, summary.1);
    if texts {
        let shown = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "none".to_owned());
        let (stated, computed) = (shown(&stated.logprobs_digest), shown(&computed.logprobs_digest));
        differs(&mut found, Member::Hashes, "logprobs_digest", &stated, &computed);
    }
    found
}

fn differs<T: PartialEq + Display>(found: &mut Vec<Finding>, member: Member, what: &str, stated: &T, computed: &T) {
    if stated != computed {
        found.push(finding(member, None, format!("{what} is {stated} here, and {computed} by the other members")));
    }
}

fn finding(member: Member, place: Option<String>, what: impl Into<String>) -> Finding {
    Finding { member: Some(member.name().to_owned()), place, what: what.into() }
}

fn manifest_findings(manifest: &Manifest, run: &RecordedRun) -> Vec<Finding> {
    let mut found = Vec::new();
    differs(&mut found, Member::Manifest, "run_id", &manifest.run_id, &run.header.run_id);
    differs(&mut found, Member::Manifest, "status", &manifest.status.as_str(), &run.status.as_str());
    let same = [
        ("origin", manifest.origin == run.origin),
        ("numerics", manifest.numerics == run.header.backend.numerics),
        ("counts", manifest.counts == Counts::of(run)),
    ];
    for (what, _) in same.into_iter().filter(|(_, same)| !same) {
        found.push(finding(Member::Manifest, None, format!("{what} is not what the other members say")));
    }
    found
}

fn header_hash_findings(hashes: &Hashes, run: &RecordedRun) -> Vec<Finding> {
    let mut found = Vec::new();
    let header = &run.header;
    differs(&mut found, Member::Hashes, "spec_hash", &hashes.spec_hash.as_str(), &header.spec_hash.as_str());
    differs(&mut found, Member::Hashes, "dataset_sha256", &hashes.dataset_sha256, &header.dataset.sha256);
    differs(&mut found, Member::Hashes, "prompts_digest", &hashes.prompts_digest, &prompts_digest(&run.records));
    if hashes.templates != header.templates {
        found.push(finding(Member::Hashes, None, "templates are not those of the run's header"));
    }
    found
}

fn count_findings(run: &RecordedRun) -> Vec<Finding> {
    let (jobs, finished) = (run.header.jobs, run.records.len());
    let failed = run.records.iter().filter(|record| record.outcome == Outcome::BackendFailed).count();
    let mut found = Vec::new();
    if finished > jobs {
        found.push(finding(Member::Predictions, None, format!("there are {finished} predictions for {jobs} jobs")));
    }
    // Upstream called a run done whatever became of its jobs.
    if run.status == RunStatus::Done && run.origin == Origin::Puma && (finished < jobs || failed > 0) {
        let what = format!("the run is done, but {finished} of {jobs} jobs are here, of which {failed} failed");
        found.push(finding(Member::Run, None, what));
    }
    found
}

fn record_findings(run: &RecordedRun, texts: bool) -> Vec<Finding> {
    let mut instances = BTreeSet::new();
    let mut found = Vec::new();
    for row in &run.instances {
        if !instances.insert(&row.instance_id) {
            found.push(finding(Member::Instances, Some(format!("instance {}", row.instance_id)), "it is there twice"));
        }
    }
    let models: BTreeSet<&str> = run.header.models.iter().map(|model| model.name.as_str()).collect();
    let mut jobs = BTreeMap::new();
    for (index, record) in run.records.iter().enumerate() {
        let mut add = |what: String| {
            let place = format!("line {}, job {}", index + 1, record.job_id);
            found.push(finding(Member::Predictions, Some(place), what));
        };
        if let Some(first) = jobs.insert(&record.job_id, index + 1) {
            add(format!("the job stands in line {first} already"));
        }
        if !instances.contains(&record.instance_id) {
            add(format!("there is no instance {}", record.instance_id));
        }
        if !models.contains(record.model.as_str()) {
            add(format!("the run has no model `{}`", record.model));
        }
        if (record.outcome == Outcome::Answered) != record.answer.is_some() {
            let has = if record.answer.is_some() { "an" } else { "no" };
            add(format!("its outcome is `{}`, and it has {has} answer", record.outcome));
        }
        if texts && run.origin == Origin::Puma {
            prompt_finding(record).into_iter().for_each(add);
        }
    }
    found
}

fn prompt_finding(record: &JobRecord) -> Option<String> {
    let computed = short_hash(&record.prompt);
    let stated = &record.prompt_hash;
    (computed != *stated).then(|| format!("its prompt has the hash {computed}, and the record says {stated}"))
}

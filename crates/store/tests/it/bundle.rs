//! A bundle gives back the run that went in, to the last bit, and any other bytes are found out.

use crate::fixture::{START, completion, failed_record, header, instances, record, session};
use crate::round_trip::{json, record as any_record};
use proptest::prelude::*;
use puma_core::{Origin, Outcome, RecordedRun, RunStatus, Timestamp};
use puma_store::bundle::{
    BundleError, Contents, Hashes, Imported, Inspection, hash_differences, inspect, is_bundle, prompts_digest, read,
    write,
};
use puma_store::{Store, StoreError};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

fn run(jobs: usize) -> RecordedRun {
    RecordedRun {
        header: header("smoke__83ec5feaa8df4844__20260531T091417", jobs),
        instances: instances(jobs),
        records: (0..jobs).map(record).collect(),
        status: RunStatus::Done,
        finished_at: Some(Timestamp(START.0 + 60_000)),
        resumed_count: 2,
        origin: Origin::Puma,
        sessions: vec![session(START, Some(1234.5), Some(0.1 + 0.2)), session(Timestamp(START.0 + 1), None, None)],
    }
}

fn hashes(run: &RecordedRun) -> Hashes {
    Hashes {
        spec_hash: run.header.spec_hash.to_string(),
        dataset_sha256: run.header.dataset.sha256.clone(),
        templates: run.header.templates.clone(),
        prompts_digest: prompts_digest(&run.records),
        predictions_summary_hash: "ab".repeat(32),
        logprobs_digest: Some("cd".repeat(32)),
    }
}

fn contents(run: &RecordedRun) -> Contents<'_> {
    Contents {
        run,
        texts: true,
        neutralised: vec!["nothing".to_owned()],
        hashes: hashes(run),
        puma_version: "0.1.0".to_owned(),
    }
}

fn bundled(run: &RecordedRun) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(contents(run), &mut bytes).unwrap();
    bytes
}

fn findings(bytes: &[u8]) -> Vec<String> {
    inspect(bytes).findings.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn only_finding(bytes: &[u8], says: &str) {
    let found = findings(bytes);
    assert!(found.len() == 1 && found[0].contains(says), "{says}: {found:?}");
}

/// The members of a bundle by name, as any tar program unpacks them.
fn members(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(zstd::Decoder::new(bytes).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    });
    entries.collect()
}

const ORDER: [&str; 6] =
    ["manifest.json", "run.json", "instances.jsonl", "predictions.jsonl", "sessions.jsonl", "hashes.json"];

/// A bundle of these members, made by hand.
fn packed(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut head = tar::Header::new_ustar();
        head.set_size(content.len() as u64);
        archive.append_data(&mut head, name, *content).unwrap();
    }
    zstd::encode_all(archive.into_inner().unwrap().as_slice(), 1).unwrap()
}

/// The members of the run, with one replaced and the manifest made to agree with it, as an author of lies would.
fn forged(run: &RecordedRun, name: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut parts = members(&bundled(run));
    let text = change(String::from_utf8(parts[name].clone()).unwrap());
    if name != "manifest.json" {
        let mut manifest: serde_json::Value = serde_json::from_slice(&parts["manifest.json"]).unwrap();
        let rows = manifest["members"].as_array_mut().unwrap();
        let row = rows.iter_mut().find(|row| row["name"] == name).unwrap();
        row["size_bytes"] = text.len().into();
        row["sha256"] = puma_core::canon::sha256_hex(text.as_bytes()).into();
        parts.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap());
    }
    parts.insert(name.to_owned(), text.into_bytes());
    packed(&ORDER.map(|name| (name, parts[name].as_slice())))
}

#[test]
fn a_run_comes_out_as_it_went_in() {
    let mut run = run(5);
    run.records[3] = failed_record(3);
    run.status = RunStatus::Incomplete;
    let bytes = bundled(&run);
    assert!(is_bundle(&bytes));
    let (manifest, back) = read(bytes.as_slice()).unwrap();
    assert_eq!(back, run);
    assert_eq!(manifest.counts.predictions, 5);
    assert_eq!(manifest.numerics.as_deref(), Some("N1"));
    let tokens = &back.records[0].completions[0].tokens[0];
    assert_eq!((tokens.logprob.to_bits(), tokens.top[1].logprob), ((-0.105_360_51_f32).to_bits(), f32::NEG_INFINITY));
}

#[test]
fn equal_runs_make_equal_bytes() {
    assert_eq!(bundled(&run(4)), bundled(&run(4)));
    // The file of another processor or build must be the same: the recipe is part of the format. A field that a header
    // gains changes it as well, and only that may.
    let digest = puma_core::canon::sha256_hex(&bundled(&run(2)));
    assert_eq!(digest, "af4df1a6c22a214c3c32f5b075d71b3227fc4e2ca20915770d575159a4509a43");
}

#[test]
fn every_member_can_be_read_without_puma() {
    let run = run(3);
    let parts = members(&bundled(&run));
    assert_eq!(parts.keys().map(String::as_str).collect::<Vec<_>>().len(), ORDER.len());
    let manifest: serde_json::Value = serde_json::from_slice(&parts["manifest.json"]).unwrap();
    assert_eq!((&manifest["format"], &manifest["version"]), (&"puma-bundle".into(), &1.into()));
    for row in manifest["members"].as_array().unwrap() {
        let content = &parts[row["name"].as_str().unwrap()];
        assert_eq!(row["sha256"], puma_core::canon::sha256_hex(content));
        assert_eq!(row["size_bytes"], content.len());
    }
    let lines = String::from_utf8(parts["predictions.jsonl"].clone()).unwrap();
    assert_eq!(lines.lines().count(), 3);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["completions"][0]["tokens"][0]["top"][1]["logprob"], serde_json::Value::Null);
}

#[test]
fn a_number_that_json_cannot_keep_is_refused() {
    let mut broken = run(2);
    broken.records[1].completions[0].tokens[0].logprob = f32::NAN;
    let error = write(contents(&broken), Vec::new()).unwrap_err();
    assert!(
        matches!(&error, BundleError::Inexact(what) if what.contains(broken.records[1].job_id.as_str())),
        "{error}"
    );
    let mut broken = run(2);
    broken.sessions[0].energy.as_mut().unwrap().duration_s = f64::INFINITY;
    assert!(matches!(write(contents(&broken), Vec::new()), Err(BundleError::Inexact(_))));
}

#[test]
fn a_file_that_is_no_whole_bundle_is_told_apart() {
    let bytes = bundled(&run(3));
    only_finding(b"", "the file is empty");
    only_finding(b"PK\x03\x04 a zip archive", "no bundle");
    only_finding(&bytes[..bytes.len() - 1], "too early");
    only_finding(&bytes[..bytes.len() / 2], "too early");
    only_finding(&[&bytes[..], b"x"].concat(), "goes on after the end");
    only_finding(&[&bytes[..], &bytes[..]].concat(), "goes on after the end");
    only_finding(&zstd::encode_all(&b"no archive at all"[..], 1).unwrap(), "");
    only_finding(&zstd::encode_all(&[0_u8; 1024][..], 1).unwrap(), "manifest.json: it is missing");
}

#[test]
fn another_version_is_named() {
    let of_version = |version: &str| forged(&run(1), "manifest.json", |text| text.replace("\"version\": 1", version));
    only_finding(&of_version("\"version\": 2"), "version 2 of the format, and this program reads version 1");
    let other = forged(&run(1), "manifest.json", |text| text.replace("puma-bundle", "puma-bundles"));
    only_finding(&other, "not that of a PUMA bundle");
}

#[test]
fn hostile_archives_are_refused() {
    let parts = members(&bundled(&run(1)));
    let part = |name: &'static str| (name, parts[name].as_slice());
    only_finding(&packed(&[part("run.json")]), "in its place stands `run.json`");
    only_finding(&packed(&[part("manifest.json"), ("etc/passwd", b"x")]), "run.json: in its place stands `etc/passwd`");
    let mut all = ORDER.map(part).to_vec();
    all.push(("more.json", b"{}"));
    only_finding(&packed(&all), "more members");
    only_finding(&packed(&all[..5]), "hashes.json: it is missing");
    // A link in the place of a member.
    let mut archive = tar::Builder::new(Vec::new());
    let mut head = tar::Header::new_ustar();
    head.set_entry_type(tar::EntryType::Symlink);
    head.set_size(0);
    archive.append_link(&mut head, "manifest.json", "/etc/passwd").unwrap();
    let link = zstd::encode_all(archive.into_inner().unwrap().as_slice(), 1).unwrap();
    only_finding(&link, "no plain file");
}

/// A member whose header promises `size_bytes`, filled with `byte` as far as the test has patience.
fn promised(name: &str, size_bytes: u64, filled: u64, byte: u8) -> Vec<u8> {
    let mut head = tar::Header::new_ustar();
    head.set_path(name).unwrap();
    head.set_size(size_bytes);
    head.set_cksum();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(head.as_bytes()).unwrap();
    let block = vec![byte; 1 << 20];
    for _ in 0..filled >> 20 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn a_bomb_is_not_unpacked() {
    only_finding(&promised("manifest.json", 1 << 40, 0, b' '), "1099511627776 bytes, 1048576 at most");
    // 100 MiB of one line without an end, in a few kilobytes, after a manifest that is in order.
    let manifest = members(&bundled(&run(1)))["manifest.json"].clone();
    let run_json = members(&bundled(&run(1)))["run.json"].clone();
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("manifest.json", &manifest), ("run.json", &run_json)] {
        let mut head = tar::Header::new_ustar();
        head.set_size(content.len() as u64);
        archive.append_data(&mut head, name, content.as_slice()).unwrap();
    }
    let mut head = tar::Header::new_ustar();
    head.set_path("instances.jsonl").unwrap();
    head.set_size(100 << 20);
    head.set_cksum();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(archive.get_ref()).unwrap();
    encoder.write_all(head.as_bytes()).unwrap();
    (0..100).for_each(|_| encoder.write_all(&vec![b' '; 1 << 20]).unwrap());
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 17, "{}", bomb.len());
    only_finding(&bomb, "instances.jsonl, line 1: the file is damaged (it is longer than 67108864 bytes)");
    // Brackets a million deep.
    let deep = "[".repeat(1 << 19);
    only_finding(&packed(&[("manifest.json", deep.as_bytes())]), "manifest.json: it cannot be read: recursion limit");
}

#[test]
fn what_the_members_contradict_is_named_with_its_place() {
    let run = run(3);
    let job = run.records[1].job_id.clone();
    let line = |says: &str| format!("predictions.jsonl, line 2, job {job}: {says}");
    for (name, from, to, says) in [
        ("predictions.jsonl", "How severe is issue 1?", "How severe is issue 7?", line("its prompt has the hash")),
        (
            "predictions.jsonl",
            "\"instance_id\":\"ISSUE-1\"",
            "\"instance_id\":\"ISSUE-9\"",
            line("there is no instance"),
        ),
        ("run.json", "\"jobs\": 3", "\"jobs\": 2", "predictions.jsonl: there are 3 predictions for 2 jobs".to_owned()),
        ("run.json", "\"jobs\": 3", "\"jobs\": 4", "the run is done, but 3 of 4 jobs are here".to_owned()),
        (
            "run.json",
            "83ec5feaa8df4844\",\n    \"spec\"",
            "0000000000000000\",\n    \"spec\"",
            "spec_hash is".to_owned(),
        ),
        ("manifest.json", "\"status\": \"done\"", "\"status\": \"error\"", "manifest.json: status is error".to_owned()),
        ("manifest.json", "\"predictions\": 3", "\"predictions\": 4", "counts is not what".to_owned()),
        ("sessions.jsonl", "}\n", "}", "it does not end with a line feed".to_owned()),
        ("instances.jsonl", "ISSUE-2", "ISSUE-1", "instance ISSUE-1: it is there twice".to_owned()),
        ("predictions.jsonl", "\"outcome\":\"answered\"", "\"outcome\":\"empty\"", "and it has an answer".to_owned()),
        (
            "predictions.jsonl",
            "\"repeat\":0",
            "\"repeat\":-1",
            "predictions.jsonl, line 1: it cannot be read".to_owned(),
        ),
    ] {
        let found = findings(&forged(&run, name, |text| {
            assert!(text.contains(from), "{from} in {text}");
            text.replace(from, to)
        }));
        assert!(found.iter().any(|finding| finding.contains(&says)), "{says}: {found:?}");
    }
}

#[test]
fn a_member_that_is_not_the_one_of_the_manifest_is_named() {
    let parts = members(&bundled(&run(2)));
    let other = String::from_utf8(parts["predictions.jsonl"].clone()).unwrap().replace("Major", "Minor");
    let swapped =
        ORDER.map(
            |name| if name == "predictions.jsonl" { (name, other.as_bytes()) } else { (name, parts[name].as_slice()) },
        );
    only_finding(&packed(&swapped), "predictions.jsonl: its SHA-256 is");
}

#[test]
fn fingerprints_that_do_not_follow_are_differences() {
    let run = run(1);
    let stated = hashes(&run);
    assert!(hash_differences(&stated, &stated, true).is_empty());
    let other = Hashes { logprobs_digest: None, ..stated.clone() };
    assert_eq!(hash_differences(&stated, &other, true).len(), 1);
    assert!(hash_differences(&stated, &other, false).is_empty(), "without texts there are no tokens to hash");
    let other = Hashes { predictions_summary_hash: String::new(), ..stated.clone() };
    assert_eq!(hash_differences(&stated, &other, false).len(), 1);
}

#[test]
fn an_imported_run_is_the_run() {
    let store = Store::memory().unwrap();
    let mut whole = run(4);
    whole.records[2] = failed_record(2);
    whole.status = RunStatus::Incomplete;
    assert_eq!(store.import_run(&whole).unwrap(), Imported::New);
    assert_eq!(store.load_run(&whole.header.run_id).unwrap(), whole);
    assert_eq!(store.job_failures(&whole.header.run_id).unwrap().len(), 1);
    assert_eq!(store.import_run(&whole).unwrap(), Imported::AlreadyThere);
    let mut other = whole.clone();
    other.records[0].answer = Some("Minor".to_owned());
    let error = store.import_run(&other).unwrap_err();
    assert!(
        matches!(error, StoreError::ImportDiffers { .. }) && error.to_string().contains("3 are the same"),
        "{error}"
    );
    assert_eq!(store.load_run(&whole.header.run_id).unwrap(), whole, "the stored run stays");
}

#[test]
fn a_run_of_upstream_stays_one() {
    let store = Store::memory().unwrap();
    let mut upstream = run(3);
    upstream.origin = Origin::Upstream;
    upstream.sessions.clear();
    for (index, record) in upstream.records.iter_mut().enumerate() {
        record.prompt.clear();
        record.job_id = puma_core::JobId::new(format!("upstream-{}", 9 + index));
    }
    let (_, back) = read(bundled(&upstream).as_slice()).unwrap();
    assert_eq!(store.import_run(&back).unwrap(), Imported::New);
    assert_eq!(store.load_run(&upstream.header.run_id).unwrap(), upstream);
}

#[test]
fn a_run_from_a_database_of_upstream_travels_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    crate::upstream::make(&path, crate::upstream::REVISIONS[1]);
    let store = Store::open(&path).unwrap();
    let run = store.load_run(&store.find_run("old").unwrap()).unwrap();
    let bytes = bundled(&run);
    assert_eq!(findings(&bytes), Vec::<String>::new());
    let (manifest, back) = read(bytes.as_slice()).unwrap();
    assert_eq!((manifest.origin, &back), (Origin::Upstream, &run));
    let elsewhere = Store::memory().unwrap();
    assert_eq!(elsewhere.import_run(&back).unwrap(), Imported::New);
    let imported = elsewhere.load_run(&run.header.run_id).unwrap();
    assert_eq!((imported.origin, imported.records.len()), (Origin::Upstream, run.records.len()));
    assert_eq!(elsewhere.import_run(&back).unwrap(), Imported::AlreadyThere);
    assert_eq!(store.import_run(&back).unwrap(), Imported::AlreadyThere, "where it came from it is known");
    let error = elsewhere.recorder().start(&run.header, &run.instances, true).unwrap_err();
    assert!(error.to_string().contains("upstream PUMA made it"), "{error}");
}

#[test]
fn a_run_that_a_database_cannot_keep_leaves_nothing_behind() {
    let store = Store::memory().unwrap();
    let mut whole = run(2);
    whole.records[1].started_at = Timestamp(i64::MAX);
    assert!(matches!(store.import_run(&whole), Err(StoreError::BadRecord { .. })));
    let mut twice = run(2);
    twice.records[1].job_id = twice.records[0].job_id.clone();
    store.import_run(&twice).unwrap_err();
    assert_eq!(store.latest_run().unwrap(), None);
    store.import_run(&run(2)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_job_comes_out_as_it_went_in(record in any_record(), machine in json(), fields in json()) {
        let mut run = run(1);
        run.header.machine = machine;
        run.instances[0].fields = fields;
        run.records = vec![record];
        let bytes = bundled(&run);
        let Inspection { run: back, .. } = inspect(bytes.as_slice());
        let back = back.unwrap();
        let bits = |run: &RecordedRun| -> Vec<u32> {
            let tokens = run.records[0].completions.iter().flat_map(|completion| &completion.tokens);
            tokens.flat_map(|token| std::iter::once(token.logprob).chain(token.top.iter().map(|top| top.logprob)))
                .map(f32::to_bits).collect()
        };
        prop_assert_eq!(bits(&back), bits(&run));
        prop_assert_eq!(back, run);
    }

    #[test]
    fn a_changed_byte_is_found_or_changes_nothing(at in 0_usize..100_000, bits in 1_u8..=255) {
        let run = run(3);
        let mut bytes = bundled(&run);
        let at = at % bytes.len();
        bytes[at] ^= bits;
        match read(bytes.as_slice()) {
            Ok((_, back)) => prop_assert_eq!(back, run),
            Err(BundleError::Unsound { first, .. }) => prop_assert!(!first.what.is_empty()),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_changed_byte_inside_a_member_is_found(member in 1_usize..6, at in 0_usize..100_000, bits in 1_u8..=255) {
        let mut parts = members(&bundled(&run(3)));
        let content = parts.get_mut(ORDER[member]).unwrap();
        let at = at % content.len();
        content[at] ^= bits;
        let bytes = packed(&ORDER.map(|name| (name, parts[name].as_slice())));
        prop_assert!(!findings(&bytes).is_empty());
    }

    #[test]
    fn a_changed_manifest_never_gives_another_run(at in 0_usize..100_000, bits in 1_u8..=255) {
        let run = run(2);
        let mut parts = members(&bundled(&run));
        let content = parts.get_mut("manifest.json").unwrap();
        let at = at % content.len();
        content[at] ^= bits;
        let bytes = packed(&ORDER.map(|name| (name, parts[name].as_slice())));
        if let Ok((_, back)) = read(bytes.as_slice()) {
            prop_assert_eq!(back, run);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), packed_too in any::<bool>()) {
        let bytes = if packed_too { zstd::encode_all(bytes.as_slice(), 1).unwrap() } else { bytes };
        prop_assert!(!findings(&bytes).is_empty());
    }
}

#[test]
fn an_outcome_without_a_finding_stays_in_the_run() {
    // Every outcome travels, also those that no other test uses.
    let mut whole = run(6);
    for (record, outcome) in whole.records.iter_mut().zip(Outcome::ALL) {
        record.outcome = outcome;
        if outcome != Outcome::Answered {
            record.answer = None;
        }
        record.completions.push(completion("again", -1.5));
    }
    whole.status = RunStatus::Incomplete;
    assert_eq!(read(bundled(&whole).as_slice()).unwrap().1, whole);
}

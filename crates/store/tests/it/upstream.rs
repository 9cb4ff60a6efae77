//! Databases that upstream PUMA made are opened, kept as they are, and read as far as they go.

use crate::fixture::{ended, finished, header, instances, record, started};
use puma_core::{EventSink as _, InstanceId, Origin, Outcome, RunId, RunStatus, Timestamp};
use puma_store::{RunFilter, Store, StoreError};
use rusqlite::Connection;
use std::path::Path;

/// The tables as SQLAlchemy writes them for upstream's Alembic revisions; `{now}` is the server default that revision
/// 0002 added.
const TABLES: &str = "
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE TABLE instances (instance_id VARCHAR(64) NOT NULL, dataset VARCHAR(32) NOT NULL,
    source_id VARCHAR(128) NOT NULL, input_text TEXT NOT NULL, gold_label VARCHAR(128) NOT NULL,
    CONSTRAINT pk_instances PRIMARY KEY (instance_id), CONSTRAINT uq_dataset_source UNIQUE (dataset, source_id));
CREATE TABLE runs (run_id VARCHAR(64) NOT NULL, spec_hash VARCHAR(16) NOT NULL, spec_yaml TEXT, profile VARCHAR(32),
    started_at DATETIME {now} NOT NULL, finished_at DATETIME, status VARCHAR(16) NOT NULL,
    CONSTRAINT pk_runs PRIMARY KEY (run_id));
CREATE TABLE emissions (emission_id INTEGER NOT NULL, run_id VARCHAR(64) NOT NULL, kwh FLOAT, co2_kg FLOAT,
    duration_s FLOAT, cpu_energy FLOAT, gpu_energy FLOAT, ram_energy FLOAT, recorded_at DATETIME {now} NOT NULL,
    CONSTRAINT pk_emissions PRIMARY KEY (emission_id),
    CONSTRAINT fk_emissions_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (run_id));
CREATE TABLE metrics (metric_id INTEGER NOT NULL, run_id VARCHAR(64) NOT NULL, scope VARCHAR(32) NOT NULL,
    model VARCHAR(64), strategy VARCHAR(32), metric_name VARCHAR(64) NOT NULL, value FLOAT NOT NULL,
    subgroup VARCHAR(128), computed_at DATETIME {now} NOT NULL, CONSTRAINT pk_metrics PRIMARY KEY (metric_id),
    CONSTRAINT fk_metrics_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (run_id));
CREATE TABLE predictions (pred_id INTEGER NOT NULL, run_id VARCHAR(64) NOT NULL, instance_id VARCHAR(64) NOT NULL,
    model VARCHAR(64) NOT NULL, strategy VARCHAR(32) NOT NULL, prompt_hash VARCHAR(16) NOT NULL,
    raw_response TEXT NOT NULL, parsed_label VARCHAR(128), confidence FLOAT, logprobs_json TEXT, latency_ms FLOAT,
    tokens_in INTEGER, tokens_out INTEGER, perturbation VARCHAR(64), seed INTEGER NOT NULL,
    CONSTRAINT pk_predictions PRIMARY KEY (pred_id),
    CONSTRAINT fk_predictions_instance_id_instances FOREIGN KEY(instance_id) REFERENCES instances (instance_id),
    CONSTRAINT fk_predictions_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (run_id));
CREATE TABLE profile_snapshots (snapshot_id INTEGER NOT NULL, run_id VARCHAR(64) NOT NULL, os VARCHAR(64),
    cpu VARCHAR(128), ram_gb FLOAT, gpu VARCHAR(128), vram_gb FLOAT, ollama_version VARCHAR(32),
    puma_version VARCHAR(32), extra JSON, CONSTRAINT pk_profile_snapshots PRIMARY KEY (snapshot_id),
    CONSTRAINT fk_profile_snapshots_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (run_id),
    CONSTRAINT uq_profile_snapshots_run_id UNIQUE (run_id));
";

const ROWS: &str = r#"
INSERT INTO runs VALUES ('old__1234', '83ec5feaa8df4844',
    '{"id": "old", "scenario": "triage_jira", "adaptation": {"strategy": ["zero-shot"], "cot": [false]}}',
    'gpu-entry', '2026-05-30 09:14:17.225150', '2026-05-30 09:15:09.067567', 'done');
INSERT INTO instances VALUES ('ISSUE-0', 'triage_jira', 'ISSUE-0', '', 'Critical'), ('MAJR-1', 'triage_jira', 'MAJR-1', '', 'Major');
INSERT INTO predictions (run_id, instance_id, model, strategy, prompt_hash, raw_response, parsed_label, confidence,
    logprobs_json, latency_ms, tokens_in, tokens_out, perturbation, seed) VALUES
    ('old__1234', 'ISSUE-0', 'qwen2.5:3b', 'zero-shot', 'f43378a9c0073473', 'Critical', 'Critical', 0.75,
     '[{"token": "Critical", "logprob": -0.25, "top_logprobs": [{"token": "C", "logprob": -2.5}]}]', 199.5, 120, 2, NULL, 42),
    ('old__1234', 'MAJR-1', 'qwen2.5:3b', 'zero-shot', '0000000000000000', 'I cannot say', NULL, NULL, '[{"token": "I", "logprob": -Infinity}]', 208.0, 99, 5, NULL, 42),
    ('old__1234', 'MAJR-1', 'qwen2.5:3b', 'zero-shot', '0000000000000000', '', NULL, NULL, NULL, 150.0, 99, 0, 'typos', 42),
    ('old__1234', 'MAJR-1', 'qwen2.5:3b', 'zero-shot', '0000000000000000', '', NULL, NULL, NULL, NULL, NULL, NULL, 'noise', 42);
INSERT INTO metrics (run_id, scope, metric_name, value, computed_at) VALUES
    ('old__1234', 'global', 'f1_macro', 0.38976688365784873, '2026-05-30 09:15:09'),
    ('old__1234', 'global', 'parse_failure_rate', 0.5, '2026-05-30 09:15:09');
INSERT INTO profile_snapshots VALUES (1, 'old__1234', 'Linux', 'x86_64', 31.0, 'RTX 2060', 6.0, '0.12.11', '3.1.0', '{"cpu_cores": 12}');
INSERT INTO emissions (run_id, kwh, recorded_at) VALUES ('old__1234', 0.000668, '2026-05-30 09:15:09');
"#;

pub(crate) fn make(path: &Path, revision: &str) {
    let now = if revision.starts_with("0001") { "" } else { "DEFAULT CURRENT_TIMESTAMP" };
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(&TABLES.replace("{now}", now)).unwrap();
    conn.execute("INSERT INTO alembic_version VALUES (?1)", [revision]).unwrap();
    conn.execute_batch(ROWS).unwrap();
}

pub(crate) const REVISIONS: [&str; 2] = ["0001_initial_schema", "0002_server_default_timestamps"];

/// Every value of upstream's own columns, as text.
fn upstream_rows(path: &Path) -> Vec<String> {
    let conn = Connection::open(path).unwrap();
    let queries = [
        "SELECT concat_ws('|', run_id, spec_hash, spec_yaml, profile, started_at, finished_at, status) FROM runs",
        "SELECT concat_ws('|', instance_id, dataset, source_id, input_text, gold_label) FROM instances",
        "SELECT concat_ws('|', pred_id, run_id, instance_id, model, strategy, prompt_hash, raw_response, parsed_label, \
             confidence, logprobs_json, latency_ms, tokens_in, tokens_out, perturbation, seed) FROM predictions",
        "SELECT concat_ws('|', metric_id, run_id, scope, model, metric_name, value, computed_at) FROM metrics",
        "SELECT concat_ws('|', run_id, os, ram_gb, ollama_version, puma_version, extra) FROM profile_snapshots",
        "SELECT concat_ws('|', run_id, kwh, recorded_at) FROM emissions",
        "SELECT version_num FROM alembic_version",
    ];
    let mut rows = Vec::new();
    for query in queries {
        let mut statement = conn.prepare(query).unwrap();
        rows.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    rows
}

#[test]
fn every_upstream_revision_is_adopted_with_all_its_rows() {
    for revision in REVISIONS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("puma.db");
        make(&path, revision);
        let before = upstream_rows(&path);
        assert!(matches!(Store::open_read_only(&path), Err(StoreError::OlderSchema { .. })));
        let store = Store::open(&path).unwrap();
        assert_eq!(upstream_rows(&path), before);
        let status = store.status().unwrap();
        assert_eq!(status.upstream_revision.as_deref(), Some(revision));
        assert_eq!((status.problems.len(), status.rows["predictions"]), (0, 4));
        drop(store);
        Store::open(&path).unwrap();
        assert_eq!(upstream_rows(&path), before, "opening again changes nothing");
    }
}

#[test]
fn upstream_runs_are_listed_and_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    make(&path, REVISIONS[1]);
    let store = Store::open(&path).unwrap();
    let listed =
        store.list_runs(&RunFilter { scenario: Some("triage_jira".to_owned()), ..RunFilter::default() }).unwrap();
    let json = serde_json::to_value(&listed).unwrap();
    let expected = serde_json::json!([{
        "run_id": "old__1234", "profile": "gpu-entry", "started_at": "2026-05-30T09:14:17.225Z",
        "finished_at": "2026-05-30T09:15:09.067Z", "status": "done", "f1_macro": 0.38976688365784873, "mae_sp": null,
        "parse_failure_rate": 0.5, "scenario": "triage_jira", "models": ["qwen2.5:3b"], "strategies": ["zero-shot"],
        "jobs": 4, "mae": null, "accuracy": null,
    }]);
    assert_eq!(json, expected);

    let run = store.load_run(&store.find_run("old").unwrap()).unwrap();
    assert_eq!((run.origin, run.status), (Origin::Upstream, RunStatus::Done));
    assert_eq!((run.header.models[0].name.as_str(), run.header.jobs), ("qwen2.5:3b", 4));
    assert_eq!(run.header.backend.version.as_deref(), Some("0.12.11"));
    assert_eq!(run.header.puma_version, "3.1.0");
    assert_eq!(run.instances.len(), 2);
    let outcomes: Vec<_> = run.records.iter().map(|each| (each.outcome, each.gold.as_str())).collect();
    assert_eq!(
        outcomes,
        [
            (Outcome::Answered, "Critical"),
            (Outcome::Unparsed, "Major"),
            (Outcome::BackendFailed, "Major"),
            (Outcome::Empty, "Major"),
        ]
    );
    let first = &run.records[0];
    assert_eq!(
        (first.answer.as_deref(), first.latency_ms(), first.confidence),
        (Some("Critical"), Some(199.5), Some(0.75))
    );
    assert_eq!(first.completions[0].tokens[0].top[0].logprob, -2.5);
    assert_eq!(store.emissions(&run.header.run_id).unwrap()[0].kwh, Some(0.000_668));

    let error = store.recorder().start(&run.header, &run.instances, true).unwrap_err();
    assert!(error.to_string().ends_with("upstream PUMA made it and kept too little to go on"), "{error}");
}

#[test]
fn new_runs_live_beside_upstream_rows_with_the_same_instance_ids() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    make(&path, REVISIONS[1]);
    let store = Store::open(&path).unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("new", 2)).unwrap();
    recorder.emit(&finished("new", record(0))).unwrap();
    recorder.emit(&ended("new", RunStatus::Done)).unwrap();
    let new = store.load_run(&RunId::new("new")).unwrap();
    assert_eq!((new.header, new.instances), (header("new", 2), instances(2)));
    assert_eq!(new.records, vec![record(0)], "its own gold answer, not the one upstream stored under this id");
    let old = store.load_run(&RunId::new("old__1234")).unwrap();
    assert_eq!(
        (old.records[0].instance_id.clone(), old.records[0].gold.as_str()),
        (InstanceId::new("ISSUE-0"), "Critical")
    );
    assert_eq!(store.find_run("latest").unwrap().as_str(), "new", "both programs' times sort together");

    let since = Timestamp(puma_store::parse_moment("2026-05-30T09:14:17").unwrap().0);
    let count = |since| store.list_runs(&RunFilter { since: Some(since), ..RunFilter::default() }).unwrap().len();
    assert_eq!((count(since), count(Timestamp(since.0 + 1000))), (2, 1), "hours of one day are told apart");
}

#[test]
fn upstream_can_go_on_writing_the_adopted_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    make(&path, REVISIONS[1]);
    drop(Store::open(&path).unwrap());
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "INSERT INTO runs (run_id, spec_hash, spec_yaml, status) VALUES ('later', 'ffff', '{}', 'running'); \
         INSERT INTO predictions (run_id, instance_id, model, strategy, prompt_hash, raw_response, seed) \
             VALUES ('later', 'MAJR-1', 'm', 's', 'h', 'text', 42), ('later', 'MAJR-1', 'm', 's', 'h', 'text', 42);",
    )
    .unwrap();
    let run = Store::open(&path).unwrap().load_run(&RunId::new("later")).unwrap();
    assert_eq!((run.origin, run.records.len()), (Origin::Upstream, 2));
}

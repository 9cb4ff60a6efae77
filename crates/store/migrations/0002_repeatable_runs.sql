-- What a reader needs to repeat a run, resume it, and tell a model's bad answer from a failed request.
-- Only additions: upstream PUMA can still read and write the file.

ALTER TABLE runs ADD COLUMN scenario TEXT;
ALTER TABLE runs ADD COLUMN strategies_json TEXT;
ALTER TABLE runs ADD COLUMN models_json TEXT;
ALTER TABLE runs ADD COLUMN backend_json TEXT;
ALTER TABLE runs ADD COLUMN dataset_json TEXT;
ALTER TABLE runs ADD COLUMN templates_json TEXT;
ALTER TABLE runs ADD COLUMN machine_json TEXT;
ALTER TABLE runs ADD COLUMN puma_version TEXT;
ALTER TABLE runs ADD COLUMN jobs_planned INTEGER;
ALTER TABLE runs ADD COLUMN resumed_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN numerics TEXT GENERATED ALWAYS AS (json_extract(backend_json, '$.numerics')) VIRTUAL;

ALTER TABLE predictions ADD COLUMN job_id TEXT;
ALTER TABLE predictions ADD COLUMN repeat INTEGER NOT NULL DEFAULT 0;
ALTER TABLE predictions ADD COLUMN outcome TEXT;
ALTER TABLE predictions ADD COLUMN rule TEXT;
ALTER TABLE predictions ADD COLUMN gold TEXT;
ALTER TABLE predictions ADD COLUMN group_name TEXT;
ALTER TABLE predictions ADD COLUMN error TEXT;
ALTER TABLE predictions ADD COLUMN prompt_sha256 TEXT;
ALTER TABLE predictions ADD COLUMN completions_json TEXT;
ALTER TABLE predictions ADD COLUMN label_probabilities_json TEXT;
ALTER TABLE predictions ADD COLUMN started_at DATETIME;
ALTER TABLE predictions ADD COLUMN finished_at DATETIME;
ALTER TABLE predictions ADD COLUMN load_ms FLOAT;
ALTER TABLE predictions ADD COLUMN prompt_ms FLOAT;
ALTER TABLE predictions ADD COLUMN generation_ms FLOAT;
ALTER TABLE predictions ADD COLUMN cached INTEGER NOT NULL DEFAULT 0;

ALTER TABLE metrics ADD COLUMN perturbation TEXT;
ALTER TABLE metrics ADD COLUMN ci_low FLOAT;
ALTER TABLE metrics ADD COLUMN ci_high FLOAT;
ALTER TABLE metrics ADD COLUMN n INTEGER;
ALTER TABLE metrics ADD COLUMN unit TEXT;

-- Prompts and instance fields repeat from run to run; each text is kept once.
CREATE TABLE texts (
    sha256 TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
);

-- Upstream's `instances` knows one row an id over all runs and datasets; here each run keeps its own.
CREATE TABLE run_instances (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    instance_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    scenario TEXT NOT NULL,
    source_id TEXT NOT NULL,
    fields_sha256 TEXT NOT NULL REFERENCES texts (sha256),
    gold TEXT NOT NULL,
    group_name TEXT,
    PRIMARY KEY (run_id, instance_id)
) WITHOUT ROWID;

-- Every time a job failed in the backend, kept when a later attempt succeeds.
CREATE TABLE job_failures (
    failure_id INTEGER NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    job_id TEXT NOT NULL,
    error TEXT,
    completions_json TEXT NOT NULL,
    started_at DATETIME NOT NULL,
    finished_at DATETIME NOT NULL
);

-- Run ids given out before their run began, so that two processes never get the same one.
CREATE TABLE reserved_run_ids (
    run_id TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE UNIQUE INDEX ux_predictions_run_job ON predictions (run_id, job_id);
CREATE INDEX ix_predictions_run_model ON predictions (run_id, model, strategy);
CREATE INDEX ix_predictions_model ON predictions (model, run_id);
CREATE INDEX ix_predictions_instance ON predictions (instance_id);
CREATE INDEX ix_predictions_prompt ON predictions (prompt_sha256);
CREATE INDEX ix_run_instances_fields ON run_instances (fields_sha256);
CREATE INDEX ix_job_failures_run_job ON job_failures (run_id, job_id);
CREATE INDEX ix_metrics_run_name ON metrics (run_id, metric_name);
CREATE INDEX ix_emissions_run ON emissions (run_id);
CREATE INDEX ix_runs_started ON runs (started_at);
CREATE INDEX ix_runs_scenario ON runs (scenario, started_at);

-- Upstream keeps scenario and strategies only inside the spec.
UPDATE runs
SET scenario = json_extract(spec_yaml, '$.scenario'),
    strategies_json = json_extract(spec_yaml, '$.adaptation.strategy')
WHERE json_valid(spec_yaml);

UPDATE runs
SET puma_version = (SELECT s.puma_version FROM profile_snapshots s WHERE s.run_id = runs.run_id);

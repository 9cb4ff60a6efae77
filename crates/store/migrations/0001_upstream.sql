-- The six tables of upstream PUMA (its Alembic revision 0002), with its names, types and constraints.
-- A database that upstream made already holds them, at revision 0001 or 0002, and is left as it is.

CREATE TABLE IF NOT EXISTS instances (
    instance_id VARCHAR(64) NOT NULL,
    dataset VARCHAR(32) NOT NULL,
    source_id VARCHAR(128) NOT NULL,
    input_text TEXT NOT NULL,
    gold_label VARCHAR(128) NOT NULL,
    CONSTRAINT pk_instances PRIMARY KEY (instance_id),
    CONSTRAINT uq_dataset_source UNIQUE (dataset, source_id)
);

CREATE TABLE IF NOT EXISTS runs (
    run_id VARCHAR(64) NOT NULL,
    spec_hash VARCHAR(16) NOT NULL,
    spec_yaml TEXT,
    profile VARCHAR(32),
    started_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    finished_at DATETIME,
    status VARCHAR(16) NOT NULL,
    CONSTRAINT pk_runs PRIMARY KEY (run_id)
);

CREATE TABLE IF NOT EXISTS predictions (
    pred_id INTEGER NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    instance_id VARCHAR(64) NOT NULL,
    model VARCHAR(64) NOT NULL,
    strategy VARCHAR(32) NOT NULL,
    prompt_hash VARCHAR(16) NOT NULL,
    raw_response TEXT NOT NULL,
    parsed_label VARCHAR(128),
    confidence FLOAT,
    logprobs_json TEXT,
    latency_ms FLOAT,
    tokens_in INTEGER,
    tokens_out INTEGER,
    perturbation VARCHAR(64),
    seed INTEGER NOT NULL,
    CONSTRAINT pk_predictions PRIMARY KEY (pred_id),
    CONSTRAINT fk_predictions_run_id_runs FOREIGN KEY (run_id) REFERENCES runs (run_id),
    CONSTRAINT fk_predictions_instance_id_instances FOREIGN KEY (instance_id) REFERENCES instances (instance_id)
);

CREATE TABLE IF NOT EXISTS metrics (
    metric_id INTEGER NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    scope VARCHAR(32) NOT NULL,
    model VARCHAR(64),
    strategy VARCHAR(32),
    metric_name VARCHAR(64) NOT NULL,
    value FLOAT NOT NULL,
    subgroup VARCHAR(128),
    computed_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    CONSTRAINT pk_metrics PRIMARY KEY (metric_id),
    CONSTRAINT fk_metrics_run_id_runs FOREIGN KEY (run_id) REFERENCES runs (run_id)
);

CREATE TABLE IF NOT EXISTS emissions (
    emission_id INTEGER NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    kwh FLOAT,
    co2_kg FLOAT,
    duration_s FLOAT,
    cpu_energy FLOAT,
    gpu_energy FLOAT,
    ram_energy FLOAT,
    recorded_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    CONSTRAINT pk_emissions PRIMARY KEY (emission_id),
    CONSTRAINT fk_emissions_run_id_runs FOREIGN KEY (run_id) REFERENCES runs (run_id)
);

CREATE TABLE IF NOT EXISTS profile_snapshots (
    snapshot_id INTEGER NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    os VARCHAR(64),
    cpu VARCHAR(128),
    ram_gb FLOAT,
    gpu VARCHAR(128),
    vram_gb FLOAT,
    ollama_version VARCHAR(32),
    puma_version VARCHAR(32),
    extra JSON,
    CONSTRAINT pk_profile_snapshots PRIMARY KEY (snapshot_id),
    CONSTRAINT uq_profile_snapshots_run_id UNIQUE (run_id),
    CONSTRAINT fk_profile_snapshots_run_id_runs FOREIGN KEY (run_id) REFERENCES runs (run_id)
);

-- How fast each run was predicted to be on its machine, and how fast it was. `machine_key` names the hardware, not the
-- person: a hash over processor, GPUs and memory. `observation_json` is what the correction is learned from.
CREATE TABLE speed_ledger (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    model TEXT NOT NULL,
    phase TEXT NOT NULL,
    machine_key TEXT NOT NULL,
    backend TEXT NOT NULL,
    digest TEXT,
    sequences INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    predicted_tokens_per_s FLOAT,
    predicted_low FLOAT,
    predicted_high FLOAT,
    measured_tokens_per_s FLOAT NOT NULL,
    measured_at DATETIME NOT NULL,
    observation_json TEXT NOT NULL,
    PRIMARY KEY (run_id, model, phase)
) WITHOUT ROWID;

CREATE INDEX ix_speed_ledger_machine ON speed_ledger (machine_key, backend, model);


-- What each process that worked on a run measured: energy by channel and phase, disturbances.
CREATE TABLE run_sessions (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    started_at DATETIME NOT NULL,
    measured_at DATETIME NOT NULL,
    energy_json TEXT,
    health_json TEXT,
    PRIMARY KEY (run_id, started_at)
) WITHOUT ROWID;

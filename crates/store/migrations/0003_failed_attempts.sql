-- Every attempt at a request that failed for good; those of requests that succeeded are in completions_json.
ALTER TABLE predictions ADD COLUMN failed_attempts_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE job_failures ADD COLUMN attempts_json TEXT NOT NULL DEFAULT '[]';

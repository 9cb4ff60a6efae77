//! The loop that asks. [`run`] takes a [`Plan`](crate::plan::Plan) and a backend and emits one event a finished job.
//!
//! [`judge`] turns the completions of a job into its outcome and answer; [`rescore`] does so again for a stored record.
//! [`predictions_summary_hash`] and [`logprobs_digest`] tell whether two runs came out the same.
//! Deliberately absent: stores, progress bars and files; they read the events.

mod cache_key;
mod digest;
mod judge;
mod order;
mod ticket;
mod work;

pub use cache_key::cache_key;
pub use digest::{logprobs_digest, predictions_summary_hash};
pub use judge::{SCORED, Verdict, judge, rescore};
pub use order::JobOrder;
pub use work::{Asker, MAX_FAILURES_IN_A_ROW, RunError, RunSummary, run};

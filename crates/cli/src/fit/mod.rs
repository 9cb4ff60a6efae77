//! What fits this machine: models and their shapes, verdicts and speeds, the ledger of own runs, recommendations.
//!
//! [`assess`](assess::assess) joins them; the numbers come from `puma_host::fit` and `puma_host::speed`.

pub(crate) mod assess;
pub(crate) mod engine;
pub(crate) mod header;
pub(crate) mod ledger;
pub(crate) mod models;
pub(crate) mod recommend;

pub(crate) mod report;
pub(crate) mod text;

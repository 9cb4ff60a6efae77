//! The noise floor for people.

use super::measure::SelfCheck;
use crate::state;
use crate::summary::short_digest;
use crate::table::{Align, render};
use puma_eval::selfcheck::{Floor, PassReport};
use std::fmt::Write as _;

/// A row a pass, then what the floor means.
pub(crate) fn selfcheck_text(check: &SelfCheck) -> String {
    let backend = [Some(check.backend.kind.as_str()), check.backend.version.as_deref()];
    let mut out = backend.into_iter().flatten().collect::<Vec<_>>().join(" ");
    for model in &check.models {
        let _ = write!(out, " · {} ({})", model.name, short_digest(model.digest.as_deref()));
    }
    let _ = writeln!(out, "\n{}, {}: {} questions a pass", check.scenario, check.strategies.join(", "), check.jobs);
    let _ = writeln!(out, "State: {}.\n", state::sentence(Some(check.state)));
    let header = [
        ("against a fresh model", Align::Left),
        ("same answers", Align::Right),
        ("same tokens", Align::Right),
        ("same logprob bits", Align::Right),
        ("mean |Δ|", Align::Right),
        ("max |Δ|", Align::Right),
        ("verdict", Align::Left),
    ];
    let rows: Vec<Vec<String>> = check.passes.iter().filter(|pass| pass.skipped.is_none()).map(row).collect();
    out.push_str(&render(&header, &rows));
    for pass in check.passes.iter() {
        if let Some(why) = &pass.skipped {
            let _ = writeln!(out, "not run: {} ({}): {why}", pass.name, pass.what);
        }
    }
    out.push('\n');
    out.push_str(&meaning(&check.floor));
    out
}

fn row(pass: &PassReport) -> Vec<String> {
    let of_jobs = |changed: usize| format!("{}/{}", pass.jobs - changed, pass.jobs);
    let nats = |value: Option<f64>| match value {
        None => "-".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) => format!("{value:.1e}"),
    };
    let noise = &pass.logprobs;
    vec![
        pass.what.to_owned(),
        of_jobs(pass.label_flips),
        of_jobs(pass.token_changes),
        if noise.n == 0 { "-".to_owned() } else { format!("{}/{}", noise.equal_bits, noise.n) },
        nats(noise.mean_abs),
        nats(noise.max_abs),
        pass.level.map_or("nothing to compare", |level| level.words()).to_owned(),
    ]
}

fn meaning(floor: &Floor) -> String {
    match (floor.zero, floor.logprob_max_abs) {
        (true, Some(_)) => "The noise floor is zero: this backend gave the same bits every time.\n".to_owned(),
        (true, None) => "The same answers every time; without logprobs nothing finer can be said.\n".to_owned(),
        (false, _) if floor.level.is_none() => {
            "The passes cannot be compared: questions failed in the backend.\n".to_owned()
        }
        (false, max) => {
            let logprobs = max.map_or(String::new(), |max| format!(", logprobs by up to {max:.3} nats"));
            format!(
                "The noise floor is not zero: asked the same again, this backend changed up to {} answers and {} texts{logprobs}.\n\
                 Two machines that differ by no more than that cannot be told apart.\n",
                floor.label_flips, floor.token_changes
            )
        }
    }
}

//! How answers were read and scored.

use super::subject::Subject;
use super::words::{counted, listed};
use puma_core::{Origin, Outcome};
use puma_eval::metric::{Options, TaskKind};

/// From text to answer, and what became of texts without one.
pub(super) fn reading(subject: &Subject) -> Vec<String> {
    let mut out = Vec::new();
    if subject.asked.scored {
        out.push(
            "The most probable allowed answer counted; its confidence is its share among the allowed ones.".to_owned(),
        );
    } else {
        out.push(read_by(subject));
    }
    let outcomes = &subject.report.outcomes;
    let kinds: Vec<String> =
        Outcome::ALL.iter().map(|outcome| format!("{} {}", outcomes.of(*outcome), outcome_words(*outcome))).collect();
    out.push(format!("Of {}, there were {}.", counted(subject.report.jobs, "planned job"), listed(&kinds)));
    let missing = subject.report.jobs.saturating_sub(outcomes.total());
    if missing > 0 {
        out.push(format!("{} were not run, so the run is not comparable with others.", counted(missing, "job")));
    }
    if outcomes.backend_failed > 0 {
        out.push("Failed requests are no answers of the model and not scored; the run is not comparable.".to_owned());
    }
    out
}

/// How answers were read out of texts.
fn read_by(subject: &Subject) -> String {
    match (subject.asked.parser.as_deref(), subject.run.origin) {
        (Some("final-answer"), _) => "The final answer of a text counted.".to_owned(),
        (Some("first-match"), _) | (None, Origin::Upstream) => {
            "The first label or number in a text counted.".to_owned()
        }
        (Some(parser), _) => format!("Answers were read by the rule {parser}."),
        (None, Origin::Puma) => "How answers were read is not recorded.".to_owned(),
    }
}

fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Unparsed => "without a readable answer",
        Outcome::Ambiguous => "with several answers of which none was marked",
        Outcome::Truncated => "cut by a token limit before an answer",
        Outcome::Empty => "without any text",
        Outcome::BackendFailed => "failed in the backend",
    }
}

/// What missing answers count for, and where intervals come from.
pub(super) fn statistics(subject: &Subject) -> Vec<String> {
    let dropped = subject.asked.compat.as_deref() == Some("puma-4");
    let mut out = vec![
        match (dropped, subject.kind) {
            (true, _) => {
                "Answers that could not be read were left out of the scores, as upstream PUMA v4 does (compat puma-4)."
            }
            (false, TaskKind::Regression) => {
                "Errors are those of the answers that could be read; the coverage says how many could."
            }
            (false, TaskKind::Classification | TaskKind::Pairwise) => {
                "An answer that could not be read counts as wrong."
            }
        }
        .to_owned(),
    ];
    let options = Options::default();
    out.push(format!(
        "Intervals are {:.0} % intervals over instances{}: {}; those of shares of outcomes are Wilson's, those of percentiles of \
         times are between order statistics.",
        options.bootstrap.confidence * 100.0,
        if subject.asked.repeats() { ", whose repetitions stay together" } else { "" },
        bootstrap_words(&options),
    ));
    out.push("Models, strategies and perturbations are never pooled.".to_owned());
    out
}

fn bootstrap_words(options: &Options) -> String {
    format!(
        "bias-corrected and accelerated bootstrap (Efron 1987; percentiles where the correction is undefined) with {} \
         resamples and the seed {}, the same on every machine",
        options.bootstrap.resamples, options.bootstrap.seed
    )
}

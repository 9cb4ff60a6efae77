//! What was asked, of whom and how.

use super::subject::Subject;
use super::words::{counted, known, listed};
use puma_core::ModelIdentity;
use puma_eval::metric::TaskKind;

/// The task, the data and the instances taken from it.
pub(super) fn data(subject: &Subject) -> Vec<String> {
    let header = &subject.run.header;
    let dataset = &header.dataset;
    let task = match subject.kind {
        TaskKind::Classification => "one label an issue",
        TaskKind::Regression => "one number an issue",
        TaskKind::Pairwise => "the more urgent one of two issues",
    };
    let mut out = vec![format!("The task was {} (scenario {}).", task, header.scenario)];
    let source = match dataset.source.as_str() {
        "" => "its origin is not recorded".to_owned(),
        "embedded" => "embedded in PUMA".to_owned(),
        "upstream" => "recorded by upstream PUMA, which keeps no origin".to_owned(),
        // The folder says more about a person than about the data.
        path => format!("file {}", path.rsplit(['/', '\\']).next().unwrap_or(path)),
    };
    let hash = known("SHA-256", Some(&dataset.sha256));
    out.push(format!("The data was {} ({}; {source}; {hash}).", dataset.name, counted(dataset.rows, "usable row")));
    let drawn = counted(subject.run.instances.len(), "instance");
    let asked = &subject.asked;
    out.push(match (asked.sample_size, asked.seed) {
        (Some(size), Some(seed)) => format!(
            "Of these, {drawn} were drawn ({size} asked for) with the seed {seed}, which draws the same ones on every \
             machine."
        ),
        _ => format!("{drawn} were judged; how they were drawn is not recorded."),
    });
    let train: u64 = dataset.train_answers.values().map(|count| u64::from(*count)).sum();
    if train > 0 {
        out.push(format!("The data marks a training split, whose {train} answers only baselines and examples saw."));
    } else if subject.run.origin == puma_core::Origin::Puma {
        out.push("The data marks no training split.".to_owned());
    }
    if let Some(examples) = &dataset.examples {
        out.push(format!("Examples in prompts came from: {}.", examples.replace('-', " ")));
    }
    out
}

/// Weights and what ran them.
pub(super) fn models(subject: &Subject) -> Vec<String> {
    let header = &subject.run.header;
    let mut out: Vec<String> = header.models.iter().map(model).collect();
    let backend = &header.backend;
    let version = known("version", backend.version.as_ref());
    out.push(match (&backend.numerics, backend.kind.as_str()) {
        (Some(numerics), _) => format!(
            "They ran on PUMA's embedded engine ({version}, instruction set {}, {}) under the numerics contract \
             {numerics}, which gives the same bits on every machine.",
            backend.simd.as_deref().unwrap_or("not recorded"),
            backend.threads.map_or("threads not recorded".to_owned(), |count| counted(count as usize, "thread")),
        ),
        (None, "") => "What ran them is not recorded.".to_owned(),
        (None, kind) => format!(
            "They ran on {kind} ({version}), which promises no equal bits between machines, versions or batch sizes."
        ),
    });
    if !backend.settings.is_empty() {
        let settings: Vec<String> = backend.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        out.push(format!("Settings of the backend: {}.", listed(&settings)));
    }
    out
}

fn model(model: &ModelIdentity) -> String {
    let parameters = model.parameters.map(|count| count.to_string());
    let mut facts = vec![
        known("digest", model.digest.as_ref()),
        known("quantisation", model.quantization.as_ref()),
        known("architecture", model.architecture.as_ref()),
        known("parameters", parameters),
        model
            .context_length
            .map_or("context window not recorded".to_owned(), |tokens| format!("context window {tokens} tokens")),
        known("chat template SHA-256", model.template_hash.as_ref()),
    ];
    if let Some(fallback) = model.template_source.as_deref().filter(|source| *source != "file") {
        facts.push(format!("the model file has no chat template, so prompts were put in the {fallback} form"));
    }
    if let Some(share) = model.gpu_share {
        facts.push(format!("{:.0} % of it on a GPU", share * 100.0));
    }
    format!("Model {}: {}.", model.name, facts.join("; "))
}

/// How instances became prompts.
pub(super) fn prompts(subject: &Subject) -> Vec<String> {
    let header = &subject.run.header;
    let mut out = Vec::new();
    out.push(if header.strategies.is_empty() {
        "The prompting strategy is not recorded.".to_owned()
    } else {
        let plural = if header.strategies.len() == 1 { "strategy was" } else { "strategies were" };
        format!("The prompting {plural} {}.", listed(&header.strategies))
    });
    out.push(if header.templates.is_empty() {
        "The prompt templates are not recorded.".to_owned()
    } else {
        let hashes: Vec<String> =
            header.templates.iter().map(|(name, hash)| format!("{name} {}", hash.get(..16).unwrap_or(hash))).collect();
        format!("Prompt templates (first digits of their SHA-256): {}.", listed(&hashes))
    });
    let digest = puma_store::bundle::prompts_digest(&subject.run.records);
    out.push(format!("The digest of all prompts is {digest}."));
    let perturbations = &subject.asked.perturbations;
    if !perturbations.is_empty() {
        out.push(format!("Each instance was also asked perturbed: {}.", listed(perturbations)));
    }
    out
}

/// How completions were drawn.
pub(super) fn decoding(subject: &Subject) -> Vec<String> {
    let asked = &subject.asked;
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    if asked.scored {
        let mut out = vec![
            "Nothing was generated: every allowed answer was scored by the summed log-probability of its tokens after the \
             prompt (not divided by their number), at temperature 1."
                .to_owned(),
        ];
        out.extend(
            asked
                .repeats()
                .then(|| format!("Every job was repeated {} times.", number(asked.repeat).unwrap_or_default())),
        );
        return out;
    }
    let mode = match asked.temperature {
        Some(0.0) => "Decoding was greedy",
        Some(_) => "Answers were sampled",
        None => "Whether decoding was greedy is not recorded",
    };
    let mut out = vec![format!(
        "{mode} ({}; {}; {}).",
        known("temperature", asked.temperature.map(|value| value.to_string())),
        known("seed", number(asked.seed)),
        known("most tokens an answer", number(asked.max_tokens)),
    )];
    if let Some(format) = &asked.format {
        out.push(format!("Answers were constrained to the format {format}."));
    }
    out.push(match (asked.logprobs, asked.top_logprobs) {
        (None, _) => "Whether token probabilities were asked for is not recorded.".to_owned(),
        (Some(false), _) => "Token probabilities were not asked for.".to_owned(),
        (Some(true), None | Some(0)) => "The probability of each generated token was kept.".to_owned(),
        (Some(true), Some(top)) => {
            format!("The probability of each generated token was kept, with {top} alternatives.")
        }
    });
    if asked.repeats() {
        let times = number(asked.repeat).unwrap_or_default();
        out.push(format!("Every job was repeated {times} times, each with a seed of its own."));
    }
    out
}

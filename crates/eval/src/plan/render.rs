//! Every prompt of a strategy: each instance as it is, then under each perturbation.

use super::build::PlanInput;
use super::definition::{Plan, Unchanged};
use super::error::PlanError;
use super::options::check_options;
use crate::instance::Instance;
use crate::perturb::{self, Perturbation, View};
use crate::prompt::PromptContext;
use crate::scenario::{Example, Examples, LabelNames};
use crate::strategy::Strategy;
use std::collections::BTreeMap;

/// One prompt of one strategy.
pub(super) struct Rendered {
    pub(super) instance: usize,
    pub(super) perturbation: Option<String>,
    pub(super) names: LabelNames,
    pub(super) gold: String,
    pub(super) prompt: String,
    pub(super) follow_up: Option<String>,
}

/// Renders every prompt of `strategy`; what examples it shows and what no perturbation changed goes into `plan`.
pub(super) fn render_all(
    input: &PlanInput<'_>,
    strategy: Strategy,
    plan: &mut Plan,
) -> Result<Vec<Rendered>, PlanError> {
    let seed = input.spec.inference.seed;
    let examples = if strategy.shots > 0 {
        let examples = input.scenario.examples(input.dataset, input.instances, strategy.shots, seed)?;
        // The least independent source is the one a reader must know about.
        plan.example_source = plan.example_source.max(Some(examples.source()));
        Some(examples)
    } else {
        None
    };
    let names = input.spec.perturbations.iter();
    let perturbations: Vec<&Perturbation> =
        names.map(|name| perturb::find(name)).collect::<Result<_, _>>().map_err(PlanError::UnknownPerturbation)?;
    for perturbation in &perturbations {
        check_options(input, strategy, perturbation)?;
    }
    let mut unchanged = vec![0; perturbations.len()];
    let mut rendered = Vec::with_capacity(input.instances.len() * (1 + perturbations.len()));
    for (position, instance) in input.instances.iter().enumerate() {
        let shown = match &examples {
            Some(examples) => shown_examples(input, strategy, examples, instance)?,
            None => Vec::new(),
        };
        let plain = render(input, strategy, View::plain(instance, input.scenario), &shown)?;
        let of_instance = rendered.len();
        rendered.push(Rendered { instance: position, ..plain });
        for (perturbation, unchanged) in perturbations.iter().zip(&mut unchanged) {
            let view = View::perturbed(instance, input.scenario, perturbation, seed);
            let changed = render(input, strategy, view, &shown)?;
            let plain: &Rendered = &rendered[of_instance];
            *unchanged += usize::from((&changed.prompt, &changed.follow_up) == (&plain.prompt, &plain.follow_up));
            let perturbation = Some(perturbation.name.to_owned());
            rendered.push(Rendered { instance: position, perturbation, ..changed });
        }
    }
    let counted = perturbations.iter().zip(unchanged).filter(|(_, instances)| *instances > 0);
    plan.unchanged.extend(counted.map(|(perturbation, instances)| Unchanged {
        strategy: strategy.name,
        perturbation: perturbation.name.to_owned(),
        instances,
    }));
    Ok(rendered)
}

fn shown_examples<'a>(
    input: &PlanInput<'_>,
    strategy: Strategy,
    examples: &'a Examples,
    instance: &Instance,
) -> Result<Vec<&'a Example>, PlanError> {
    examples.for_instance(instance).ok_or_else(|| PlanError::TooFewExamples {
        strategy: strategy.name,
        shots: strategy.shots,
        instance: instance.id.to_string(),
        dataset: input.dataset.identity.name.clone(),
    })
}

/// The prompts of one job; instance and perturbation are for the caller to fill in.
fn render(input: &PlanInput<'_>, strategy: Strategy, view: View, examples: &[&Example]) -> Result<Rendered, PlanError> {
    let scenario = input.scenario;
    let examples: Vec<BTreeMap<String, String>> = view
        .order_examples(examples.to_vec())
        .into_iter()
        .map(|example| example.fields_named(|answer| scenario.name_of(answer, view.names)))
        .collect();
    let (prompt, follow_up) = render_view(input, strategy, &view, &examples)?;
    Ok(Rendered { instance: 0, perturbation: None, names: view.names, gold: view.gold, prompt, follow_up })
}

/// The text of the first and, in conversations, of the second turn.
pub(super) fn render_view(
    input: &PlanInput<'_>,
    strategy: Strategy,
    view: &View,
    examples: &[BTreeMap<String, String>],
) -> Result<(String, Option<String>), PlanError> {
    let scenario = input.scenario;
    let answers: Vec<(&str, &str)> =
        view.answers.iter().map(|answer| (*answer, scenario.name_of(answer, view.names))).collect();
    let has_labels = !scenario.labels().is_empty();
    let labels: Vec<&str> = answers.iter().filter(|_| has_labels).map(|(_, name)| *name).collect();
    let context = PromptContext {
        scenario: scenario.name(),
        labels: &labels,
        answers: &answers,
        instance: &view.fields,
        examples,
    };
    let prompt = input.templates.render(strategy.template, &context)?;
    let follow_up = strategy.follow_up.map(|name| input.templates.render(name, &context)).transpose()?;
    Ok((prompt, follow_up))
}

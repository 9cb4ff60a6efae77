//! Whether the templates of a strategy can show their options in another order or under other names.

use super::build::PlanInput;
use super::error::PlanError;
use super::render::render_view;
use crate::instance::Instance;
use crate::perturb::{Change, Perturbation, View};
use crate::scenario::LabelNames;
use crate::strategy::Strategy;
use puma_core::InstanceId;
use serde_json::Value;
use std::collections::BTreeMap;

/// Stands for every text of the instance and of the examples: no template writes it by itself.
const TEXT: &str = "\u{1}";

/// Renders the templates without an issue's words and looks what the perturbation does to the options they list. A
/// template that writes its options out would be asked under a perturbation that is none.
///
/// # Errors
/// The order or the names stay as they are, or a usual name is left beside the other ones.
pub(super) fn check_options(
    input: &PlanInput<'_>,
    strategy: Strategy,
    perturbation: &Perturbation,
) -> Result<(), PlanError> {
    let mut view = View::plain(&nothing(input), input.scenario);
    let templates = || {
        let names = std::iter::once(strategy.template).chain(strategy.follow_up);
        names.map(|name| format!("{}/{name}", input.scenario.name())).collect::<Vec<_>>().join(", ")
    };
    let shows_nothing = || PlanError::PerturbationShowsNothing {
        name: perturbation.name,
        strategy: strategy.name,
        templates: templates(),
    };
    match perturbation.change {
        Change::Text(_) | Change::PairSwap => Ok(()),
        Change::LabelOrder => {
            let usual = whole_text(input, strategy, &view)?;
            view.answers.reverse();
            if whole_text(input, strategy, &view)? == usual { Err(shows_nothing()) } else { Ok(()) }
        }
        Change::OptionRename => {
            view.names = LabelNames::Other;
            let text = whole_text(input, strategy, &view)?;
            let says = |name: &str| words(&text).any(|word| word == name);
            if !input.scenario.other_names().iter().all(|name| says(name)) {
                return Err(shows_nothing());
            }
            // "A" begins sentences; a template that calls an issue A calls the other one B.
            match input.scenario.labels().iter().find(|label| **label != "A" && says(label)) {
                Some(label) => Err(PlanError::OptionsHardCoded {
                    name: perturbation.name,
                    strategy: strategy.name,
                    templates: templates(),
                    label,
                }),
                None => Ok(()),
            }
        }
    }
}

/// Looks whether `inference.format` lets the model give only answers that a prompt with renamed options does not offer.
///
/// # Errors
/// The format holds a usual name as a text of its own.
pub(super) fn check_format(input: &PlanInput<'_>, perturbation: &Perturbation) -> Result<(), PlanError> {
    let (Change::OptionRename, Some(format)) = (perturbation.change, &input.spec.inference.format) else {
        return Ok(());
    };
    let names = input.scenario.labels().iter().zip(input.scenario.other_names());
    match names.into_iter().find(|(label, _)| holds_text(format, label)) {
        Some((label, shown)) => Err(PlanError::FormatNamesOptions { name: perturbation.name, label, shown }),
        None => Ok(()),
    }
}

fn holds_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Array(items) => items.iter().any(|item| holds_text(item, text)),
        Value::Object(fields) => fields.values().any(|field| holds_text(field, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// An instance of which every field is [`TEXT`].
fn nothing(input: &PlanInput<'_>) -> Instance {
    let fields = input.scenario.prompt_fields().iter().map(|field| ((*field).to_owned(), TEXT.to_owned()));
    Instance { id: InstanceId::new(""), fields: fields.collect(), gold: String::new(), group: None }
}

/// Both turns as one text, with one example of which every field is [`TEXT`] where the strategy shows examples.
fn whole_text(input: &PlanInput<'_>, strategy: Strategy, view: &View) -> Result<String, PlanError> {
    let mut example: BTreeMap<String, String> = view.fields.clone();
    for field in [input.scenario.answer_field(), "reasoning"] {
        example.insert(field.to_owned(), TEXT.to_owned());
    }
    let examples = if strategy.shots > 0 { vec![example] } else { Vec::new() };
    let (prompt, follow_up) = render_view(input, strategy, view, &examples)?;
    Ok(format!("{prompt}\n{}", follow_up.unwrap_or_default()))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

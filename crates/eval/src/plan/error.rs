//! Why a plan cannot be made.

use crate::perturb::{self, UnknownPerturbation};
use crate::prompt::PromptError;
use crate::scenario::ScenarioError;
use crate::strategy::STRATEGIES;

/// Why nothing can be asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    #[error("there is no strategy `{name}`")]
    UnknownStrategy { name: String },
    #[error("the strategy `{name}` has no chain-of-thought variant, which `adaptation.cot: true` asks for")]
    NoChainOfThought { name: String },
    #[error("there is no perturbation `{}`", .0.name)]
    UnknownPerturbation(UnknownPerturbation),
    #[error("the instance `{instance}` has no `{field}`, which the prompts of `{scenario}` show")]
    MissingField { instance: String, field: &'static str, scenario: &'static str },
    #[error("the models `{first}` and `{second}` are the same weights, so their answers could not be told apart")]
    SameModel { first: String, second: String },
    #[error("the perturbation `{name}` is listed twice")]
    PerturbationTwice { name: String },
    #[error("the perturbation `{name}` cannot be applied to `{scenario}`: {reason}")]
    PerturbationRefused { name: &'static str, scenario: &'static str, reason: &'static str },
    #[error(
        "the perturbation `{name}` changes nothing in the prompts of the strategy `{strategy}` ({templates}), which do not \
         list the options by themselves"
    )]
    PerturbationShowsNothing { name: &'static str, strategy: &'static str, templates: String },
    #[error(
        "under the perturbation `{name}` the prompts of the strategy `{strategy}` ({templates}) still say `{label}`, so \
         the model would be offered two names for one answer"
    )]
    OptionsHardCoded { name: &'static str, strategy: &'static str, templates: String, label: &'static str },
    #[error(
        "`inference.format` names the answer `{label}`, but under the perturbation `{name}` the prompt calls it `{shown}`"
    )]
    FormatNamesOptions { name: &'static str, label: &'static str, shown: &'static str },
    #[error("two instances have the id `{id}`")]
    DuplicateInstance { id: String },
    #[error(
        "the strategy `{strategy}` shows {shots} solved examples, but for `{instance}` the dataset `{dataset}` has not \
         that many besides the instance itself"
    )]
    TooFewExamples { strategy: &'static str, shots: u32, instance: String, dataset: String },
    #[error("the run has nothing to do: {what}")]
    Nothing { what: &'static str },
    #[error("the spec names {in_spec} models, but {identified} were identified")]
    Models { in_spec: usize, identified: usize },
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

impl PlanError {
    /// What the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownStrategy { .. } => {
                format!("strategies are {}", STRATEGIES.map(|strategy| strategy.name).join(", "))
            }
            Self::NoChainOfThought { name } => {
                format!("remove `true` from `adaptation.cot`, or remove the strategy `{name}`")
            }
            Self::UnknownPerturbation(unknown) => match unknown.nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("perturbations are {}", perturb::PERTURBATIONS.join(", ")),
            },
            Self::MissingField { field, .. } => format!("name the column with `--columns {field}=COLUMN`"),
            Self::SameModel { second, .. } => format!("remove `{second}` from `models`"),
            Self::PerturbationTwice { .. } => "remove one of them".to_owned(),
            Self::PerturbationRefused { name, .. } => format!("remove `{name}` from `perturbations`"),
            Self::FormatNamesOptions { name, .. } => format!("remove `{name}`, or let `format` allow any text"),
            Self::PerturbationShowsNothing { .. } | Self::OptionsHardCoded { .. } => {
                "write the options of the template through its variables `labels`, `answers` and `shown`".to_owned()
            }
            Self::DuplicateInstance { .. } => "give every row its own key".to_owned(),
            Self::TooFewExamples { .. } => "use a larger dataset, a smaller k, or zero-shot".to_owned(),
            Self::Nothing { .. } => "a run needs a model, a strategy and an instance".to_owned(),
            Self::Models { .. } => "prepare every model before planning".to_owned(),
            Self::Prompt(error) => error.hint(),
            Self::Scenario(error) => error.hint(),
        }
    }
}

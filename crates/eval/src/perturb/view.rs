//! How one job shows its instance.

use super::fields::{apply_to_fields, swap_pair};
use super::options::{another_order, order_draws};
use super::table::{Change, Perturbation};
use crate::instance::Instance;
use crate::sample::PythonRandom;
use crate::scenario::{LabelNames, Scenario};
use std::collections::BTreeMap;

/// An instance as one job shows it, and what is then right.
#[derive(Clone)]
pub struct View {
    pub fields: BTreeMap<String, String>,
    /// The right answer to what is shown, in the scenario's spelling.
    pub gold: String,
    /// The possible answers in the scenario's spelling, in the order the prompt lists them.
    pub answers: Vec<&'static str>,
    pub names: LabelNames,
    /// Draws for the order of the examples; `None` leaves them as they are.
    examples: Option<PythonRandom>,
}

impl View {
    /// The instance as it is.
    pub fn plain(instance: &Instance, scenario: &dyn Scenario) -> Self {
        Self {
            fields: instance.fields.clone(),
            gold: instance.gold.clone(),
            answers: scenario.answer_texts().to_vec(),
            names: LabelNames::Own,
            examples: None,
        }
    }

    /// The instance under `perturbation`, which the scenario must not refuse ([`Perturbation::refusal`]). `seed` is the
    /// run's.
    pub fn perturbed(instance: &Instance, scenario: &dyn Scenario, perturbation: &Perturbation, seed: u64) -> Self {
        let mut view = Self::plain(instance, scenario);
        match perturbation.change {
            Change::Text(change) => apply_to_fields(|text| change(seed, text), &mut view.fields),
            Change::PairSwap => {
                swap_pair(&mut view.fields);
                if let [first, second] = scenario.labels() {
                    let swapped = if view.gold == *first { second } else { first };
                    (*swapped).clone_into(&mut view.gold);
                }
            }
            Change::LabelOrder => {
                let mut random = order_draws(seed, &instance.id);
                view.answers = another_order(&view.answers, &mut random);
                view.examples = Some(random);
            }
            Change::OptionRename => view.names = LabelNames::Other,
        }
        view
    }

    /// `examples` in the order shown.
    pub fn order_examples<T>(&self, mut examples: Vec<T>) -> Vec<T> {
        if let Some(random) = &self.examples {
            random.clone().shuffle(&mut examples);
        }
        examples
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{TABLE, find};
    use super::*;
    use crate::scenario;
    use proptest::prelude::*;
    use puma_core::InstanceId;

    fn pair(texts: [&str; 4], gold: &str) -> Instance {
        let names = ["title_a", "description_a", "title_b", "description_b"];
        let fields = names.into_iter().zip(texts).map(|(name, text)| (name.to_owned(), text.to_owned()));
        Instance { id: InstanceId::new("A-1|B-1"), fields: fields.collect(), gold: gold.to_owned(), group: None }
    }

    fn swapped(instance: &Instance) -> Instance {
        let scenario = scenario::find("prioritization").unwrap();
        let View { fields, gold, .. } = View::perturbed(instance, scenario, find("pair_swap").unwrap(), 42);
        Instance { fields, gold, ..instance.clone() }
    }

    proptest! {
        #[test]
        fn a_pair_swapped_twice_is_the_pair_and_once_has_the_other_gold(
            a in "\\PC{0,20}", b in "\\PC{0,20}", c in "\\PC{0,20}", d in "\\PC{0,20}", first: bool,
        ) {
            let original = pair([&a, &b, &c, &d], if first { "A" } else { "B" });
            let once = swapped(&original);
            prop_assert_eq!(&once.gold, if first { "B" } else { "A" });
            prop_assert_eq!([&once.fields["title_a"], &once.fields["description_b"]], [&c, &b]);
            prop_assert_eq!(swapped(&once), original);
        }

        #[test]
        fn any_text_survives_every_perturbation_and_equal_inputs_give_equal_views(text in "(?s).{0,60}|\\s{0,5}", seed: u64) {
            for scenario in scenario::SCENARIOS {
                let fields = scenario.prompt_fields().iter().map(|field| ((*field).to_owned(), text.clone()));
                let gold = scenario.answer_texts()[0].to_owned();
                let instance = Instance { id: InstanceId::new("X"), fields: fields.collect(), gold, group: None };
                for perturbation in TABLE.iter().filter(|each| each.refusal(scenario).is_none()) {
                    let view = View::perturbed(&instance, scenario, perturbation, seed);
                    let again = View::perturbed(&instance, scenario, perturbation, seed);
                    prop_assert_eq!((&view.fields, &view.gold, &view.answers), (&again.fields, &again.gold, &again.answers));
                    prop_assert!(view.fields.keys().eq(instance.fields.keys()));
                    let mut answers = view.answers.clone();
                    answers.sort_unstable();
                    let mut expected = scenario.answer_texts().to_vec();
                    expected.sort_unstable();
                    prop_assert_eq!(answers, expected);
                    prop_assert_eq!(view.gold == instance.gold, perturbation.name != "pair_swap");
                }
            }
        }
    }
}

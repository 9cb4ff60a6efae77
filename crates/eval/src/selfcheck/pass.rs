//! What is varied.
//!
//! This file is a table.

use crate::run::JobOrder;

/// What happens to earlier prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// They stay as the pass before left them.
    Keep,
    /// The backend forgets them once, before the first question.
    ForgetFirst,
    /// The backend forgets them before every question.
    ForgetEach,
}

/// How questions reach the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    OneAtATime,
    /// Several under way at once, so that they may be computed in one batch.
    Together,
    /// A server that otherwise computes every prompt anew may reuse earlier ones.
    ReusingPrompts,
}

/// One round over the same questions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    pub name: &'static str,
    /// For people.
    pub what: &'static str,
    pub before: Before,
    pub way: Way,
    pub order: JobOrder,
}

/// Every pass, in the order in which they run. The first is what the others are held against.
pub static PASSES: [Pass; 7] = [
    Pass {
        name: "reference",
        what: "a fresh model, one question at a time",
        before: Before::ForgetFirst,
        way: Way::OneAtATime,
        order: JobOrder::Given,
    },
    Pass {
        name: "repeated",
        what: "the same again, the model warm",
        before: Before::Keep,
        way: Way::OneAtATime,
        order: JobOrder::Given,
    },
    Pass {
        name: "shuffled",
        what: "in another order",
        before: Before::Keep,
        way: Way::OneAtATime,
        order: JobOrder::Shuffled(1),
    },
    Pass {
        name: "each-fresh",
        what: "a fresh model for every question",
        before: Before::ForgetEach,
        way: Way::OneAtATime,
        order: JobOrder::Given,
    },
    Pass {
        name: "fresh-again",
        what: "a fresh model once more",
        before: Before::ForgetFirst,
        way: Way::OneAtATime,
        order: JobOrder::Given,
    },
    Pass {
        name: "together",
        what: "several questions at once",
        before: Before::Keep,
        way: Way::Together,
        order: JobOrder::Given,
    },
    Pass {
        name: "prompts-reused",
        what: "earlier prompts may be reused",
        before: Before::Keep,
        way: Way::ReusingPrompts,
        order: JobOrder::Given,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_pass_differs_from_the_reference_and_no_way_is_left_and_come_back_to() {
        let names: BTreeSet<&str> = PASSES.iter().map(|pass| pass.name).collect();
        assert_eq!(names.len(), PASSES.len());
        assert!(PASSES.windows(2).all(|pair| pair[0].way <= pair[1].way), "each way needs a backend of its own");
        assert_eq!(
            (PASSES[0].before, PASSES[0].way, PASSES[0].order),
            (Before::ForgetFirst, Way::OneAtATime, JobOrder::Given)
        );
    }
}

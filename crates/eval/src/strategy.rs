//! Prompting strategies: data, not code. A strategy is a template plus numbers, and [`plan`](crate::plan) does what the
//! numbers say: [`STRATEGIES`] holds upstream's eleven names, [`Strategy::chain_of_thought`] maps each to its reasoning
//! variant.

/// Room for a model that is asked to reason: a spec's smaller `max_tokens` (upstream's default is 256) would cut the
/// answer off.
pub const REASONING_MAX_TOKENS: u32 = 1024;

/// One way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// The name in specs and records.
    pub name: &'static str,
    /// Template of the first user message.
    pub template: &'static str,
    /// Template of the second user message, for conversations.
    pub follow_up: Option<&'static str>,
    /// Solved examples shown before the instance.
    pub shots: u32,
    /// Independent completions of the same prompt, decided by majority (median for numbers).
    pub votes: u32,
    /// User messages in the conversation.
    pub turns: u32,
    /// The model is asked to think before it answers: it gets [`REASONING_MAX_TOKENS`] and only a final answer counts.
    pub reasoning: bool,
    /// One sentence for people.
    pub summary: &'static str,
}

const ZERO_SHOT: Strategy = Strategy {
    name: "zero-shot",
    template: "zero_shot",
    follow_up: None,
    shots: 0,
    votes: 1,
    turns: 1,
    reasoning: false,
    summary: "The task and the issue, nothing else",
};

const fn few_shot(name: &'static str, shots: u32, summary: &'static str) -> Strategy {
    Strategy { name, template: "few_shot", shots, summary, ..ZERO_SHOT }
}

const fn cot_few_shot(name: &'static str, shots: u32, summary: &'static str) -> Strategy {
    Strategy { name, template: "cot_few_shot", shots, reasoning: true, summary, ..ZERO_SHOT }
}

/// The eleven strategies, in upstream's order.
pub const STRATEGIES: [Strategy; 11] = [
    ZERO_SHOT,
    Strategy {
        name: "zero-shot-cot",
        template: "zero_shot_cot",
        reasoning: true,
        summary: "Think step by step, then a marked final answer",
        ..ZERO_SHOT
    },
    few_shot("one-shot", 1, "One solved example before the issue"),
    few_shot("few-shot-3", 3, "Three solved examples before the issue"),
    few_shot("few-shot-5", 5, "Five solved examples before the issue"),
    few_shot("few-shot-8", 8, "Eight solved examples before the issue"),
    cot_few_shot("cot-few-shot", 3, "Three examples solved with reasoning, then a marked final answer"),
    Strategy {
        name: "rcoif",
        template: "rcoif",
        summary: "Role, context, objective, instructions and format, spelled out",
        ..ZERO_SHOT
    },
    Strategy {
        name: "contextual-anchoring",
        template: "contextual_anchoring",
        summary: "Every possible answer is defined before the issue",
        ..ZERO_SHOT
    },
    Strategy {
        name: "self-consistency",
        votes: 5,
        summary: "Five sampled answers to the zero-shot prompt, decided by majority (median for numbers)",
        ..ZERO_SHOT
    },
    Strategy {
        name: "egi",
        template: "egi",
        follow_up: Some("egi_clarify"),
        turns: 2,
        reasoning: true,
        summary: "Two turns: the model lists its open questions, then answers with the information at hand",
        ..ZERO_SHOT
    },
];

/// Reasoning variants that have no upstream name: they exist so that `adaptation.cot` keeps a strategy's own k.
pub const REASONING_VARIANTS: [Strategy; 3] = [
    cot_few_shot("cot-one-shot", 1, "One example solved with reasoning, then a marked final answer"),
    cot_few_shot("cot-few-shot-5", 5, "Five examples solved with reasoning, then a marked final answer"),
    cot_few_shot("cot-few-shot-8", 8, "Eight examples solved with reasoning, then a marked final answer"),
];

/// Other spellings: (alias, strategy). Underscores stand for hyphens everywhere.
pub const STRATEGY_ALIASES: [(&str, &str); 6] = [
    ("cot", "zero-shot-cot"),
    ("chain-of-thought", "zero-shot-cot"),
    ("few-shot", "few-shot-3"),
    ("few-shot-1", "one-shot"),
    ("cot-few-shot-3", "cot-few-shot"),
    ("anchoring", "contextual-anchoring"),
];

/// The strategy that `name` or its alias means.
pub fn find(name: &str) -> Option<Strategy> {
    let name = name.trim().to_ascii_lowercase().replace('_', "-");
    let name = STRATEGY_ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, target)| *target);
    STRATEGIES.into_iter().chain(REASONING_VARIANTS).find(|strategy| strategy.name == name)
}

impl Strategy {
    /// The variant that reasons before it answers: what `adaptation.cot: [true]` runs instead. `None` where there is
    /// none (`rcoif`, `contextual-anchoring`, `self-consistency`, `egi`).
    pub fn chain_of_thought(&self) -> Option<Self> {
        let variant = match self.name {
            "zero-shot" => "zero-shot-cot",
            "one-shot" => "cot-one-shot",
            "few-shot-3" => "cot-few-shot",
            "few-shot-5" => "cot-few-shot-5",
            "few-shot-8" => "cot-few-shot-8",
            own if self.template.contains("cot") => own,
            _ => return None,
        };
        find(variant)
    }

    /// Tokens the model may generate, for a spec that allows `spec_max_tokens`.
    pub fn max_tokens(&self, spec_max_tokens: u32) -> u32 {
        if self.reasoning { spec_max_tokens.max(REASONING_MAX_TOKENS) } else { spec_max_tokens }
    }

    /// The strategy as upstream v4.0 runs it: one call, no examples, no second turn, no extra room.
    pub fn as_upstream_runs_it(self) -> Self {
        Self { follow_up: None, shots: 0, votes: 1, turns: 1, reasoning: false, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_and_strategies_know_the_same_names() {
        assert_eq!(STRATEGIES.map(|strategy| strategy.name), crate::spec::STRATEGIES);
    }

    #[test]
    fn every_name_and_alias_is_found() {
        for strategy in STRATEGIES.into_iter().chain(REASONING_VARIANTS) {
            assert_eq!(find(strategy.name), Some(strategy));
            assert_eq!(find(&strategy.name.replace('-', "_")), Some(strategy));
        }
        for (alias, target) in STRATEGY_ALIASES {
            assert_eq!(find(alias).map(|s| s.name), Some(target), "{alias}");
        }
        assert_eq!(find("few-shot-4"), None);
        assert_eq!(crate::spec::canonical_strategy("Few Shot"), Some("few-shot-3"), "flags know the aliases");
        assert_eq!(crate::spec::canonical_strategy("cot-few-shot-8"), None, "no name of upstream's specs");
    }

    #[test]
    fn chain_of_thought_keeps_the_number_of_examples() {
        for strategy in STRATEGIES {
            if let Some(variant) = strategy.chain_of_thought() {
                assert!(variant.reasoning, "{}", variant.name);
                assert_eq!(variant.shots, strategy.shots, "{}", variant.name);
            }
        }
        assert_eq!(find("egi").and_then(|s| s.chain_of_thought()), None);
    }

    #[test]
    fn a_second_turn_has_a_template() {
        for strategy in STRATEGIES.into_iter().chain(REASONING_VARIANTS) {
            assert_eq!(strategy.turns == 2, strategy.follow_up.is_some(), "{}", strategy.name);
        }
    }

    #[test]
    fn reasoning_gets_room_and_a_larger_spec_wins() {
        let cot = find("zero-shot-cot").expect("a known name");
        assert_eq!((cot.max_tokens(256), cot.max_tokens(4096)), (1024, 4096));
        assert_eq!(find("zero-shot").expect("a known name").max_tokens(256), 256);
    }
}

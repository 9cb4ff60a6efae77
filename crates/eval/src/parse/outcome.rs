//! What became of a completion.

use super::parsed::{Parsed, Standing};
use puma_core::{Completion, FinishReason, Outcome};

/// The outcome of a completion that `parsed` was read from.
///
/// In a text that the token limit cut off, an answer must be announced to count; if the model was asked to reason first
/// (`reasoning`) or was still doing so, it must be marked as final.
///
/// A failed request has no completion and never comes here.
pub fn outcome(completion: &Completion, parsed: &Parsed, reasoning: bool) -> Outcome {
    let cut_off = completion.finish == FinishReason::Length;
    let needed = if reasoning || parsed.reasoning_unfinished { Standing::Final } else { Standing::Announced };
    match &parsed.answer {
        Some(_) if !cut_off || parsed.standing >= needed => Outcome::Answered,
        _ if cut_off => Outcome::Truncated,
        _ if completion.text.trim().is_empty() => Outcome::Empty,
        _ if parsed.ambiguous => Outcome::Ambiguous,
        _ => Outcome::Unparsed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_core::{Phases, Usage};

    fn completion(text: &str, finish: FinishReason) -> Completion {
        Completion {
            text: text.to_owned(),
            reasoning: None,
            finish,
            tokens: Vec::new(),
            scores: Vec::new(),
            usage: Usage::default(),
            phases: Phases::default(),
            attempts: Vec::new(),
            from_cache: false,
        }
    }

    #[test]
    fn every_case_has_its_outcome() {
        use FinishReason::{Length, Stop};
        use Outcome::{Ambiguous, Answered, Empty, Truncated, Unparsed};
        let labels = ["Critical", "Major", "Minor", "Trivial"];
        for (text, finish, reasoning, expected) in [
            ("Critical", Stop, false, Answered),
            ("Critical. This is because", Length, false, Answered),
            ("It breaks a critical path and", Length, true, Truncated),
            ("Final answer: Minor\n\nAlso", Length, true, Answered),
            ("Priority: Critical, because", Length, true, Truncated),
            ("Priority: Critical, because", Length, false, Answered),
            ("This is a major problem and", Length, false, Truncated),
            ("I would say it depends", Length, false, Truncated),
            ("I would say it depends", Stop, false, Unparsed),
            ("Critical or Minor", Stop, false, Ambiguous),
            ("", Stop, false, Empty),
            (" \n", Stop, false, Empty),
            ("", Length, false, Truncated),
            ("<think>it is Major", Length, false, Truncated),
            ("<think>it is Major", Stop, false, Unparsed),
        ] {
            let parsed = super::super::label(text, &labels, crate::spec::ParserMode::FinalAnswer);
            assert_eq!(outcome(&completion(text, finish), &parsed, reasoning), expected, "{text:?} {finish:?}");
        }
    }
}

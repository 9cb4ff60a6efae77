//! The worked reasoning of a solved example, which names answers.

/// Pieces of text and answers in between, so that a prompt may call the answers by other names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reasoning {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Answer(String),
}

impl Reasoning {
    pub(super) fn text(mut self, text: &str) -> Self {
        self.pieces.push(Piece::Text(text.to_owned()));
        self
    }

    pub(super) fn answer(mut self, answer: &str) -> Self {
        self.pieces.push(Piece::Answer(answer.to_owned()));
        self
    }

    /// The reasoning as one text in which each answer is called `name_of(answer)`.
    pub(super) fn told<'a>(&'a self, name_of: impl Fn(&'a str) -> &'a str) -> String {
        let piece = |piece: &'a Piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Answer(answer) => name_of(answer),
        };
        self.pieces.iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Reasoning;

    #[test]
    fn only_answers_are_renamed() {
        let reasoning = Reasoning::default().text("A is no article here; ").answer("A").text(" wins.");
        assert_eq!(reasoning.told(|answer| answer), "A is no article here; A wins.");
        assert_eq!(reasoning.told(|_| "X"), "A is no article here; X wins.");
    }
}

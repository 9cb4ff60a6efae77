//! Text without the model's reasoning blocks.

use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// What is left of a text without its reasoning, with the way back to positions in the original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    pub text: String,
    /// A block was opened and never closed.
    pub reasoning_unfinished: bool,
    /// (start in `text`, start in the original) of each piece that was kept, in order.
    pieces: Vec<(usize, usize)>,
}

static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)<(/?)think>").expect("a valid pattern"));

static WIDE_TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)<(/?)(?:think|thinking|thought|reasoning)>").expect("a valid pattern"));

/// Removes closed blocks, an unclosed block to the end, and everything before a closing tag without an opening one (some
/// chat templates open the block in the prompt). Knows `think`, `thinking`, `thought` and `reasoning`.
pub fn visible(text: &str) -> Visible {
    let last_stray_close = stray_close_end(text);
    strip(text, &WIDE_TAG, last_stray_close)
}

/// Upstream's way: only `think`; a closing tag alone is removed and the text before it stays.
pub(super) fn visible_as_upstream(text: &str) -> Visible {
    strip(text, &TAG, 0)
}

/// End of the last closing tag that no opening tag precedes; 0 if there is none.
fn stray_close_end(text: &str) -> usize {
    let mut open = false;
    let mut end = 0;
    for tag in WIDE_TAG.captures_iter(text) {
        let closing = !tag[1].is_empty();
        let whole = tag.get_match();
        if closing && !open {
            end = whole.end();
        }
        open = !closing;
    }
    end
}

fn strip(text: &str, tag: &Regex, keep_from: usize) -> Visible {
    let mut kept: Vec<Range<usize>> = Vec::new();
    let mut start = keep_from;
    let mut open = false;
    for found in tag.captures_iter(text) {
        let (closing, whole) = (!found[1].is_empty(), found.get_match());
        if whole.start() < keep_from {
            continue;
        }
        // Inside a block another opening tag is text of the block.
        if !open {
            kept.push(start..whole.start());
            open = !closing;
        } else if closing {
            open = false;
        }
        start = whole.end();
    }
    if !open {
        kept.push(start..text.len());
    }
    let mut visible = Visible { text: String::new(), reasoning_unfinished: open, pieces: Vec::new() };
    for range in kept.into_iter().filter(|range| !range.is_empty()) {
        visible.pieces.push((visible.text.len(), range.start));
        visible.text.push_str(&text[range]);
    }
    visible
}

impl Visible {
    /// Where `range` of [`text`](Self::text) stands in the original.
    pub fn original(&self, range: &Range<usize>) -> Range<usize> {
        let at = |position: usize| {
            let piece = self.pieces.iter().rev().find(|(start, _)| *start <= position);
            piece.map_or(position, |(start, original)| original + (position - start))
        };
        let start = at(range.start);
        // The end belongs to the last byte inside, not to the piece that may follow.
        let end = if range.is_empty() { start } else { at(range.end - 1) + 1 };
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_closed_unclosed_and_stray_are_removed() {
        for (text, left, unfinished) in [
            ("<think>critical</think> Minor", " Minor", false),
            ("<think>Major", "", true),
            ("so it is Major</think>Minor", "Minor", false),
            ("<THINK>a</Think>B<thinking>c</thinking>D", "BD", false),
            ("<think>a</think>B<think>c", "B", true),
            ("<think>a<think>b</think>C", "C", false),
            ("no tags < at > all", "no tags < at > all", false),
        ] {
            let visible = visible(text);
            assert_eq!((visible.text.as_str(), visible.reasoning_unfinished), (left, unfinished), "{text}");
        }
    }

    #[test]
    fn upstream_keeps_the_text_before_a_stray_closing_tag() {
        assert_eq!(visible_as_upstream("Major</think>Minor").text, "MajorMinor");
        assert_eq!(visible_as_upstream("<think>x</think>y</think>z<think>w").text, "yz");
    }

    #[test]
    fn positions_lead_back_to_the_original() {
        let text = "<think>é</think>It is <think>x</think>Minor.";
        let visible = visible(text);
        let start = visible.text.find("Minor").unwrap();
        assert_eq!(&text[visible.original(&(start..start + 5))], "Minor");
        let start = visible.text.find("It").unwrap();
        assert_eq!(&text[visible.original(&(start..start + 2))], "It");
    }
}

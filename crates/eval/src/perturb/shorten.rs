//! Shorter texts made of whole sentences: nothing is paraphrased and no word is broken.

/// The longest beginning of `text` that consists of whole sentences and has at most half of its characters; at least
/// the first sentence, so that a text of one sentence stays as it is. White space at the end is dropped with what
/// followed it.
///
/// A sentence ends at a line end, after `。`, `！` or `？`, and after `.`, `!`, `?` or `…` (and closing brackets and
/// quotes) where white space follows and the next sentence does not begin with a small letter ("e.g. this").
pub(super) fn sentences(text: &str) -> String {
    let half = text.chars().count() / 2;
    let mut kept: Option<&str> = None;
    for end in sentence_ends(text) {
        let beginning = text[..end].trim_end();
        if beginning.trim_start().is_empty() {
            continue;
        }
        if kept.is_some() && beginning.chars().count() > half {
            break;
        }
        kept = Some(beginning);
    }
    // What is not shortened keeps its last white space too.
    match kept {
        Some(beginning) if beginning.len() < text.trim_end().len() => beginning.to_owned(),
        _ => text.to_owned(),
    }
}

/// Byte positions after each sentence, the end of the text among them.
fn sentence_ends(text: &str) -> impl Iterator<Item = usize> {
    let inside = text.char_indices().filter_map(|(at, c)| {
        let end = at + c.len_utf8();
        match c {
            '\n' | '\r' | '。' | '！' | '？' => Some(end),
            '.' | '!' | '?' | '…' => {
                let rest = text[end..].trim_start_matches(|c: char| ")]}\"'”’»".contains(c));
                let next = rest.trim_start();
                let goes_on = next.len() == rest.len() || next.starts_with(char::is_lowercase);
                (!goes_on).then(|| text.len() - rest.len())
            }
            _ => None,
        }
    });
    inside.chain(std::iter::once(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        for (text, shortened) in [
            ("Login fails", "Login fails"),
            ("It fails. It fails again. And again.", "It fails."),
            ("Short. A much longer sentence follows, with every detail of it.", "Short."),
            (
                "A first sentence that is by far the longest of all. Two.",
                "A first sentence that is by far the longest of all.",
            ),
            (
                "See v1.2 of the API, e.g. this one. Then that. Then nothing at all happens.",
                "See v1.2 of the API, e.g. this one.",
            ),
            ("Steps:\n1. open\n2. close\n3. wait for a long while and see", "Steps:\n1. open\n2. close"),
            ("He said \"no.\" Then he left the room without another word.", "He said \"no.\""),
            ("\n\nOne. Two and three and four.\n", "\n\nOne."),
            ("最初。次の文はもっと長いです。", "最初。"),
            ("One sentence only. \n", "One sentence only. \n"),
            ("", ""),
            (" \n", " \n"),
        ] {
            assert_eq!(sentences(text), shortened, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_a_beginning_and_at_most_half_unless_one_sentence_is_more(
            text in "(?s).{0,60}|([a-cA-C]{1,5}[.!? \\n]{1,2}){0,20}",
        ) {
            let kept = sentences(&text);
            prop_assert!(text.starts_with(&kept));
            prop_assert_eq!(kept.trim().is_empty(), text.trim().is_empty());
            if kept != text {
                let next = text[kept.len()..].chars().next().expect("something was cut");
                prop_assert!(next.is_whitespace() || kept.ends_with(['。', '！', '？']));
                let ends: Vec<usize> = sentence_ends(&text).map(|end| text[..end].trim_end().len()).collect();
                prop_assert!(ends.contains(&kept.len()));
                let sentences_kept = ends.iter().filter(|&&end| end <= kept.len() && !text[..end].trim().is_empty()).collect::<std::collections::BTreeSet<_>>().len();
                prop_assert!(kept.chars().count() * 2 <= text.chars().count() || sentences_kept == 1);
            }
        }
    }
}

//! Splitting text into words before merging, by the rules a file names in `tokenizer.ggml.pre`.
//!
//! A model's ids are right only if its text is split where it was split in training. The rules are the regular
//! expressions of the models' own tokenizers in the form llama.cpp runs them (`src/llama-vocab.cpp`, commit 0c1e570),
//! with one change: where those look ahead to leave a run of spaces' last one to the next word, [`Rule`] does that
//! itself, so that the expressions stay free of look-around and run in linear time.

use super::error::TokenizerError;
use fancy_regex::Regex;

/// `'s`, `'t`, … in lower case only, as GPT-2 splits them.
const LOWER_CONTRACTIONS: &str = "'s|'t|'re|'ve|'m|'ll|'d";
/// The same in any case.
const CONTRACTIONS: &str = "'[sStTmMdD]|'[rR][eE]|'[vV][eE]|'[lL][lL]";
/// Letters, capitals first: a word may begin with capitals and ends at the next one. ASCII only, as in llama.cpp.
const CAPITALISED: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]*[\p{L}&&[^A-Z]]+";
const CAPITALS: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]+[\p{L}&&[^A-Z]]*";
const PUNCTUATION_AND_NEWLINES: &str = r" ?[^\s\p{L}\p{N}]+[\r\n]*";
const NEWLINES_AND_SPACES: &str = r"\s*[\r\n]+|\s+";
const FINNISH_WORDS: &str = r" ?[^(\s|.,!?\u{2026}\u{3002}\u{FF0C}\u{3001}\u{964}\u{6D4}\u{60C})]+";
/// Everything from U+0800 to the end of the Han block, and Hangul. The wide spaces in there stay out: llama.cpp makes
/// them ASCII before it matches.
const DEEPSEEK_ASIAN: &str = r"[\u{800}-\u{9FA5}\u{AC00}-\u{D7FF}&&\S]+";
/// Cased letters as DeepSeek's tokenizers list them.
const DEEPSEEK_LETTERS: &str = concat!(
    r"A-Za-z\u{B5}\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{1BA}\u{1BC}-\u{1BF}\u{1C4}-\u{293}\u{295}-\u{2AF}",
    r"\u{370}-\u{373}\u{376}\u{377}\u{37B}-\u{37D}\u{37F}\u{386}\u{388}-\u{38A}\u{38C}\u{38E}-\u{3A1}",
    r"\u{3A3}-\u{3F5}\u{3F7}-\u{481}\u{48A}-\u{52F}\u{531}-\u{556}\u{10A0}-\u{10C5}\u{13A0}-\u{13F5}",
    r"\u{13F8}-\u{13FD}\u{1C90}-\u{1CBA}\u{1CBD}-\u{1CBF}\u{1D00}-\u{1D2B}\u{1D6B}-\u{1D77}\u{1D79}-\u{1D9A}",
    r"\u{1E00}-\u{1F15}\u{1F18}-\u{1F1D}\u{1F20}-\u{1F45}\u{1F48}-\u{1F4D}\u{1F50}-\u{1F57}\u{1F59}\u{1F5B}",
    r"\u{1F5D}\u{1F5F}-\u{1F7D}\u{1F80}-\u{1FB4}\u{1FB6}-\u{1FBC}\u{1FBE}\u{1FC2}-\u{1FC4}\u{1FC6}-\u{1FCC}",
    r"\u{1FD0}-\u{1FD3}\u{1FD6}-\u{1FDB}\u{1FE0}-\u{1FEC}\u{1FF2}-\u{1FF4}\u{1FF6}-\u{1FFC}\u{2102}\u{2107}",
    r"\u{210A}-\u{2113}\u{2115}\u{2119}-\u{211D}\u{2124}\u{2126}\u{2128}\u{212A}-\u{212D}\u{212F}-\u{2134}",
    r"\u{2139}\u{213C}-\u{213F}\u{2145}-\u{2149}\u{214E}\u{2183}\u{2184}\u{2C00}-\u{2C7B}\u{2C7E}-\u{2CE4}",
    r"\u{2CEB}-\u{2CEE}\u{2CF2}\u{2CF3}\u{A640}-\u{A66D}\u{A680}-\u{A69B}\u{A722}-\u{A76F}\u{A771}-\u{A787}",
    r"\u{A78B}-\u{A78E}\u{AB70}-\u{ABBF}\u{FB00}-\u{FB06}\u{FB13}-\u{FB17}\u{FF21}-\u{FF3A}\u{FF41}-\u{FF5A}",
    r"\u{10400}-\u{1044F}\u{104B0}-\u{104D3}\u{104D8}-\u{104FB}\u{10C80}-\u{10CB2}\u{10CC0}-\u{10CF2}",
    r"\u{118A0}-\u{118DF}\u{1E900}-\u{1E943}",
);

/// A family of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Default,
    Gpt2,
    /// GPT-2's words with every digit alone.
    SingleDigits,
    /// Words with one leading sign, digits in groups of up to the given length.
    Modern {
        digits: &'static str,
    },
    /// As `Modern` with single digits, combining marks counted as letters.
    Qwen35,
    /// As `Modern`, but runs of spaces are cut at powers of two.
    Jais2,
    /// Newlines first, then as `Modern` with single digits.
    Laguna,
    /// Groups of three digits, then as `Modern` with any.
    MiniCpm5,
    /// As `Modern` with single digits, without English contractions.
    Turkish,
    Bailing,
    SeedCoder,
    ExaoneMoe,
    Tekken,
    Gpt4o,
    DeepseekLlm,
    DeepseekCoder,
    DeepseekV3,
    Falcon,
    Finnish {
        single_digits: bool,
    },
}

/// One name a file may use.
struct Named {
    name: &'static str,
    family: Family,
    /// A word that is a token is that token, whatever the merges say.
    whole_words_first: bool,
    /// The begin token is added unless the file says otherwise.
    adds_bos: bool,
}

const fn plain(name: &'static str, family: Family) -> Named {
    Named { name, family, whole_words_first: false, adds_bos: false }
}

const fn whole(name: &'static str, family: Family, adds_bos: bool) -> Named {
    Named { name, family, whole_words_first: true, adds_bos }
}

const UP_TO_THREE: Family = Family::Modern { digits: r"\p{N}{1,3}" };
const ONE: Family = Family::Modern { digits: r"\p{N}" };

/// Names and aliases as llama.cpp and its converters write them.
const NAMES: [Named; 74] = [
    plain("default", Family::Default),
    whole("llama3", UP_TO_THREE, true),
    whole("llama-v3", UP_TO_THREE, true),
    whole("llama-bpe", UP_TO_THREE, true),
    whole("falcon3", UP_TO_THREE, true),
    whole("falcon-h1", UP_TO_THREE, true),
    whole("pixtral", UP_TO_THREE, true),
    whole("midm-2.0", UP_TO_THREE, true),
    whole("lfm2", UP_TO_THREE, true),
    whole("jina-v5-nano", UP_TO_THREE, true),
    plain("dbrx", UP_TO_THREE),
    plain("smaug-bpe", UP_TO_THREE),
    plain("chatglm-bpe", UP_TO_THREE),
    whole("glm4", UP_TO_THREE, false),
    whole("glm5", UP_TO_THREE, false),
    plain("qwen2", ONE),
    plain("deepseek-r1-qwen", ONE),
    plain("kormo", ONE),
    plain("f2llmv2", ONE),
    plain("megrez", ONE),
    plain("stablelm2", ONE),
    plain("hunyuan", ONE),
    plain("solar-open", ONE),
    plain("grok-2", ONE),
    plain("qwen35", Family::Qwen35),
    plain("jais-2", Family::Jais2),
    plain("laguna", Family::Laguna),
    whole("minicpm5", Family::MiniCpm5, false),
    plain("ufakzeka", Family::Turkish),
    plain("bailingmoe", Family::Bailing),
    plain("bailingmoe2", Family::Bailing),
    plain("llada-moe", Family::Bailing),
    plain("seed-coder", Family::SeedCoder),
    plain("exaone-moe", Family::ExaoneMoe),
    whole("tekken", Family::Tekken, true),
    plain("gpt-4o", Family::Gpt4o),
    plain("llama4", Family::Gpt4o),
    plain("kanana2", Family::Gpt4o),
    plain("talkie", Family::Gpt4o),
    plain("minimax-m2", Family::Gpt4o),
    plain("deepseek-llm", Family::DeepseekLlm),
    plain("deepseek-coder", Family::DeepseekCoder),
    plain("deepseek-v3", Family::DeepseekV3),
    plain("hunyuan-dense", Family::DeepseekV3),
    plain("hy_v4", Family::DeepseekV3),
    plain("joyai-llm", Family::DeepseekV3),
    plain("falcon", Family::Falcon),
    plain("poro-chat", Family::Finnish { single_digits: false }),
    plain("bloom", Family::Finnish { single_digits: false }),
    plain("gpt3-finnish", Family::Finnish { single_digits: false }),
    plain("viking", Family::Finnish { single_digits: true }),
    plain("smollm", Family::SingleDigits),
    plain("starcoder", Family::SingleDigits),
    plain("refact", Family::SingleDigits),
    plain("command-r", Family::SingleDigits),
    plain("codeshell", Family::SingleDigits),
    plain("exaone", Family::SingleDigits),
    plain("minerva-7b", Family::SingleDigits),
    plain("mellum2", Family::SingleDigits),
    plain("gpt-2", Family::Gpt2),
    plain("mpt", Family::Gpt2),
    plain("olmo", Family::Gpt2),
    plain("jais", Family::Gpt2),
    plain("trillion", Family::Gpt2),
    plain("granite-docling", Family::Gpt2),
    plain("exaone4", Family::Gpt2),
    plain("phi-2", Family::Gpt2),
    plain("gigachat", Family::Gpt2),
    plain("a.x-4.0", Family::Gpt2),
    plain("mellum", Family::Gpt2),
    plain("modern-bert", Family::Gpt2),
    plain("jina-es", Family::Gpt2),
    plain("jina-de", Family::Gpt2),
    plain("roberta-bpe", Family::Gpt2),
];

/// Every name that is understood.
pub(super) fn known_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|named| named.name)
}

/// The splitting rules of one model: each cuts the pieces that the one before it left.
#[derive(Debug)]
pub(super) struct PreTokenizer {
    rules: Vec<Rule>,
    whole_words_first: bool,
    adds_bos: bool,
}

impl PreTokenizer {
    pub(super) fn named(name: &str) -> Result<Self, TokenizerError> {
        let named = NAMES.iter().find(|named| named.name == name);
        let named = named.ok_or_else(|| TokenizerError::UnknownPreTokenizer { name: name.to_owned() })?;
        let rules = patterns(named.family).iter().map(|pattern| Rule::new(pattern)).collect();
        Ok(Self { rules, whole_words_first: named.whole_words_first, adds_bos: named.adds_bos })
    }

    pub(super) fn whole_words_first(&self) -> bool {
        self.whole_words_first
    }

    pub(super) fn adds_bos(&self) -> bool {
        self.adds_bos
    }

    /// Calls `emit` with every word of `text`, in order; together they are the text.
    pub(super) fn split(&self, text: &str, mut emit: impl FnMut(&str)) {
        split_by(&self.rules, text, &mut emit);
    }
}

fn split_by(rules: &[Rule], text: &str, emit: &mut dyn FnMut(&str)) {
    match rules.split_first() {
        None => emit(text),
        Some((rule, rest)) => rule.split(text, &mut |piece| split_by(rest, piece, emit)),
    }
}

/// One expression. What it matches is a word, and so is what lies between two matches.
#[derive(Debug)]
struct Rule {
    regex: Regex,
    last_space: LastSpace,
}

/// What becomes of the last space of a run before a word.
#[derive(Clone, Copy, Debug)]
enum LastSpace {
    /// It stays in the run.
    Stays,
    /// It goes to the word.
    Leaves,
    /// It goes to the word, unless it is a newline: an own branch takes runs that end in one.
    LeavesUnlessNewline,
}

impl Rule {
    fn new(pattern: &str) -> Self {
        let regex = Regex::new(pattern).expect("the patterns are constants, and a test compiles all of them");
        let last_space = match (pattern.ends_with(r"|\s+"), pattern.contains(r"|\s*[\r\n]")) {
            (false, _) => LastSpace::Stays,
            (true, false) => LastSpace::Leaves,
            (true, true) => LastSpace::LeavesUnlessNewline,
        };
        Self { regex, last_space }
    }

    fn split(&self, text: &str, emit: &mut dyn FnMut(&str)) {
        let mut position = 0;
        while position < text.len() {
            // The one expression with look-around may give up on a pathological text; the rest is then one word.
            let Ok(Some(found)) = self.regex.find_from_pos(text, position) else { break };
            if found.start() > position {
                emit(&text[position..found.start()]);
            }
            position = self.word_end(text, found.start(), found.end());
            emit(&text[found.start()..position]);
        }
        if position < text.len() {
            emit(&text[position..]);
        }
    }

    /// The end of the word matched at `start..end`: one letter earlier if it is a run of spaces that leaves its last one.
    /// What follows a run is no space, because the run is as long as it can be.
    fn word_end(&self, text: &str, start: usize, end: usize) -> usize {
        let word = &text[start..end];
        let Some(last) = word.chars().next_back() else { return end };
        let stays = match self.last_space {
            LastSpace::Stays => true,
            LastSpace::Leaves => false,
            LastSpace::LeavesUnlessNewline => matches!(last, '\n' | '\r'),
        };
        let last_start = end - last.len_utf8();
        let leaves = !stays && end < text.len() && last_start > start && word.chars().all(char::is_whitespace);
        if leaves { last_start } else { end }
    }
}

fn patterns(family: Family) -> Vec<String> {
    let gpt2 = || format!(r"{LOWER_CONTRACTIONS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+");
    let modern = |digits: &str| {
        format!(
            r"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}|{PUNCTUATION_AND_NEWLINES}|{NEWLINES_AND_SPACES}"
        )
    };
    let own = |pattern: &str| pattern.to_owned();
    match family {
        Family::Default => {
            vec![own(r"[\p{P}$+<=>^~|]+"), gpt2(), own(r"\p{N}+"), own("[0-9][0-9][0-9]")]
        }
        Family::Gpt2 => vec![gpt2()],
        Family::SingleDigits => vec![own(r"\p{N}"), gpt2()],
        Family::Modern { digits } => vec![modern(digits)],
        Family::Qwen35 => vec![format!(
            r"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{NEWLINES_AND_SPACES}"
        )],
        Family::Jais2 => vec![jais2()],
        Family::Laguna => vec![own(r"[^\n]+|\n+"), modern(r"\p{N}")],
        Family::MiniCpm5 => vec![own(r"\p{N}{1,3}"), modern(r"\p{N}+")],
        Family::Turkish => {
            vec![format!(r"[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{PUNCTUATION_AND_NEWLINES}|{NEWLINES_AND_SPACES}")]
        }
        Family::Bailing => vec![format!(
            r"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{PUNCTUATION_AND_NEWLINES}|\s*[\r\n]|\s+"
        )],
        Family::SeedCoder => vec![format!(
            r"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{NEWLINES_AND_SPACES}"
        )],
        Family::ExaoneMoe => vec![format!(
            r"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]?|\s*[\r\n]|\s+"
        )],
        Family::Tekken => {
            vec![format!(r"{CAPITALISED}|{CAPITALS}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{NEWLINES_AND_SPACES}")]
        }
        Family::Gpt4o => vec![format!(
            r"{CAPITALISED}(?:{CONTRACTIONS})?|{CAPITALS}(?:{CONTRACTIONS})?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{NEWLINES_AND_SPACES}"
        )],
        Family::DeepseekLlm => vec![
            own(r"[\r\n]"),
            format!(r"\s?[{DEEPSEEK_LETTERS}]+"),
            own(r"\s?[!-/:-~\u{FF01}-\u{FF0F}\u{FF1A}-\u{FF5E}\u{2018}-\u{201F}\u{3001}-\u{3002}]+"),
            own(r"\s+$"),
            own(DEEPSEEK_ASIAN),
            own(r"\p{N}+"),
        ],
        Family::DeepseekCoder => {
            vec![own(r"[\r\n]"), own(r"\s?\p{L}+"), own(r"\s?\p{P}+"), own(DEEPSEEK_ASIAN), own(r"\p{N}")]
        }
        Family::DeepseekV3 => vec![
            own(r"\p{N}{1,3}"),
            own(r"[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+"),
            format!(
                r"[!-/:-@\[-`{{-~][A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+| ?[\p{{P}}\p{{S}}]+[\r\n]*|{NEWLINES_AND_SPACES}"
            ),
        ],
        Family::Falcon => vec![own(r"[\p{P}$+<=>^~|`]+"), gpt2(), own("[0-9][0-9][0-9]")],
        Family::Finnish { single_digits: false } => vec![own(FINNISH_WORDS)],
        Family::Finnish { single_digits: true } => vec![own(FINNISH_WORDS), own(r"\p{N}")],
    }
}

/// The one family whose spaces need look-around: a run is cut into the largest powers of two that fit.
fn jais2() -> String {
    let spaces: Vec<String> =
        [512, 256, 128, 64, 32, 16, 8, 4].map(|count| format!(r"\s{{{count}}}(?!\S)")).into_iter().collect();
    format!(
        r"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{PUNCTUATION_AND_NEWLINES}|\s*[\r\n]+|{}|\s{{1,2}}(?!\S)|\s",
        spaces.join("|")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        PreTokenizer::named(name).unwrap().split(text, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn every_name_compiles_and_loses_no_text() {
        let text = "It's 12345 x²  \n\n\tÀb字か。 !?\u{301}\u{a0}\u{3000} 'LL \r\n ";
        for name in known_names() {
            assert_eq!(words(name, text).concat(), text, "{name}");
        }
    }

    #[test]
    fn names_are_distinct() {
        let names: std::collections::BTreeSet<_> = known_names().collect();
        assert_eq!(names.len(), NAMES.len());
    }

    #[test]
    fn a_run_of_spaces_leaves_its_last_to_the_word() {
        assert_eq!(words("gpt-2", "a   b"), ["a", "  ", " b"]);
        assert_eq!(words("gpt-2", "a   "), ["a", "   "]);
        assert_eq!(words("gpt-2", "a\tb"), ["a", "\t", "b"]);
        assert_eq!(words("gpt-2", "a\r\nb"), ["a", "\r", "\n", "b"]);
        assert_eq!(words("llama-bpe", "a \n  b"), ["a", " \n", " ", " b"]);
    }

    #[test]
    fn digits_are_grouped_as_named() {
        assert_eq!(words("smollm", "12345"), ["1", "2", "3", "4", "5"]);
        assert_eq!(words("gpt-2", "12345"), ["12345"]);
        assert_eq!(words("llama-bpe", "12345"), ["123", "45"]);
        assert_eq!(words("qwen2", "12345"), ["1", "2", "3", "4", "5"]);
    }

    #[test]
    fn an_unknown_name_is_named_in_the_error() {
        let error = PreTokenizer::named("no-such").unwrap_err();
        assert!(error.to_string().contains("no-such"), "{error}");
        assert!(error.hint().unwrap().contains("llama-bpe"));
    }
}

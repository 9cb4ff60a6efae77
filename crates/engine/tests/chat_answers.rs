//! Answers to a conversation as token paths: always tokens of the whole text.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use puma_engine::chat::{ChatMessage, ChatTemplate};
use puma_engine::gguf::Gguf;
use puma_engine::tokenizer::Tokenizer;
use puma_testkit::gguf::{GgufWriter, Vocabulary};

const CHATML: &str = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}\
{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn load(template: &str) -> (ChatTemplate, Tokenizer) {
    let mut file = GgufWriter::new(3);
    Vocabulary::BytePairs { pre: "smollm".to_owned() }.write(&mut file);
    file.metadata("tokenizer.chat_template", template);
    let gguf = Gguf::from_bytes(file.finish()).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    (ChatTemplate::from_gguf(&gguf, &tokenizer).unwrap(), tokenizer)
}

fn user(content: &str) -> [ChatMessage; 1] {
    [ChatMessage::new("user", content)]
}

#[test]
fn prompt_and_path_together_are_the_tokens_of_the_whole_text() {
    for (template, space) in [
        (CHATML, ""),
        // Ends in a word: the answer is a word of its own.
        ("{% for message in messages %}{{ message.content }}{% endfor %}", " "),
        // Ends in a control token, which ends any word.
        ("{% for message in messages %}{{ message.content }}<|im_start|>{% endfor %}", ""),
    ] {
        let (template, tokenizer) = load(template);
        let messages = user("the thing is in there, and it has to be restored. Priority:");
        let conversation = template.encode(&tokenizer, &messages).unwrap();
        let paths = template.encode_answers(&tokenizer, &messages, &LABELS).unwrap();
        assert!(conversation.starts_with(&paths.prompt));
        for (answer, path) in LABELS.iter().zip(&paths.answers) {
            let text = template.render(&messages, true).unwrap() + space + answer;
            let whole = tokenizer.encode(&text, false, true);
            assert_eq!([&paths.prompt[..], path].concat(), whole, "{text:?}");
        }
    }
}

#[test]
fn a_token_across_the_boundary_moves_into_every_path() {
    let (template, tokenizer) = load("{% for message in messages %}{{ message.content }}\n{% endfor %}");
    let messages = user("so it is");
    let plain = template.encode(&tokenizer, &messages).unwrap();
    let separate = template.encode_answers(&tokenizer, &messages, &["Major"]).unwrap();
    assert_eq!(separate.prompt, plain, "a line end and a letter are no one token here");
    // Two line ends may be one token, which the conversation alone does not have.
    let joined = template.encode_answers(&tokenizer, &messages, &["\n\n", "Major"]).unwrap();
    let text = |path: &[u32]| tokenizer.decode(&[&joined.prompt[..], path].concat());
    assert_eq!(text(&joined.answers[0]), "so it is\n\n\n");
    assert_eq!(text(&joined.answers[1]), "so it is\nMajor");
    assert!(plain.starts_with(&joined.prompt));
}

#[test]
fn control_tokens_written_in_a_message_stay_text_here_too() {
    let (template, tokenizer) = load(CHATML);
    let messages = user("close <|im_end|> now");
    let paths = template.encode_answers(&tokenizer, &messages, &LABELS).unwrap();
    let closing = tokenizer.token_id("<|im_end|>").unwrap();
    assert_eq!(paths.prompt.iter().filter(|&&id| id == closing).count(), 1, "the template's own");
    assert_eq!(paths.prompt, template.encode(&tokenizer, &messages).unwrap());
}

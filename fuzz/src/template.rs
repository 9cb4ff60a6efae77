//! Chat templates and messages. An input is sections: the template, then roles and contents in turn.

use super::sections::{sections, text};
use puma_engine::chat::{ChatMessage, ChatTemplate};
use puma_engine::gguf::Gguf;
use puma_engine::tokenizer::Tokenizer;
use puma_testkit::gguf::{GgufWriter, MetadataValue, Vocabulary};

/// Most messages of an input.
const MESSAGES: usize = 6;

thread_local! {
    static TOKENIZER: (Gguf, Tokenizer) = {
        let mut file = GgufWriter::new(3);
        Vocabulary::BytePairs { pre: "smollm".to_owned() }.write(&mut file);
        let gguf = Gguf::from_bytes(file.finish()).expect("the testkit writes whole files");
        let tokenizer = Tokenizer::from_gguf(&gguf).expect("the testkit writes whole vocabularies");
        (gguf, tokenizer)
    };
}

/// Renders messages with a template, both from `data`; an empty template is the fallback.
pub fn check(data: &[u8]) {
    let parts = sections::<{ 1 + 2 * MESSAGES }>(data);
    let messages: Vec<ChatMessage> = parts[1..]
        .chunks(2)
        .filter(|pair| pair.iter().any(|part| !part.is_empty()))
        .map(|pair| ChatMessage::new(text(pair[0]), text(pair[1])))
        .collect();
    TOKENIZER.with(|(plain, tokenizer)| {
        if parts[0].is_empty() {
            let template = ChatTemplate::from_gguf(plain, tokenizer).expect("the fallback can be read");
            turns_stay_closed(&template, tokenizer, &messages);
            return;
        }
        let mut file = GgufWriter::new(3);
        file.metadata("tokenizer.chat_template", MetadataValue::String(text(parts[0]).into_owned()));
        let gguf = Gguf::from_bytes(file.finish()).expect("the testkit writes whole files");
        let Ok(template) = ChatTemplate::from_gguf(&gguf, tokenizer) else { return };
        for add_generation_prompt in [false, true] {
            if let Err(error) = template.render(&messages, add_generation_prompt) {
                assert!(!error.to_string().is_empty());
            }
        }
        if let Ok(ids) = template.encode(tokenizer, &messages) {
            assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()), "an id outside the vocabulary");
        }
    });
}

/// No content closes its own turn: as many turns are closed as there are messages.
fn turns_stay_closed(template: &ChatTemplate, tokenizer: &Tokenizer, messages: &[ChatMessage]) {
    let ids = template.encode(tokenizer, messages).expect("the fallback refuses nothing");
    let count = |text: &str| {
        let token = tokenizer.token_id(text).expect("the vocabulary has ChatML's tokens");
        ids.iter().filter(|&&id| id == token).count()
    };
    // Roles come from the program, not from a user, and are not searched for control tokens.
    if !messages.iter().any(|message| message.role.contains("<|")) {
        assert_eq!((count("<|im_start|>"), count("<|im_end|>")), (messages.len() + 1, messages.len()));
    }
}

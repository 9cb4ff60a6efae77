//! A model's chat template and its rendering.

use super::environment::{environment, without_generation_tags};
use crate::gguf::{Gguf, GgufError};
use crate::tokenizer::Tokenizer;
use minijinja::{Environment, ErrorKind, Value, context};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

const KEY: &str = "tokenizer.chat_template";
const NAME: &str = "chat template";

/// ChatML: each turn between `<|im_start|>` and `<|im_end|>`.
const CHATML: &str = "\
{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}\
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/// For models without turns: the messages' texts, a blank line between them.
const PLAIN: &str =
    "{%- for message in messages %}{{ message.content }}{% if not loop.last %}{{ '\\n\\n' }}{% endif %}{% endfor %}";

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// `system`, `user` or `assistant`.
    pub role: String,
    pub content: String,
}

impl ChatMessage {
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }
}

/// Where a template came from; part of what makes a run repeatable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// The model file.
    File,
    /// None in the file, but the vocabulary has ChatML's tokens.
    ChatMl,
    /// None in the file: the messages' texts alone.
    Plain,
}

impl TemplateSource {
    /// `file`, `chatml` or `plain`.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::ChatMl => "chatml",
            Self::Plain => "plain",
        }
    }
}

/// Why messages could not be made into text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The template is no Jinja that can be read.
    #[error("the model's chat template cannot be read: {0:#}")]
    Syntax(#[source] minijinja::Error),
    /// The template refused the messages (`raise_exception`) or used what is not there.
    #[error("the model's chat template failed on these messages: {0:#}")]
    Render(#[source] minijinja::Error),
}

/// A model's template, ready to render.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: TemplateSource,
    hash: String,
    bos_token: String,
    eos_token: String,
}

impl ChatTemplate {
    /// The file's own template, or the fallback that fits its vocabulary.
    ///
    /// # Errors
    /// The template is no text or no Jinja.
    pub fn from_gguf(gguf: &Gguf, tokenizer: &Tokenizer) -> Result<Self, ChatError> {
        let (source, text) = match gguf.metadata().string(KEY)? {
            Some(text) => (TemplateSource::File, text),
            None if tokenizer.token_id("<|im_start|>").is_some() => (TemplateSource::ChatMl, CHATML),
            None => (TemplateSource::Plain, PLAIN),
        };
        let mut environment = environment(text);
        environment.add_template_owned(NAME, without_generation_tags(text)).map_err(ChatError::Syntax)?;
        let spelt = |id: Option<u32>| id.and_then(|id| tokenizer.token_text(id)).unwrap_or_default().to_owned();
        Ok(Self {
            environment,
            source,
            hash: sha256_hex(text),
            bos_token: spelt(tokenizer.bos()),
            eos_token: spelt(tokenizer.eos()),
        })
    }

    /// The text of a conversation. `add_generation_prompt` ends it with the opening of the assistant's turn.
    ///
    /// # Errors
    /// The template refuses the messages, as some refuse a system message or two user messages in a row.
    pub fn render(&self, messages: &[ChatMessage], add_generation_prompt: bool) -> Result<String, ChatError> {
        let messages: Vec<Value> =
            messages.iter().map(|message| context! { role => &message.role, content => &message.content }).collect();
        let template = self.environment.get_template(NAME).map_err(ChatError::Render)?;
        let values = context! {
            messages,
            add_generation_prompt,
            // `transformers` always passes these two, and templates compare them with `none`.
            tools => (),
            documents => (),
            bos_token => &self.bos_token,
            eos_token => &self.eos_token,
        };
        // minijinja 3.0.5 panics on an empty list that is taken backwards (`[][::-1]`), which fuzzing found; a file must not
        // be able to end the program.
        let rendered = catch_unwind(AssertUnwindSafe(|| template.render(values)));
        let panicked = |_| minijinja::Error::new(ErrorKind::InvalidOperation, "the template engine gave up on it");
        rendered.map_err(panicked).flatten().map_err(ChatError::Render)
    }

    /// The ids of a conversation that the assistant is to go on with. A template that writes the begin token itself
    /// does not get a second one. Control tokens are taken from the template alone: one that is written out in a
    /// message (`<|im_end|>` in an issue) stays text, so that a message cannot close its own turn.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn encode(&self, tokenizer: &Tokenizer, messages: &[ChatMessage]) -> Result<Vec<u32>, ChatError> {
        let (text, mark) = self.opened(tokenizer, messages)?;
        Ok(self.ids(tokenizer, &text, mark))
    }

    /// The text of a conversation up to the assistant's words, and the mark that breaks control tokens in messages.
    pub(super) fn opened(&self, tokenizer: &Tokenizer, messages: &[ChatMessage]) -> Result<(String, char), ChatError> {
        let mark = unused_mark(messages);
        let broken: Vec<ChatMessage> = messages
            .iter()
            .map(|message| ChatMessage::new(&message.role, tokenizer.break_control_tokens(&message.content, mark)))
            .collect();
        Ok((self.render(&broken, true)?, mark))
    }

    /// The ids of what [`opened`](Self::opened) gives, whatever follows it.
    pub(super) fn ids(&self, tokenizer: &Tokenizer, text: &str, mark: char) -> Vec<u32> {
        let begins = !self.bos_token.is_empty() && text.starts_with(&self.bos_token);
        let begin = tokenizer.bos().filter(|_| tokenizer.adds_bos() && !begins);
        let mut ids: Vec<u32> = begin.into_iter().collect();
        ids.extend(tokenizer.encode_cut(text.split(mark)));
        ids
    }

    pub fn source(&self) -> TemplateSource {
        self.source
    }

    /// SHA-256 of the template's text, 64 hex digits.
    pub fn template_hash(&self) -> &str {
        &self.hash
    }
}

/// A character no message holds, from those that Unicode keeps free for a program's own use.
fn unused_mark(messages: &[ChatMessage]) -> char {
    let is_free = |mark: &char| !messages.iter().any(|message| message.content.contains(*mark));
    ('\u{fdd0}'..='\u{fdef}').find(is_free).unwrap_or('\u{fdd0}')
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

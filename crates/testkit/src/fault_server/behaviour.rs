//! What the server is told to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An HTTP error with a JSON body.
    Status(u16),
    /// An HTTP error with a `Retry-After` header of this text.
    RetryAfter { status: u16, value: String },
    /// Sends half of the body it announced, then closes.
    CutMidBody,
    /// Sends this many bytes of a body without an announced length, then closes as if that were all.
    CutAfter { bytes: usize },
    /// Closes a chunked body without its last chunk.
    CutChunked,
    /// Sends half of a JSON text as if it were whole.
    HalfJson,
    /// Announces a shorter body than it sends.
    LengthTooShort,
    /// Answers half, then an error in the stream, with status 200.
    MidStreamError,
    /// Status 200 and nothing else.
    EmptyBody,
    /// Status 200 and this many bytes of blanks before the answer.
    HugeBody { bytes: usize },
    /// Takes the request and stays silent until the server is dropped.
    NeverAnswers,
    /// Status 200 and an HTML page.
    NotJson,
    /// Bytes that are no HTTP.
    NotHttp,
    /// Closes the connection without a word.
    HangUp,
    /// A redirect to this address.
    Redirect(String),
    /// A right answer, one byte each so many milliseconds.
    Drip { byte_ms: u64 },
    /// A right answer without any text.
    EmptyAnswer,
    /// An answer that ended at its token limit.
    Truncated,
}

/// What becomes of `/api/pull`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pull {
    /// The model is there afterwards.
    Succeeds,
    /// Half-way, the server reports this error.
    Fails(String),
    /// Half-way, the connection ends.
    Breaks,
    /// Half-way, nothing more is said until the server is dropped.
    FallsSilent,
}

/// Which completion requests meet the fault. Lists, versions and model loading never do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    Always,
    /// The first so many times that each distinct request comes.
    First(u32),
    /// A share of requests, 0 to 1, drawn anew each time the same request comes.
    Share(f64),
}

/// Where answers come from.
#[derive(Clone)]
pub enum Answers {
    /// One of these, picked by a hash of the prompt.
    Labels(Vec<String>),
    /// Computed from the prompt.
    Function(Arc<dyn Fn(&str) -> String + Send + Sync>),
}

impl Answers {
    /// Answers by `compute`, which gets the last user message.
    pub fn from_fn(compute: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::Function(Arc::new(compute))
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Labels(labels) => f.debug_tuple("Labels").field(labels).finish(),
            Self::Function(_) => f.write_str("Function(…)"),
        }
    }
}

/// Everything the server is told.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub fault: Option<Fault>,
    pub when: When,
    /// Draws which requests fail under [`When::Share`].
    pub seed: u64,
    /// Waits this long before every completion.
    pub delay: Duration,
    pub answers: Answers,
    /// Names of the models it has; a request for another gets 404.
    pub models: Vec<String>,
    pub logprobs: bool,
    /// Text given as the model's reasoning.
    pub reasoning: Option<String>,
    /// What `/api/version` says.
    pub version: String,
    /// Cuts long prompts silently to `num_ctx`, as Ollama did before it knew `truncate`.
    pub cuts_prompts: bool,
    /// Does not let go of a model when it is told to.
    pub keeps_models: bool,
    pub pull: Pull,
}

impl Default for Behaviour {
    /// A faultless server with the model `smollm2:135m` that answers triage labels.
    fn default() -> Self {
        Self {
            fault: None,
            when: When::Always,
            seed: 0,
            delay: Duration::ZERO,
            answers: Answers::Labels(["Critical", "Major", "Minor", "Trivial"].map(str::to_owned).to_vec()),
            models: vec!["smollm2:135m".to_owned()],
            logprobs: true,
            reasoning: None,
            version: "0.12.11".to_owned(),
            cuts_prompts: true,
            keeps_models: false,
            pull: Pull::Succeeds,
        }
    }
}

impl Behaviour {
    /// Always meets completion requests with `fault`.
    pub fn always(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// Meets the first `times` arrivals of each request with `fault`.
    pub fn first(times: u32, fault: Fault) -> Self {
        Self { fault: Some(fault), when: When::First(times), ..Self::default() }
    }

    /// Meets a `share` of requests, drawn by `seed`, with `fault`.
    pub fn share(share: f64, seed: u64, fault: Fault) -> Self {
        Self { fault: Some(fault), when: When::Share(share), seed, ..Self::default() }
    }

    /// Whether the `arrival`-th coming (1 for the first) of a request with hash `body_hash` meets the fault.
    pub(super) fn fault_for(&self, body_hash: u64, arrival: u32) -> Option<&Fault> {
        let is_met = match self.when {
            When::Always => true,
            When::First(times) => arrival <= times,
            When::Share(share) => unit(mix(self.seed ^ mix(body_hash ^ mix(u64::from(arrival))))) < share,
        };
        self.fault.as_ref().filter(|_| is_met)
    }

    /// The answer to `prompt`.
    pub(super) fn answer(&self, prompt: &str) -> String {
        match &self.answers {
            Answers::Function(compute) => compute(prompt),
            Answers::Labels(labels) if labels.is_empty() => String::new(),
            Answers::Labels(labels) => {
                let index = hash(prompt.as_bytes()) % labels.len() as u64;
                labels[usize::try_from(index).expect("smaller than the number of labels")].clone()
            }
        }
    }
}

/// FNV-1a, 64 bits, finished by a mixer; enough to spread prompts over labels.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
}

/// The finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Uniform in [0, 1).
pub(super) fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_thirty_percent_is_about_thirty_percent_for_first_and_later_arrivals() {
        let behaviour = Behaviour::share(0.3, 7, Fault::Status(500));
        for arrival in 1..4 {
            let met = (0..10_000u64).filter(|n| behaviour.fault_for(hash(&n.to_le_bytes()), arrival).is_some()).count();
            // Standard error 46; five of them on either side.
            assert!((2770..3230).contains(&met), "{met}");
        }
    }
}

//! PUMA's vocabulary: what every other crate talks about, and the seams between them.
//!
//! Start at [`RunEvent`](event::RunEvent): a run is a stream of these, and the store, the progress bar and every
//! report only read them. [`Backend`](backend::Backend) is the one door to a language model.
//! Deliberately absent: files, sockets, terminals, databases. Nothing here performs I/O.

pub mod backend;
pub mod cache;
pub mod canon;
pub mod clock;
pub mod completion;
pub mod event;
pub mod ids;
pub mod job;
pub mod measure;
pub mod outcome;
pub mod recorded;
pub mod request;
pub mod units;

pub use backend::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Failure, Forgotten, ModelIdentity,
};
pub use cache::CompletionCache;
pub use clock::{Clock, SystemClock, Timestamp};
pub use completion::{
    Attempt, Completion, FinishReason, Logprob, Phases, ScoredAnswer, TokenLogprob, TopLogprob, Usage, most_probable,
};
pub use event::{EventSink, InstanceRow, RunEvent, RunHeader, RunStatus, SinkError};
pub use ids::{InstanceId, JobId, RunId, SpecHash};
pub use job::JobRecord;
pub use measure::{Meter, Quality, Reading};
pub use outcome::Outcome;
pub use recorded::{Origin, RecordedRun};
pub use request::{Choices, Message, Request, Role};
pub use units::{Bytes, Joules, Millis};

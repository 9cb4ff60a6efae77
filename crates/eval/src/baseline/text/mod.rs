//! The judge that reads the text without understanding it: TF-IDF weights into a linear model.
//!
//! [`learned_answers`] trains it on rows that are not judged and keeps what it answers, so that later reports need no
//! data. [`tfidf`] weighs words as scikit-learn's `TfidfVectorizer` does, [`ridge`] fits the model. Only `+ − × ÷ √` in
//! a fixed order: the same data gives the same answers on every machine (`docs/decisions`).

mod pool;
pub mod ridge;
pub mod tfidf;
mod train;

pub use train::learned_answers;

//! Random draws that equal upstream's, position by position.
//!
//! [`dataframe_sample`], [`stratified`] and [`plain`] repeat pandas and NumPy; [`PythonRandom`] repeats CPython's
//! `random.Random`. All of them return row positions, so any table can be sampled.
//! Deliberately absent: what the rows mean (that is the scenarios' business).

mod mersenne;
mod numpy;
mod python;

pub use mersenne::MersenneTwister;
pub use numpy::{NumpyRandom, dataframe_sample, plain, stratified};
pub use python::PythonRandom;

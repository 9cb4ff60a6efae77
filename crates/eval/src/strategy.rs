//! Prompting strategies.

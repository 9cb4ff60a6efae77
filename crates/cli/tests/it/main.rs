//! The program as a user meets it: its two streams, its exit code, its files.

mod bad_input;
mod commands;
mod digest;
mod documented;
mod kill;
mod machine;
mod pages;
mod real;
mod run;
mod server;
mod shapes;
mod support;

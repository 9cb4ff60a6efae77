//! The program as a user meets it: its two streams, its exit code, its files.

mod across;
mod agent;
mod bad_input;
mod bench;
mod bundle;
mod commands;
mod compare;
mod cross_arch;
mod data_quality;
mod digest;
mod documented;
mod energy;
#[cfg(unix)]
mod fake_ollama;
#[cfg(target_os = "linux")]
mod faults;
mod fit;
mod kill;
mod machine;
mod monitor;
mod pages;
mod paper;
mod perturbed;
mod power;
mod real;
mod recording;
mod run;
mod scored;
mod selfcheck;
mod server;
#[cfg(unix)]
mod service;
#[cfg(unix)]
mod service_docker;
#[cfg(unix)]
mod service_scripts;
mod shapes;
mod support;

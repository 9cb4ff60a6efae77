//! Where a Linux process runs: on the machine itself, in a container, in a virtual machine, on whose computer.
//!
//! No sign is believed alone. Each votes with a weight for what it speaks for, and [`evidence`] adds them up; tables of
//! the signs stand in [`clues`] (one text each) and [`mounts`], the others in [`probe`].

mod clues;
mod evidence;
mod mounts;
mod probe;
mod processor;

pub(super) use probe::probe;

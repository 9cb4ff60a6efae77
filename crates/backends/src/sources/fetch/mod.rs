//! Downloading: one file per kind of source, and the resumable transfer they share.

mod http;
mod hub;
mod part;
mod pip;
mod registry;
mod space;
mod transfer;

pub(crate) use hub::HubClient;
pub(crate) use part::discard;
pub(crate) use pip::{Member, fetch_member};
pub(crate) use registry::RegistryClient;
pub(crate) use space::free_bytes;
pub(crate) use transfer::{Fetched, Wanted, fetch, interruptible};

//! Jobs from a spec.

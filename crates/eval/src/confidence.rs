//! Label probabilities from token paths.

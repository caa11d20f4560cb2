//! Ordinary mail programs.

//! Tests of the parser on small samples.

//! General XSD validation.

//! Laws and limits.

//! What belongs to a customer and to no log.

use std::fmt;
use std::ops::Deref;

use serde::Deserialize;

/// A value of a customer's, such as a name: it reads as what it holds, and its `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Hides a value from logs.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives the value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Private<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(private)")
    }
}

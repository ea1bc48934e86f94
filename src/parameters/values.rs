//! The values that one run was given. A secret one never leaves by `Debug` or as a shown value.

use std::fmt;

/// What stands where a secret's value would.
pub const MASK: &str = "••••";

/// The value of one parameter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value {
    /// The parameter.
    pub name: String,
    /// The text that the command gets.
    pub text: String,
    /// It is shown to nobody.
    pub secret: bool,
}

impl Value {
    /// As it may be shown.
    pub fn shown(&self) -> &str {
        if self.secret { MASK } else { &self.text }
    }

    /// The name of the variable that the command gets it in: `PARAM_` and the name in upper case.
    pub fn variable(&self) -> String {
        format!("PARAM_{}", self.name.to_ascii_uppercase())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.name, self.shown())
    }
}

/// The values of all parameters of a job, in its order.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Values(Vec<Value>);

impl Values {
    /// Of these.
    pub fn new(values: Vec<Value>) -> Values {
        Values(values)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }

    /// The value of `name`.
    pub fn of(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|value| value.name == name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

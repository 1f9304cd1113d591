//! What can go wrong. No message repeats a value, which may be PHI.

/// Why an expression has no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The definitions have no such element there.
    #[error("{of} has no element {name}")]
    NoElement {
        /// The type that was looked in.
        of: String,
        /// The element.
        name: String,
    },
    /// A path begins with a type that the focus is not.
    #[error("the focus is no {0}")]
    OtherType(String),
    /// No such type.
    #[error("there is no type {0}")]
    NoType(String),
    /// No such function.
    #[error("there is no function {0}()")]
    NoFunction(String),
    /// No such variable.
    #[error("there is no variable %{0}")]
    NoVariable(String),
    /// A function is called with too few or too many arguments.
    #[error("{0}() takes another number of arguments")]
    Arguments(&'static str),
    /// An operator or function is given a type that it has no meaning for.
    #[error("{what} has no meaning for {of}")]
    Type {
        /// The operator or function.
        what: String,
        /// What it is given.
        of: String,
    },
    /// A collection without order is asked for its order.
    #[error("{0}() needs an order, and these items have none")]
    NoOrder(&'static str),
    /// A number, regular expression or moment that cannot be used.
    #[error("{0} cannot be used")]
    Constant(String),
    /// The program would be too large.
    #[error("the expression has more than {0} steps or regular expressions")]
    TooLarge(usize),
}

/// Why an evaluation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// One item was needed, and there were several.
    #[error("{0} takes one item, not several")]
    Several(&'static str),
    /// A value of another type was needed.
    #[error("{0}")]
    Type(&'static str),
    /// A limit was reached.
    #[error("the evaluation has reached its limit of {0}")]
    Limit(&'static str),
    /// The caller has not supplied what this needs.
    #[error("{0} is not available here")]
    Unavailable(&'static str),
    /// An argument that has no meaning.
    #[error("{0}")]
    Argument(&'static str),
}

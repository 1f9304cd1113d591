//! The syntax tree of an expression.

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A constant.
    Literal(Literal),
    /// `$this`
    This,
    /// `$index`
    Index,
    /// `$total`
    Total,
    /// `%name`
    Variable(String),
    /// `name` (of the focus) or `of.name`.
    Member {
        /// What it is a member of; `None` for the focus. At the start of a path it may be the name of a type.
        of: Option<Box<Expr>>,
        /// The element.
        name: String,
    },
    /// `name(…)` (on the focus) or `of.name(…)`.
    Call {
        /// What it is called on; `None` for the focus.
        of: Option<Box<Expr>>,
        /// The function.
        name: String,
        /// Its arguments.
        arguments: Vec<Expr>,
    },
    /// `of[index]`
    Item {
        /// The collection.
        of: Box<Expr>,
        /// Which item, from 0.
        index: Box<Expr>,
    },
    /// `+operand` or `-operand`
    Unary {
        /// The sign.
        op: UnaryOp,
        /// What it stands before.
        operand: Box<Expr>,
    },
    /// Two operands.
    Binary {
        /// The operator between them.
        op: BinaryOp,
        /// Before the operator.
        left: Box<Expr>,
        /// After the operator.
        right: Box<Expr>,
    },
    /// `operand is T` or `operand as T`
    Type {
        /// Which of the two.
        op: TypeOp,
        /// What is looked at.
        operand: Box<Expr>,
        /// The type, qualified or not.
        name: String,
    },
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `{}`
    Empty,
    /// `true` or `false`
    Boolean(bool),
    /// `'text'`, without quotes and escapes.
    String(String),
    /// A number as spelt.
    Number(String),
    /// `@2013-01`, `@2013-01-14T10:00`, `@T10:00`, without the `@`.
    Moment(String),
    /// `4 'mg'` or `4 days`.
    Quantity {
        /// The number as spelt.
        value: String,
        /// The unit, without quotes.
        unit: String,
        /// How it is written.
        spelt: UnitSpelling,
    },
}

/// How the unit of a quantity is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitSpelling {
    /// `'mg'`
    Quoted,
    /// `days`
    Word,
}

/// The sign before an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// The type operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeOp {
    /// Whether it has the type.
    Is,
    /// It, if it has the type.
    As,
}

/// The operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `div`
    WholeDivide,
    /// `mod`
    Modulo,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `&`
    Concatenate,
    /// `|`
    Union,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`
    Equal,
    /// `~`
    Equivalent,
    /// `!=`
    NotEqual,
    /// `!~`
    NotEquivalent,
    /// `in`
    In,
    /// `contains`
    Contains,
    /// `and`
    And,
    /// `or`
    Or,
    /// `xor`
    Xor,
    /// `implies`
    Implies,
}

impl BinaryOp {
    /// All of them, those that bind tightest first.
    pub const ALL: [Self; 22] = [
        Self::Multiply,
        Self::Divide,
        Self::WholeDivide,
        Self::Modulo,
        Self::Add,
        Self::Subtract,
        Self::Concatenate,
        Self::Union,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Equal,
        Self::Equivalent,
        Self::NotEqual,
        Self::NotEquivalent,
        Self::In,
        Self::Contains,
        Self::And,
        Self::Or,
        Self::Xor,
        Self::Implies,
    ];

    /// The operator that a word or symbol stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.symbol() == text)
    }

    /// The word or symbol.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::WholeDivide => "div",
            Self::Modulo => "mod",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => "&",
            Self::Union => "|",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::Equivalent => "~",
            Self::NotEqual => "!=",
            Self::NotEquivalent => "!~",
            Self::In => "in",
            Self::Contains => "contains",
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::Implies => "implies",
        }
    }

    /// Whether it comes to a truth value.
    pub(crate) const fn is_question(self) -> bool {
        match self {
            Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Equal
            | Self::Equivalent
            | Self::NotEqual
            | Self::NotEquivalent
            | Self::In
            | Self::Contains
            | Self::And
            | Self::Or
            | Self::Xor
            | Self::Implies => true,
            Self::Multiply
            | Self::Divide
            | Self::WholeDivide
            | Self::Modulo
            | Self::Add
            | Self::Subtract
            | Self::Concatenate
            | Self::Union => false,
        }
    }

    /// How tightly it binds: the order of the grammar's alternatives, loosest 1.
    #[must_use]
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Implies => 1,
            Self::Or | Self::Xor => 2,
            Self::And => 3,
            Self::In | Self::Contains => 4,
            Self::Equal | Self::Equivalent | Self::NotEqual | Self::NotEquivalent => 5,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 6,
            Self::Union => 7,
            Self::Add | Self::Subtract | Self::Concatenate => 9,
            Self::Multiply | Self::Divide | Self::WholeDivide | Self::Modulo => 10,
        }
    }
}

impl TypeOp {
    /// How tightly `is` and `as` bind, on the scale of [`BinaryOp::precedence`].
    pub const PRECEDENCE: u8 = 8;
}

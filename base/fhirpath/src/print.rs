//! Syntax trees as text: what is printed parses to the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::ast::{BinaryOp, Expr, Literal, TypeOp, UnaryOp, UnitSpelling};

/// Binds tighter than everything: paths, calls, constants.
const TIGHTEST: u8 = 12;
/// A sign.
const SIGN: u8 = 11;

/// Words that a bare name may not be.
const KEY_WORDS: [&str; 14] =
    ["and", "or", "xor", "implies", "div", "mod", "in", "contains", "is", "as", "true", "false", "asc", "desc"];

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            Self::This => f.write_str("$this"),
            Self::Index => f.write_str("$index"),
            Self::Total => f.write_str("$total"),
            Self::Variable(name) => write!(f, "%{}", Name(name)),
            Self::Member { of, name } => {
                step(of.as_deref(), f)?;
                Name(name).fmt(f)
            }
            Self::Call { of, name, arguments } => {
                step(of.as_deref(), f)?;
                write!(f, "{}(", Name(name))?;
                for (argument, at) in arguments.iter().zip(0_usize..) {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    argument.fmt(f)?;
                }
                f.write_char(')')
            }
            Self::Item { of, index } => write!(f, "{}[{index}]", Within(of, TIGHTEST)),
            Self::Unary { op, operand } => {
                let sign = match op {
                    UnaryOp::Plus => '+',
                    UnaryOp::Minus => '-',
                };
                write!(f, "{sign}{}", Within(operand, SIGN))
            }
            Self::Binary { op, left, right } => {
                let own = op.precedence();
                write!(f, "{} {} {}", Within(left, own), op.symbol(), Within(right, own + 1))
            }
            Self::Type { op, operand, name } => {
                let word = match op {
                    TypeOp::Is => "is",
                    TypeOp::As => "as",
                };
                write!(f, "{} {word} ", Within(operand, TypeOp::PRECEDENCE))?;
                for (part, at) in name.split('.').zip(0_usize..) {
                    if at > 0 {
                        f.write_char('.')?;
                    }
                    Name(part).fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

fn step(of: Option<&Expr>, f: &mut Formatter<'_>) -> fmt::Result {
    of.map_or(Ok(()), |of| write!(f, "{}.", Within(of, TIGHTEST)))
}

/// An operand, in brackets if it binds less tightly than what is around it.
struct Within<'a>(&'a Expr, u8);

impl Display for Within<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let own = match self.0 {
            Expr::Binary { op, .. } => BinaryOp::precedence(*op),
            Expr::Type { .. } => TypeOp::PRECEDENCE,
            Expr::Unary { .. } => SIGN,
            _ => TIGHTEST,
        };
        if own < self.1 { write!(f, "({})", self.0) } else { self.0.fmt(f) }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("{}"),
            Self::Boolean(value) => value.fmt(f),
            Self::String(text) => quoted(text, '\'', f),
            Self::Number(number) => f.write_str(number),
            Self::Moment(moment) => write!(f, "@{moment}"),
            Self::Quantity { value, unit, spelt: UnitSpelling::Word } => write!(f, "{value} {unit}"),
            Self::Quantity { value, unit, spelt: UnitSpelling::Quoted } => {
                write!(f, "{value} ")?;
                quoted(unit, '\'', f)
            }
        }
    }
}

/// A name, in backquotes unless it can do without.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        let plain = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !KEY_WORDS.contains(&self.0);
        if plain { f.write_str(self.0) } else { quoted(self.0, '`', f) }
    }
}

fn quoted(text: &str, quote: char, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char(quote)?;
    for letter in text.chars() {
        match letter {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{c}' => f.write_str("\\f")?,
            '\\' => f.write_str("\\\\")?,
            _ if letter == quote => write!(f, "\\{quote}")?,
            _ if letter < ' ' => write!(f, "\\u{:04x}", u32::from(letter))?,
            _ => f.write_char(letter)?,
        }
    }
    f.write_char(quote)
}

//! Tokens to a syntax tree, by precedence climbing.

use std::fmt;

use crate::ast::{BinaryOp, Expr, Literal, TypeOp, UnaryOp, UnitSpelling};
use crate::lexer::{Token, tokens};
use crate::moment::Moment;
use crate::quantity::Calendar;

/// Longest expression, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of brackets, arguments and operands; R4's own need 12.
pub const DEPTH_MAX: usize = 48;
/// Most tokens of an expression; R4's own need fewer than 500.
pub const TOKENS_MAX: usize = 2_048;
/// Tallest tree, chains that grow to the left (`a + a + …`, `a.b.c…`) included. What walks a tree needs stack for this.
pub const HEIGHT_MAX: usize = 96;

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The byte at which it goes wrong.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for ParseError {}

/// Parses an expression.
///
/// # Errors
/// The first thing that the grammar (`FHIRPath` 2.0) does not allow, or one of the limits of this module.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(ParseError { at: TEXT_BYTES_MAX, what: "more than 65536 bytes" });
    }
    let mut parser = Parser { tokens: tokens(text, TOKENS_MAX)?, at: 0, depth: 0, end: text.len() };
    let tree = parser.expression(0)?;
    if parser.at < parser.tokens.len() {
        Err(parser.error("unexpected text after the expression"))
    } else {
        Ok(tree.expr)
    }
}

/// A tree and its height.
struct Tree {
    expr: Expr,
    height: usize,
}

impl Tree {
    const fn leaf(expr: Expr) -> Self {
        Self { expr, height: 1 }
    }

    fn boxed(self) -> Box<Expr> {
        Box::new(self.expr)
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
    end: usize,
}

type Parsed<T> = Result<T, ParseError>;

impl Parser {
    fn error(&self, what: &'static str) -> ParseError {
        ParseError { at: self.tokens.get(self.at).map_or(self.end, |(at, _)| *at), what }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned()?;
        self.at += 1;
        Some(token)
    }

    fn peek_symbol(&self) -> &'static str {
        if let Some(Token::Symbol(symbol)) = self.peek() { symbol } else { "" }
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.peek_symbol() == symbol;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str, what: &'static str) -> Parsed<()> {
        if self.take(symbol) { Ok(()) } else { Err(self.error(what)) }
    }

    /// A node over parts of these heights.
    fn tree(&self, expr: Expr, parts: impl IntoIterator<Item = usize>) -> Parsed<Tree> {
        let height = 1 + parts.into_iter().max().unwrap_or(0);
        if height > HEIGHT_MAX { Err(self.error("too many steps on one path")) } else { Ok(Tree { expr, height }) }
    }

    /// An expression whose operators bind tighter than `loosest`.
    fn expression(&mut self, loosest: u8) -> Parsed<Tree> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = self.operator().filter(|(_, precedence)| *precedence > loosest) {
            self.at += 1;
            let height = left.height;
            left = match operator {
                Operator::Type(op) => {
                    let name = self.type_name()?;
                    self.tree(Expr::Type { op, operand: left.boxed(), name }, [height])?
                }
                Operator::Binary(op) => {
                    let right = self.expression(precedence)?;
                    // A run of one operator that needs no order is evaluated in a loop, so it is as tall as one.
                    let run = matches!(op, BinaryOp::Union | BinaryOp::And | BinaryOp::Or)
                        && matches!(&left.expr, Expr::Binary { op: before, .. } if *before == op);
                    let heights = [height - usize::from(run), right.height];
                    self.tree(Expr::Binary { op, left: left.boxed(), right: right.boxed() }, heights)?
                }
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let text = match self.peek()? {
            Token::Symbol(symbol) => symbol,
            Token::Word(word) => word.as_str(),
            _ => return None,
        };
        match text {
            "is" => Some((Operator::Type(TypeOp::Is), TypeOp::PRECEDENCE)),
            "as" => Some((Operator::Type(TypeOp::As), TypeOp::PRECEDENCE)),
            _ => BinaryOp::parse(text).map(|op| (Operator::Binary(op), op.precedence())),
        }
    }

    fn unary(&mut self) -> Parsed<Tree> {
        let op = match self.peek_symbol() {
            "+" => UnaryOp::Plus,
            "-" => UnaryOp::Minus,
            _ => return self.postfix(),
        };
        self.at += 1;
        // A sign binds tighter than every operator with two operands.
        let operand = self.expression(u8::MAX)?;
        let height = operand.height;
        self.tree(Expr::Unary { op, operand: operand.boxed() }, [height])
    }

    fn postfix(&mut self) -> Parsed<Tree> {
        let mut tree = self.primary()?;
        loop {
            if self.take(".") {
                let name = self.identifier()?;
                tree = self.invocation(Some(tree), name)?;
            } else if self.take("[") {
                let index = self.expression(0)?;
                self.expect("]", "] expected")?;
                let heights = [tree.height, index.height];
                tree = self.tree(Expr::Item { of: tree.boxed(), index: index.boxed() }, heights)?;
            } else {
                return Ok(tree);
            }
        }
    }

    fn primary(&mut self) -> Parsed<Tree> {
        match self.peek_symbol() {
            "(" => {
                self.at += 1;
                let tree = self.expression(0)?;
                self.expect(")", ") expected")?;
                return Ok(tree);
            }
            "{" => {
                self.at += 1;
                self.expect("}", "} expected")?;
                return Ok(Tree::leaf(Expr::Literal(Literal::Empty)));
            }
            "%" => {
                self.at += 1;
                return self.variable().map(Tree::leaf);
            }
            "$" => {
                self.at += 1;
                return self.special().map(Tree::leaf);
            }
            _ => {}
        }
        let expr = match self.next() {
            Some(Token::Word(word)) if word == "true" || word == "false" => {
                Expr::Literal(Literal::Boolean(word == "true"))
            }
            Some(Token::Word(name) | Token::Quoted(name)) => return self.invocation(None, name),
            Some(Token::Text(text)) => Expr::Literal(Literal::String(text)),
            Some(Token::Moment(moment)) if Moment::parse_literal(&moment).is_some() => {
                Expr::Literal(Literal::Moment(moment))
            }
            Some(Token::Moment(_)) => {
                self.at -= 1;
                return Err(self.error("no such date or time"));
            }
            Some(Token::Number(value)) => Expr::Literal(self.number(value)),
            Some(Token::Symbol(_)) => {
                self.at -= 1;
                return Err(self.error("expression expected"));
            }
            None => return Err(self.error("expression expected")),
        };
        Ok(Tree::leaf(expr))
    }

    /// What follows `%`.
    fn variable(&mut self) -> Parsed<Expr> {
        let text = if let Some(Token::Text(text)) = self.peek() { Some(text.clone()) } else { None };
        let name = match text {
            Some(text) => {
                self.at += 1;
                text
            }
            None => self.identifier()?,
        };
        Ok(Expr::Variable(name))
    }

    /// What follows `$`.
    fn special(&mut self) -> Parsed<Expr> {
        match self.identifier()?.as_str() {
            "this" => Ok(Expr::This),
            "index" => Ok(Expr::Index),
            "total" => Ok(Expr::Total),
            _ => Err(self.error("$this, $index or $total expected")),
        }
    }

    /// A number, or a quantity if a unit follows it.
    fn number(&mut self, value: String) -> Literal {
        let (unit, spelt) = match self.peek() {
            Some(Token::Text(unit)) => (unit.clone(), UnitSpelling::Quoted),
            Some(Token::Word(word)) if Calendar::named(word).is_some() => (word.clone(), UnitSpelling::Word),
            _ => return Literal::Number(value),
        };
        self.at += 1;
        Literal::Quantity { value, unit, spelt }
    }

    /// A member, or a function if an argument list follows.
    fn invocation(&mut self, of: Option<Tree>, name: String) -> Parsed<Tree> {
        let mut height = of.as_ref().map_or(0, |tree| tree.height);
        let of = of.map(Tree::boxed);
        if !self.take("(") {
            return self.tree(Expr::Member { of, name }, [height]);
        }
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                let argument = self.expression(0)?;
                height = height.max(argument.height);
                arguments.push(argument.expr);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")", ") or , expected")?;
        }
        self.tree(Expr::Call { of, name, arguments }, [height])
    }

    /// A name. Key words are names here: `contains` and `as` are elements and functions too.
    fn identifier(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.error("name expected")),
        }
    }

    fn type_name(&mut self) -> Parsed<String> {
        let mut name = self.identifier()?;
        while self.take(".") {
            name.push('.');
            name.push_str(&self.identifier()?);
        }
        Ok(name)
    }
}

enum Operator {
    Type(TypeOp),
    Binary(BinaryOp),
}

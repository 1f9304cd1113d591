//! Tokens to a syntax tree, by precedence climbing.

use std::fmt;

use super::lexer::{Token, tokens};
use super::{BinaryOp, Expr, Literal, TypeOp, UnaryOp};

/// Deepest nesting of an expression; R4's own need 3.
const DEPTH_MAX: usize = 64;
/// Most tokens of an expression; R4's own need fewer than 300. Bounds the depth of trees that grow to the left.
const TOKENS_MAX: usize = 2_048;

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
/// The first thing that the grammar (`FHIRPath` 2.0) does not allow, nesting deeper than 64, or more than 2,048 tokens.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    let tokens = tokens(text)?;
    if tokens.len() > TOKENS_MAX {
        return Err(ParseError { at: text.len(), what: "more than 2048 tokens" });
    }
    let mut parser = Parser { tokens, at: 0, depth: 0, end: text.len() };
    let expr = parser.expression(0)?;
    if parser.at < parser.tokens.len() { Err(parser.error("unexpected text after the expression")) } else { Ok(expr) }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
    end: usize,
}

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

    fn expect(&mut self, symbol: &str, what: &'static str) -> Result<(), ParseError> {
        if self.take(symbol) { Ok(()) } else { Err(self.error(what)) }
    }

    /// An expression whose operators bind tighter than `loosest`.
    fn expression(&mut self, loosest: u8) -> Result<Expr, ParseError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = self.operator().filter(|(_, precedence)| *precedence > loosest) {
            self.at += 1;
            left = match operator {
                Operator::Type(op) => Expr::Type { op, operand: Box::new(left), name: self.type_name()? },
                Operator::Binary(op) => {
                    let right = Box::new(self.expression(precedence)?);
                    Expr::Binary { op, left: Box::new(left), right }
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

    fn unary(&mut self) -> Result<Expr, ParseError> {
        let op = match self.peek_symbol() {
            "+" => UnaryOp::Plus,
            "-" => UnaryOp::Minus,
            _ => return self.postfix(),
        };
        self.at += 1;
        // A sign binds tighter than every operator with two operands.
        let operand = Box::new(self.expression(u8::MAX)?);
        Ok(Expr::Unary { op, operand })
    }

    fn postfix(&mut self) -> Result<Expr, ParseError> {
        let mut expr = self.primary()?;
        loop {
            if self.take(".") {
                let name = self.identifier()?;
                expr = self.invocation(Some(Box::new(expr)), name)?;
            } else if self.take("[") {
                let index = Box::new(self.expression(0)?);
                self.expect("]", "] expected")?;
                expr = Expr::Item { of: Box::new(expr), index };
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, ParseError> {
        if self.take("(") {
            let expr = self.expression(0)?;
            self.expect(")", ") expected")?;
            return Ok(expr);
        }
        if self.take("{") {
            self.expect("}", "} expected")?;
            return Ok(Expr::Literal(Literal::Empty));
        }
        if self.take("%") {
            let text = if let Some(Token::Text(text)) = self.peek() { Some(text.clone()) } else { None };
            let name = match text {
                Some(text) => {
                    self.at += 1;
                    text
                }
                None => self.identifier()?,
            };
            return Ok(Expr::Variable(name));
        }
        if self.take("$") {
            return match self.identifier()?.as_str() {
                "this" => Ok(Expr::This),
                "index" => Ok(Expr::Index),
                "total" => Ok(Expr::Total),
                _ => Err(self.error("$this, $index or $total expected")),
            };
        }
        match self.next() {
            Some(Token::Word(word)) if word == "true" || word == "false" => {
                Ok(Expr::Literal(Literal::Boolean(word == "true")))
            }
            Some(Token::Word(name) | Token::Quoted(name)) => self.invocation(None, name),
            Some(Token::Text(text)) => Ok(Expr::Literal(Literal::String(text))),
            Some(Token::Moment(moment)) => Ok(Expr::Literal(Literal::Moment(moment))),
            Some(Token::Number(value)) => Ok(Expr::Literal(self.number(value))),
            Some(_) => {
                self.at -= 1;
                Err(self.error("expression expected"))
            }
            None => Err(self.error("expression expected")),
        }
    }

    /// A number, or a quantity if a unit follows it.
    fn number(&mut self, value: String) -> Literal {
        const UNITS: [&str; 8] = ["year", "month", "week", "day", "hour", "minute", "second", "millisecond"];
        let unit = match self.peek() {
            Some(Token::Text(unit)) => unit.clone(),
            Some(Token::Word(word)) if UNITS.contains(&word.strip_suffix('s').unwrap_or(word)) => word.clone(),
            _ => return Literal::Number(value),
        };
        self.at += 1;
        Literal::Quantity { value, unit }
    }

    /// A member, or a function if an argument list follows.
    fn invocation(&mut self, of: Option<Box<Expr>>, name: String) -> Result<Expr, ParseError> {
        if !self.take("(") {
            return Ok(Expr::Member { of, name });
        }
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.expression(0)?);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")", ") or , expected")?;
        }
        Ok(Expr::Call { of, name, arguments })
    }

    /// A name. Key words are names here: `contains` and `as` are elements and functions too.
    fn identifier(&mut self) -> Result<String, ParseError> {
        match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.error("name expected")),
        }
    }

    fn type_name(&mut self) -> Result<String, ParseError> {
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

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;

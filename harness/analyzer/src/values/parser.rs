// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parses expressions: C's grammar (C11 6.5) by climbing precedences.

use super::lexer::{Kind, Token, split};
use super::{Binary, Error, Expression, TypeName, Unary};

/// Nested brackets and operators in a row; bounds the recursion.
const MAX_DEPTH: usize = 64;

/// Binary operators, and how tightly each binds.
const BINARY: [(&str, u8, Binary); 18] = [
    ("||", 1, Binary::EitherTrue),
    ("&&", 2, Binary::BothTrue),
    ("|", 3, Binary::Or),
    ("^", 4, Binary::Xor),
    ("&", 5, Binary::And),
    ("==", 6, Binary::Equal),
    ("!=", 6, Binary::NotEqual),
    ("<", 7, Binary::Less),
    ("<=", 7, Binary::LessEqual),
    (">", 7, Binary::Greater),
    (">=", 7, Binary::GreaterEqual),
    ("<<", 8, Binary::ShiftLeft),
    (">>", 8, Binary::ShiftRight),
    ("+", 9, Binary::Add),
    ("-", 9, Binary::Subtract),
    ("*", 10, Binary::Multiply),
    ("/", 10, Binary::Divide),
    ("%", 10, Binary::Remainder),
];
/// `@` binds tighter than any binary operator and looser than the unary ones, as in gdb.
const REPEAT: u8 = 11;

const UNARY: [(&str, Unary); 6] = [
    ("*", Unary::Dereference),
    ("&", Unary::AddressOf),
    ("-", Unary::Negate),
    ("+", Unary::Plus),
    ("~", Unary::Complement),
    ("!", Unary::Not),
];

const TAGS: [&str; 3] = ["struct", "union", "enum"];
const QUALIFIERS: [&str; 3] = ["const", "volatile", "restrict"];
/// Words that base types are made of, in the order in which DWARF and BTF write them.
const BASE: [&str; 10] =
    ["long", "short", "unsigned", "signed", "int", "char", "void", "_Bool", "bool", "__int128"];

/// Parses an expression. `is_type` tells whether a name is a type and no variable; it is asked
/// only where C itself could not tell a cast from a bracket without knowing: `(a) - b`.
///
/// # Errors
/// Where the text is no expression, or longer or deeper than is looked at.
pub fn parse(text: &str, is_type: &dyn Fn(&str) -> bool) -> Result<Expression, Error> {
    let tokens = split(text)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0, is_type };
    let expression = parser.binary(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(expression),
        Some(_) => Err(parser.error("an operator was expected here")),
    }
}

/// Parses the name of a type alone: `struct task_struct *`.
pub(super) fn type_name(text: &str) -> Result<TypeName, Error> {
    let tokens = split(text)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0, is_type: &|_| true };
    let name = parser.type_name().ok_or_else(|| parser.error("this is no type"))?;
    if parser.at == tokens.len() { Ok(name) } else { Err(parser.error("this is no type")) }
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    is_type: &'t dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn error(&self, message: &str) -> Error {
        let end = self.text.chars().count().saturating_add(1);
        let column = self.tokens.get(self.at).map_or(end, |token| token.column);
        Error::Syntax { message: message.to_owned(), column, text: self.text.to_owned() }
    }

    fn operator(&self) -> Option<&'static str> {
        match self.tokens.get(self.at)?.kind {
            Kind::Operator(operator) => Some(operator),
            _ => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match &self.tokens.get(self.at)?.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Takes the operator if it comes next.
    fn take(&mut self, operator: &str) -> bool {
        let here = self.operator() == Some(operator);
        if here {
            self.skip();
        }
        here
    }

    fn expect(&mut self, operator: &str) -> Result<(), Error> {
        if self.take(operator) {
            Ok(())
        } else {
            Err(self.error(&format!("`{operator}` is missing")))
        }
    }

    fn binary(&mut self, least: u8) -> Result<Expression, Error> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(Error::TooMuch("deep"));
        }
        let mut left = self.unary()?;
        while let Some(operator) = self.operator() {
            if operator == "@" && REPEAT >= least {
                self.skip();
                let count = self.unary()?;
                left = Expression::Repeat(Box::new(left), Box::new(count));
                continue;
            }
            let found = BINARY.iter().find(|(name, ..)| *name == operator);
            let Some((_, binding, binary)) = found.filter(|(_, binding, _)| *binding >= least)
            else {
                break;
            };
            self.skip();
            let right = self.binary(binding.saturating_add(1))?;
            left = Expression::Binary(*binary, Box::new(left), Box::new(right));
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, Error> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(Error::TooMuch("deep"));
        }
        let operator =
            self.operator().and_then(|name| UNARY.iter().find(|(each, _)| *each == name));
        let expression = if let Some((_, unary)) = operator {
            self.skip();
            Expression::Unary(*unary, Box::new(self.unary()?))
        } else if self.word() == Some("sizeof") {
            self.skip();
            self.size_of()?
        } else if let Some(name) = self.cast() {
            Expression::Cast(name, Box::new(self.unary()?))
        } else {
            self.postfix()?
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(expression)
    }

    fn size_of(&mut self) -> Result<Expression, Error> {
        let start = self.at;
        if self.take("(") {
            // `sizeof(name)`: a variable before a type of that name.
            let known = self.word().is_none_or(|word| is_keyword(word) || (self.is_type)(word));
            if known
                && let Some(name) = self.type_name()
                && self.take(")")
            {
                return Ok(Expression::SizeOfType(name));
            }
        }
        self.at = start;
        Ok(Expression::SizeOf(Box::new(self.unary()?)))
    }

    /// Takes `(type)` if it comes next and is a cast.
    fn cast(&mut self) -> Option<TypeName> {
        let start = self.at;
        let name = self.try_cast();
        if name.is_none() {
            self.at = start;
        }
        name
    }

    fn try_cast(&mut self) -> Option<TypeName> {
        if !self.take("(") {
            return None;
        }
        let first = self.word()?.to_owned();
        let name = self.type_name()?;
        if !self.take(")") {
            return None;
        }
        // `(name *)` can be nothing but a cast, and so can `(name)` before an operand.
        let certain = is_keyword(&first) || name.pointers > 0;
        let cast = match self.tokens.get(self.at).map(|token| &token.kind) {
            _ if certain => true,
            Some(Kind::Number(..) | Kind::Word(_) | Kind::Operator("~" | "!" | "(")) => true,
            Some(Kind::Operator("-" | "+" | "*" | "&")) => (self.is_type)(&first),
            _ => false,
        };
        cast.then_some(name)
    }

    fn type_name(&mut self) -> Option<TypeName> {
        let mut words = Vec::new();
        let mut keyword = None;
        while let Some(word) = self.word() {
            if QUALIFIERS.contains(&word) {
            } else if TAGS.contains(&word) && keyword.is_none() && words.is_empty() {
                keyword = Some(word.to_owned());
            } else if words.is_empty() || (keyword.is_none() && BASE.contains(&word)) {
                words.push(word.to_owned());
            } else {
                return None;
            }
            self.skip();
        }
        let name = base_name(&words)?;
        let mut pointers = 0_u32;
        while self.take("*") {
            pointers = pointers.saturating_add(1);
            while self.word().is_some_and(|word| QUALIFIERS.contains(&word)) {
                self.skip();
            }
        }
        let mut dimensions = Vec::new();
        while self.operator() == Some("[") {
            self.skip();
            let Kind::Number(count, ..) = self.tokens.get(self.at)?.kind else { return None };
            self.skip();
            dimensions.push(count);
            if !self.take("]") {
                return None;
            }
        }
        Some(TypeName { keyword, name, pointers, dimensions })
    }

    fn postfix(&mut self) -> Result<Expression, Error> {
        let mut expression = self.primary()?;
        loop {
            if self.take(".") || self.take("->") {
                let member = self
                    .word()
                    .ok_or_else(|| self.error("the name of a member is missing"))?
                    .to_owned();
                self.skip();
                expression = Expression::Member(Box::new(expression), member);
            } else if self.take("[") {
                let index = self.binary(0)?;
                self.expect("]")?;
                expression = Expression::Index(Box::new(expression), Box::new(index));
            } else if self.operator() == Some("(") {
                return Err(self.error("functions cannot be called: a dump runs no code"));
            } else {
                return Ok(expression);
            }
        }
    }

    fn primary(&mut self) -> Result<Expression, Error> {
        let token = self.tokens.get(self.at).ok_or_else(|| self.error("a value is missing"))?;
        match &token.kind {
            Kind::Number(value, size, signed) => {
                self.skip();
                Ok(Expression::Number { value: *value, size: *size, signed: *signed })
            }
            Kind::Word(word) if TAGS.contains(&word.as_str()) => {
                Err(self.error("a type is no value"))
            }
            Kind::Word(word) => {
                self.skip();
                let cpu = if self.take(":") { Some(self.cpu()?) } else { None };
                Ok(Expression::Name(word.clone(), cpu))
            }
            Kind::Operator("(") => {
                self.skip();
                let inner = self.binary(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Operator(_) => Err(self.error("a value is missing")),
        }
    }

    fn cpu(&mut self) -> Result<u32, Error> {
        let Some(Kind::Number(value, ..)) = self.tokens.get(self.at).map(|token| &token.kind)
        else {
            return Err(self.error("the number of a CPU is missing"));
        };
        let cpu =
            u32::try_from(*value).map_err(|_| self.error("the number of a CPU is missing"))?;
        self.skip();
        Ok(cpu)
    }
}

fn is_keyword(word: &str) -> bool {
    TAGS.contains(&word) || BASE.contains(&word) || QUALIFIERS.contains(&word)
}

/// The name under which debug information has a base type, whose words C takes in any order.
fn base_name(words: &[String]) -> Option<String> {
    let has = |word: &str| words.iter().any(|each| each == word);
    let first = words.first()?;
    if !BASE.contains(&first.as_str()) {
        return (words.len() == 1).then(|| first.clone());
    }
    let longs = words.iter().filter(|word| *word == "long").count();
    let unsigned = has("unsigned");
    Some(
        match (longs, unsigned) {
            _ if has("void") => "void",
            _ if has("_Bool") || has("bool") => "_Bool",
            _ if has("char") && unsigned => "unsigned char",
            _ if has("char") && has("signed") => "signed char",
            _ if has("char") => "char",
            _ if has("__int128") && unsigned => "__int128 unsigned",
            _ if has("__int128") => "__int128",
            _ if has("short") && unsigned => "short unsigned int",
            _ if has("short") => "short int",
            (0, true) => "unsigned int",
            (0, false) => "int",
            (1, true) => "long unsigned int",
            (1, false) => "long int",
            (_, true) => "long long unsigned int",
            (_, false) => "long long int",
        }
        .to_owned(),
    )
}

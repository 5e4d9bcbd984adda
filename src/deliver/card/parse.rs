//! From text to expressions.

use serde_json::{Number, Value};

use super::functions;
use super::syntax::{Each, Expression, Operator, Part};

/// Brackets, operators and calls within each other.
const DEEPEST: usize = 48;
/// Operators in a row.
const MOST_CHAINED: usize = 100;
/// Tokens of one expression.
const MOST_TOKENS: usize = 4_000;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(Number),
    Text(String),
    /// A text in back quotes, which may hold `${...}`.
    Template(String),
    Name(String),
    Sign(&'static str),
}

/// Longer signs before those that they begin with.
const SIGNS: [&str; 27] = [
    "&&", "||", "==", "!=", "<>", "<=", ">=", "??", "=>", "(", ")", "[", "]", "{", "}", ",", ".", ":", "<", ">", "+",
    "-", "*", "/", "%", "^", "&",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if found.len() == MOST_TOKENS {
            return Err("it is too long".to_owned());
        }
        let (token, length) = match first {
            '\'' | '"' => quoted(rest, first)?,
            '`' => template(rest)?,
            '0'..='9' => number(rest)?,
            _ if first.is_alphabetic() || matches!(first, '_' | '$' | '@' | '#') => name(rest),
            '!' if !rest.starts_with("!=") => (Token::Sign("!"), 1),
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("{first:?} is no part of an expression"))?;
                (Token::Sign(sign), sign.len())
            }
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn quoted(text: &str, quote: char) -> Result<(Token, usize), String> {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, found)) = chars.next() {
        match found {
            _ if found == quote => return Ok((Token::Text(content), at + 1)),
            '\\' => match chars.next().map(|(_, escaped)| escaped) {
                Some('n') => content.push('\n'),
                Some('r') => content.push('\r'),
                Some('t') => content.push('\t'),
                Some(escaped @ ('\\' | '\'' | '"' | '`')) => content.push(escaped),
                Some(other) => {
                    content.push('\\');
                    content.push(other);
                }
                None => break,
            },
            _ => content.push(found),
        }
    }
    Err(format!("a text has no closing {quote}"))
}

fn template(text: &str) -> Result<(Token, usize), String> {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, found)) = chars.next() {
        match found {
            '`' => return Ok((Token::Template(content), at + 1)),
            '\\' if text[at + 1..].starts_with('`') => {
                content.push('`');
                chars.next();
            }
            _ => content.push(found),
        }
    }
    Err("a text has no closing `".to_owned())
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    let mut whole = true;
    if text[end..].starts_with('.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
        whole = false;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        if digits(end + 1 + sign) > 0 {
            end += 1 + sign + digits(end + 1 + sign);
            whole = false;
        }
    }
    let read = &text[..end];
    let integer = read.parse::<i64>().ok().filter(|_| whole).map(Number::from);
    let parsed = integer.or_else(|| read.parse::<f64>().ok().and_then(Number::from_f64));
    Ok((Token::Number(parsed.ok_or_else(|| format!("{read} is no number"))?), end))
}

fn name(text: &str) -> (Token, usize) {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let inner = |found: char| found.is_alphanumeric() || found == '_' || found == '$';
    let end = text[first..].find(|found| !inner(found)).map_or(text.len(), |at| first + at);
    (Token::Name(text[..end].to_owned()), end)
}

/// Parses a whole expression.
#[cfg(test)]
pub fn parse(text: &str) -> Result<Expression, String> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: usize) -> Result<Expression, String> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth };
    let expression = parser.expression(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(expression),
        Some(token) => Err(format!("{} is not expected there", shown(token))),
    }
}

/// The parts of a text with `${...}` in it.
pub fn parts(text: &str) -> Result<Vec<Part>, String> {
    parts_at(text, 0)
}

fn parts_at(text: &str, depth: usize) -> Result<Vec<Part>, String> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('\\') {
            plain.push_str(before);
            plain.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        plain.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let length = closing(inner).ok_or_else(|| format!("{} has no closing brace", excerpt(&rest[at..])))?;
        if !plain.is_empty() {
            found.push(Part::Plain(std::mem::take(&mut plain)));
        }
        let source = &inner[..length];
        let expression = parse_at(source, depth + 1).map_err(|why| format!("${{{}}}: {why}", excerpt(source)))?;
        found.push(Part::Bound(expression, format!("${{{source}}}")));
        rest = &inner[length + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        found.push(Part::Plain(plain));
    }
    Ok(found)
}

/// Where the brace is that closes an expression: not within a text, and not one of an object.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, found) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if found == '\\' => escaped = true,
            Some(open) if found == open => quote = None,
            Some(_) => {}
            None => match found {
                '\'' | '"' | '`' => quote = Some(found),
                '{' => depth += 1,
                '}' if depth == 0 => return Some(at),
                '}' => depth -= 1,
                _ => {}
            },
        }
    }
    None
}

fn excerpt(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { short + "..." } else { short }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Number(number) => number.to_string(),
        Token::Text(text) | Token::Template(text) => format!("{:?}", excerpt(text)),
        Token::Name(name) => name.clone(),
        Token::Sign(sign) => (*sign).to_owned(),
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

/// Binary operators from the loosest to the tightest.
fn binary(sign: &str) -> Option<(Operator, u8)> {
    Some(match sign {
        "??" => (Operator::Coalesce, 1),
        "||" => (Operator::Or, 2),
        "&&" => (Operator::And, 3),
        "==" => (Operator::Equal, 4),
        "!=" | "<>" => (Operator::NotEqual, 4),
        "<" => (Operator::Less, 5),
        "<=" => (Operator::LessOrEqual, 5),
        ">" => (Operator::Greater, 5),
        ">=" => (Operator::GreaterOrEqual, 5),
        "&" => (Operator::Concat, 6),
        "+" => (Operator::Add, 7),
        "-" => (Operator::Subtract, 7),
        "*" => (Operator::Multiply, 8),
        "/" => (Operator::Divide, 8),
        "%" => (Operator::Modulo, 8),
        "^" => (Operator::Power, 9),
        _ => return None,
    })
}

impl Parser<'_> {
    fn sign(&self) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_it = self.sign() == Some(sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) {
            return Ok(());
        }
        match self.tokens.get(self.at) {
            Some(token) => Err(format!("{} stands where {sign} is expected", shown(token))),
            None => Err(format!("{sign} is missing at its end")),
        }
    }

    /// One level deeper, as long as that is allowed.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn expression(&mut self, loosest: u8) -> Result<Expression, String> {
        let mut left = self.deeper(Self::unary)?;
        let mut chained = 0;
        while let Some((operator, tightness)) = self.sign().and_then(binary) {
            if tightness < loosest {
                break;
            }
            chained += 1;
            if chained > MOST_CHAINED {
                return Err("it is too long".to_owned());
            }
            self.at += 1;
            // Powers group from the right, all others from the left.
            let next = if operator == Operator::Power { tightness } else { tightness + 1 };
            let right = self.deeper(|parser| parser.expression(next))?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, String> {
        if self.take("!") {
            return Ok(Expression::Not(Box::new(self.deeper(Self::unary)?)));
        }
        if self.take("-") {
            return Ok(Expression::Negative(Box::new(self.deeper(Self::unary)?)));
        }
        if self.take("+") {
            return self.deeper(Self::unary);
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Expression, String> {
        let mut found = self.primary()?;
        for _ in 0..DEEPEST {
            if self.take(".") {
                let Some(Token::Name(name)) = self.tokens.get(self.at) else {
                    return Err("a name is missing behind a dot".to_owned());
                };
                found = Expression::Member(Box::new(found), name.clone());
                self.at += 1;
            } else if self.take("[") {
                let index = self.deeper(|parser| parser.expression(0))?;
                self.expect("]")?;
                found = Expression::Index(Box::new(found), Box::new(index));
            } else {
                return Ok(found);
            }
        }
        Err("it is nested too deeply".to_owned())
    }

    fn primary(&mut self) -> Result<Expression, String> {
        let token = self.tokens.get(self.at).ok_or("something is missing at its end")?;
        self.at += 1;
        Ok(match token {
            Token::Number(number) => Expression::Literal(Value::Number(number.clone())),
            Token::Text(text) => Expression::Literal(Value::String(text.clone())),
            Token::Template(text) => Expression::Text(self.deeper(|parser| parts_at(text, parser.depth))?),
            Token::Name(name) if self.sign() == Some("(") => {
                self.at += 1;
                self.call(name)?
            }
            Token::Name(name) => match name.as_str() {
                "true" => Expression::Literal(Value::Bool(true)),
                "false" => Expression::Literal(Value::Bool(false)),
                "null" => Expression::Literal(Value::Null),
                _ => Expression::Name(name.clone()),
            },
            Token::Sign("(") => {
                let inner = self.deeper(|parser| parser.expression(0))?;
                self.expect(")")?;
                inner
            }
            Token::Sign("[") => Expression::Array(self.list("]")?),
            Token::Sign("{") => Expression::Object(self.members()?),
            Token::Sign(_) => return Err(format!("{} is not expected there", shown(token))),
        })
    }

    fn list(&mut self, end: &str) -> Result<Vec<Expression>, String> {
        let mut found = Vec::new();
        if self.take(end) {
            return Ok(found);
        }
        loop {
            found.push(self.deeper(|parser| parser.expression(0))?);
            if !self.take(",") {
                self.expect(end)?;
                return Ok(found);
            }
        }
    }

    fn members(&mut self) -> Result<Vec<(String, Expression)>, String> {
        let mut found = Vec::new();
        if self.take("}") {
            return Ok(found);
        }
        loop {
            let name = match self.tokens.get(self.at) {
                Some(Token::Name(name) | Token::Text(name)) => name.clone(),
                _ => return Err("the name of a member is missing".to_owned()),
            };
            self.at += 1;
            self.expect(":")?;
            found.push((name, self.deeper(|parser| parser.expression(0))?));
            if !self.take(",") {
                self.expect("}")?;
                return Ok(found);
            }
        }
    }

    fn call(&mut self, name: &str) -> Result<Expression, String> {
        let mut arguments = self.list(")")?;
        let count = arguments.len();
        let wrong = |wanted: &str| format!("{name} takes {wanted} arguments, and {count} are given");
        let each = match name {
            "foreach" | "select" => Some(Each::Map),
            "where" => Some(Each::Keep),
            "any" => Some(Each::Any),
            "all" => Some(Each::All),
            _ => None,
        };
        if let Some(each) = each {
            let (Some(body), Some(parameter), Some(list), true) =
                (arguments.pop(), arguments.pop(), arguments.pop(), arguments.is_empty())
            else {
                return Err(wrong("3"));
            };
            let Expression::Name(parameter) = parameter else {
                return Err(format!("the second argument of {name} is the name of an item"));
            };
            return Ok(Expression::Each(each, Box::new(list), parameter, Box::new(body)));
        }
        match name {
            "if" => {
                let three: [Expression; 3] = arguments.try_into().map_err(|_| wrong("3"))?;
                return Ok(Expression::If(Box::new(three)));
            }
            "and" if count > 0 => return Ok(Expression::All(arguments)),
            "or" if count > 0 => return Ok(Expression::Any(arguments)),
            "coalesce" if count > 0 => return Ok(Expression::Coalesce(arguments)),
            "and" | "or" | "coalesce" => return Err(wrong("1 or more")),
            _ => {}
        }
        let function = functions::find(name).ok_or_else(|| functions::unknown(name))?;
        if !function.takes(count) {
            return Err(wrong(&function.wanted()));
        }
        Ok(Expression::Call(function, arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("", "it is empty"),
            ("a +", "something is missing"),
            ("'abc", "no closing '"),
            ("`abc", "no closing `"),
            ("(a", ") is missing"),
            ("a b", "b is not expected"),
            ("a ? b", "is no part of an expression"),
            ("a.", "a name is missing"),
            ("iff(a, b, c)", "did you mean if"),
            ("if(a)", "if takes 3 arguments, and 1 are given"),
            ("substring('a')", "substring takes 2 or 3 arguments"),
            ("foreach(a, 1, 2)", "the name of an item"),
            ("[1, 2", "] is missing"),
            ("{a 1}", "where : is expected"),
            ("__import__('os')", "there is no function __import__"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        for text in
            ["(".repeat(100_000), "!".repeat(100_000), "a[".repeat(100_000), "`${".repeat(1_000), "1+".repeat(9_999)]
        {
            assert!(parse(&text).is_err());
        }
        assert!(parse(&format!("{}1{}", "(".repeat(20), ")".repeat(20))).is_ok());
    }

    #[test]
    fn braces_in_texts_and_objects_close_nothing() {
        let found = parts("a ${concat('}', \"}\", `}`)} b ${json('{}').x} \\${c}").unwrap();
        let sources: Vec<_> = found
            .iter()
            .map(|part| match part {
                Part::Plain(text) | Part::Bound(_, text) => text.as_str(),
            })
            .collect();
        assert_eq!(sources, ["a ", "${concat('}', \"}\", `}`)}", " b ", "${json('{}').x}", " ${c}"]);
        assert!(parts("${a").unwrap_err().contains("no closing brace"));
    }
}

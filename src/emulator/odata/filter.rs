//! The part of `$filter` that message endpoints understand: comparisons joined by `and` and `or`.

use jiff::Timestamp;

use crate::http::error::GraphError;
use crate::tenant::model::{Message, Sender, Tenant};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Op {
    fn holds<T: Ord>(self, left: T, right: T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
            Self::Lt => left < right,
            Self::Le => left <= right,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Eq => "Equal",
            Self::Ne => "NotEqual",
            Self::Gt => "GreaterThan",
            Self::Ge => "GreaterThanOrEqual",
            Self::Lt => "LessThan",
            Self::Le => "LessThanOrEqual",
        }
    }
}

#[derive(Debug)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Modified(Op, i128),
    Created(Op, i128),
    SenderId(String),
    UserKind(String),
    ApplicationKind(String),
    SystemEvent(bool),
}

/// Which clauses an endpoint takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// A date range on `lastModifiedDateTime`.
    TeamExport,
    /// The same, with sender and type clauses.
    UserExport,
    /// `lastModifiedDateTime gt` only.
    Delta,
    /// `lastModifiedDateTime gt|lt`, `createdDateTime lt`.
    ChatMessages,
}

impl Filter {
    pub fn parse(text: &str, grammar: Grammar) -> Result<Self, GraphError> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0, grammar };
        let filter = parser.any()?;
        if parser.at < tokens.len() {
            return Err(invalid());
        }
        Ok(filter)
    }

    /// `modified_ms` is that of the version to be shown, which may be older than the message's own.
    pub fn matches(&self, message: &Message, modified_ms: i64, tenant: &Tenant) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(message, modified_ms, tenant)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(message, modified_ms, tenant)),
            Self::Modified(op, bound) => op.holds(i128::from(modified_ms) * 1_000_000, *bound),
            Self::Created(op, bound) => op.holds(i128::from(message.created_ms) * 1_000_000, *bound),
            Self::SenderId(id) => {
                matches!(message.sender, Sender::User(user) if tenant.users[user].id == *id)
            }
            Self::UserKind(kind) => match message.sender {
                Sender::User(_) => kind == "aadUser",
                Sender::Federated => kind == "federatedUser",
                Sender::Anonymous => kind == "anonymousGuest",
                _ => false,
            },
            Self::ApplicationKind(kind) => match message.sender {
                Sender::Bot => kind == "bot",
                Sender::Connector => kind == "office365Connector",
                _ => false,
            },
            Self::SystemEvent(wanted) => message.system == *wanted,
        }
    }

    /// Whether some clause speaks of the property, for the rule that a chat's filter needs the same `$orderby`.
    pub fn names(&self, created: bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.names(created)),
            Self::Modified(..) => !created,
            Self::Created(..) => created,
            _ => false,
        }
    }
}

fn invalid() -> GraphError {
    GraphError::bad_request("Invalid filter clause")
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Text(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, GraphError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let used = match first {
            '(' => {
                found.push(Token::Open);
                1
            }
            ')' => {
                found.push(Token::Close);
                1
            }
            '\'' => {
                let end = rest[1..].find('\'').ok_or_else(invalid)?;
                found.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            _ => {
                let end = rest.find([' ', '(', ')', '\'']).unwrap_or(rest.len());
                found.push(Token::Word(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[used..].trim_start();
    }
    Ok(found)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    grammar: Grammar,
}

impl Parser<'_> {
    fn word(&self, wanted: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted))
    }

    fn any(&mut self) -> Result<Filter, GraphError> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            self.at += 1;
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
    }

    fn all(&mut self) -> Result<Filter, GraphError> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            self.at += 1;
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn one(&mut self) -> Result<Filter, GraphError> {
        if self.tokens.get(self.at) == Some(&Token::Open) {
            self.at += 1;
            let inner = self.any()?;
            if self.tokens.get(self.at) != Some(&Token::Close) {
                return Err(invalid());
            }
            self.at += 1;
            return Ok(inner);
        }
        let [Token::Word(path), Token::Word(op), value] = self.tokens.get(self.at..self.at + 3).ok_or_else(invalid)?
        else {
            return Err(invalid());
        };
        self.at += 3;
        let op = match op.as_str() {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "gt" => Op::Gt,
            "ge" => Op::Ge,
            "lt" => Op::Lt,
            "le" => Op::Le,
            _ => return Err(invalid()),
        };
        clause(self.grammar, path, op, value)
    }
}

fn clause(grammar: Grammar, path: &str, op: Op, value: &Token) -> Result<Filter, GraphError> {
    use Grammar as G;
    let range = !matches!(op, Op::Eq | Op::Ne);
    match (path, value) {
        ("lastModifiedDateTime", Token::Word(at))
            if match grammar {
                G::TeamExport | G::UserExport => range,
                G::Delta => op == Op::Gt,
                G::ChatMessages => matches!(op, Op::Gt | Op::Lt),
            } =>
        {
            Ok(Filter::Modified(op, instant(at)?))
        }
        ("createdDateTime", Token::Word(at)) if grammar == G::ChatMessages && op == Op::Lt => {
            Ok(Filter::Created(op, instant(at)?))
        }
        ("from/user/id", Token::Text(id)) if grammar == G::UserExport && op == Op::Eq => {
            Ok(Filter::SenderId(id.clone()))
        }
        ("from/user/userIdentityType", Token::Text(kind)) if grammar == G::UserExport && op == Op::Eq => {
            Ok(Filter::UserKind(kind.clone()))
        }
        ("from/application/applicationIdentityType", Token::Text(kind)) if grammar == G::UserExport && op == Op::Eq => {
            Ok(Filter::ApplicationKind(kind.clone()))
        }
        ("messageType", Token::Text(kind)) if grammar == G::UserExport && kind == "systemEventMessage" && !range => {
            Ok(Filter::SystemEvent(op == Op::Eq))
        }
        _ => Err(GraphError::bad_request(format!(
            "The entity property '{path}' and operationKind '{}' is not allowed in $filter query.",
            op.kind()
        ))),
    }
}

fn instant(text: &str) -> Result<i128, GraphError> {
    text.parse::<Timestamp>().map(Timestamp::as_nanosecond).map_err(|_| invalid())
}

//! A card with expressions, and one without (<https://learn.microsoft.com/adaptive-cards/templating/language>).

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::evaluate::{Clock, Scope, evaluate, joined};
use super::syntax::{Expression, Part};
use super::text::Text;

/// Elements within each other.
const DEEPEST: usize = 64;

/// What is wrong with a template, or with its expansion, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A JSON pointer to the place in the template.
    pub pointer: String,
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the card" } else { &self.pointer };
        write!(f, "{place}: {}", self.why)
    }
}

#[derive(Debug)]
enum Node {
    /// As it is: a number, a truth value, null.
    Plain(Value),
    Text(Text),
    List(Vec<Node>),
    Object(Element),
}

#[derive(Debug)]
struct Element {
    members: Vec<(String, Node)>,
    data: Option<Box<Node>>,
    when: Option<When>,
}

#[derive(Debug)]
enum When {
    Always(bool),
    If(Expression),
}

/// A card whose expressions are parsed.
#[derive(Debug)]
pub struct Template(Node);

fn fault(pointer: &str, why: impl Into<String>) -> Fault {
    Fault { pointer: pointer.to_owned(), why: why.into() }
}

/// A name as a part of a JSON pointer.
fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl Template {
    pub fn parse(card: &Value) -> Result<Self, Fault> {
        node(card, "", 0).map(Self)
    }

    /// The card with the data bound into it. `host` is what `$host` names.
    pub fn expand(&self, data: &Value, host: &Value, clock: &mut Clock) -> Result<Value, Fault> {
        let scope = Scope::new(data, host);
        let expanded = expand(&self.0, &scope, clock, "")?;
        match expanded {
            Some(Value::Array(mut items)) if items.len() == 1 => Ok(items.remove(0)),
            Some(card) => Ok(card),
            None => Err(fault("", "nothing is left of it: its $when is false")),
        }
    }

    /// The members of the data's outermost object that are named: the columns that a table must have.
    pub fn columns(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        names_of_node(&self.0, true, &mut found);
        found
    }
}

fn node(value: &Value, pointer: &str, depth: usize) -> Result<Node, Fault> {
    if depth == DEEPEST {
        return Err(fault(pointer, "it is nested too deeply"));
    }
    Ok(match value {
        Value::String(text) => Node::Text(Text::parse(text).map_err(|why| fault(pointer, why))?),
        Value::Array(items) => {
            let nodes = items.iter().enumerate().map(|(at, item)| node(item, &format!("{pointer}/{at}"), depth + 1));
            Node::List(nodes.collect::<Result<_, _>>()?)
        }
        Value::Object(members) => Node::Object(element(members, pointer, depth)?),
        other => Node::Plain(other.clone()),
    })
}

fn element(object: &Map<String, Value>, pointer: &str, depth: usize) -> Result<Element, Fault> {
    let mut element = Element { members: Vec::new(), data: None, when: None };
    for (name, value) in object {
        let at = step(pointer, name);
        match name.as_str() {
            "$data" => element.data = Some(Box::new(node(value, &at, depth + 1)?)),
            "$when" => element.when = Some(when(value, &at)?),
            _ => element.members.push((name.clone(), node(value, &at, depth + 1)?)),
        }
    }
    Ok(element)
}

fn when(value: &Value, pointer: &str) -> Result<When, Fault> {
    match value {
        Value::Bool(always) => Ok(When::Always(*always)),
        Value::String(text) => match Text::parse(text).map_err(|why| fault(pointer, why))? {
            Text::Whole(condition, _) => Ok(When::If(condition)),
            _ => Err(fault(pointer, "a condition is one expression, such as ${price > 30}")),
        },
        _ => Err(fault(pointer, "a condition is one expression, such as ${price > 30}")),
    }
}

/// Nothing where the node is dropped.
fn expand(node: &Node, scope: &Scope<'_>, clock: &mut Clock, pointer: &str) -> Result<Option<Value>, Fault> {
    let plain = if let Node::Text(Text::Plain(text)) = node { text.len() } else { 0 };
    clock.take(1 + plain).map_err(|why| fault(pointer, why))?;
    Ok(match node {
        Node::Plain(value) => Some(value.clone()),
        Node::Text(Text::Plain(text)) => Some(Value::String(text.clone())),
        Node::Text(Text::Whole(expression, source)) => {
            let value = evaluate(expression, scope, clock).map_err(|why| fault(pointer, why))?;
            Some(value.unwrap_or_else(|| Value::String(source.clone())))
        }
        Node::Text(Text::Mixed(parts)) => {
            Some(Value::String(joined(parts, scope, clock).map_err(|why| fault(pointer, why))?))
        }
        Node::List(nodes) => {
            let mut items = Vec::with_capacity(nodes.len());
            for (at, node) in nodes.iter().enumerate() {
                match (node, expand(node, scope, clock, &format!("{pointer}/{at}"))?) {
                    (_, None) => {}
                    // An element that its data repeats.
                    (Node::Object(Element { data: Some(_), .. }), Some(Value::Array(repeated))) => {
                        items.extend(repeated);
                    }
                    (_, Some(item)) => items.push(item),
                }
            }
            Some(Value::Array(items))
        }
        Node::Object(element) => expand_element(element, scope, clock, pointer)?,
    })
}

fn expand_element(
    element: &Element,
    scope: &Scope<'_>,
    clock: &mut Clock,
    pointer: &str,
) -> Result<Option<Value>, Fault> {
    let Some(data) = &element.data else {
        return expand_once(element, scope, clock, pointer);
    };
    // Data that is not there leaves the context as it is around it.
    let place = || step(pointer, "$data");
    let data = match &**data {
        Node::Text(Text::Whole(expression, _)) => {
            evaluate(expression, scope, clock).map_err(|why| fault(&place(), why))?
        }
        other => expand(other, scope, clock, &place())?,
    };
    match data {
        None => expand_once(element, scope, clock, pointer),
        Some(Value::Array(items)) => {
            let mut repeated = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let inner = scope.within(item, Some(at));
                repeated.extend(expand_once(element, &inner, clock, pointer)?);
            }
            Ok((!repeated.is_empty()).then_some(Value::Array(repeated)))
        }
        Some(one) => expand_once(element, &scope.within(&one, scope.index), clock, pointer),
    }
}

fn expand_once(element: &Element, scope: &Scope<'_>, clock: &mut Clock, pointer: &str) -> Result<Option<Value>, Fault> {
    let is_wanted = match &element.when {
        None => true,
        Some(When::Always(always)) => *always,
        // A condition that is no truth value, or fails, is false.
        Some(When::If(condition)) => matches!(evaluate(condition, scope, clock), Ok(Some(Value::Bool(true)))),
    };
    if !is_wanted {
        return Ok(None);
    }
    let mut members = Map::new();
    for (name, node) in &element.members {
        clock.take(name.len()).map_err(|why| fault(pointer, why))?;
        let value = expand(node, scope, clock, &step(pointer, name))?;
        match (node, value) {
            (_, None) => {}
            // Repeated where only one element can be: one that is alone stands for itself.
            (Node::Object(Element { data: Some(_), .. }), Some(Value::Array(mut items))) if items.len() == 1 => {
                members.insert(name.clone(), items.remove(0));
            }
            (_, Some(value)) => {
                members.insert(name.clone(), value);
            }
        }
    }
    Ok(Some(Value::Object(members)))
}

/// `at_root`: the current data is the outermost object.
fn names_of_node(node: &Node, at_root: bool, found: &mut BTreeSet<String>) {
    match node {
        Node::Plain(_) | Node::Text(Text::Plain(_)) => {}
        Node::Text(Text::Whole(expression, _)) => names(expression, at_root, &[], found),
        Node::Text(Text::Mixed(parts)) => names_of_parts(parts, at_root, &[], found),
        Node::List(nodes) => nodes.iter().for_each(|node| names_of_node(node, at_root, found)),
        Node::Object(element) => {
            if let Some(data) = &element.data {
                names_of_node(data, at_root, found);
            }
            let at_root = at_root && element.data.is_none();
            if let Some(When::If(condition)) = &element.when {
                names(condition, at_root, &[], found);
            }
            element.members.iter().for_each(|(_, node)| names_of_node(node, at_root, found));
        }
    }
}

fn names_of_parts(parts: &[Part], at_root: bool, bound: &[&str], found: &mut BTreeSet<String>) {
    for part in parts {
        if let Part::Bound(expression, _) = part {
            names(expression, at_root, bound, found);
        }
    }
}

/// `bound` are the parameters of the lambdas around it.
fn names(expression: &Expression, at_root: bool, bound: &[&str], found: &mut BTreeSet<String>) {
    let mut all = |list: &[Expression]| list.iter().for_each(|one| names(one, at_root, bound, found));
    match expression {
        Expression::Literal(_) => {}
        Expression::Name(name) => {
            if at_root && !name.starts_with('$') && !bound.contains(&name.as_str()) {
                found.insert(name.clone());
            }
        }
        Expression::Member(inner, name) => match &**inner {
            Expression::Name(root) if root == "$root" || root == "$data" && at_root => {
                found.insert(name.clone());
            }
            _ => names(inner, at_root, bound, found),
        },
        Expression::Index(inner, at) => {
            names(inner, at_root, bound, found);
            names(at, at_root, bound, found);
        }
        Expression::Array(items) | Expression::All(items) | Expression::Any(items) | Expression::Coalesce(items) => {
            all(items);
        }
        Expression::Object(members) => members.iter().for_each(|(_, value)| names(value, at_root, bound, found)),
        Expression::Text(parts) => names_of_parts(parts, at_root, bound, found),
        Expression::Not(inner) | Expression::Negative(inner) => names(inner, at_root, bound, found),
        Expression::Binary(_, left, right) => {
            names(left, at_root, bound, found);
            names(right, at_root, bound, found);
        }
        Expression::Call(_, arguments) => all(arguments),
        Expression::Each(_, list, name, body) => {
            names(list, at_root, bound, found);
            names(body, at_root, &[bound, &[name.as_str()]].concat(), found);
        }
        Expression::If(three) => all(&three[..]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expanded(card: &Value, data: &Value) -> Value {
        Template::parse(card).unwrap().expand(data, &Value::Null, &mut Clock::new(0)).unwrap()
    }

    #[test]
    fn data_is_bound_and_a_lone_expression_keeps_its_type() {
        let card = json!({
            "type": "AdaptiveCard", "text": "Hello ${name}!", "count": "${count}", "isVisible": "${flag}", "list": "${list}",
            "nothing": "${missing}", "part": "a ${missing.x} b", "null": "-${none}-", "plain": "\\${name}", "number": 7,
        });
        let data = json!({"name": "Ada", "count": 3, "flag": false, "list": [1], "none": null});
        assert_eq!(
            expanded(&card, &data),
            json!({
                "type": "AdaptiveCard", "text": "Hello Ada!", "count": 3, "isVisible": false, "list": [1],
                "nothing": "${missing}", "part": "a ${missing.x} b", "null": "--", "plain": "${name}", "number": 7,
            })
        );
    }

    #[test]
    fn a_list_repeats_its_element_and_conditions_drop_them() {
        let card = json!({"body": [
            {"type": "TextBlock", "text": "${title}"},
            {"$data": "${items}", "$when": "${price > 30}", "text": "${$index}: ${name} of ${$root.title}", "nested": {"n": "${price}"}},
            {"$data": "${owner}", "text": "${name}"},
            {"$when": "${missing}", "text": "no truth value"},
            {"$when": false, "text": "never"},
            {"$data": [{"a": 1}, {"a": 2}], "a": "${a}"},
        ]});
        let data = json!({
            "title": "T", "items": [{"name": "x", "price": 50}, {"name": "y", "price": 5}, {"name": "z", "price": 31}],
            "owner": {"name": "O"},
        });
        assert_eq!(
            expanded(&card, &data),
            json!({"body": [
                {"type": "TextBlock", "text": "T"},
                {"text": "0: x of T", "nested": {"n": 50}},
                {"text": "2: z of T", "nested": {"n": 31}},
                {"text": "O"},
                {"a": 1}, {"a": 2},
            ]})
        );
        assert_eq!(
            expanded(&card, &json!({"title": "T", "items": [], "owner": {"name": "O"}}))["body"][1]["text"],
            "O"
        );
    }

    #[test]
    fn faults_point_at_their_place() {
        for (card, pointer, why) in [
            (json!({"body": [{"text": "${iff(1)}"}]}), "/body/0/text", "no function iff"),
            (json!({"body": [{"$when": "price"}]}), "/body/0/$when", "one expression"),
            (json!({"a/b": {"c": "${"}}), "/a~1b/c", "no closing brace"),
        ] {
            let fault = Template::parse(&card).unwrap_err();
            assert_eq!(fault.pointer, pointer);
            assert!(fault.why.contains(why), "{fault}");
        }
        let template = Template::parse(&json!({"body": [{"text": "${1 / zero}"}]})).unwrap();
        let fault = template.expand(&json!({"zero": 0}), &Value::Null, &mut Clock::new(0)).unwrap_err();
        assert_eq!(fault.to_string(), "/body/0/text: a division by zero");
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(Template::parse(&deep).is_err());
    }

    #[test]
    fn the_columns_are_what_the_outermost_data_must_have() {
        let card = json!({"body": [
            {"text": "${name} ${address.city} ${if(vip, toUpper(title), foreach(tags, t, t.x & other))}"},
            {"$data": "${items}", "text": "${price} ${$root.currency} ${$index}"},
            {"$data": {"fixed": 1}, "text": "${fixed}"},
        ]});
        let columns = Template::parse(&card).unwrap().columns();
        assert_eq!(
            columns.into_iter().collect::<Vec<_>>(),
            ["address", "currency", "items", "name", "other", "tags", "title", "vip"]
        );
    }
}

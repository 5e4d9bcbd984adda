//! The `body_text` column: message bodies without their markup.

use std::collections::HashMap;
use std::ops::Range;

use super::body::body_field;
use super::html;
use crate::columns::{Path, follow, items_of, path};
use crate::rows::TableBuilder;
use crate::schema::{Column, ColumnType, Part, Projection, Source};

/// Fills `body_text` of messages that have just been read.
pub struct BodyText {
    target: usize,
    content: Path,
    content_type: Path,
    attachments: Option<(usize, Path, Path)>,
}

impl BodyText {
    /// Whether the column was asked for.
    pub fn is_in(message: &Projection) -> bool {
        message.columns.iter().any(|column| column.source == Source::Detail(Part::BodyText))
    }

    /// `None` where the column was not asked for.
    pub fn new(message: &Projection) -> Option<Self> {
        let find = |wanted: &dyn Fn(&Column) -> bool| message.columns.iter().position(|column| wanted(column));
        let attachments = find(&|column| column.name == "attachments").and_then(|at| {
            let ColumnType::List(item) = message.columns[at].kind else { return None };
            Some((at, path(item, &["id"])?, path(item, &["name"])?))
        });
        Some(Self {
            target: find(&|column| column.source == Source::Detail(Part::BodyText))?,
            content: body_field(message, "content")?,
            content_type: body_field(message, "contentType")?,
            attachments,
        })
    }

    pub fn fill(&self, messages: &mut TableBuilder, rows: Range<usize>) {
        for row in rows {
            if let Some(text) = self.text(messages, row) {
                messages.columns[self.target].append_text(row, &text);
            }
        }
    }

    fn text(&self, messages: &TableBuilder, row: usize) -> Option<String> {
        let field = |path: &Path| {
            let (column, path) = path.split_first()?;
            follow(&messages.columns[*column], row, path)?.text_at(row)
        };
        let content = field(&self.content)?;
        if field(&self.content_type) == Some("text") {
            return Some(content.to_owned());
        }
        let names = self.names(messages, row);
        Some(html::to_text(content, &|id| names.get(id).map(|name| (*name).to_owned())))
    }

    fn names<'m>(&self, messages: &'m TableBuilder, row: usize) -> HashMap<&'m str, &'m str> {
        let Some((list, id, name)) = &self.attachments else { return HashMap::new() };
        let Some((range, items)) = items_of(&messages.columns[*list], row) else { return HashMap::new() };
        let text = |path: &Path, at: usize| follow(items, at, path).and_then(|field| field.text_at(at));
        range.filter_map(|at| Some((text(id, at)?, text(name, at)?))).collect()
    }
}

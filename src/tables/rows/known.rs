//! One object whose keys are known before it is read: where it stands says more than the object itself.

use super::context::Context;
use super::row::{NoNested, read_row};
use super::table_builder::TableBuilder;
use crate::json::Json;

/// What is known of an object beside its own text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    pub id: &'a str,
    /// When it was deleted, where it was and does not say so itself.
    pub deleted: Option<&'a str>,
    /// The values of derived columns.
    pub context: Context<'a>,
}

/// Reads an object into a row of the builder. `false` for what is no object, or no JSON; then there is no row.
pub fn read_known(builder: &mut TableBuilder, text: &str, known: &Known<'_>) -> bool {
    let mark = builder.len();
    let mut json = Json::new(text);
    let head = read_row(builder, &mut NoNested, &mut json);
    let (Ok(Some(head)), Ok(())) = (head, json.end()) else {
        builder.truncate(mark);
        return false;
    };
    builder.fill_empty("id", known.id);
    if let Some(deleted) = known.deleted {
        builder.fill_empty("deletedDateTime", deleted);
    }
    builder.end_row(head.cursor(), &known.context);
    true
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    use super::*;
    use crate::{Projection, find};

    fn builder() -> TableBuilder {
        TableBuilder::new(Projection::new(find("chat_messages").unwrap(), None, false).unwrap())
    }

    #[test]
    fn keys_and_deletion_come_from_outside_where_the_object_has_none() {
        let mut builder = builder();
        let known = Known {
            id: "17",
            deleted: Some("2026-01-02T00:00:00.000Z"),
            context: Context { chat: Some("19:c"), ..Context::default() },
        };
        assert!(read_known(&mut builder, "{}", &known));
        assert!(read_known(&mut builder, r#"{"id":"18","deletedDateTime":"2026-01-01T00:00:00Z"}"#, &known));
        let batch = builder.finish();
        let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        assert_eq!((column("id").value(0), column("id").value(1)), ("17", "18"));
        assert_eq!((column("chat_id").value(0), column("chat_id").value(1)), ("19:c", "19:c"));
        let deleted = column("deletedDateTime");
        assert_eq!((deleted.value(0), deleted.value(1)), ("2026-01-02T00:00:00.000Z", "2026-01-01T00:00:00Z"));
        assert!(column("lastModifiedDateTime").is_null(0));
    }

    #[test]
    fn what_is_no_object_leaves_no_row() {
        let mut builder = builder();
        for text in ["", "[]", "null", "{", "{} {}", r#"{"id":"x","body":{"content":"y"}"#] {
            assert!(!read_known(&mut builder, text, &Known::default()), "{text}");
        }
        assert_eq!(builder.finish().num_rows(), 0);
    }
}

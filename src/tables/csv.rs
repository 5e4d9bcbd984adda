//! Reports come as CSV. Each record becomes the JSON item that the report's JSON form would hold.
//!
//! That way `_raw`, unknown properties and values of the wrong type are as in every other table; reports are one file a day.

use serde_json::{Map, Value};

use crate::schema::{Column, ColumnType};

/// The items of a CSV file with a header line. Headers are matched with columns without regard to case and spaces, so that
/// `Used iOS` is `usedIOS`; what no column takes keeps its header as its name. `required` are the columns without which
/// the file is another one.
pub fn csv_items(body: &[u8], columns: &[Column], required: &[&str]) -> Result<Vec<String>, String> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut reader = csv::Reader::from_reader(body);
    // The crate's own text would quote what people wrote.
    let broken = |error: csv::Error| match error.position() {
        Some(position) => format!("malformed CSV at line {}", position.line()),
        None => "malformed CSV".to_owned(),
    };
    let plain = |name: &str| name.replace(' ', "").to_lowercase();
    let headers: Vec<(String, Option<&Column>)> = reader
        .headers()
        .map_err(broken)?
        .iter()
        .map(|header| {
            let column = columns.iter().find(|column| plain(column.name) == plain(header));
            (column.map_or(header, |column| column.name).to_owned(), column)
        })
        .collect();
    if let Some(missing) = required.iter().find(|name| !headers.iter().any(|(header, _)| header == *name)) {
        return Err(format!("CSV without a column {missing}"));
    }
    let mut items = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let fields = headers.iter().zip(&record);
        let item: Map<String, Value> =
            fields.map(|((name, column), text)| (name.clone(), value(*column, text))).collect();
        items.push(Value::Object(item).to_string());
    }
    Ok(items)
}

fn value(column: Option<&Column>, text: &str) -> Value {
    match column.map(|column| column.kind) {
        _ if text.is_empty() => Value::Null,
        Some(ColumnType::Bool) => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" => true.into(),
            "no" | "false" => false.into(),
            _ => text.into(),
        },
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] =
        &[Column::text("userPrincipalName", ""), Column::bool("usedIOS", ""), Column::text("lastActivityDate", "")];

    fn items(text: &str) -> Result<Vec<String>, String> {
        csv_items(text.as_bytes(), COLUMNS, &["userPrincipalName"])
    }

    #[test]
    fn records_become_items_of_the_columns_names() {
        let text = "\u{feff}User Principal Name,Used iOS,Last Activity Date,Used Toaster\r\n\
                    \"a,\"\"b\"\"\nc\",Yes,,No\r\nd,No,2026-01-02,\r\n";
        let items: Vec<Value> = items(text).unwrap().iter().map(|item| serde_json::from_str(item).unwrap()).collect();
        assert_eq!(
            items,
            [
                serde_json::json!({"userPrincipalName": "a,\"b\"\nc", "usedIOS": true, "lastActivityDate": null, "Used Toaster": "No"}),
                serde_json::json!({"userPrincipalName": "d", "usedIOS": false, "lastActivityDate": "2026-01-02", "Used Toaster": null}),
            ]
        );
    }

    #[test]
    fn what_is_no_report_is_refused_without_being_quoted() {
        for text in ["", "<html>secret</html>", "User Principal Name,Used iOS\nsecret\n"] {
            let why = items(text).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
        assert_eq!(items("User Principal Name,Used iOS\n").unwrap(), Vec::<String>::new());
    }
}

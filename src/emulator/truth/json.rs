//! Rows as JSON texts: the item as Graph gives it, with the keys that readers derive.

use serde_json::Value;

/// The written item with the derived keys after its own. Not parsed: there may be millions.
pub fn spliced(json: &[u8], keys: &[(&str, &str)]) -> String {
    let mut text = String::from_utf8_lossy(json).into_owned();
    text.pop();
    for (key, id) in keys {
        text.push_str(",\"");
        text.push_str(key);
        text.push_str("\":");
        text.push_str(&Value::from(*id).to_string());
    }
    text.push('}');
    text
}

pub fn with(item: &Value, keys: &[(&str, &str)]) -> String {
    spliced(item.to_string().as_bytes(), keys)
}

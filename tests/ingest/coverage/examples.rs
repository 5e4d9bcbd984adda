//! Published bodies through the declarations: `GRAPH_EXAMPLES` names a folder of them; without it nothing is checked.

use serde_json::Value;
use teams_tables::{Context, Filter, ListRows, Projection, TableBuilder, find, read_page};

use crate::harness::rows;

#[test]
fn published_bodies_lose_nothing_that_a_table_names() {
    let Ok(folder) = std::env::var("GRAPH_EXAMPLES") else { return };
    for (file, table) in [
        ("channel-list-members_v1_1.json", "channel_members"),
        ("chat-list-members_v1_1.json", "chat_members"),
        ("group-list-transitivemembers_v1_1.json", "group_members"),
        ("channel-list_v1_1.json", "channels"),
        ("team-list-members_v1_1.json", "members"),
    ] {
        let text =
            std::fs::read_to_string(format!("{folder}/{file}")).unwrap_or_else(|error| panic!("{file}: {error}"));
        let table = find(table).unwrap();
        let mut builder = TableBuilder::new(Projection::new(table, None, true).unwrap());
        let mut filter = Filter::default();
        let page =
            read_page(text.as_bytes(), &mut ListRows::new(&mut builder, Context::default(), &mut filter)).unwrap();
        let published: Value = serde_json::from_str(&text).unwrap();
        let published = published["value"].as_array().unwrap();
        assert_eq!(builder.take_wrong_types(), [], "{file}");
        let found = rows(&builder.finish());
        assert_eq!((page.items, found.len()), (published.len(), published.len()), "{file}");
        for (row, item) in found.iter().zip(published) {
            for (name, value) in item.as_object().unwrap() {
                let column = if name == "@odata.type" { "odata_type" } else { name };
                if row.get(column).is_some() {
                    assert_eq!(&row[column], value, "{file}: {name}");
                }
            }
            let raw: Value = serde_json::from_str(row["_raw"].as_str().unwrap()).unwrap();
            assert_eq!(&raw, item, "{file}");
        }
    }
}

//! Items as they came, for those who keep them: undecrypted, and without their secret.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};

use super::changes::utc;
use super::received::Received;
use crate::notify::item::Members;
use crate::notify::outcome::Outcome;
use teams_base::options::Timestamps;
use teams_tables::Column;

pub static COLUMNS: &[Column] = &[
    Column::time("arrived_at", "When the notification came."),
    Column::long("position", "Where it came: its stretch of the spool; null for what came past it."),
    Column::int("item", "Its place in that stretch, from 0."),
    Column::text("subscription_id", "The subscription that it came by."),
    Column::text("tenant_id", "The id of the tenant that it is of."),
    Column::text("change_type", "What happened: created, updated or deleted; null for what is about a subscription."),
    Column::text("lifecycle_event", "What is said of the subscription; null for changes."),
    Column::text("resource", "The path of the object that changed."),
    Column::text("outcome", "What became of it: rows, or why not."),
    Column::text("notification", "The whole notification as Graph sent it, encrypted, without its clientState."),
];

fn schema() -> SchemaRef {
    let fields = COLUMNS.iter().map(|column| column.field(Timestamps::Timestamp));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

pub fn empty() -> RecordBatch {
    RecordBatch::new_empty(schema())
}

pub fn batch<'t>(
    items: impl IntoIterator<Item = &'t Received<'t>>,
    outcomes: &[Outcome],
    position: Option<i64>,
) -> RecordBatch {
    let (mut arrived, mut positions, mut places) = (utc(), Int64Builder::new(), Int32Builder::new());
    let mut named = ["subscriptionId", "tenantId", "changeType", "lifecycleEvent", "resource"]
        .map(|name| (name, StringBuilder::new()));
    let (mut outcome, mut whole) = (StringBuilder::new(), StringBuilder::new());
    for (place, (item, ended)) in items.into_iter().zip(outcomes).enumerate() {
        arrived.append_value(item.arrived.as_microsecond());
        positions.append_option(position);
        places.append_value(place as i32);
        let members = Members::of(item.text).unwrap_or_default();
        for (name, builder) in &mut named {
            builder.append_option(members.text(name).ok().flatten());
        }
        outcome.append_value(ended.name());
        whole.append_value(members.without(&["clientState"]));
    }
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(arrived.finish()), Arc::new(positions.finish()), Arc::new(places.finish())];
    columns.extend(named.into_iter().map(|(_, mut builder)| Arc::new(builder.finish()) as ArrayRef));
    columns.push(Arc::new(outcome.finish()));
    columns.push(Arc::new(whole.finish()));
    RecordBatch::try_new(schema(), columns).expect("the columns are those of the schema")
}

//! Usage reports: one file for the tenant. A snapshot: whole, or an error.

use crate::context::ReadContext;
use crate::dedup::latest;
use teams_base::error::Result;
use teams_base::options::TableOptions;
use teams_client::Malformed;
use teams_client::request::Request;
use teams_tables::{Context, Filter, ListRows, Report, csv_items, find, read_item};

pub fn request(report: &'static Report, options: &TableOptions) -> Request {
    let path = format!("{}(period='{}')", report.function, options.report_period);
    Request::new(report.endpoint, &["reports", &path], "the tenant")
}

pub async fn read(context: &ReadContext, report: &'static Report) -> Result<()> {
    let table = find(report.table)?;
    let request = request(report, &context.options);
    let items = context.client.download(&request, |body| csv_items(body, table.columns, table.keys).map_err(Malformed));
    let items = latest(items.await?, String::as_str, table.keys);
    context.sink.with(|builders| {
        if let [rows, ..] = builders {
            let mut filter = Filter::default();
            let mut rows = ListRows::new(rows, Context::default(), &mut filter);
            items.iter().for_each(|item| read_item(item, &mut rows));
        }
    });
    context.sink.flush().await
}

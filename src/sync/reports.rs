//! Usage reports: one file for the tenant. A snapshot: whole, or an error.

use super::job::Job;
use crate::client::Malformed;
use crate::client::request::Request;
use crate::decode::{Context, Filter, ListRows, csv_items, read_item};
use crate::error::Result;
use crate::tables::{Report, find};

pub async fn read(job: &Job, report: &'static Report) -> Result<()> {
    let table = find(report.table)?;
    let path = format!("{}(period='{}')", report.function, job.options.report_period);
    let request = Request::new(report.endpoint, &["reports", &path], "the tenant");
    let items = job.client.download(&request, |body| csv_items(body, table.columns, table.keys).map_err(Malformed));
    let items = items.await?;
    job.sink.with(|builders| {
        if let [rows, ..] = builders {
            let mut filter = Filter::default();
            let mut rows = ListRows::new(rows, Context::default(), &mut filter);
            items.iter().for_each(|item| read_item(item, &mut rows));
        }
    });
    job.sink.flush().await
}

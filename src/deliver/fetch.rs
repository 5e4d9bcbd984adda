//! Reads of single objects and of lists, as JSON values.

use serde_json::Value;

use teams_base::error::{Error, GraphFailure, Result};
use teams_client::{GraphClient, Malformed, Request};

/// Reads a JSON object.
pub async fn read(client: &GraphClient, request: &Request) -> Result<Value> {
    let parse = |body: &[u8]| serde_json::from_slice::<Value>(body).map_err(Malformed::from);
    Ok(client.get(request, parse).await?.body)
}

/// Everything of a list, page after page, until `is_enough` says so.
pub async fn list(
    client: &GraphClient,
    request: Request,
    most_pages: usize,
    mut is_enough: impl FnMut(&Value) -> bool,
) -> Result<()> {
    let mut request = request;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..most_pages {
        let page = read(client, &request).await?;
        for item in page["value"].as_array().into_iter().flatten() {
            if is_enough(item) {
                return Ok(());
            }
        }
        let Some(next) = page["@odata.nextLink"].as_str() else { return Ok(()) };
        let link = client.link(next, &request)?;
        if !seen.insert(link.digest()) {
            return Err(refused(&request, "the pages link in a circle", "Try again later"));
        }
        request = request.follow(link);
    }
    Ok(())
}

/// An error of our own about an answer.
pub fn refused(request: &Request, message: &str, remedy: &str) -> Error {
    Error::Service(Box::new(GraphFailure {
        method: request.endpoint.method,
        endpoint: request.endpoint.template,
        scope: request.scope.clone(),
        message: message.to_owned(),
        remedy: remedy.to_owned(),
        ..GraphFailure::default()
    }))
}

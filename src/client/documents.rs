//! Documents that anybody may read, such as the keys of a login service: no token travels with their requests.

use reqwest::header::ACCEPT;
use url::Url;

use crate::http::body;
use crate::http::broken::Broken;
use crate::http::transport::build;
use teams_base::error::Result;
use teams_base::options::ConnectionConfig;

/// Gets documents of one host.
pub struct PublicDocuments(reqwest::Client);

impl PublicDocuments {
    pub fn new(config: &ConnectionConfig, host: &Url) -> Result<Self> {
        build(config, host).map(Self)
    }

    /// A document, asked for once. The text of a failure says why, and never shows the address.
    pub async fn get(&self, url: &Url) -> Result<Vec<u8>, String> {
        let response = self.0.get(url.clone()).header(ACCEPT, "application/json").send().await;
        let response = response.map_err(|error| Broken::from(error).what)?;
        let status = response.status().as_u16();
        let body = body::read(response).await.map_err(|broken| broken.what)?;
        if status != 200 {
            return Err(format!("it answered {status}"));
        }
        body.text().map(|body| body.to_vec()).map_err(str::to_owned)
    }
}

//! Keys over HTTP.

use futures::FutureExt;
use futures::future::BoxFuture;
use teams_client::PublicDocuments;
use url::Url;

use super::keys::Fetch;

impl Fetch for PublicDocuments {
    fn get<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        self.get(url).boxed()
    }
}

//! Files that Graph keeps elsewhere. It answers with a link to another host, signed in advance and valid for minutes.
//! No token travels there: the request is made of that link alone, by a client of its own. The link is all that is needed
//! to open the file, so it is a secret and never shown.

use bytes::Bytes;
use reqwest::header::ACCEPT_ENCODING;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::classify::Kind;
use crate::exchange::{Accepted, Call, Engine};
use crate::http::body;
use crate::http::headers::Headers;
use crate::http::retry::{Trial, random};
use crate::link::has_user_info;
use crate::malformed::Malformed;
use crate::request::Request;
use crate::trouble::Trouble;
use teams_base::cloud::is_loopback;
use teams_base::error::{Result, ServiceName};
use teams_base::graph::endpoint;

/// A link that was checked. It cannot become part of a request to Graph, which would carry the token.
struct Signed(Url);

impl Signed {
    fn check(text: &[u8], graph: &Url) -> Result<Self, Malformed> {
        let refuse = |why: &str| Malformed(format!("the answer points to a file that is not fetched: {why}"));
        let text = std::str::from_utf8(text).map_err(|_| refuse("the link is not text"))?;
        let url = Url::parse(text).map_err(|_| refuse("the link is not a URL"))?;
        if has_user_info(&url) {
            return Err(refuse("the link carries user info"));
        }
        // Only an emulator on this machine sends its readers to this machine.
        match (url.scheme(), is_loopback(&url), is_loopback(graph)) {
            ("https", false, _) | ("http" | "https", true, true) => Ok(Self(url)),
            ("https", true, false) => Err(refuse("the link leads to this machine")),
            _ => Err(refuse("the link is not https")),
        }
    }
}

impl Engine {
    /// Asks Graph for a file's link and fetches the file until `read` accepts it. Each attempt asks for a new link, because
    /// a link that failed may have run out.
    pub async fn download<T>(
        &self,
        request: &Request,
        mut read: impl FnMut(&[u8]) -> Result<T, Malformed>,
    ) -> Result<T> {
        let mut trial = Trial::new(self.retry_timeout, random);
        loop {
            let signed = self.signed_link(request).await?;
            let started = Instant::now();
            let trouble = match self.fetch(&signed).await {
                Ok(body) => match read(&body) {
                    Ok(value) => return Ok(value),
                    Err(malformed) => Trouble::malformed(&malformed, 200, &Headers::default(), &body),
                },
                Err(trouble) => trouble,
            };
            let Some(wait) = trial.again(started.elapsed(), None) else {
                self.report.failed(endpoint::DOWNLOAD.template);
                return Err(trouble.into_error_of(
                    &endpoint::DOWNLOAD,
                    request.service(),
                    &request.scope,
                    trial.retries,
                ));
            };
            self.report.retried(endpoint::DOWNLOAD.template);
            sleep(wait).await;
        }
    }

    /// Whether Graph gives a link to a file.
    pub async fn offers(&self, request: &Request) -> Result<()> {
        self.signed_link(request).await.map(drop)
    }

    async fn signed_link(&self, request: &Request) -> Result<Signed> {
        let call = Call { request, items: &[], redirects: true };
        let check = |link: &[u8]| Signed::check(link, self.graph.base());
        let Accepted { answer, .. } = self.exchange(&call, check).await?;
        Ok(answer.body)
    }

    /// The file. Nothing of this process goes with the request but what every browser sends.
    async fn fetch(&self, signed: &Signed) -> Result<Bytes, Trouble> {
        let host = signed.0.host_str().unwrap_or_default();
        self.report.requested(endpoint::DOWNLOAD.template);
        let client =
            self.graph.transport.elsewhere(&signed.0).map_err(|error| Trouble::protocol(&error.to_string()))?;
        let broken = |broken| Trouble::broken(&broken, host, true, ServiceName::Graph);
        let sent = client.get(signed.0.clone()).header(ACCEPT_ENCODING, "gzip").send().await;
        let response = sent.map_err(|error| broken(error.into()))?;
        let status = response.status().as_u16();
        let body = body::read(response).await.map_err(broken)?;
        let on_wire = body.on_wire;
        let body = body.file().map_err(Trouble::protocol)?;
        self.report.received(on_wire, body.len());
        match status {
            200 => Ok(body),
            300..=399 => Err(Trouble::protocol("the file is kept elsewhere again, and only one redirect is followed")),
            _ => Err(Trouble::answered(Kind::Service, status, &Headers::default(), b"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_fetched_from_another_host_and_never_from_this_machine() {
        let graph = Url::parse("https://graph.microsoft.com").unwrap();
        assert!(Signed::check(b"https://reports.office.com/data/download/JDFKdf2?sig=x", &graph).is_ok());
        for bad in [
            "http://reports.office.com/data/download/JDFKdf2",
            "https://localhost/data",
            "https://127.0.0.1/data",
            "http://127.0.0.1/data",
            "https://user:pw@reports.office.com/data",
            "file:///etc/passwd",
            "/data/download",
            "",
        ] {
            let Err(why) = Signed::check(bad.as_bytes(), &graph) else { panic!("{bad}") };
            assert!(bad.len() < 2 || !why.0.contains(bad), "the link is not quoted: {why}");
        }
        let loopback = Url::parse("http://127.0.0.1:4000").unwrap();
        assert!(Signed::check(b"http://localhost:4000/download/x", &loopback).is_ok());
        assert!(Signed::check(b"http://example.com/x", &loopback).is_err());
    }
}

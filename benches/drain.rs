//! A raw drain: the same requests as a run of the connector, as fast as they go, and every body thrown away.
//!
//! `drain FILE` takes one URL a line. `DRAIN_TOKEN` is the bearer token, `DRAIN_ENCODING` is `identity`, `gzip` (bodies
//! stay compressed) or `inflate` (each whole body through libdeflate).

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use libdeflater::Decompressor;

/// As many as the connector's default has on the wire.
const CONNECTIONS: usize = 16;

pub fn run(file: &str) {
    let urls: Vec<String> = std::fs::read_to_string(file).expect("a list").lines().map(str::to_owned).collect();
    let token: Arc<str> = std::env::var("DRAIN_TOKEN").expect("a token").into();
    let encoding = std::env::var("DRAIN_ENCODING").unwrap_or_default();
    let (accept, inflates) = (if encoding == "identity" { "identity" } else { "gzip" }, encoding == "inflate");
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (urls, next, bytes) = (Arc::new(urls), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    runtime.block_on(async {
        let workers = (0..CONNECTIONS).map(|_| {
            let (urls, next, bytes) = (Arc::clone(&urls), Arc::clone(&next), Arc::clone(&bytes));
            let (client, token) = (client.clone(), Arc::clone(&token));
            tokio::spawn(async move {
                while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let request = client.get(url).bearer_auth(&token).header("accept-encoding", accept);
                    let body = request.send().await.expect("an answer").bytes().await.expect("a body");
                    let length = if inflates && body.starts_with(&[0x1f, 0x8b]) { inflate(&body) } else { body.len() };
                    bytes.fetch_add(length, Ordering::Relaxed);
                }
            })
        });
        futures::future::join_all(workers.collect::<Vec<_>>()).await;
    });
    let wall = started.elapsed().as_secs_f64();
    let result = serde_json::json!({"requests": urls.len(), "bytes": bytes.load(Ordering::Relaxed), "wall": wall});
    let _ = writeln!(std::io::stdout(), "{result}");
}

fn inflate(body: &[u8]) -> usize {
    let at = body.len() - 4;
    let size = u32::from_le_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
    let mut out = vec![0; size as usize];
    Decompressor::new().gzip_decompress(body, &mut out).expect("gzip")
}

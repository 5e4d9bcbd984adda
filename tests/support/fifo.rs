//! A loopback HTTP/1.1 server that answers each request, in order of arrival, with the next raw answer of a list, or with
//! what a handler makes of it.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Makes an answer of a request's head and body.
type Handler = Box<dyn Fn(String) -> BoxFuture<'static, Reply> + Send + Sync>;

#[derive(Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Sent of the body before the connection ends.
    sent: Option<usize>,
    hang: bool,
    reset: bool,
    delay: Duration,
}

pub fn status(status: u16) -> Reply {
    Reply { status, ..Reply::default() }
}

pub fn json(body: &str) -> Reply {
    status(200).header("Content-Type", "application/json").body(body)
}

pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

impl Reply {
    pub fn reset() -> Self {
        Self { reset: true, ..Self::default() }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    #[must_use]
    pub fn raw_gzip(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("Content-Encoding", "gzip")
    }

    #[must_use]
    pub fn truncated(mut self, sent: usize) -> Self {
        self.sent = Some(sent);
        self
    }

    #[must_use]
    pub fn hanging(mut self) -> Self {
        self.hang = true;
        self
    }

    #[must_use]
    pub fn slow(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            for part in [name, ": ", value, "\r\n"] {
                out.push_str(part);
            }
        }
        let mut out = (out + "\r\n").into_bytes();
        out.extend_from_slice(&self.body[..self.sent.unwrap_or(self.body.len())]);
        out
    }
}

#[derive(Default)]
struct State {
    replies: Mutex<VecDeque<Reply>>,
    forever: Option<Reply>,
    handler: Option<Handler>,
    seen: Mutex<Vec<String>>,
    connections: AtomicUsize,
    at_once: AtomicUsize,
    most: AtomicUsize,
}

pub struct Fifo {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Fifo {
    pub async fn start(replies: Vec<Reply>) -> Self {
        Self::run(State { replies: Mutex::new(replies.into()), ..State::default() }).await
    }

    pub async fn forever(reply: Reply) -> Self {
        Self::run(State { forever: Some(reply), ..State::default() }).await
    }

    pub async fn answering(handler: impl Fn(String) -> BoxFuture<'static, Reply> + Send + Sync + 'static) -> Self {
        Self::run(State { handler: Some(Box::new(handler)), ..State::default() }).await
    }

    async fn run(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Head and body of each request.
    pub fn seen(&self) -> Vec<String> {
        self.state.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub fn most_at_once(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }

    pub fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let reply = if let Some(handler) = &state.handler {
            handler(request).await
        } else {
            state.seen.lock().unwrap().push(request);
            let next = state.replies.lock().unwrap().pop_front();
            next.or_else(|| state.forever.clone()).unwrap_or_else(|| status(418))
        };
        let now = state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        state.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(reply.delay).await;
        state.at_once.fetch_sub(1, Ordering::SeqCst);
        if reply.reset {
            // Without lingering, closing is a reset.
            stream.set_zero_linger().unwrap();
            return;
        }
        if stream.write_all(&reply.bytes()).await.is_err() {
            return;
        }
        if reply.hang {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        if reply.sent.is_some() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let total = end + 4 + length.unwrap_or(0);
            if buffer.len() >= total {
                let request = String::from_utf8_lossy(&buffer[..total]).into_owned();
                buffer.drain(..total);
                return Some(request);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

//! Trust on the wire: certificates, HTTP/2 and proxies.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

/// A Graph behind a private certificate authority, over HTTP/2.
struct Private {
    address: SocketAddr,
    authority: String,
    connections: Arc<AtomicUsize>,
    protocols: Arc<Mutex<Vec<Vec<u8>>>>,
    /// So many connections, the oldest, answer nothing any more, and do not say so.
    dead: Arc<AtomicUsize>,
    /// So many requests are reset, and for what reason.
    reset: Arc<Mutex<Vec<h2::Reason>>>,
}

impl Private {
    async fn start() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            authority: authority.pem(),
            connections: Arc::default(),
            protocols: Arc::default(),
            dead: Arc::default(),
            reset: Arc::default(),
        };
        let (connections, protocols) = (Arc::clone(&server.connections), Arc::clone(&server.protocols));
        let (dead, reset) = (Arc::clone(&server.dead), Arc::clone(&server.reset));
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, protocols) = (acceptor.clone(), Arc::clone(&protocols));
                let (dead, reset) = (Arc::clone(&dead), Arc::clone(&reset));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    protocols.lock().unwrap().push(stream.get_ref().1.alpn_protocol().unwrap_or_default().to_vec());
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    let mut unanswered = Vec::new();
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        if number < dead.load(Ordering::SeqCst) {
                            unanswered.push(respond);
                            continue;
                        }
                        if let Some(reason) = reset.lock().unwrap().pop() {
                            respond.send_reset(reason);
                            continue;
                        }
                        let mut body = respond.send_response(http::Response::new(()), false).unwrap();
                        body.send_data(bytes::Bytes::from_static(PAGE.as_bytes()), true).unwrap();
                    }
                });
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    fn bundle(&self) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("lakeflow-teams-ca-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&path, &self.authority).unwrap();
        path
    }

    fn client(&self, extra: &[(&str, &str)]) -> GraphClient {
        GraphClient::new(&config(&self.url(), extra), Arc::new(Tokens::default()), Arc::default()).unwrap()
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_its_bundle_only() {
    let server = Private::start().await;
    let start = Instant::now();
    let error = get(&server.client(&[])).await.unwrap_err();
    let text = harmless(&error);
    assert!(matches!(error, Error::Service(_)) && text.contains("ca_bundle") && text.contains("localhost"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(5), "an untrusted certificate stays untrusted: no retries");
    let path = server.bundle();
    get(&server.client(&[("ca_bundle", path.to_str().unwrap())])).await.unwrap();
    std::fs::write(&path, "nothing").unwrap();
    let config = config(&server.url(), &[("ca_bundle", path.to_str().unwrap())]);
    let error = GraphClient::new(&config, Arc::new(Tokens::default()), Arc::default()).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)) && error.to_string().contains("PEM"), "{error}");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn many_requests_share_one_http2_connection() {
    let server = Private::start().await;
    let path = server.bundle();
    let client = server.client(&[("ca_bundle", path.to_str().unwrap())]);
    get(&client).await.unwrap();
    assert!(join_all((0..40).map(|_| get(&client))).await.iter().all(Result::is_ok));
    assert_eq!(*server.protocols.lock().unwrap(), [b"h2"]);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_connection_that_has_gone_dead_is_left_behind() {
    let server = Private::start().await;
    let path = server.bundle();
    let client = server.client(&[("ca_bundle", path.to_str().unwrap()), ("request_timeout_seconds", "1")]);
    get(&client).await.unwrap();
    server.dead.store(1, Ordering::SeqCst);
    get(&client).await.unwrap();
    assert_eq!(server.connections.load(Ordering::SeqCst), 2, "one timeout, then a connection of its own");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_stream_that_http2_refuses_was_not_acted_on() {
    let server = Private::start().await;
    let path = server.bundle();
    let client = server.client(&[("ca_bundle", path.to_str().unwrap())]);
    server.reset.lock().unwrap().push(h2::Reason::REFUSED_STREAM);
    let answer = client.send(&effects::post()).await.unwrap();
    assert_eq!((answer.status, answer.repeated_in_doubt, client.report().snapshot().retries), (200, false, 1));
    server.reset.lock().unwrap().push(h2::Reason::INTERNAL_ERROR);
    let error = client.send(&effects::post()).await.unwrap_err();
    assert!(error.effect_is_unknown() && server.reset.lock().unwrap().is_empty(), "{error:?}");
    std::fs::remove_file(path).unwrap();
}

/// A proxy that tunnels, and answers what it is asked for in the clear. Heads are kept.
async fn proxy() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.split(' ').nth(1).unwrap().to_owned();
                kept.lock().unwrap().push(head.clone());
                if !head.contains("dXNlcjptYXJrZWQ=") {
                    let refusal = b"HTTP/1.1 407 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    stream.write_all(refusal).await.unwrap();
                } else if head.starts_with("CONNECT") {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    let mut upstream = TcpStream::connect(target).await.unwrap();
                    copy_bidirectional(&mut stream, &mut upstream).await.ok();
                } else {
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (address, heads)
}

#[tokio::test]
async fn a_proxy_carries_https_through_a_tunnel_and_never_sees_the_token() {
    let server = Private::start().await;
    let path = server.bundle();
    let (address, heads) = proxy().await;
    let proxy = format!("http://user:marked@{address}");
    let client = server.client(&[("ca_bundle", path.to_str().unwrap()), ("proxy", &proxy)]);
    get(&client).await.unwrap();
    let seen = heads.lock().unwrap().clone();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with(&format!("CONNECT localhost:{} HTTP/1.1", server.address.port())), "{}", seen[0]);
    assert!(!seen[0].contains("Bearer") && !seen[0].contains("v1.0"), "{}", seen[0]);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_without_its_password() {
    let server = Private::start().await;
    let (address, _) = proxy().await;
    for target in [server.url(), "http://127.0.0.1:9".into()] {
        let proxy = format!("http://user:marked-wrong@{address}");
        let config = config(&target, &[("proxy", &proxy), ("retry_timeout_seconds", "1")]);
        let client = GraphClient::new(&config, Arc::new(Tokens::default()), Arc::default()).unwrap();
        let text = harmless(&get(&client).await.unwrap_err());
        assert!(text.contains("proxy"), "{text}");
    }
}

#[tokio::test]
async fn plain_http_goes_to_the_proxy_in_absolute_form() {
    let (address, heads) = proxy().await;
    let proxy = format!("http://user:marked@{address}");
    let config = config("http://127.0.0.1:9", &[("proxy", &proxy)]);
    let client = GraphClient::new(&config, Arc::new(Tokens::default()), Arc::default()).unwrap();
    get(&client).await.unwrap();
    assert!(heads.lock().unwrap()[0].starts_with("GET http://127.0.0.1:9/v1.0/teams/t/channels/"));
}

//! Servers whose certificates are refused: each for its own reason, with the remedy that helps.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::*;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn named(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.into()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, format!("{name} of these tests"));
    change(&mut params);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn authority() -> Issuer {
    let params = named("authority", |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    CertifiedIssuer::self_signed(params, key()).unwrap()
}

/// A server that shows these certificates, the first as its own. It looks at none of them.
struct Shown {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Shown {
    async fn start(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Self {
        let provider = default_provider();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = provider.key_provider.load_private_key(key).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), connections: Arc::default() };
        let (acceptor, connections) = (TlsAcceptor::from(Arc::new(tls)), Arc::clone(&server.connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut head = [0; 8_192];
                    drop(stream.read(&mut head).await);
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len());
                    drop(stream.write_all(answer.as_bytes()).await);
                });
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    async fn get(&self, bundle: Option<&Bundle>) -> Result<Value> {
        let path = bundle.map(|bundle| bundle.0.to_str().unwrap());
        let extra: Vec<_> = path.map(|path| ("ca_bundle", path)).into_iter().collect();
        let client = GraphClient::new(&config(&self.url(), &extra), Arc::new(Tokens::default()), Arc::default())?;
        get(&client).await
    }
}

/// A `ca_bundle` on disk.
struct Bundle(PathBuf);

impl Bundle {
    fn of(content: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("lakeflow-teams-ca-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// What an error says, after one attempt.
async fn refusal(server: &Shown, bundle: Option<&Bundle>) -> String {
    let error = server.get(bundle).await.unwrap_err();
    assert!(matches!(error, Error::Service(_)), "{error:?}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 1, "it will be refused the next time too: {error}");
    harmless(&error)
}

#[tokio::test]
async fn each_refused_certificate_has_the_remedy_that_helps() {
    let root = authority();
    let bundle = Bundle::of(root.pem());
    let clock = "Check this machine's clock";
    let cases: Vec<(&str, CertificateParams, Vec<&str>)> = vec![
        (
            "expired",
            named("localhost", |params| params.not_after = date_time_ymd(2001, 2, 3)),
            vec!["it expired at 2001-02-03T00:00:00Z", "clock says 20", clock],
        ),
        (
            "not valid yet",
            named("localhost", |params| {
                (params.not_before, params.not_after) = (date_time_ymd(2190, 2, 3), date_time_ymd(2191, 2, 3));
            }),
            vec!["valid from 2190-02-03T00:00:00Z on", clock],
        ),
        (
            "another name",
            named("other.example", |_| ()),
            vec!["it is for other.example, and not for localhost", "the address is right"],
        ),
        (
            "another purpose",
            named("localhost", |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            vec!["not for servers", "serverAuth"],
        ),
        (
            "an authority's",
            named("localhost", |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            vec!["that of an authority", "CA:TRUE"],
        ),
    ];
    for (what, params, parts) in cases {
        let key = key();
        let certificate = params.signed_by(&key, &root).unwrap();
        let server = Shown::start(vec![certificate.der().clone()], &key).await;
        let text = refusal(&server, Some(&bundle)).await;
        for part in parts {
            assert!(text.contains(part), "{what}: {part} in {text}");
        }
        assert!(!text.contains("ca_bundle"), "{what}: nothing in it helps here: {text}");
    }
}

#[tokio::test]
async fn an_authority_that_signed_itself_is_no_server_whatever_the_bundle_holds() {
    let (key, params) = (key(), named("localhost", |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)));
    let certificate = params.self_signed(&key).unwrap();
    let server = Shown::start(vec![certificate.der().clone()], &key).await;
    let text = refusal(&server, Some(&Bundle::of(certificate.pem()))).await;
    assert!(text.contains("that of an authority") && !text.contains("ca_bundle"), "{text}");
}

#[tokio::test]
async fn a_chain_is_one_of_authorities() {
    let root = authority();
    let between = CertifiedIssuer::signed_by(named("between", |_| ()), key(), &root).unwrap();
    let key = key();
    let certificate = named("localhost", |_| ()).signed_by(&key, &between).unwrap();
    let server = Shown::start(vec![certificate.der().clone(), between.der().clone()], &key).await;
    let text = refusal(&server, Some(&Bundle::of(root.pem()))).await;
    assert!(text.contains("its issuer is no authority") && !text.contains("ca_bundle"), "{text}");
}

#[tokio::test]
async fn damage_is_the_servers_to_repair() {
    let root = authority();
    let bundle = Bundle::of(root.pem());
    let key = key();
    let whole = named("localhost", |_| ()).signed_by(&key, &root).unwrap().der().to_vec();
    let mut forged = whole.clone();
    *forged.last_mut().unwrap() ^= 1;
    for (der, part) in [(forged, "signature is wrong"), (whole[..whole.len() / 2].to_vec(), "damaged")] {
        let server = Shown::start(vec![der.into()], &key).await;
        let text = refusal(&server, Some(&bundle)).await;
        assert!(text.contains(part) && text.contains("repair") && !text.contains("ca_bundle"), "{text}");
    }
}

#[tokio::test]
async fn only_an_unknown_issuer_is_a_matter_of_the_bundle() {
    let (root, key) = (authority(), key());
    let certificate = named("localhost", |_| ()).signed_by(&key, &root).unwrap();
    let server = Shown::start(vec![certificate.der().clone()], &key).await;
    let text = refusal(&server, None).await;
    assert!(text.contains("ca_bundle") && text.contains("not the server's own"), "{text}");
    server.get(Some(&Bundle::of(root.pem()))).await.unwrap();
    let marked = [b"\xef\xbb\xbf", root.pem().replace('\n', "\r\n").as_bytes()].concat();
    server.get(Some(&Bundle::of(marked))).await.unwrap();
    // It signed itself, so that it alone is trusted.
    let own = named("localhost", |_| ()).self_signed(&key).unwrap();
    let alone = Shown::start(vec![own.der().clone()], &key).await;
    alone.get(Some(&Bundle::of(own.pem()))).await.unwrap();
}

#[tokio::test]
async fn a_bundle_that_cannot_help_is_refused_before_anything_is_sent() {
    let (root, key) = (authority(), key());
    let certificate = named("localhost", |_| ()).signed_by(&key, &root).unwrap();
    let server = Shown::start(vec![certificate.der().clone()], &key).await;
    let wide: Vec<u8> = format!("\u{feff}{}", root.pem()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, part) in [
        (certificate.pem().into_bytes(), "add the root certificate"),
        (wide, "Save it as UTF-8"),
        (root.der().to_vec(), "must be a PEM file"),
        (Vec::new(), "must be a PEM file"),
    ] {
        let error = server.get(Some(&Bundle::of(content))).await.unwrap_err();
        let text = harmless(&error);
        assert!(matches!(error, Error::Configuration(_)) && text.starts_with("Option ca_bundle: /"), "{text}");
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_token_endpoint_has_the_same_remedies() {
    let (root, key) = (authority(), key());
    let params = named("localhost", |params| params.not_after = date_time_ymd(2001, 2, 3));
    let certificate = params.signed_by(&key, &root).unwrap();
    let server = Shown::start(vec![certificate.der().clone()], &key).await;
    let bundle = Bundle::of(root.pem());
    let config = config(&server.url(), &[("ca_bundle", bundle.0.to_str().unwrap())]);
    let provider = teams_client::auth::provider(&config, &config.scope(), None).unwrap();
    let text = harmless(&provider.fetch().await.map(drop).unwrap_err());
    assert!(text.starts_with("Token acquisition failed") && text.contains("machine's clock"), "{text}");
    assert!(!text.contains("ca_bundle"), "{text}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

//! Every credential against a fake token endpoint on loopback, or a fake metadata service.

use std::path::PathBuf;

use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use teams_client::auth::{DefaultCredential, ManagedIdentity, TokenService};

use super::*;

/// Keys made for these tests; nothing trusts them.
const ONE: &str = include_str!("../keys/one.pem");
const TWO: &str = include_str!("../keys/two.pem");
const ONE_ENCRYPTED: &str = include_str!("../keys/one-encrypted.pem");

/// A certificate of a key: as PEM, and its SHA-256 as `x5t#S256` wants it.
fn certificate(key: &str) -> (String, String) {
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(key, &PKCS_RSA_SHA256).unwrap();
    let made = CertificateParams::new(vec!["app.example".into()]).unwrap().self_signed(&key).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, made.der());
    (made.pem(), URL_SAFE_NO_PAD.encode(digest))
}

fn public_key(key: &str) -> Vec<u8> {
    let der = KeyPair::from_pkcs8_pem_and_sign_algo(key, &PKCS_RSA_SHA256).unwrap().serialize_der();
    RsaKeyPair::from_pkcs8(&der).unwrap().public_key().as_ref().to_vec()
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("lakeflow-teams-{name}-{}", uuid::Uuid::new_v4()))
}

/// The form of the n-th request.
fn form(server: &Fifo, index: usize) -> Vec<(String, String)> {
    let request = server.seen()[index].clone();
    let body = request.split("\r\n\r\n").nth(1).unwrap().to_owned();
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

fn field(form: &[(String, String)], name: &str) -> String {
    form.iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
}

fn by_certificate(server: &Fifo, extra: &[(&str, &str)]) -> Result<Arc<dyn TokenProvider>> {
    let base = server.url();
    let pairs = [
        ("tenant_id", "contoso.onmicrosoft.com"),
        ("client_id", "app"),
        ("authority_host", base.as_str()),
        ("graph_base_url", base.as_str()),
        ("retry_timeout_seconds", "5"),
    ];
    let pairs = pairs.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config = parse_connection(pairs, Strictness::Strict)?.0;
    teams_client::auth::provider(&config, &config.scope(), None)
}

/// Checks an assertion as Entra ID does, and returns its claims.
fn verified(assertion: &str, key: &str, thumbprint: &str, server: &Fifo) -> Value {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public_key(key)).verify(signed.as_bytes(), &signature).unwrap();
    let parts: Vec<Value> =
        signed.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect();
    assert_eq!(parts[0], serde_json::json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
    let claims = parts[1].clone();
    assert_eq!(claims["aud"], format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", server.url()));
    assert_eq!((&claims["iss"], &claims["sub"]), (&"app".into(), &"app".into()));
    let now = jiff::Timestamp::now().as_second();
    let (from, to) = (claims["nbf"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!((now - 60..=now).contains(&from) && (300..=600).contains(&(to - from)), "{claims}");
    claims
}

#[tokio::test]
async fn a_certificate_signs_a_fresh_assertion_for_each_request() {
    let server = Fifo::forever(granted()).await;
    let (pem, thumbprint) = certificate(ONE);
    let (other, _) = certificate(TWO);
    let whole = format!("{ONE}{other}{pem}");
    let flat = whole.replace('\n', "\\n");
    let spaced = whole.replace('\n', " ");
    let marked = format!("\u{feff}{whole}");
    let lines = whole.replace('\n', " ").replace("----- -----", "-----\n-----");
    let attributes = format!("Bag Attributes\n    localKeyID: 01 00\nsubject=CN = x\n{whole}");
    let in_file = file("one-line");
    std::fs::write(&in_file, format!("\u{feff}{flat}")).unwrap();
    let locked = format!("{pem}{ONE_ENCRYPTED}");
    let path = file("certificate");
    std::fs::write(&path, whole.replace('\n', "\r\n")).unwrap();
    let mut ids = Vec::new();
    for (index, options) in [
        vec![("client_certificate", whole.as_str())],
        vec![("client_certificate", flat.as_str())],
        vec![("client_certificate", spaced.as_str())],
        vec![("client_certificate", marked.as_str())],
        vec![("client_certificate", lines.as_str())],
        vec![("client_certificate", attributes.as_str())],
        vec![("client_certificate", in_file.to_str().unwrap())],
        vec![("client_certificate", path.to_str().unwrap())],
        vec![("client_certificate", locked.as_str()), ("client_certificate_password", "marked-password\r\n")],
    ]
    .into_iter()
    .enumerate()
    {
        by_certificate(&server, &options).unwrap().fetch().await.unwrap();
        let form = form(&server, index);
        assert_eq!(field(&form, "client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(form.iter().all(|(name, _)| name != "client_secret"));
        let claims = verified(&field(&form, "client_assertion"), ONE, &thumbprint, &server);
        ids.push(claims["jti"].to_string());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 9, "no assertion is used twice");
    std::fs::remove_file(path).unwrap();
    std::fs::remove_file(in_file).unwrap();
}

#[tokio::test]
async fn a_rotated_certificate_is_picked_up_and_a_broken_one_says_so() {
    let server = Fifo::forever(granted()).await;
    let path = file("rotated");
    let mut thumbprints = Vec::new();
    let provider = {
        let (pem, thumbprint) = certificate(ONE);
        thumbprints.push(thumbprint);
        std::fs::write(&path, format!("{pem}{ONE}")).unwrap();
        by_certificate(&server, &[("client_certificate", path.to_str().unwrap())]).unwrap()
    };
    provider.fetch().await.unwrap();
    let (pem, thumbprint) = certificate(TWO);
    thumbprints.push(thumbprint);
    std::fs::write(&path, format!("{pem}{TWO}")).unwrap();
    provider.fetch().await.unwrap();
    for (index, key) in [ONE, TWO].into_iter().enumerate() {
        verified(&field(&form(&server, index), "client_assertion"), key, &thumbprints[index], &server);
    }
    std::fs::write(&path, "half written").unwrap();
    let error = provider.fetch().await.map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)) && error.to_string().contains("no private key"), "{error}");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_certificate_that_cannot_work_is_refused_before_anything_is_sent() {
    let server = Fifo::forever(granted()).await;
    let (one, _) = certificate(ONE);
    let (two, _) = certificate(TWO);
    let ec = KeyPair::generate().unwrap().serialize_pem();
    let locked = format!("{one}{ONE_ENCRYPTED}");
    for (text, password, why) in [
        (format!("{two}{ONE}"), None, "do not belong together"),
        (one.clone(), None, "no private key"),
        (ONE.to_owned(), None, "no certificate"),
        (format!("{one}{ec}"), None, "not an RSA key"),
        (locked.clone(), None, "client_certificate_password"),
        (locked, Some("marked-wrong"), "client_certificate_password is wrong"),
    ] {
        let mut options = vec![("client_certificate", text.as_str())];
        options.extend(password.map(|password| ("client_certificate_password", password)));
        let error = by_certificate(&server, &options).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)) && harmless(&error).contains(why), "{why}: {error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_near_its_end_is_told_in_the_report() {
    let server = Fifo::forever(granted()).await;
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(ONE, &PKCS_RSA_SHA256).unwrap();
    for (days, told) in [(10, Some("ends in 9 days")), (-2, Some("has ended")), (100, None)] {
        let mut params = CertificateParams::new(vec!["app.example".into()]).unwrap();
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        let end = end.to_zoned(jiff::tz::TimeZone::UTC);
        params.not_after = rcgen::date_time_ymd(end.year().into(), end.month() as u8, end.day() as u8);
        let pem = format!("{}{ONE}", params.self_signed(&key).unwrap().pem());
        let provider = by_certificate(&server, &[("client_certificate", &pem)]).unwrap();
        let client = GraphClient::new(&config(&server.url(), &[]), provider, Arc::default()).unwrap();
        let warnings = client.report().snapshot().warnings;
        assert_eq!(warnings.len(), usize::from(told.is_some()), "{warnings:?}");
        assert!(told.is_none_or(|told| warnings[0].contains(told)), "{warnings:?}");
    }
}

/// As `openssl pkcs12 -export` writes them, see `tests/keys/README.md`.
const PFX: [(&str, &[u8], Option<&str>); 3] = [
    ("AES-256", include_bytes!("../keys/one-aes256.pfx"), Some("marked-password")),
    ("RC2 and 3DES", include_bytes!("../keys/one-rc2-3des.pfx"), Some("marked-password")),
    ("no password", include_bytes!("../keys/one-no-password.pfx"), None),
];
const EC_PFX: &[u8] = include_bytes!("../keys/ec.pfx");

fn with_password<'a>(certificate: &'a str, password: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let password = password.map(|password| ("client_certificate_password", password));
    [("client_certificate", certificate)].into_iter().chain(password).collect()
}

#[tokio::test]
async fn a_pfx_signs_as_its_pem_does_from_a_file_and_in_base64() {
    let server = Fifo::forever(granted()).await;
    for (name, pfx, password) in PFX {
        let path = file("app.pfx");
        std::fs::write(&path, pfx).unwrap();
        let base64 = base64::engine::general_purpose::STANDARD.encode(pfx);
        for certificate in [path.to_str().unwrap(), base64.as_str()] {
            let options = with_password(certificate, password);
            by_certificate(&server, &options).unwrap_or_else(|error| panic!("{name}: {error}")).fetch().await.unwrap();
            let assertion = field(&form(&server, server.seen().len() - 1), "client_assertion");
            let header: Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap()).unwrap();
            verified(&assertion, ONE, header["x5t#S256"].as_str().unwrap(), &server);
        }
        std::fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn a_pfx_that_cannot_work_is_refused_before_anything_is_sent() {
    let server = Fifo::forever(granted()).await;
    let path = file("bad.pfx");
    let refused = |bytes: &[u8], password: Option<&str>| {
        std::fs::write(&path, bytes).unwrap();
        let error = by_certificate(&server, &with_password(path.to_str().unwrap(), password)).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{error:?}");
        harmless(&error)
    };
    for (_, pfx, password) in &PFX[..2] {
        assert!(refused(pfx, Some("marked-wrong")).contains("client_certificate_password does not open"));
        assert!(refused(pfx, None).contains("set client_certificate_password"));
        for length in (1..pfx.len()).step_by(97) {
            refused(&pfx[..length], *password);
        }
        for at in (0..pfx.len()).step_by(53) {
            let mut damaged = pfx.to_vec();
            damaged[at] ^= 0x55;
            // Damage where nothing is said, such as in a name, does no harm; everywhere else it is told.
            std::fs::write(&path, damaged).unwrap();
            if let Err(error) = by_certificate(&server, &with_password(path.to_str().unwrap(), *password)) {
                assert!(matches!(error, Error::Configuration(_)), "{error:?}");
            }
        }
    }
    assert!(refused(EC_PFX, Some("marked-password")).contains("not an RSA key"));
    let (pem, _) = certificate(ONE);
    let der = pem.lines().filter(|line| !line.starts_with("---")).collect::<String>();
    let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
    assert!(refused(&der, None).contains("no undamaged PFX"), "a certificate without its key");
    std::fs::remove_file(&path).unwrap();
    assert!(server.seen().is_empty());
}

/// What a metadata service answers: times are strings.
fn identity_token(life: i64) -> Reply {
    let ends = jiff::Timestamp::now().as_second() + life;
    json(&format!(r#"{{"access_token":"marked-token","expires_on":"{ends}","resource":"r","token_type":"Bearer"}}"#))
}

fn imds(server: &Fifo, extra: &[(&str, &str)]) -> ManagedIdentity {
    // The proxy does not exist, and must not be asked.
    let mut options = vec![("proxy", "http://127.0.0.1:9")];
    options.extend(extra);
    let service = TokenService::Imds(server.url().parse().unwrap());
    let config = config(&server.url(), &options);
    ManagedIdentity::new(&config, &config.scope(), service).unwrap()
}

fn life(token: &AccessToken) -> u64 {
    token.expires_at.saturating_duration_since(Instant::now()).as_secs()
}

#[tokio::test]
async fn a_machine_asks_its_metadata_service_past_every_proxy() {
    let server = Fifo::start(vec![identity_token(600)]).await;
    let token = imds(&server, &[]).fetch().await.unwrap();
    assert!((595..=600).contains(&life(&token)), "{}", life(&token));
    let head = server.seen()[0].clone();
    let resource: String = url::form_urlencoded::byte_serialize(server.url().as_bytes()).collect();
    let expected = format!(
        "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}&client_id=app HTTP/1.1"
    );
    assert!(head.starts_with(&expected), "{head}");
    assert!(head.to_ascii_lowercase().contains("metadata: true"), "{head}");
}

#[tokio::test]
async fn app_service_wants_its_own_header_and_nobody_else_sees_it() {
    let server = Fifo::start(vec![identity_token(600), status(403).body(r#"{"message":"no"}"#)]).await;
    let endpoint = format!("{}/msi/token", server.url()).parse().unwrap();
    let service = TokenService::AppService { endpoint, header: Secret::new("marked-header") };
    let config = config(&server.url(), &[]);
    let identity = ManagedIdentity::new(&config, &config.scope(), service).unwrap();
    identity.fetch().await.unwrap();
    let head = server.seen()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /msi/token?api-version=2019-08-01&resource="), "{head}");
    assert!(head.contains("x-identity-header: marked-header"), "{head}");
    let error = identity.fetch().await.unwrap_err();
    assert!(harmless(&error).contains("403"), "{error}");
}

#[tokio::test]
async fn a_metadata_service_under_repair_is_waited_for_and_a_missing_identity_is_not() {
    let away = vec![status(410), status(404), status(503), status(429).header("Retry-After", "0.2")];
    let server = Fifo::start([away, vec![identity_token(60)]].concat()).await;
    imds(&server, &[("retry_timeout_seconds", "120")]).fetch().await.unwrap();
    assert_eq!(server.seen().len(), 5);

    let missing = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    let server = Fifo::start(vec![status(400).body(missing)]).await;
    let error = imds(&server, &[]).fetch().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("400 invalid_request Identity not found (assign a managed identity"), "{text}");

    server.stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    let error = imds(&server, &[]).fetch().await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)) && error.to_string().contains("has a managed identity"));
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn the_default_order_says_what_it_took() {
    let server = Fifo::start(vec![identity_token(600), json(PAGE), status(400).body(r#"{"error":"x"}"#)]).await;
    let (base, config) = (server.url(), config(&server.url(), &[]));
    let env = |name: &str| (name == "AZURE_POD_IDENTITY_AUTHORITY_HOST").then(|| base.clone());
    let found = Arc::new(DefaultCredential::find(&config, &config.scope(), env).unwrap());
    let client = GraphClient::new(&config, Arc::clone(&found) as _, Arc::default()).unwrap();
    get(&client).await.unwrap();
    assert_eq!(client.report().snapshot().notes, ["default_credential took managed identity"]);
    let error = found.fetch().await.unwrap_err();
    assert!(error.to_string().contains("default_credential took managed identity"), "{error}");
}

/// A token that lives two seconds is used for one.
fn short() -> Reply {
    json(r#"{"expires_in":2,"access_token":"marked-token"}"#)
}

fn expired() -> Reply {
    status(401).body(
        r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired.\r\nTrace ID: t","error_codes":[7000222]}"#,
    )
}

#[tokio::test]
async fn a_secret_that_expires_in_mid_run_is_told_with_its_number() {
    let server = Fifo::start(vec![short(), json(PAGE), expired(), json(PAGE)]).await;
    let (client, _) = entra(&server, &[]);
    get(&client).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let error = get(&client).await.unwrap_err();
    let text = harmless(&error);
    assert!(text.contains("401 AADSTS7000222") && text.contains("create a new one"), "{text}");
    assert_eq!(server.seen().len(), 3, "a request without a token is not sent");
}

#[tokio::test]
async fn a_secret_that_is_rotated_in_mid_run_goes_on_with_the_new_one() {
    let path = file("secret");
    std::fs::write(&path, "marked-first").unwrap();
    let server = Fifo::start(vec![short(), json(PAGE), short(), json(PAGE)]).await;
    let options = [("client_secret_file", path.to_str().unwrap()), ("client_secret", "<absent>")];
    let (client, _) = entra(&server, &options);
    get(&client).await.unwrap();
    std::fs::write(&path, "marked-second\n").unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    get(&client).await.unwrap();
    assert_eq!(field(&form(&server, 0), "client_secret"), "marked-first");
    assert_eq!(field(&form(&server, 2), "client_secret"), "marked-second");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn an_app_that_is_disabled_in_mid_run_ends_it_soon() {
    let disabled = status(400).body(
        r#"{"error":"unauthorized_client","error_description":"AADSTS7000112: Application is disabled.","error_codes":[7000112]}"#,
    );
    let server = Fifo::start(vec![granted(), json(PAGE), status(401), disabled]).await;
    let (client, _) = entra(&server, &[]);
    get(&client).await.unwrap();
    let start = Instant::now();
    let error = get(&client).await.unwrap_err();
    assert!(harmless(&error).contains("AADSTS7000112") && start.elapsed() < Duration::from_secs(2), "{error}");
}

/// A provider with a cache of its own, as azure-identity's are.
struct Caching(AtomicU32);

impl TokenProvider for Caching {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        let text = format!("marked-{}", self.0.load(Ordering::SeqCst));
        let expires_at = Instant::now() + Duration::from_secs(3_600);
        Box::pin(async move { Ok(AccessToken { secret: Secret::new(text), expires_at }) })
    }

    fn replace<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<AccessToken>> {
        assert_eq!(refused.expose(), format!("marked-{}", self.0.fetch_add(1, Ordering::SeqCst)));
        self.fetch()
    }
}

#[tokio::test]
async fn a_provider_is_told_which_token_was_refused() {
    let server = Fifo::start(vec![status(401), json(PAGE), json(PAGE)]).await;
    let provider = Arc::new(Caching(AtomicU32::new(1)));
    let client = GraphClient::new(&config(&server.url(), &[]), provider, Arc::default()).unwrap();
    get(&client).await.unwrap();
    get(&client).await.unwrap();
    let seen = server.seen();
    assert!(seen[0].contains("marked-1") && seen[1].contains("marked-2") && seen[2].contains("marked-2"));
}

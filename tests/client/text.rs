//! Text that comes with more than it means: byte order marks and line breaks.

use std::path::PathBuf;

use super::*;

fn marked(mut reply: Reply) -> Reply {
    reply.body = [b"\xef\xbb\xbf", &reply.body[..]].concat();
    reply
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_a_page_a_token_or_an_error() {
    let token = marked(granted());
    let throttled = marked(status(429).header("Retry-After", "0.2").body(r#"{"error":{"code":"TooManyRequests"}}"#));
    let gzipped = json("").raw_gzip(&gzip(&marked(json(PAGE)).body));
    let refused = marked(status(403).body(r#"{"error":{"code":"Forbidden","message":"Team is archived."}}"#));
    let server = Fifo::start(vec![token, marked(json(PAGE)), throttled, gzipped, refused]).await;
    let (client, _) = entra(&server, &[]);
    for _ in 0..2 {
        assert_eq!(get(&client).await.unwrap()["value"][2], 3);
    }
    assert_eq!(client.report().snapshot().retries, 1, "only what was throttled is asked for again");
    let text = harmless(&get(&client).await.unwrap_err());
    assert!(text.contains("answered 403 Forbidden Team is archived.") && text.contains("restore it"), "{text}");

    let refused = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Wrong.","error_codes":[7000215]}"#;
    let server = Fifo::start(vec![marked(status(401).body(refused))]).await;
    let text = harmless(&get(&entra(&server, &[]).0).await.unwrap_err());
    assert!(text.contains("AADSTS7000215") && text.contains("not its Secret ID"), "{text}");
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_a_batch_or_of_its_items() {
    // The base64 of the second is a mark and {"id":"b"}.
    let batch = r#"{"responses":[{"id":"0","status":200,"body":{"id":"a"}},{"id":"1","status":200,"body":"77u/eyJpZCI6ImIifQ=="}]}"#;
    let server = Fifo::start(vec![marked(json(batch))]).await;
    let results = client(&server).batch(&["a", "b"].map(team)).await.unwrap();
    let texts: Vec<_> = results.iter().map(|result| result.as_ref().unwrap().get()).collect();
    assert_eq!(texts, [r#"{"id":"a"}"#, r#"{"id":"b"}"#]);
}

#[tokio::test]
async fn a_file_that_somebody_sent_keeps_every_byte() {
    let server = Fifo::start(vec![marked(json("{}"))]).await;
    let path = ["chats", "c", "messages", "1", "hostedContents", "x", "$value"];
    let request = Request::new(&endpoint::CHAT_HOSTED_CONTENT, &path, "chat c");
    let length = client(&server).get(&request, |body| Ok(body.len())).await.unwrap().body;
    assert_eq!(length, 5);
}

fn file(content: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lakeflow-teams-text-{}", uuid::Uuid::new_v4()));
    std::fs::write(&path, content).unwrap();
    path
}

/// What the token request says of the application and its proof.
async fn sent(options: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
    let server = Fifo::forever(granted()).await;
    let provider = {
        let config = config(&server.url(), options);
        teams_client::auth::provider(&config, &config.scope(), None)?
    };
    provider.fetch().await?;
    let seen = server.seen().remove(0);
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    let mut form: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    form.push(("tenant".into(), head.split('/').nth(1).unwrap().to_owned()));
    Ok(form)
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    &form.iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[tokio::test]
async fn secrets_and_ids_are_sent_without_what_files_and_forms_put_around_them() {
    for content in ["hush\r\n", "\u{feff}hush", "\u{feff}hush\n\n", "hush"] {
        let path = file(content.as_bytes());
        let path = path.to_str().unwrap();
        let secret = [("client_secret", "<absent>"), ("client_secret_file", path)];
        assert_eq!(field(&sent(&secret).await.unwrap(), "client_secret"), "hush", "{content:?}");
        let token = [("client_secret", "<absent>"), ("federated_token_file", path)];
        assert_eq!(field(&sent(&token).await.unwrap(), "client_assertion"), "hush", "{content:?}");
        let plain = sent(&[("client_secret", content)]).await.unwrap();
        assert_eq!(field(&plain, "client_secret"), "hush", "{content:?}");
        std::fs::remove_file(path).unwrap();
    }
    let blanks = sent(&[("client_secret", " hush ")]).await.unwrap();
    assert_eq!(field(&blanks, "client_secret"), " hush ", "a blank may be meant");
    let ids = [("tenant_id", "\u{feff}contoso.onmicrosoft.com\r"), ("client_id", " app\r\n")];
    let form = sent(&ids).await.unwrap();
    assert_eq!((field(&form, "tenant"), field(&form, "client_id")), ("contoso.onmicrosoft.com", "app"));
}

#[tokio::test]
async fn a_file_in_utf16_is_refused_with_its_option_and_the_remedy() {
    let wide: Vec<u8> = "\u{feff}marked\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = file(&wide);
    for option in ["client_secret_file", "federated_token_file", "client_certificate"] {
        let options = [("client_secret", "<absent>"), (option, path.to_str().unwrap())];
        let error = sent(&options).await.unwrap_err();
        let text = harmless(&error);
        assert!(matches!(error, Error::Configuration(_)) && text.starts_with(&format!("Option {option}: ")), "{text}");
        assert!(text.contains("cannot be read") && text.ends_with("Save it as UTF-8"), "{text}");
    }
    std::fs::remove_file(path).unwrap();
}

//! A pretended Firebase: a key server on this machine, and tokens good and bad.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What the key in use is called.
const KEY_ID: &str = "key-in-use";

/// Publishes the key in use. It ends when it is dropped.
pub(crate) struct Firebase {
    pub(crate) url: String,
    _tasks: JoinSet<()>,
}

impl Firebase {
    /// The consumers' project.
    pub(crate) const USERS: &str = "shop-users";
    /// The developers' project.
    pub(crate) const DEVELOPERS: &str = "shop-developers";

    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(publish(stream));
            }
        });
        Self { url, _tasks: tasks }
    }

    /// One that cannot be reached.
    pub(crate) fn unreachable() -> Self {
        Self {
            url: "http://127.0.0.1:1/keys".to_owned(),
            _tasks: JoinSet::new(),
        }
    }
}

async fn publish(mut stream: TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let mut key = Jwk::from_encoding_key(key_in_use(), Algorithm::RS256).unwrap();
    key.common.key_id = Some(KEY_ID.to_owned());
    let mut key = serde_json::to_value(key).unwrap();
    key["use"] = json!("sig");
    let body = json!({"keys": [key]}).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncache-control: public, max-age=3600\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Whoever asked may have given up.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn key_in_use() -> &'static EncodingKey {
    static KEY: OnceLock<EncodingKey> = OnceLock::new();
    KEY.get_or_init(generate)
}

fn generate() -> EncodingKey {
    // Another test may have been quicker, which is as good.
    let _ = DEFAULT_PROVIDER.install_default();
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let body = STANDARD.encode(private.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

/// Claims of somebody who signed in a minute ago, good for an hour.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary under test reads the system's clock, so its tokens have to as well"
)]
pub(crate) fn claims(project: &str, subject: &str) -> Value {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    json!({
        "iss": format!("https://securetoken.google.com/{project}"), "aud": project,
        "sub": subject, "user_id": subject, "email": format!("{subject}@example.com"),
        "email_verified": true, "name": "Somebody",
        "auth_time": now - 60, "iat": now - 60, "exp": now + 3_600,
    })
}

/// A token as Firebase signs it.
pub(crate) fn signed_token(claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"});
    seal(&header, claims, key_in_use(), Algorithm::RS256)
}

/// A token signed by somebody else under the name of the key in use.
pub(crate) fn strangers_token(claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"});
    seal(&header, claims, &generate(), Algorithm::RS256)
}

/// A token with an HMAC for its signature.
pub(crate) fn hmac_token(claims: &Value) -> String {
    let key = EncodingKey::from_secret(b"secret");
    let header = json!({"alg": "HS256", "kid": KEY_ID, "typ": "JWT"});
    seal(&header, claims, &key, Algorithm::HS256)
}

/// A token without a signature.
pub(crate) fn unsigned_token(claims: &Value) -> String {
    let header = json!({"alg": "none", "typ": "JWT"});
    format!("{}.{}.", part(&header), part(claims))
}

fn seal(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

//! Which published keys are taken.

use super::{KeySet, KeySetError, bit_length};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn modulus(bytes: usize) -> String {
    text(&vec![0xC1; bytes])
}

fn good() -> Value {
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "a", "n": modulus(256), "e": "AQAB"})
}

fn with(field: &str, value: Value) -> Value {
    let mut key = good();
    key[field] = value;
    key
}

fn without(field: &str) -> Value {
    let mut key = good();
    key.as_object_mut().unwrap().remove(field);
    key
}

fn parse(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn a_key_for_rs256_signatures_is_taken() {
    let keys = parse(&[good()]).unwrap();
    assert!(keys.find("a").is_some());
    assert!(keys.find("A").is_none());
    let zeros = [vec![0, 0], vec![0xC1; 256]].concat();
    assert!(parse(&[with("n", json!(text(&zeros)))]).is_ok(), "zeros");
}

#[test]
fn any_other_key_is_left_out() {
    let long = [vec![0x01], vec![0xC1; 1_024]].concat();
    let short = [vec![0x7F], vec![0xC1; 255]].concat();
    let table = [
        (with("kty", json!("EC")), "another kind of key"),
        (with("use", json!("enc")), "for encryption"),
        (without("use"), "for nothing said"),
        (with("alg", json!("RS512")), "another algorithm"),
        (with("alg", json!("HS256")), "a shared secret"),
        (without("alg"), "no algorithm said"),
        (without("kid"), "nameless"),
        (with("kid", json!("")), "an empty name"),
        (with("kid", json!(7)), "a number for a name"),
        (without("n"), "no modulus"),
        (with("n", json!("%%%")), "a modulus that is no base64url"),
        (with("n", json!("")), "an empty modulus"),
        (with("n", json!(text(&[0, 0]))), "a modulus of zero"),
        (with("n", json!(modulus(128))), "1,024 bits"),
        (with("n", json!(text(&short))), "2,047 bits"),
        (with("n", json!(text(&long))), "more than 8,192 bits"),
        (without("e"), "no exponent"),
        (with("e", json!(text(&[1]))), "an exponent of 1"),
        (with("e", json!(text(&[4]))), "an even exponent"),
        (with("e", json!(text(&[1; 5]))), "a giant exponent"),
        (json!("key"), "a text"),
        (json!(null), "nothing"),
    ];
    for (key, why) in table {
        let alone = parse(std::slice::from_ref(&key));
        assert!(matches!(alone, Err(KeySetError::Empty)), "{why}");
        let mut second = good();
        second["kid"] = json!("b");
        let both = parse(&[key, second]).unwrap();
        assert!(both.find("b").is_some(), "beside {why}");
        assert!(both.find("a").is_none(), "{why}");
    }
}

#[test]
fn what_is_no_key_set_is_refused() {
    for document in ["", "[]", "{}", "{\"keys\":{}}", "<html>", "{\"a\":\"PEM\"}"] {
        let parsed = KeySet::parse(document.as_bytes());
        assert!(
            matches!(parsed, Err(KeySetError::Malformed(_))),
            "{document}"
        );
    }
    assert!(matches!(parse(&[]), Err(KeySetError::Empty)));
}

#[test]
fn the_first_of_two_keys_with_one_name_stays() {
    let other = with("n", json!(text(&vec![0xD1; 256])));
    let both = parse(&[good(), other.clone()]).unwrap();
    assert!(both.is_same_as(&parse(&[good()]).unwrap()));
    assert!(!both.is_same_as(&parse(&[other]).unwrap()));
}

#[test]
fn sets_are_the_same_when_their_keys_are() {
    let mut second = good();
    second["kid"] = json!("b");
    let one = parse(&[good(), second.clone()]).unwrap();
    assert!(one.is_same_as(&parse(&[second.clone(), good()]).unwrap()));
    assert!(!one.is_same_as(&parse(&[good()]).unwrap()));
    assert!(
        !parse(&[good()])
            .unwrap()
            .is_same_as(&parse(&[second]).unwrap())
    );
    let exponent = with("e", json!(text(&[3])));
    assert!(
        !parse(&[good()])
            .unwrap()
            .is_same_as(&parse(&[exponent]).unwrap())
    );
}

#[test]
fn bits_are_counted_from_the_first_one() {
    for (number, bits) in [(vec![], 0), (vec![1], 1), (vec![0x80], 8), (vec![1, 0], 9)] {
        assert_eq!(bit_length(&number), bits, "{number:?}");
    }
}

//! Attacks on access tokens.

use std::sync::OnceLock;

use aws_lc_rs::hmac;
use iris_kernel::Timestamp;
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

/// Two key sets for all tests: making RSA keys is slow.
fn rings() -> &'static [(StoredKeys, KeyRing); 2] {
    static RINGS: OnceLock<[(StoredKeys, KeyRing); 2]> = OnceLock::new();
    RINGS.get_or_init(|| {
        [0, 1].map(|_| {
            let stored = StoredKeys::generate(NOW).unwrap();
            let ring = KeyRing::open(&stored).unwrap();
            (stored, ring)
        })
    })
}

fn ours() -> &'static KeyRing {
    &rings()[0].1
}

fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: Uuid::from_u128(1),
        jti: Uuid::from_u128(2),
        iat: NOW.seconds(),
        nbf: NOW.seconds(),
        exp: NOW.seconds() + 3_600,
        tenant: 1,
        kind: "user".to_owned(),
        sid: Some(Uuid::from_u128(3)),
        roles: vec!["nurse".to_owned()],
        permissions: Vec::new(),
        scope: None,
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with any header and claims, properly signed by one of the key sets.
fn forge(by: &KeyRing, header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; by.signer.public_modulus_len()];
    by.signer.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": rings()[0].0.active })
}

fn with(key: &str, value: Value) -> Value {
    let mut all = serde_json::to_value(claims()).unwrap();
    all[key] = value;
    all
}

fn refused(token: &str) -> TokenFault {
    ours().verify(token, NOW).unwrap_err()
}

#[test]
fn an_honest_token_is_read_back() {
    let token = ours().sign(&claims()).unwrap();
    assert_eq!(ours().verify(&token, NOW).unwrap(), claims());
    assert_eq!(ours().verify(&forge(ours(), &header(), &json!(claims())), NOW).unwrap(), claims());
    assert_eq!(ours().signer.public_modulus_len() * 8, 3_072);
}

#[test]
fn time() {
    let token = ours().sign(&claims()).unwrap();
    let at = |seconds: i64| ours().verify(&token, Timestamp(NOW.0 + seconds * 1_000_000));
    assert!(at(3_599).is_ok());
    assert_eq!(at(3_600).unwrap_err(), TokenFault::Expired);
    assert!(at(-CLOCK_SKEW_SECONDS).is_ok());
    assert_eq!(at(-CLOCK_SKEW_SECONDS - 1).unwrap_err(), TokenFault::NotYet);
    let now = NOW.seconds();
    assert_eq!(refused(&forge(ours(), &header(), &with("nbf", json!(now + 3_600)))), TokenFault::NotYet);
    assert_eq!(refused(&forge(ours(), &header(), &with("iat", json!(now + 3_600)))), TokenFault::NotYet);
    assert_eq!(refused(&forge(ours(), &header(), &with("exp", json!(i64::MIN)))), TokenFault::Signature);
    assert_eq!(refused(&forge(ours(), &header(), &with("exp", json!(0)))), TokenFault::Expired);
    assert!(ours().verify(&forge(ours(), &header(), &with("exp", json!("tomorrow"))), NOW).is_err());
}

#[test]
fn algorithm_none_in_every_spelling() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let head = encode(&json!({ "alg": alg, "typ": "JWT", "kid": rings()[0].0.active }));
        for signature in ["", "AA", "bm9uZQ"] {
            assert!(ours().verify(&format!("{head}.{}.{signature}", encode(&json!(claims()))), NOW).is_err(), "{alg}");
        }
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let jwk = &ours().jwks()["keys"][0];
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", jwk["n"].as_str().unwrap());
    for secret in [n, jwk.to_string().into_bytes(), pem.into_bytes(), Vec::new()] {
        let head = json!({ "alg": "HS256", "typ": "JWT", "kid": rings()[0].0.active });
        let signed = format!("{}.{}", encode(&head), encode(&json!(claims())));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        assert_eq!(refused(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))), TokenFault::Algorithm);
    }
}

#[test]
fn another_algorithm_of_the_same_key_is_refused() {
    for alg in ["RS384", "RS512", "PS256", "ES256", "EdDSA"] {
        let head = json!({ "alg": alg, "typ": "JWT", "kid": rings()[0].0.active });
        assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::Algorithm, "{alg}");
    }
}

#[test]
fn keys_that_are_not_ours() {
    let (_, theirs) = &rings()[1];
    assert_eq!(refused(&theirs.sign(&claims()).unwrap()), TokenFault::UnknownKey);
    assert_eq!(refused(&forge(theirs, &header(), &json!(claims()))), TokenFault::Signature, "their key, our kid");
    for kid in [json!("../../etc/passwd"), json!("' OR 1=1 --"), json!("")] {
        let head = json!({ "alg": "RS256", "typ": "JWT", "kid": kid });
        assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::UnknownKey);
    }
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::UnknownKey);
    let jwk = theirs.jwks()["keys"][0].clone();
    let mut head = header();
    head["jwk"] = jwk;
    assert!(ours().verify(&forge(theirs, &head, &json!(claims())), NOW).is_err(), "a key that the token brings along");
}

#[test]
fn issuer_audience_type_and_critical_headers() {
    for (key, value) in [
        ("iss", json!("someone-else")),
        ("iss", json!(null)),
        ("aud", json!("another-api")),
        ("aud", json!(["another-api"])),
        ("aud", json!(null)),
    ] {
        assert_eq!(
            refused(&forge(ours(), &header(), &with(key, value.clone()))),
            TokenFault::Signature,
            "{key} {value}"
        );
    }
    for key in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "tenant", "kind"] {
        let mut all = json!(claims());
        all.as_object_mut().unwrap().remove(key);
        assert!(ours().verify(&forge(ours(), &header(), &all), NOW).is_err(), "{key} is missing");
    }
    let mut head = header();
    head["crit"] = json!(["exp"]);
    assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::Critical);
    let mut head = header();
    head["typ"] = json!("at+jwt");
    assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::Malformed);
}

#[test]
fn every_cut_and_every_flipped_byte_is_noticed() {
    let token = ours().sign(&claims()).unwrap();
    for end in 0..token.len() {
        assert!(ours().verify(&token[..end], NOW).is_err(), "cut at {end}");
    }
    for at in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(ours().verify(&String::from_utf8(bytes).unwrap(), NOW).is_err(), "flipped at {at}");
    }
    for odd in
        [format!("{token}="), format!("{token}."), format!(" {token}"), token.replace('.', ""), "x".repeat(9_000)]
    {
        assert!(ours().verify(&odd, NOW).is_err());
    }
}

#[test]
fn duplicate_claims_are_refused() {
    let text = json!(claims()).to_string();
    let doubled = format!("{},\"tenant\":2}}", text.strip_suffix('}').unwrap());
    let signed = format!("{}.{}", encode(&header()), URL_SAFE_NO_PAD.encode(doubled));
    let mut signature = vec![0; ours().signer.public_modulus_len()];
    ours().signer.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    assert_eq!(refused(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))), TokenFault::Signature);
}

#[test]
fn the_key_set_shows_no_private_part_and_a_changed_one_does_not_open() {
    let (stored, ring) = &rings()[0];
    let jwk = &ring.jwks()["keys"][0];
    let members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!(jwk["kid"].as_str(), Some(stored.active.as_str()));
    let mut changed: Value = serde_json::to_value(stored).unwrap();
    changed["keys"][0]["algorithm"] = json!("HS256");
    assert!(KeyRing::open(&serde_json::from_value(changed).unwrap()).is_err());
    let mut changed: Value = serde_json::to_value(stored).unwrap();
    changed["active"] = json!("gone");
    assert!(KeyRing::open(&serde_json::from_value(changed).unwrap()).is_err());
}

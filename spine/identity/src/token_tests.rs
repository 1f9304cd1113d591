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
            let stored = StoredKeys::generate(KeyAlgorithm::Rs256, NOW).unwrap();
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
    by.signed(&format!("{}.{}", encode(header), encode(claims)))
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
    let n = URL_SAFE_NO_PAD.decode(ours().jwks(NOW)["keys"][0]["n"].as_str().unwrap()).unwrap();
    assert_eq!(n.len() * 8, 3_072);
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
fn attack_algorithm_none_in_every_spelling() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let head = encode(&json!({ "alg": alg, "typ": "JWT", "kid": rings()[0].0.active }));
        for signature in ["", "AA", "bm9uZQ"] {
            assert!(ours().verify(&format!("{head}.{}.{signature}", encode(&json!(claims()))), NOW).is_err(), "{alg}");
        }
    }
}

#[test]
fn attack_algorithm_confusion_the_public_key_as_hmac_secret() {
    let jwk = &ours().jwks(NOW)["keys"][0];
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
fn attack_another_algorithm_of_the_same_key() {
    for alg in ["RS384", "RS512", "PS256", "ES256", "EdDSA"] {
        let head = json!({ "alg": alg, "typ": "JWT", "kid": rings()[0].0.active });
        assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::Algorithm, "{alg}");
    }
}

#[test]
fn attack_wrong_key_and_kid_injection() {
    let (_, theirs) = &rings()[1];
    assert_eq!(refused(&theirs.sign(&claims()).unwrap()), TokenFault::UnknownKey);
    assert_eq!(refused(&forge(theirs, &header(), &json!(claims()))), TokenFault::Signature, "their key, our kid");
    for kid in [json!("../../etc/passwd"), json!("' OR 1=1 --"), json!("")] {
        let head = json!({ "alg": "RS256", "typ": "JWT", "kid": kid });
        assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::UnknownKey);
    }
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    assert_eq!(refused(&forge(ours(), &head, &json!(claims()))), TokenFault::UnknownKey);
    let jwk = theirs.jwks(NOW)["keys"][0].clone();
    let mut head = header();
    head["jwk"] = jwk;
    assert!(ours().verify(&forge(theirs, &head, &json!(claims())), NOW).is_err(), "a key that the token brings along");
}

#[test]
fn attack_foreign_issuer_audience_type_and_critical_headers() {
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
fn attack_cut_flipped_padded_and_oversized() {
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
    // Properly signed by our own key: the longest that is looked at, and the next longer one, which is not.
    let sized = |extra: usize| forge(ours(), &header(), &with("scope", json!("x".repeat(extra))));
    let (mut fits, mut exceeds) = (0, ACCESS_BYTES_MAX);
    while fits + 1 < exceeds {
        let middle = usize::midpoint(fits, exceeds);
        if sized(middle).len() <= ACCESS_BYTES_MAX { fits = middle } else { exceeds = middle }
    }
    assert!(ours().verify(&sized(fits), NOW).is_ok());
    assert_eq!(refused(&sized(exceeds)), TokenFault::TooLong);
}

#[test]
fn attack_duplicate_claims_and_header_members() {
    let text = json!(claims()).to_string();
    let doubled = format!("{},\"tenant\":2}}", text.strip_suffix('}').unwrap());
    let signed = format!("{}.{}", encode(&header()), URL_SAFE_NO_PAD.encode(doubled));
    assert_eq!(refused(&ours().signed(&signed)), TokenFault::Signature);
}

#[test]
fn the_key_set_shows_no_private_part_and_a_changed_one_does_not_open() {
    let (stored, ring) = &rings()[0];
    let jwk = &ring.jwks(NOW)["keys"][0];
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

#[test]
fn attack_keys_and_addresses_of_keys_in_the_header() {
    let (_, theirs) = &rings()[1];
    let jwk = theirs.jwks(NOW)["keys"][0].clone();
    for (name, value) in [
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/chain.pem")),
        ("jwk", jwk),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("nonce", json!("1")),
    ] {
        let mut head = header();
        head[name] = value;
        for by in [ours(), theirs] {
            assert_eq!(refused(&forge(by, &head, &json!(claims()))), TokenFault::Malformed, "{name}");
        }
    }
}

#[test]
fn attack_the_same_header_in_other_letters() {
    let claims = encode(&json!(claims()));
    let kid = &rings()[0].0.active;
    for head in [
        format!(r#"{{"kid":"{kid}","typ":"JWT","alg":"RS256"}}"#),
        format!(r#"{{ "alg":"RS256","kid":"{kid}","typ":"JWT"}}"#),
        format!(r#"{{"alg":"RS256","alg":"none","kid":"{kid}","typ":"JWT"}}"#),
        format!(r#"{{"alg":"none","alg":"RS256","kid":"{kid}","typ":"JWT"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{kid}","kid":"other","typ":"JWT"}}"#),
    ] {
        let token = ours().signed(&format!("{}.{claims}", URL_SAFE_NO_PAD.encode(head)));
        assert_eq!(refused(&token), TokenFault::Malformed);
    }
}

#[test]
fn attack_signature_in_another_encoding() {
    let token = ours().sign(&claims()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let standard = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for other in [format!("{signature}=="), standard, hex, format!("{signature}\n"), String::new()] {
        if other != signature {
            assert!(ours().verify(&format!("{signed}.{other}"), NOW).is_err());
        }
    }
    // A JWE has five parts; what a parser leaves over must not pass.
    assert!(ours().verify(&format!("{token}.{signature}"), NOW).is_err());
    assert!(ours().verify(&format!("{token}.AAAA.BBBB"), NOW).is_err());
}

#[test]
fn every_algorithm_signs_and_verifies_and_none_takes_anothers_signature() {
    let rings = KeyAlgorithm::ALL.map(|algorithm| {
        let stored = StoredKeys::generate(algorithm, NOW).unwrap();
        KeyRing::open(&stored).unwrap()
    });
    for (ring, algorithm) in rings.iter().zip(KeyAlgorithm::ALL) {
        let token = ring.sign(&claims()).unwrap();
        assert_eq!(ring.verify(&token, NOW).unwrap(), claims(), "{algorithm}");
        let jwk = &ring.jwks(NOW)["keys"][0];
        assert_eq!(jwk["alg"], algorithm.name());
        assert!(jwk.get("d").is_none(), "no private part");
        for other in &rings {
            let same = other.jwks(NOW)["keys"][0]["kid"] == jwk["kid"];
            let (body, _) = token.rsplit_once('.').unwrap();
            assert_eq!(ring.verify(&other.signed(body), NOW).is_ok(), same, "{algorithm}");
        }
    }
}

#[test]
fn a_new_key_signs_and_the_old_one_verifies_until_its_last_token_has_run_out() {
    let first = StoredKeys::generate(KeyAlgorithm::EdDsa, NOW).unwrap();
    let old = KeyRing::open(&first).unwrap().sign(&claims()).unwrap();
    let second = first.rotated(KeyAlgorithm::Es256, NOW).unwrap();
    let ring = KeyRing::open(&second).unwrap();
    let new = ring.sign(&claims()).unwrap();
    let at = |seconds: u64| NOW.plus(Duration::from_secs(seconds));
    assert!(ring.verify(&old, at(3_599)).is_ok() && ring.verify(&new, at(3_599)).is_ok());
    assert_eq!(ring.verify(&old, at(3_600)), Err(TokenFault::Expired));
    assert_eq!(ring.verify(&old, NOW.plus(RETIRED_KEEP)), Err(TokenFault::UnknownKey), "the key is gone by then");
    assert_eq!(ring.jwks(at(0))["keys"].as_array().unwrap().len(), 2);
    assert_eq!(ring.jwks(NOW.plus(RETIRED_KEEP))["keys"].as_array().unwrap().len(), 1);
    let active: Vec<_> = ring.list(NOW).into_iter().map(|key| (key.active, key.retired, key.algorithm)).collect();
    assert_eq!(active, [(false, Some(NOW), "EdDSA"), (true, None, "ES256")]);
    let third = second.rotated(KeyAlgorithm::EdDsa, NOW.plus(RETIRED_KEEP)).unwrap();
    assert_eq!(third.keys.len(), 2, "what verifies nothing any more is dropped");
    let mut many = first;
    let refused = (0..KEYS_MAX + 1).find_map(|_| match many.rotated(KeyAlgorithm::EdDsa, NOW) {
        Ok(next) => {
            many = next;
            None
        }
        Err(error) => Some(error),
    });
    assert!(matches!(refused, Some(AccessError::Refused(_))) && many.keys.len() == KEYS_MAX);
}

//! What of a real authenticator's answer must not be changed: each bit of it, and pieces of it at random.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const CHALLENGE: [u8; 32] = [5; 32];

fn field<'a>(json: &'a mut Value, name: &str) -> &'a mut Value {
    &mut json["response"][name]
}

/// A good passkey that an authenticator made, a good proof by it, and what is known of it then.
fn ceremony() -> (Value, Value, NewPasskey) {
    let mut authenticator = iris_testkit::Authenticator::new("phone");
    let challenge = URL_SAFE_NO_PAD.encode(CHALLENGE);
    let user = URL_SAFE_NO_PAD.encode([9; 16]);
    let options = json!({
        "challenge": challenge, "rp": {"id": "iris.test"}, "rpId": "iris.test", "user": {"id": user},
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    });
    let made = authenticator.make(&options, "https://iris.test");
    let site = Site::of("https://iris.test").unwrap();
    let known = Made::parse(made.to_string().as_bytes()).unwrap().verified(&CHALLENGE, &site).unwrap();
    (made, authenticator.show(&options, "https://iris.test"), known)
}

fn made_passes(json: &Value) -> bool {
    let site = Site::of("https://iris.test").unwrap();
    Made::parse(json.to_string().as_bytes()).is_ok_and(|made| made.verified(&CHALLENGE, &site).is_ok())
}

fn shown_passes(json: &Value, known: &NewPasskey) -> bool {
    let site = Site::of("https://iris.test").unwrap();
    let known = Known { key: &known.key, counter: known.counter, eligible: known.eligible };
    Shown::parse(json.to_string().as_bytes()).is_ok_and(|shown| shown.verified(&known, &CHALLENGE, &site).is_ok())
}

/// Bytes of a field changed by `change`, as a browser would send them.
fn changed(json: &Value, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut json = json.clone();
    let text = field(&mut json, name).as_str().unwrap().to_owned();
    let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
    change(&mut bytes);
    *field(&mut json, name) = URL_SAFE_NO_PAD.encode(bytes).into();
    json
}

#[test]
fn attack_every_flipped_bit_of_a_proof_is_refused_and_no_cut_or_flipped_object_makes_it_stumble() {
    let (made, shown, known) = ceremony();
    assert!(made_passes(&made) && shown_passes(&shown, &known));
    for name in ["clientDataJSON", "authenticatorData", "signature"] {
        let length = URL_SAFE_NO_PAD.decode(field(&mut shown.clone(), name).as_str().unwrap()).unwrap().len();
        for bit in 0..length * 8 {
            let flipped = changed(&shown, name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            assert!(!shown_passes(&flipped, &known), "{name} bit {bit}");
        }
        for cut in 0..length {
            assert!(!shown_passes(&changed(&shown, name, |bytes| bytes.truncate(cut)), &known), "{name} cut at {cut}");
        }
    }
    // Nobody signs an object without attestation; what must hold of it all the same is that each is read to its end.
    let length = URL_SAFE_NO_PAD.decode(field(&mut made.clone(), "attestationObject").as_str().unwrap()).unwrap().len();
    for cut in 0..length {
        assert!(!made_passes(&changed(&made, "attestationObject", |bytes| bytes.truncate(cut))), "cut at {cut}");
    }
    for bit in 0..length * 8 {
        made_passes(&changed(&made, "attestationObject", |bytes| bytes[bit / 8] ^= 1 << (bit % 8)));
    }
}

proptest! {
    /// Objects that are nearly good: pieces of one cut out, doubled and overwritten, so that all readers are reached.
    #[test]
    fn nearly_good_objects_make_nothing_stumble(
        edits in prop::collection::vec((any::<u16>(), 0_u8..4, any::<u8>(), 1_usize..40), 1..6),
        of_made in any::<bool>(),
    ) {
        let (made, shown, known) = ceremony();
        let (json, name) = if of_made { (&made, "attestationObject") } else { (&shown, "authenticatorData") };
        let edited = changed(json, name, |bytes| {
            for (at, how, byte, length) in &edits {
                if bytes.is_empty() {
                    return;
                }
                let at = usize::from(*at) % bytes.len();
                let end = (at + length).min(bytes.len());
                match how {
                    0 => bytes[at] = *byte,
                    1 => drop(bytes.drain(at..end)),
                    2 => {
                        let piece = bytes[at..end].to_vec();
                        bytes.splice(at..at, piece);
                    }
                    _ => bytes.insert(at, *byte),
                }
            }
        });
        if of_made {
            made_passes(&edited);
        } else if edited != *json {
            prop_assert!(!shown_passes(&edited, &known));
        }
    }
}

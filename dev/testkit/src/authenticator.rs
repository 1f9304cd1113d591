//! An authenticator and the browser before it, in software: it makes and shows passkeys as WebAuthn level 3 says, and lies where a
//! test wants it to.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_kernel::Timestamp;
use serde_json::{Value, json};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const HAS_CREDENTIAL: u8 = 1 << 6;

/// One passkey and whoever holds it.
pub struct Authenticator {
    key: EcdsaKeyPair,
    /// What the authenticator calls the passkey.
    pub id: Vec<u8>,
    /// Whose it is, as the site said when it was made.
    pub user_handle: Vec<u8>,
    /// How often it was used; each use counts one more. Zero and no steps: it does not count.
    pub counter: u32,
    /// What each use adds to the counter.
    pub step: u32,
    /// Whether the person shows a finger or types a PIN.
    pub verifies: bool,
    /// Further flags (§6.1).
    pub flags: u8,
    /// The site that it signs for, in place of the one it was asked for.
    pub site: Option<String>,
    /// Members that the browser adds to what it says, or says otherwise.
    pub said: Vec<(&'static str, Value)>,
}

impl Authenticator {
    /// An empty one; `name` makes its id.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: digest(&SHA256, name.as_bytes()).as_ref().to_vec(),
            user_handle: Vec::new(),
            counter: 0,
            step: 1,
            verifies: true,
            flags: 0,
            site: None,
            said: Vec::new(),
        }
    }

    /// Makes the passkey that the options ask for, in a page of this origin; what `navigator.credentials.create()` gives, as JSON.
    pub fn make(&mut self, options: &Value, origin: &str) -> Value {
        self.user_handle = URL_SAFE_NO_PAD.decode(options["user"]["id"].as_str().unwrap()).unwrap();
        let client = self.client("webauthn.create", options, origin);
        let point = self.key.public_key().as_ref();
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32];
        key.extend(&point[1..33]);
        key.extend([0x22, 0x58, 32]);
        key.extend(&point[33..]);
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(key);
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.push(0x64);
        object.extend(b"none");
        object.push(0x67);
        object.extend(b"attStmt");
        object.extend([0xa0, 0x68]);
        object.extend(b"authData");
        object.extend([0x58, u8::try_from(data.len()).unwrap()]);
        object.extend(data);
        json!({
            "id": coded(&self.id), "rawId": coded(&self.id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": coded(&client), "attestationObject": coded(&object), "transports": ["internal"],
            },
        })
    }

    /// Shows the passkey; what `navigator.credentials.get()` gives, as JSON.
    pub fn show(&mut self, options: &Value, origin: &str) -> Value {
        self.counter += self.step;
        let client = self.client("webauthn.get", options, origin);
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let signed = [&data[..], digest(&SHA256, &client).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": coded(&self.id), "rawId": coded(&self.id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": coded(&client), "authenticatorData": coded(&data),
                "signature": coded(signature.as_ref()), "userHandle": coded(&self.user_handle),
            },
        })
    }

    fn client(&self, kind: &str, options: &Value, origin: &str) -> Vec<u8> {
        let mut said = json!({
            "type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": false,
        });
        for (name, value) in &self.said {
            said[*name] = value.clone();
        }
        said.to_string().into_bytes()
    }

    fn data(&self, asked: &str, flags: u8) -> Vec<u8> {
        let site = self.site.as_deref().unwrap_or(asked);
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        let mut data = digest(&SHA256, site.as_bytes()).as_ref().to_vec();
        data.push(USER_PRESENT | verified | flags | self.flags);
        data.extend(self.counter.to_be_bytes());
        data
    }
}

fn coded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The code that an authenticator app shows for a secret (base32) at a moment (RFC 6238: SHA-1, 30 seconds, six digits).
#[must_use]
pub fn totp_code(secret: &str, now: Timestamp) -> String {
    let (mut bits, mut key) = (0_u64, Vec::new());
    for (at, letter) in secret.bytes().enumerate() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).unwrap();
        bits = (bits << 5) | value as u64;
        if at % 8 == 7 {
            key.extend(&bits.to_be_bytes()[3..]);
            bits = 0;
        }
    }
    let step = u64::try_from(now.seconds()).unwrap() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 15);
    let word = u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

/// A code that is not the app's at this moment, nor just before or after it.
#[must_use]
pub fn wrong_totp_code(secret: &str, now: Timestamp) -> String {
    let steps = [-30, 0, 30].map(|seconds: i64| totp_code(secret, Timestamp(now.0 + seconds * 1_000_000)));
    (0..4).map(|number| format!("{number:06}")).find(|code| !steps.contains(code)).unwrap()
}

//! What an authenticator and a browser say, checked as WebAuthn level 3 §7.1 and §7.2 ask: for a site, by its challenge, with the
//! person verified. Pure: no clock, no store.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::digest::sha256;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::cbor::Item;
use super::cose::PublicKey;

/// Longest id of a credential (§7.1, step 25).
pub(super) const CREDENTIAL_BYTES_MAX: usize = 1_023;
/// Most ways to reach an authenticator that are remembered.
const TRANSPORTS_MAX: usize = 8;

/// Why something is refused: for the log, and for whoever registers a passkey.
pub(super) type Why = &'static str;

/// Where the pages are, as browsers name it: passkeys belong to a host name and are shown to nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    id: String,
    origin: String,
}

impl Site {
    /// The site of an address that callers use (`https://iris.example`). `None` for one without a name: browsers make no passkeys
    /// for a number. The machine itself is `localhost`.
    #[must_use]
    pub fn of(base_url: &str) -> Option<Self> {
        let (scheme, rest) = base_url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let authority = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority.as_str(), None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let id = match bare.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() => "localhost",
            Ok(_) => return None,
            Err(_) if host.is_empty() => return None,
            Err(_) => host,
        };
        let port = port.filter(|port| !matches!((scheme.as_str(), *port), ("https", "443") | ("http", "80")));
        let origin = match port {
            Some(port) => format!("{scheme}://{id}:{port}"),
            None => format!("{scheme}://{id}"),
        };
        Some(Self { id: id.to_owned(), origin })
    }

    /// The host name (the relying party's id).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin that browsers send.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

/// Bytes in base64url, as WebAuthn's JSON has them.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Coded(Vec<u8>);

impl TryFrom<String> for Coded {
    type Error = base64::DecodeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        URL_SAFE_NO_PAD.decode(text).map(Coded)
    }
}

/// The members that are looked at; browsers send others, and will send more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialJson<R> {
    raw_id: Coded,
    #[serde(rename = "type")]
    kind: String,
    response: R,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MadeJson {
    #[serde(rename = "clientDataJSON")]
    client_data: Coded,
    attestation_object: Coded,
    #[serde(default)]
    transports: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShownJson {
    #[serde(rename = "clientDataJSON")]
    client_data: Coded,
    authenticator_data: Coded,
    signature: Coded,
    #[serde(default)]
    user_handle: Option<Coded>,
}

/// A passkey that an authenticator made (`RegistrationResponseJSON`).
pub(super) struct Made {
    id: Vec<u8>,
    client_data: Vec<u8>,
    attestation: Vec<u8>,
    transports: Vec<String>,
}

/// A passkey that an authenticator shows (`AuthenticationResponseJSON`).
pub(super) struct Shown {
    pub(super) id: Vec<u8>,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
    /// Whose passkey the authenticator takes it for.
    pub(super) user_handle: Option<Vec<u8>>,
}

const SHAPE: Why = "is not what an authenticator answers";

fn parsed<R: for<'de> Deserialize<'de>>(json: &[u8]) -> Result<CredentialJson<R>, Why> {
    let read: CredentialJson<R> = serde_json::from_slice(json).map_err(|_| SHAPE)?;
    if read.kind != "public-key" || read.raw_id.0.is_empty() || read.raw_id.0.len() > CREDENTIAL_BYTES_MAX {
        return Err(SHAPE);
    }
    Ok(read)
}

/// What a browser said it did (`CollectedClientData`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

fn check_client(json: &[u8], kind: &str, challenge: &[u8], site: &Site) -> Result<(), Why> {
    let said: ClientData = serde_json::from_slice(json).map_err(|_| SHAPE)?;
    let wanted = URL_SAFE_NO_PAD.encode(challenge);
    if said.kind != kind {
        Err("is of another ceremony")
    } else if !bool::from(said.challenge.as_bytes().ct_eq(wanted.as_bytes())) {
        Err("answers another challenge")
    } else if said.origin != site.origin || said.cross_origin || said.top_origin.is_some() {
        Err("was made for another site")
    } else {
        Ok(())
    }
}

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// What the authenticator signed (§6.1).
struct AuthenticatorData<'a> {
    flags: u8,
    counter: u32,
    credential: Option<(&'a [u8], Item<'a>, &'a [u8])>,
}

impl<'a> AuthenticatorData<'a> {
    fn read(bytes: &'a [u8]) -> Option<([u8; 32], Self)> {
        let (site, rest) = bytes.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (counter, mut rest) = rest.split_first_chunk::<4>()?;
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (_model, after) = rest.split_at_checked(16)?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let (id, key) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let (item, after) = Item::read(key)?;
            credential = Some((id, item, &key[..key.len() - after.len()]));
            rest = after;
        }
        if flags & HAS_EXTENSIONS != 0 {
            let (Item::Map(_), after) = Item::read(rest)? else { return None };
            rest = after;
        }
        let data = Self { flags: *flags, counter: u32::from_be_bytes(*counter), credential };
        rest.is_empty().then_some((*site, data))
    }

    /// What holds in both ceremonies.
    fn checked(bytes: &'a [u8], site: &Site) -> Result<Self, Why> {
        let (hash, data) = Self::read(bytes).ok_or(SHAPE)?;
        if hash != sha256(&[site.id.as_bytes()]) {
            Err("was made for another site")
        } else if !data.has(USER_PRESENT | USER_VERIFIED) {
            Err("the person was not verified")
        } else if data.has(BACKED_UP) && !data.has(BACKUP_ELIGIBLE) {
            Err(SHAPE)
        } else {
            Ok(data)
        }
    }

    const fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

/// What is stored of a passkey.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewPasskey {
    /// Its id.
    pub(super) id: Vec<u8>,
    /// The public key (COSE).
    pub(super) key: Vec<u8>,
    /// How often it was used, by its own count; 0 for those that do not count.
    pub(super) counter: u32,
    /// Whether it may be copied to the person's other devices.
    pub(super) eligible: bool,
    /// How the authenticator can be reached: words for browsers.
    pub(super) transports: Vec<String>,
}

impl Made {
    /// Reads what a browser sent.
    pub(super) fn parse(json: &[u8]) -> Result<Self, Why> {
        let read: CredentialJson<MadeJson> = parsed(json)?;
        let MadeJson { client_data, attestation_object, mut transports } = read.response;
        transports.truncate(TRANSPORTS_MAX);
        transports.retain(|word| word.len() <= 32 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        Ok(Self { id: read.raw_id.0, client_data: client_data.0, attestation: attestation_object.0, transports })
    }

    /// The passkey, if it is a good answer to the challenge.
    pub(super) fn verified(&self, challenge: &[u8], site: &Site) -> Result<NewPasskey, Why> {
        check_client(&self.client_data, "webauthn.create", challenge, site)?;
        let (object, rest) = Item::read(&self.attestation).ok_or(SHAPE)?;
        let bytes = object.named("authData").and_then(Item::bytes).filter(|_| rest.is_empty()).ok_or(SHAPE)?;
        let data = AuthenticatorData::checked(bytes, site)?;
        let (id, item, raw) = data.credential.as_ref().ok_or(SHAPE)?;
        let key = PublicKey::of(item).ok_or("has a key that is not spoken here")?;
        if *id != self.id.as_slice() {
            return Err(SHAPE);
        }
        let signed = [bytes, &sha256(&[&self.client_data])].concat();
        attested(&object, &key, &signed)?;
        Ok(NewPasskey {
            id: id.to_vec(),
            key: raw.to_vec(),
            counter: data.counter,
            eligible: data.has(BACKUP_ELIGIBLE),
            transports: self.transports.clone(),
        })
    }
}

/// We ask for no attestation, so there is none, or one by the passkey's own key, which says nothing but must fit. What a maker
/// attests would have to be checked against the makers' lists, and is refused rather than believed unseen.
fn attested(object: &Item<'_>, key: &PublicKey<'_>, signed: &[u8]) -> Result<(), Why> {
    const UNASKED: Why = "brings an attestation that nobody asked for";
    let statement = object.named("attStmt").ok_or(SHAPE)?;
    match object.named("fmt") {
        Some(Item::Text("none")) if *statement == Item::Map(Vec::new()) => Ok(()),
        Some(Item::Text("packed")) if statement.named("x5c").is_none() => {
            let algorithm = statement.named("alg").and_then(Item::number);
            let signature = statement.named("sig").and_then(Item::bytes).ok_or(SHAPE)?;
            let fits = algorithm == Some(key.algorithm()) && key.signed(signed, signature);
            if fits { Ok(()) } else { Err("its signature does not fit") }
        }
        _ => Err(UNASKED),
    }
}

/// What is known of a passkey that is shown.
pub(super) struct Known<'a> {
    pub(super) key: &'a [u8],
    pub(super) counter: u32,
    pub(super) eligible: bool,
}

/// What changes of a passkey with each use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) counter: u32,
}

impl Shown {
    /// Reads what a browser sent.
    pub(super) fn parse(json: &[u8]) -> Result<Self, Why> {
        let read: CredentialJson<ShownJson> = parsed(json)?;
        Ok(Self {
            id: read.raw_id.0,
            client_data: read.response.client_data.0,
            authenticator_data: read.response.authenticator_data.0,
            signature: read.response.signature.0,
            user_handle: read.response.user_handle.map(|handle| handle.0),
        })
    }

    /// Whether the owner of the known passkey answers the challenge.
    pub(super) fn verified(&self, known: &Known<'_>, challenge: &[u8], site: &Site) -> Result<Used, Why> {
        check_client(&self.client_data, "webauthn.get", challenge, site)?;
        let data = AuthenticatorData::checked(&self.authenticator_data, site)?;
        let (item, _) = Item::read(known.key).ok_or("is stored with a key that cannot be read")?;
        let key = PublicKey::of(&item).ok_or("is stored with a key that is not spoken here")?;
        let signed = [&self.authenticator_data[..], &sha256(&[&self.client_data])].concat();
        if !key.signed(&signed, &self.signature) {
            return Err("its signature does not fit");
        }
        if data.has(BACKUP_ELIGIBLE) != known.eligible {
            return Err("has become of another kind");
        }
        // Both zero: it does not count (most synchronised passkeys).
        let counts = data.counter != 0 || known.counter != 0;
        if counts && data.counter <= known.counter {
            return Err("its counter went back: there may be a copy of it");
        }
        Ok(Used { counter: data.counter })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_site_is_a_name_and_an_origin_as_browsers_write_them() {
        let cases = [
            ("https://iris.test", Some(("iris.test", "https://iris.test"))),
            ("https://IRIS.test:443/base", Some(("iris.test", "https://iris.test"))),
            ("https://iris.test:8443", Some(("iris.test", "https://iris.test:8443"))),
            ("http://iris.test:80", Some(("iris.test", "http://iris.test"))),
            ("http://localhost:8080", Some(("localhost", "http://localhost:8080"))),
            ("http://127.0.0.1:8080", Some(("localhost", "http://localhost:8080"))),
            ("http://[::1]:8080", Some(("localhost", "http://localhost:8080"))),
            ("https://192.0.2.7", None),
            ("https://[2001:db8::1]:8443", None),
            ("https://", None),
            ("iris.test", None),
        ];
        for (base, expected) in cases {
            let site = Site::of(base);
            assert_eq!(site.as_ref().map(|site| (site.id(), site.origin())), expected, "{base}");
        }
    }

    #[test]
    fn authenticator_data_have_nothing_left_over() {
        let good = [&[7; 32][..], &[USER_PRESENT], &[0, 0, 0, 9]].concat();
        let (_, data) = AuthenticatorData::read(&good).unwrap();
        assert_eq!((data.counter, data.credential.is_none()), (9, true));
        for bad in [&good[..36], &[&good[..], &[0]].concat(), &[][..]] {
            assert!(AuthenticatorData::read(bad).is_none());
        }
        // Flags that promise what is not there.
        for flags in [HAS_CREDENTIAL, HAS_EXTENSIONS] {
            let mut bytes = good.clone();
            bytes[32] |= flags;
            assert!(AuthenticatorData::read(&bytes).is_none());
        }
        let mut extended = good;
        extended[32] |= HAS_EXTENSIONS;
        extended.push(0xa0);
        assert!(AuthenticatorData::read(&extended).is_some());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,100}") {
            let site = Site::of("https://iris.test").unwrap();
            prop_assert!(AuthenticatorData::checked(&bytes, &site).is_err());
            prop_assert!(check_client(text.as_bytes(), "webauthn.get", &bytes, &site).is_err());
            prop_assert!(Made::parse(text.as_bytes()).is_err() && Shown::parse(&bytes).is_err());
        }
    }
}

#[cfg(test)]
#[path = "webauthn_fuzz.rs"]
mod fuzz;

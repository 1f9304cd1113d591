//! The local key provider: one root key in a file beside the data, sealed under a passphrase.
//!
//! The file is text, so that it can be printed and kept in a safe:
//! ```text
//! IRIS root key, version 1
//! derivation argon2id 65536 3 4
//! salt 8f0c…
//! sealed 01a7…
//! ```

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use iris_crypto::passphrase::{Cost, key_from_passphrase};
use iris_crypto::{Aad, OpenError as SealError, SealingKey, derive};
use iris_kernel::{Entropy, Secret};
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::keys::{KeyError, KeyProvider};

const FIRST_LINE: &str = "IRIS root key, version 1";
/// Far above what the format needs; anything longer is some other file.
const FILE_BYTES_MAX: u64 = 4_096;

/// A root key from a local file.
pub struct LocalKey {
    root: Secret<[u8; 32]>,
    wrapping: SealingKey,
    entropy: Arc<dyn Entropy>,
    unprotected: bool,
}

/// Opens the key file, or makes one if there is none and `fresh` says that there is no database yet either.
///
/// # Errors
/// Every reason for which the key cannot be used; nothing was changed.
pub fn open_or_create(
    path: &Path,
    passphrase: Option<&Secret<String>>,
    entropy: Arc<dyn Entropy>,
    fresh: bool,
) -> Result<LocalKey, OpenError> {
    let passphrase = passphrase.map_or("", |secret| secret.expose().as_str());
    match File::open(path) {
        Ok(file) => open(path, file, passphrase, entropy),
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(fault("cannot open", path)(cause)),
        Err(_) if fresh => create(path, passphrase, entropy),
        Err(_) => Err(OpenError::KeyMissing(path.to_owned())),
    }
}

fn create(path: &Path, passphrase: &str, entropy: Arc<dyn Entropy>) -> Result<LocalKey, OpenError> {
    let cost = if passphrase.is_empty() { Cost::NONE } else { Cost::ROOT };
    let (mut root, mut salt, mut nonce) = (Zeroizing::new([0; 32]), [0; 16], [0; 12]);
    entropy.fill(root.as_mut());
    entropy.fill(&mut salt);
    entropy.fill(&mut nonce);
    let sealed = passphrase_key(path, passphrase, &salt, cost)?.seal(nonce, &file_aad(), root.as_ref());
    let Cost { memory_kib, passes, lanes } = cost;
    let text = format!(
        "{FIRST_LINE}\nderivation argon2id {memory_kib} {passes} {lanes}\nsalt {}\nsealed {}\n",
        hex(&salt),
        hex(&sealed)
    );
    // Written apart and renamed: a crash leaves either no key file or a whole one.
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(fault("cannot make the key file", &draft))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fault("cannot write", &draft))?;
    std::fs::rename(&draft, path).map_err(fault("cannot make the key file", path))?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault("cannot flush the folder", folder))?;
    }
    Ok(LocalKey::new(*root, entropy, passphrase.is_empty()))
}

fn open(path: &Path, file: File, passphrase: &str, entropy: Arc<dyn Entropy>) -> Result<LocalKey, OpenError> {
    let meta = file.metadata().map_err(fault("cannot look at", path))?;
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(OpenError::KeyExposed { path: path.to_owned(), mode });
    }
    let damaged = |what| OpenError::KeyFile { path: path.to_owned(), what };
    if meta.len() > FILE_BYTES_MAX {
        return Err(damaged("it is too long"));
    }
    let text = std::io::read_to_string(file).map_err(|_| damaged("it is not text"))?;
    let (cost, salt, sealed) = parse(&text).map_err(damaged)?;
    let root = match passphrase_key(path, passphrase, &salt, cost)?.open(&file_aad(), &sealed) {
        Ok(root) => Zeroizing::new(root),
        Err(SealError::OtherKey) => return Err(OpenError::Passphrase(path.to_owned())),
        Err(_) => return Err(damaged("the sealed key was changed")),
    };
    let root: [u8; 32] = root.as_slice().try_into().map_err(|_| damaged("the sealed key has another length"))?;
    Ok(LocalKey::new(root, entropy, passphrase.is_empty()))
}

fn parse(text: &str) -> Result<(Cost, Vec<u8>, Vec<u8>), &'static str> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("its first line is not the one of a key file that this version knows");
    }
    let mut field = |name: &str| lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let derivation = field("derivation").and_then(|rest| rest.strip_prefix("argon2id ")).ok_or("no derivation")?;
    let numbers: Vec<u32> = derivation.split(' ').map_while(|number| number.parse().ok()).collect();
    let [memory_kib, passes, lanes] = numbers[..] else { return Err("the derivation has no three numbers") };
    let salt = field("salt").and_then(unhex).ok_or("no salt")?;
    let sealed = field("sealed").and_then(unhex).ok_or("no sealed key")?;
    Ok((Cost { memory_kib, passes, lanes }, salt, sealed))
}

fn passphrase_key(path: &Path, passphrase: &str, salt: &[u8], cost: Cost) -> Result<SealingKey, OpenError> {
    let what = "the derivation or the salt is out of range";
    let key = key_from_passphrase(passphrase.as_bytes(), salt, cost)
        .map_err(|_| OpenError::KeyFile { path: path.to_owned(), what })?;
    Ok(SealingKey::new(&Zeroizing::new(key)))
}

fn file_aad() -> Aad {
    Aad::new().bytes(b"root key file")
}

fn wrap_aad(place: &[u8]) -> Aad {
    Aad::new().bytes(b"wrapped key").bytes(place)
}

fn fault(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    let path = path.to_owned();
    move |cause| OpenError::Folder { what, path, cause }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok()).collect()
}

impl LocalKey {
    fn new(root: [u8; 32], entropy: Arc<dyn Entropy>, unprotected: bool) -> Self {
        let wrapping = SealingKey::new(&derive(&root, "wrap"));
        Self { root: Secret::new(root), wrapping, entropy, unprotected }
    }

    /// Whether the file is protected by its mode only, because no passphrase was given. Worth a warning at start.
    #[must_use]
    pub const fn unprotected(&self) -> bool {
        self.unprotected
    }
}

impl KeyProvider for LocalKey {
    fn wrap(&self, clear: &[u8; 32], aad: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut nonce = [0; 12];
        self.entropy.fill(&mut nonce);
        Ok(self.wrapping.seal(nonce, &wrap_aad(aad), clear))
    }

    fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Result<Secret<[u8; 32]>, KeyError> {
        let clear = self.wrapping.open(&wrap_aad(aad), wrapped);
        let clear = Zeroizing::new(clear.map_err(|why| KeyError::Damaged(why.to_string()))?);
        let clear = clear.as_slice().try_into().map_err(|_| KeyError::Damaged("it has another length".into()))?;
        Ok(Secret::new(clear))
    }

    fn derive(&self, label: &str) -> [u8; 32] {
        derive(self.root.expose(), label)
    }
}

impl std::fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalKey(***)")
    }
}

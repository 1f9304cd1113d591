//! Lists of passwords that are known to everybody: from breaches, or because many choose them.
//!
//! A list is one line of text that says what it is, and then the first bytes of the passwords' SHA-1, sorted, so that a lookup is a
//! binary search and a list of fifty million passwords is a file of 400 MB that nobody has to load. SHA-1 because the lists that
//! operators get (Have I Been Pwned) hold nothing else; here it is no protection of anything. The one that is built in comes from
//! the 20,000 most common passwords that Django ships (`cargo xtask passwords`); those shorter than a password may be are left out.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// The list that is built in.
const SHIPPED: &[u8] = include_bytes!("../tables/common-passwords.bin");
/// How every list begins.
const MAGIC: &str = "iris password list 1";
/// Longest first line, in bytes.
const HEADER_BYTES_MAX: usize = 512;
/// Bytes kept of each digest: with fewer, good passwords would be refused by chance; a full digest has 20.
const WIDTHS: std::ops::RangeInclusive<usize> = 5..=8;
/// Bytes kept of each digest in lists of operators.
pub const WIDTH: usize = 8;
/// Most passwords of one list.
pub const ENTRIES_MAX: usize = 50_000_000;
/// Longest line of a source, in bytes.
const LINE_BYTES_MAX: usize = 4_096;

/// Why a list cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not a list, or was cut.
    #[error("this is no list of passwords made by `iris passwords build`, or it was cut")]
    Format,
    /// The source holds more than [`ENTRIES_MAX`].
    #[error("a list has at most {ENTRIES_MAX} passwords; take the most frequent ones")]
    TooMany,
    /// The source holds none.
    #[error("there is no password in it")]
    Empty,
}

/// A list in use.
pub struct PasswordList {
    place: Place,
    start: u64,
    width: usize,
    count: u64,
}

enum Place {
    Memory(&'static [u8]),
    File(File),
}

impl PasswordList {
    /// The list that is built in.
    ///
    /// # Errors
    /// [`ListError::Format`]; a test sees to it that it never is.
    pub fn shipped() -> Result<Self, ListError> {
        Self::of(Place::Memory(SHIPPED), SHIPPED, SHIPPED.len() as u64)
    }

    /// The list in a file.
    ///
    /// # Errors
    /// It cannot be read, or is no list.
    pub fn open(path: &Path) -> Result<Self, ListError> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut head = Vec::new();
        (&file).take(HEADER_BYTES_MAX as u64).read_to_end(&mut head)?;
        Self::of(Place::File(file), &head, length)
    }

    fn of(place: Place, head: &[u8], length: u64) -> Result<Self, ListError> {
        let end = head.iter().take(HEADER_BYTES_MAX).position(|byte| *byte == b'\n').ok_or(ListError::Format)?;
        let line = std::str::from_utf8(&head[..end]).map_err(|_| ListError::Format)?;
        let mut parts = line.split("; ");
        let number = |part: Option<&str>, name: &str| part?.strip_prefix(name)?.trim().parse::<u64>().ok();
        if parts.next() != Some(MAGIC) {
            return Err(ListError::Format);
        }
        let (width, count) = (number(parts.next(), "bytes"), number(parts.next(), "passwords"));
        let (Some(width), Some(count)) = (width, count) else { return Err(ListError::Format) };
        let (start, bytes) = (end as u64 + 1, usize::try_from(width).unwrap_or(0));
        let fits =
            WIDTHS.contains(&bytes) && count.checked_mul(width).and_then(|n| n.checked_add(start)) == Some(length);
        if fits { Ok(Self { place, start, width: bytes, count }) } else { Err(ListError::Format) }
    }

    /// How many passwords it holds.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether a password is on the list. Blocks for a few reads where the list is a file.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn has(&self, password: &str) -> Result<bool, ListError> {
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let wanted = &digest.as_ref()[..self.width];
        let (mut low, mut high) = (0, self.count);
        let mut entry = [0; *WIDTHS.end()];
        let entry = &mut entry[..self.width];
        while low < high {
            let middle = low + (high - low) / 2;
            self.read(middle, entry)?;
            match (*entry).cmp(wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(false)
    }

    fn read(&self, number: u64, entry: &mut [u8]) -> Result<(), ListError> {
        let at = self.start + number * self.width as u64;
        match &self.place {
            Place::File(file) => Ok(file.read_exact_at(entry, at)?),
            Place::Memory(bytes) => {
                let at = usize::try_from(at).map_err(|_| ListError::Format)?;
                entry.copy_from_slice(bytes.get(at..at + self.width).ok_or(ListError::Format)?);
                Ok(())
            }
        }
    }
}

/// Makes a list out of lines that are passwords, or SHA-1 digests in hexadecimal with or without `:count` behind them (as Have I Been
/// Pwned gives them). `keep` chooses among passwords; of digests nobody can say anything. Returns how many the list holds.
///
/// # Errors
/// The source cannot be read, holds none or too many; the list cannot be written.
pub fn build(
    source: impl Read,
    keep: impl Fn(&str) -> bool,
    (width, about): (usize, &str),
    target: &mut impl Write,
) -> Result<u64, ListError> {
    let mut entries = Vec::new();
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut source).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        // What is no UTF-8 was typed in another encoding, and nobody can type it here.
        let Ok(text) = std::str::from_utf8(&line) else { continue };
        let text = text.trim_end_matches(['\r', '\n']);
        match digest_of(text) {
            Some(entry) => entries.push(entry),
            None if text.is_empty() || !keep(text) => {}
            None => entries.push(first_eight(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())),
        }
        if entries.len() > ENTRIES_MAX {
            return Err(ListError::TooMany);
        }
    }
    let width = width.clamp(*WIDTHS.start(), *WIDTHS.end());
    let cut = |entry: &u64| entry >> (8 * (8 - width));
    entries.sort_unstable();
    entries.dedup_by_key(|entry| cut(entry));
    if entries.is_empty() {
        return Err(ListError::Empty);
    }
    let about: String = about.chars().filter(|c| !c.is_control()).take(HEADER_BYTES_MAX / 8).collect();
    writeln!(target, "{MAGIC}; bytes {width}; passwords {}; {about}", entries.len())?;
    for entry in &entries {
        target.write_all(&entry.to_be_bytes()[..width])?;
    }
    target.flush()?;
    Ok(entries.len() as u64)
}

/// A digest as lists of them write it: forty hexadecimal digits, and perhaps how often.
fn digest_of(line: &str) -> Option<u64> {
    let (hex, count) = line.split_once(':').unwrap_or((line, "0"));
    let is_digest = hex.len() == 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest && count.bytes().all(|byte| byte.is_ascii_digit()) {
        u64::from_str_radix(&hex[..16], 16).ok()
    } else {
        None
    }
}

fn first_eight(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(source: &str, width: usize) -> (tempfile::NamedTempFile, PasswordList) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        build(source.as_bytes(), |_| true, (width, "a test"), &mut file).unwrap();
        let list = PasswordList::open(file.path()).unwrap();
        (file, list)
    }

    #[test]
    fn the_built_in_list_knows_what_everybody_chooses() {
        let list = PasswordList::shipped().unwrap();
        assert!(list.count() > 5_000, "{}", list.count());
        for bad in ["password", "password1", "qwertyuiop", "iloveyou1", "football1", "1q2w3e4r", "12345678"] {
            assert!(list.has(bad).unwrap(), "{bad}");
        }
        for good in ["correct horse battery staple", "Zwölf Boxkämpfer jagen", "9vQ!x_72-mm"] {
            assert!(!list.has(good).unwrap(), "{good}");
        }
    }

    #[test]
    fn lists_of_words_and_of_digests_are_one() {
        // SHA-1 of `password`, as Have I Been Pwned writes it.
        let digests =
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:52256179\r\n0000000000000000000000000000000000000000:1\n";
        for width in [5, 8] {
            let (_file, list) = made(digests, width);
            assert_eq!(list.count(), 2);
            assert!(list.has("password").unwrap() && !list.has("Password").unwrap());
        }
        let words: String = (0..2_000).map(|n| format!("word {n}\n")).collect();
        let (_file, list) = made(&format!("{words}\n{words}"), WIDTH);
        assert_eq!(list.count(), 2_000, "each once, and no empty one");
        assert!((0..2_000).all(|n| list.has(&format!("word {n}")).unwrap()) && !list.has("word 2000").unwrap());
    }

    #[test]
    fn what_is_no_list_or_was_cut_is_refused() {
        let (file, _list) = made("one\ntwo\n", WIDTH);
        let good = std::fs::read(file.path()).unwrap();
        for bad in [&good[..good.len() - 1], &good[1..], b"", b"iris password list 1\n", &[0xff; 600][..]] {
            std::fs::write(file.path(), bad).unwrap();
            assert!(matches!(PasswordList::open(file.path()), Err(ListError::Format)));
        }
        assert!(matches!(build(&b"\n\n"[..], |_| true, (8, ""), &mut Vec::new()), Err(ListError::Empty)));
    }
}

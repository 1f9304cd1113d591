//! From files to the texts of single documents, with bounds on what a hostile or broken file can make us hold.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use iris_kernel::Fault;

use super::Place;
use super::files::{Files, Format, format};

/// Largest document (a JSON file or a line of NDJSON) in bytes, after decompression.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;
/// Most bytes that one compressed byte may become. Real bundles stay below 100; a file of zeros reaches 1,000,000.
const EXPANSION_MAX: u64 = 1_000;
/// Below this size a file's expansion is not judged.
const EXPANSION_FREE_BYTES: u64 = 16 << 20;
const BUFFER_BYTES: usize = 256 << 10;

/// One document as read, or why it could not be.
pub(super) struct Document {
    pub(super) place: Place,
    /// How many bytes of all files had been read when it was complete.
    pub(super) position: u64,
    pub(super) text: Result<Vec<u8>, Vec<Fault>>,
}

/// All documents of the files, in order.
pub(super) struct Documents<'a> {
    files: std::slice::Iter<'a, PathBuf>,
    open: Option<Open>,
    read: Arc<AtomicU64>,
    limit: u64,
}

/// A file that is being read.
struct Open {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    format: Format,
    line: u64,
}

impl<'a> Documents<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self { files: files.paths.iter(), open: None, read: Arc::default(), limit: DOCUMENT_BYTES_MAX }
    }

    fn document(&self, place: Place, text: Result<Vec<u8>, String>) -> Document {
        let text = text.map_err(|what| vec![Fault::new("", what)]);
        Document { place, position: self.read.load(Ordering::Relaxed), text }
    }
}

impl Iterator for Documents<'_> {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        loop {
            let Some(mut open) = self.open.take() else {
                let path = self.files.next()?;
                match open_file(path, &self.read) {
                    Ok(open) => self.open = Some(open),
                    Err(error) => {
                        let place = Place { file: path.clone(), line: None };
                        return Some(self.document(place, Err(format!("cannot be read: {error}"))));
                    }
                }
                continue;
            };
            if open.format == Format::Document {
                let text = whole(&mut open.reader, self.limit);
                return Some(self.document(Place { file: open.path, line: None }, text));
            }
            open.line += 1;
            let place = Place { file: open.path.clone(), line: Some(open.line) };
            match line(&mut open.reader, self.limit) {
                Line::End => {}
                Line::Text(text) if text.iter().all(u8::is_ascii_whitespace) => self.open = Some(open),
                Line::Text(text) => {
                    self.open = Some(open);
                    return Some(self.document(place, Ok(text)));
                }
                Line::TooLong => {
                    self.open = Some(open);
                    return Some(self.document(place, Err(too_large(self.limit))));
                }
                // What follows a broken place cannot be told apart any more, so the rest of this file is left.
                Line::Broken(what) => return Some(self.document(place, Err(what))),
            }
        }
    }
}

fn too_large(limit: u64) -> String {
    format!("is larger than {limit} bytes")
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

/// Opens a file through the decompression that its first bytes ask for.
fn open_file(path: &Path, read: &Arc<AtomicU64>) -> io::Result<Open> {
    let format = format(path).unwrap_or(Format::Document);
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: File::open(path)?, all: Arc::clone(read), own: Arc::clone(&taken) };
    let mut source = BufReader::with_capacity(BUFFER_BYTES, counted);
    let start = source.fill_buf()?;
    let reader: Box<dyn BufRead + Send> = if start.starts_with(&[0x1f, 0x8b]) {
        bounded(MultiGzDecoder::new(source), taken)
    } else if start.starts_with(b"BZh") {
        bounded(MultiBzDecoder::new(source), taken)
    } else {
        Box::new(source)
    };
    Ok(Open { path: path.to_owned(), reader, format, line: 0 })
}

fn bounded(decoder: impl Read + Send + 'static, taken: Arc<AtomicU64>) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER_BYTES, Bounded { inner: decoder, taken, given: 0 }))
}

fn whole(reader: &mut dyn BufRead, limit: u64) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    reader.take(limit + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > limit { Err(too_large(limit)) } else { Ok(text) }
}

enum Line {
    Text(Vec<u8>),
    TooLong,
    Broken(String),
    End,
}

fn line(reader: &mut dyn BufRead, limit: u64) -> Line {
    let mut text = Vec::new();
    // One more for the line feed, one more to see that it is too long.
    if let Err(error) = Read::take(&mut *reader, limit + 2).read_until(b'\n', &mut text) {
        return Line::Broken(unreadable(&error));
    }
    if text.is_empty() {
        return Line::End;
    }
    if text.last() == Some(&b'\n') {
        text.pop();
    } else if text.len() as u64 > limit {
        return match reader.skip_until(b'\n') {
            Ok(_) => Line::TooLong,
            Err(error) => Line::Broken(unreadable(&error)),
        };
    }
    if text.len() as u64 > limit { Line::TooLong } else { Line::Text(text) }
}

/// Counts what is read from the disk: for this file, and for all.
struct Counted<R> {
    inner: R,
    all: Arc<AtomicU64>,
    own: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.all.fetch_add(read as u64, Ordering::Relaxed);
        self.own.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Ends a file that expands out of all proportion.
struct Bounded<R> {
    inner: R,
    taken: Arc<AtomicU64>,
    given: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.given += read as u64;
        let allowed = self.taken.load(Ordering::Relaxed).saturating_mul(EXPANSION_MAX).max(EXPANSION_FREE_BYTES);
        if self.given > allowed {
            let what = format!("it expands to more than {EXPANSION_MAX} times its size");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bzip2::write::BzEncoder;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::import::find;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn with(files: &[(&str, &[u8])]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, content) in files {
                std::fs::write(folder.path().join(name), content).unwrap();
            }
            Self(folder)
        }

        /// What is read: `name:line=text`, or `name:line!fault`.
        fn read(&self, limit: u64) -> Vec<String> {
            let files = find(&[self.0.path().to_owned()]).unwrap();
            let mut documents = Documents::new(&files);
            documents.limit = limit;
            documents
                .map(|document| {
                    let name = document.place.file.file_name().unwrap().to_str().unwrap().to_owned();
                    let line = document.place.line.map_or(String::new(), |line| format!(":{line}"));
                    match document.text {
                        Ok(text) => format!("{name}{line}={}", String::from_utf8_lossy(&text)),
                        Err(faults) => format!("{name}{line}!{}", faults[0].what),
                    }
                })
                .collect()
        }
    }

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn bz2(text: &[u8]) -> Vec<u8> {
        let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_packed_documents_and_lines() {
        let packed = [gz(b"{\"b\":1}\n"), gz(b"\n{\"b\":2}")].concat();
        let folder =
            Folder::with(&[("a.json", b"{\"a\":1}"), ("b.ndjson.gz", &packed), ("c.json.bz2", &bz2(b"{\"c\":1}"))]);
        assert_eq!(
            folder.read(100),
            ["a.json={\"a\":1}", "b.ndjson.gz:1={\"b\":1}", "b.ndjson.gz:3={\"b\":2}", "c.json.bz2={\"c\":1}"]
        );
    }

    #[test]
    fn a_misnamed_compression_is_seen_by_its_first_bytes() {
        let folder = Folder::with(&[("a.json", &gz(b"{}"))]);
        assert_eq!(folder.read(100), ["a.json={}"]);
    }

    #[test]
    fn the_limit_holds_at_the_limit_and_one_past_it() {
        let folder =
            Folder::with(&[("a.json", b"12345"), ("b.json", b"123456"), ("c.ndjson", b"12345\n123456\n1234567\n1")]);
        assert_eq!(
            folder.read(5),
            [
                "a.json=12345",
                "b.json!is larger than 5 bytes",
                "c.ndjson:1=12345",
                "c.ndjson:2!is larger than 5 bytes",
                "c.ndjson:3!is larger than 5 bytes",
                "c.ndjson:4=1"
            ]
        );
    }

    #[test]
    fn a_bomb_ends_early_and_the_next_file_is_read() {
        let zeros = vec![b' '; 64 << 20];
        let folder = Folder::with(&[("a.json.bz2", &bz2(&zeros)), ("b.ndjson.gz", &gz(&zeros)), ("c.json", b"{}")]);
        let read = folder.read(DOCUMENT_BYTES_MAX);
        assert_eq!(read[0], "a.json.bz2!cannot be read: it expands to more than 1000 times its size");
        assert_eq!(read[1..].last().unwrap(), "c.json={}");
    }

    #[test]
    fn a_cut_file_is_named_and_the_next_one_read() {
        let whole = gz(&b"{\"text\":\"abcdefghijklmnopqrstuvwxyz\"}\n".repeat(50));
        let folder = Folder::with(&[("a.ndjson.gz", &whole[..whole.len() - 10]), ("b.json", b"{}")]);
        let read = folder.read(1_000);
        assert!(read.iter().any(|line| line.contains("cannot be read")), "{read:?}");
        assert_eq!(read.last().unwrap(), "b.json={}");
    }
}

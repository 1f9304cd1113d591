//! The writing half of the index: one tantivy writer over the sealed folder. Owned by the index thread.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use iris_crypto::sha256;
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_kernel::{Entropy, Secret, Seq};
use iris_search::extract;
use iris_store::Row;
use tantivy::directory::error::OpenReadError;
use tantivy::indexer::IndexWriterOptions;
use tantivy::merge_policy::LogMergePolicy;
use tantivy::{Index, IndexSettings, IndexWriter, TantivyError};

use crate::error::IndexError;
use crate::schema::{FORMAT, Fields};
use crate::sealed::{Health, SealedDirectory};
use crate::segment::Generation;
use crate::source::Source;
use crate::tail::{Entry, Mark};

/// Memory of the one thread that inverts documents: it writes a segment when this is full.
const WRITER_BYTES: usize = 50 << 20;
/// Segments of about one size that are merged into one.
const MERGE_SEGMENTS: usize = 8;
/// Segments of fewer documents than this count as of one size.
const SMALL_SEGMENT_DOCS: u32 = 10_000;
/// A segment of which this share is superseded is merged to give the space back.
const DEAD_SHARE_MAX: f32 = 0.3;

/// Where an index lies and what it needs to be made.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) key: Secret<[u8; 32]>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) store: Arc<dyn Source>,
}

/// An open index.
pub(crate) struct Engine {
    fields: Fields,
    index: Index,
    writer: IndexWriter,
    directory: SealedDirectory,
    /// The last change handed to the writer.
    pub(crate) applied: Seq,
    /// Which row that is; `None` if nothing was applied yet.
    pub(crate) last: Option<Mark>,
    /// The last change in the commit; `None` before the first one.
    committed: Option<Seq>,
    /// Bound into the commit, so that an index is never used over another store, see [`mark`].
    mark: String,
}

impl Engine {
    /// Opens what is there; `None` if nothing usable is: no index, one of another format, of another store, or a damaged
    /// one, each noted in the log.
    pub(crate) fn open_existing(place: &Place) -> Result<Option<Self>, IndexError> {
        if !place.folder.is_dir() {
            return Ok(None);
        }
        match Self::open(place) {
            Ok(mut engine) => match engine.mismatch(place.store.as_ref())? {
                None => Ok(Some(engine)),
                Some(why) => {
                    tracing::info!(why, "the search index does not fit the store and is rebuilt");
                    Ok(None)
                }
            },
            Err(IndexError::Damaged(what)) => {
                tracing::warn!(what, "the search index is damaged and is rebuilt");
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Drops what is there and starts an empty index, with a commit that says that it has nothing: whoever ends before the first
    /// rows are in leaves an index that can be gone on with, and not one that looks damaged.
    pub(crate) fn create(place: &Place) -> Result<Self, IndexError> {
        remove_folder(&place.folder)?;
        let directory = SealedDirectory::open(&place.folder, place.key.expose(), Arc::clone(&place.entropy))?;
        let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let fields = Fields::new();
        let index = Index::create(directory.clone(), fields.schema.clone(), settings)?;
        let mut engine = Self::start(index, fields, directory, None, mark(None))?;
        engine.commit()?;
        Ok(engine)
    }

    fn open(place: &Place) -> Result<Self, IndexError> {
        let directory = SealedDirectory::open(&place.folder, place.key.expose(), Arc::clone(&place.entropy))?;
        let health = Arc::clone(directory.health());
        Self::open_in(directory).map_err(|error| health.damage().map_or(error, IndexError::Damaged))
    }

    fn open_in(directory: SealedDirectory) -> Result<Self, IndexError> {
        let fields = Fields::new();
        let index = Index::open(directory.clone()).map_err(|error| match error {
            TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(path)) => {
                IndexError::Damaged(format!("{} is missing", path.display()))
            }
            other => other.into(),
        })?;
        let payload = index.load_metas()?.payload.unwrap_or_default();
        let parsed = payload.split_once(' ').and_then(|(seq, mark)| Some((seq.parse().ok()?, mark)));
        let Some((applied, mark)) = parsed else {
            return Err(IndexError::Damaged("the last commit names no change of the store".to_owned()));
        };
        if index.schema() != fields.schema {
            return Err(IndexError::Damaged("it has another schema".to_owned()));
        }
        let mark = mark.to_owned();
        Self::start(index, fields, directory, Some(Seq(applied)), mark)
    }

    fn start(
        index: Index,
        fields: Fields,
        directory: SealedDirectory,
        committed: Option<Seq>,
        mark: String,
    ) -> Result<Self, IndexError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .memory_budget_per_thread(WRITER_BYTES)
            .num_merge_threads(1)
            .build();
        let writer: IndexWriter = index.writer_with_options(options)?;
        let mut merging = LogMergePolicy::default();
        merging.set_min_num_segments(MERGE_SEGMENTS);
        merging.set_min_layer_size(SMALL_SEGMENT_DOCS);
        merging.set_del_docs_ratio_before_merge(DEAD_SHARE_MAX);
        writer.set_merge_policy(Box::new(merging));
        // tantivy gives the first operation after an opening the stamp of the last commit. A merge takes a segment whose
        // deletions have that stamp for up to date, so that a deletion with it would be lost. This one deletes nothing: no
        // record is born at 0.
        writer.delete_term(fields.key(Seq(0)));
        let applied = committed.unwrap_or_default();
        Ok(Self { fields, index, writer, directory, applied, last: None, committed, mark })
    }

    /// Why this index does not belong to the store as it is now.
    fn mismatch(&mut self, store: &dyn Source) -> Result<Option<&'static str>, IndexError> {
        if self.applied > store.head() {
            return Ok(Some("it is ahead of the store"));
        }
        self.last = match self.applied {
            Seq(0) => None,
            Seq(applied) => store.feed(Seq(applied - 1), 1)?.first().map(Mark::from),
        };
        Ok((mark(self.last) != self.mark).then_some("it was made by another version or from another store"))
    }

    /// Hands a change to the writer. It is searched for after [`Engine::commit`].
    pub(crate) fn apply(&mut self, entry: &Entry) -> Result<(), IndexError> {
        if entry.born != entry.seq {
            self.writer.delete_term(self.fields.key(entry.born));
        } else if let Some(old) = entry.superseded {
            self.writer.delete_term(self.fields.key(old));
        }
        if let Some(found_by) = &entry.document {
            self.writer.add_document(self.fields.document(entry, found_by)?)?;
        }
        self.applied = entry.seq;
        self.last = Some(entry.mark);
        Ok(())
    }

    /// Commits what was applied. The last change goes into the commit, so that a crash only means catching up from there.
    pub(crate) fn commit(&mut self) -> Result<(), IndexError> {
        self.mark = mark(self.last);
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&format!("{} {}", self.applied.0, self.mark));
        prepared.commit()?;
        self.committed = Some(self.applied);
        Ok(())
    }

    /// Whether something was applied since the last commit, or there is none yet.
    pub(crate) fn has_uncommitted(&self) -> bool {
        self.committed != Some(self.applied)
    }

    /// Opens the last commit for searching.
    pub(crate) fn generation(&self, before: &Generation) -> Result<Generation, IndexError> {
        Generation::open(&self.index, &self.fields, before, self.applied)
    }

    /// Whether a merge has changed the segments since `generation` was opened.
    pub(crate) fn is_stale(&self, generation: &Generation) -> Result<bool, IndexError> {
        let mut now = self.index.searchable_segment_ids()?;
        let mut then = generation.segment_ids();
        now.sort();
        then.sort();
        Ok(now != then)
    }

    /// What reading has found damaged, merges included.
    pub(crate) fn damage(&self) -> Option<String> {
        self.directory.health().damage()
    }

    /// Shared with whoever searches, to be looked at after each search.
    pub(crate) fn health(&self) -> Arc<Health> {
        Arc::clone(self.directory.health())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Merges may still run in threads that nobody can wait for without waiting for them to finish. What they write and
        // delete must not meet the index that is opened here next.
        self.directory.end_writing();
    }
}

/// What ties a commit to the store and to the way documents are made: the row of the last change, and [`ORIGIN`].
fn mark(last: Option<Mark>) -> String {
    let row = last.map_or([0; 32], |row| {
        let (version, at) = (row.version.0.to_be_bytes(), row.at.0.to_be_bytes());
        sha256(&[&row.seq.0.to_be_bytes(), &row.record.0, &version, &at])
    });
    sha256(&[ORIGIN.as_slice(), &row])[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Digest of the layout's format and of every search parameter's definition: a program with others rebuilds the index.
static ORIGIN: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let mut origin = sha256(&[&FORMAT.to_be_bytes()]);
    for kind in definitions().kinds() {
        for param in definitions().params_of(kind) {
            let (kind, index) = (kind.0.to_be_bytes(), param.index.to_be_bytes());
            origin = sha256(&[&origin, &kind, &index, param.code.as_bytes(), b"=", param.expression.as_bytes()]);
        }
    }
    origin
});

/// The change that a row of the feed stands for.
///
/// # Errors
/// [`IndexError::Resource`] if the row of a FHIR kind does not hold a resource.
pub(crate) fn entry_of(row: &Row) -> Result<Entry, IndexError> {
    let is_searched = row.kind.is_fhir() && !row.deleted;
    let document = if is_searched {
        let resource = Resource::parse(row.body.clone())
            .map_err(|error| IndexError::Resource { seq: row.seq.0, reason: error.to_string() })?;
        Some(Box::new(extract(&resource, row.at)))
    } else {
        None
    };
    let (mark, born) = (Mark::from(row), row.born);
    Ok(Entry { tenant: row.tenant, kind: row.kind, seq: row.seq, mark, born, superseded: None, document })
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

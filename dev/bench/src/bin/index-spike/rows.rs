//! A million rows without a database: Synthea's resources over and over, each time about other patients, and demographic
//! patients between them. Every row is made when it is asked for, the same each time.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_index::Source;
use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};
use iris_search::extract;
use iris_store::{Change, Row, StoreError};

use crate::Outcome;

/// Whose rows they are.
pub(crate) const TENANT: Tenant = Tenant::DEFAULT;
/// Every so many-th row is a demographic patient.
const DEMOGRAPHIC_EVERY: usize = 10;

/// A resource as text with holes for ids.
struct Template {
    kind: Kind,
    id: [u8; 16],
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Id([u8; 16]),
}

pub(crate) struct Rows {
    templates: Vec<Template>,
    len: usize,
    /// Rows that the source admits to have.
    shown: AtomicU64,
}

impl Rows {
    /// Reads the bundles of a folder.
    pub(crate) fn load(folder: &Path, len: usize) -> Outcome<Self> {
        let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        files.sort_by_key(std::fs::DirEntry::path);
        let mut templates = Vec::new();
        for file in files {
            let mut text = String::new();
            bzip2::read::MultiBzDecoder::new(std::fs::File::open(file.path())?).read_to_string(&mut text)?;
            let bundle: serde_json::Value = serde_json::from_str(&text)?;
            let entries = bundle["entry"].as_array().ok_or("a bundle without entries")?;
            let mut names = HashMap::new();
            for entry in entries {
                let url = entry["fullUrl"].as_str().unwrap_or_default();
                let name = entry["resource"]["resourceType"].as_str().unwrap_or_default();
                names.insert(url.to_owned(), name.to_owned());
            }
            templates.extend(entries.iter().filter_map(|entry| Template::new(&entry["resource"], &names)));
        }
        Ok(Self { templates, len, shown: AtomicU64::new(0) })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bodies(&self) -> usize {
        self.templates.len()
    }

    /// Lets the source have its first `rows` rows.
    pub(crate) fn show(&self, rows: usize) {
        self.shown.store(rows as u64, Ordering::SeqCst);
    }

    /// Kind, id and body of a row.
    pub(crate) fn resource(&self, row: usize) -> (Kind, [u8; 16], String) {
        if row.is_multiple_of(DEMOGRAPHIC_EVERY) {
            return demographic(row / DEMOGRAPHIC_EVERY);
        }
        let place = row - row / DEMOGRAPHIC_EVERY - 1;
        let (template, round) = (&self.templates[place % self.templates.len()], place / self.templates.len());
        (template.kind, moved(template.id, round), template.body(round))
    }

    /// The row as a change, with its search document made.
    pub(crate) fn change(&self, row: usize) -> Change {
        let (kind, id, body) = self.resource(row);
        let seq = Seq(row as u64 + 1);
        let at = at(row);
        let shadow = Resource::parse(body).ok().map(|resource| Box::new(extract(&resource, at)) as _);
        Change {
            seq,
            tenant: TENANT,
            kind,
            record: RecordId(id),
            version: Version::FIRST,
            at,
            born: seq,
            deleted: false,
            superseded: None,
            shadow,
            row: None,
        }
    }

    fn row_at(&self, row: usize) -> Row {
        let (kind, id, body) = self.resource(row);
        Row {
            seq: Seq(row as u64 + 1),
            tenant: TENANT,
            kind,
            record: RecordId(id),
            version: Version::FIRST,
            at: at(row),
            born: Seq(row as u64 + 1),
            deleted: false,
            head: bytes::Bytes::new(),
            body: body.into(),
        }
    }
}

fn at(row: usize) -> Timestamp {
    Timestamp(1_790_000_000_000_000 + row as i64 * 300)
}

impl Source for Rows {
    fn head(&self) -> Seq {
        Seq(self.shown.load(Ordering::SeqCst))
    }

    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError> {
        let from = usize::try_from(after.0).unwrap_or(usize::MAX);
        let to = usize::try_from(self.head().0).unwrap_or(0).min(from.saturating_add(limit));
        Ok((from..to).map(|row| self.row_at(row)).collect())
    }

    fn row(&self, _: Tenant, seq: Seq) -> Result<Option<Row>, StoreError> {
        Ok(Some(self.row_at(usize::try_from(seq.0 - 1).unwrap_or(0))))
    }
}

impl Template {
    fn new(resource: &serde_json::Value, names: &HashMap<String, String>) -> Option<Self> {
        let kind = kind_of(resource["resourceType"].as_str()?)?;
        let id = uuid(resource["id"].as_str()?)?;
        let text = resource.to_string();
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        // References inside the bundle become `Type/id`; its own id and every other known one move with the round.
        while let Some((before, after)) = rest.split_once("urn:uuid:") {
            let (id_text, tail) = after.split_at_checked(36)?;
            let name = names.get(&format!("urn:uuid:{id_text}"));
            match (name, uuid(id_text)) {
                (Some(name), Some(id)) => {
                    push_text(&mut pieces, &format!("{before}{name}/"));
                    pieces.push(Piece::Id(id));
                }
                _ => push_text(&mut pieces, &format!("{before}urn:uuid:{id_text}")),
            }
            rest = tail;
        }
        push_text(&mut pieces, rest);
        let own = pieces.into_iter().flat_map(|piece| split_own_id(piece, id)).collect();
        Some(Self { kind, id, pieces: own })
    }

    fn body(&self, round: usize) -> String {
        let mut body = String::with_capacity(2_000);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => body.push_str(text),
                Piece::Id(id) => body.push_str(&uuid_text(moved(*id, round))),
            }
        }
        body
    }
}

/// Conditional references (`Practitioner?identifier=…|9999`) become ordinary ones, as an import makes them.
fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("?identifier=") {
        let Some((value, tail)) = after.split_once('"') else { break };
        out.push_str(before);
        out.push_str("/n");
        out.extend(value.rsplit('|').next().unwrap_or_default().chars().take(40));
        out.push('"');
        rest = tail;
    }
    out.push_str(rest);
    pieces.push(Piece::Text(out));
}

fn split_own_id(piece: Piece, id: [u8; 16]) -> Vec<Piece> {
    let Piece::Text(text) = piece else { return vec![piece] };
    let mut pieces = Vec::new();
    for (place, part) in text.split(&uuid_text(id)).enumerate() {
        if place > 0 {
            pieces.push(Piece::Id(id));
        }
        pieces.push(Piece::Text(part.to_owned()));
    }
    pieces
}

/// The id that an id becomes in a later round.
pub(crate) fn moved(mut id: [u8; 16], round: usize) -> [u8; 16] {
    let turn = mix(round as u64).to_be_bytes();
    id.iter_mut().zip(turn).for_each(|(byte, turn)| *byte ^= turn);
    id
}

/// Spreads a number over 64 bits; 0 stays 0.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// One of about 8,000 family names.
pub(crate) fn family(number: usize) -> String {
    const PARTS: [&str; 20] = [
        "ba", "con", "del", "er", "fo", "gar", "hol", "ing", "jen", "kin", "lor", "man", "nor", "ost", "per", "ross",
        "sto", "tan", "vel", "wick",
    ];
    let pick = usize::try_from(mix(number as u64 + 1) % 8_000).unwrap_or(0);
    let name = [PARTS[pick % 20], PARTS[pick / 20 % 20], PARTS[pick / 400 % 20]].concat();
    format!("{}{}", name[..1].to_uppercase(), &name[1..])
}

/// A day between 1930 and 2019.
pub(crate) fn birth_date(number: usize) -> String {
    let pick = mix(number as u64 + 77);
    format!("{}-{:02}-{:02}", 1930 + pick % 90, 1 + pick / 90 % 12, 1 + pick / 1_080 % 28)
}

fn demographic(number: usize) -> (Kind, [u8; 16], String) {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&mix(number as u64 + 1).to_be_bytes());
    id[8..].copy_from_slice(&mix(number as u64 + 1_000_003).to_be_bytes());
    let gender = if number.is_multiple_of(2) { "female" } else { "male" };
    let body = format!(
        r#"{{"resourceType":"Patient","id":"{}","active":true,"identifier":[{{"system":"http://hospital.example/mrn","value":"M{number:08}"}}],"name":[{{"use":"official","family":"{}","given":["Given{}"]}}],"gender":"{gender}","birthDate":"{}"}}"#,
        uuid_text(id),
        family(number),
        number % 500,
        birth_date(number),
    );
    (kind_of("Patient").unwrap_or(Kind(0)), id, body)
}

pub(crate) fn uuid_text(id: [u8; 16]) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let mut id = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(id)
}

//! A row as a value of Redis: its columns, its sealed body, and a code over all of it and its name. Who cannot make that code
//! can put nothing there that counts, and cannot give one row the name of another.

use iris_crypto::MacKey;
use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};

use super::super::life::Life;
use crate::backend::RawRow;
use crate::keys::KeyId;

/// Changes when the layout does, so that releases which differ do not read each other's values.
const LAYOUT: &str = "iris:row1";
const CODE_BYTES: usize = 16;
/// The columns beside the sequence, which is in the name.
const COLUMN_BYTES: usize = 4 + 2 + 16 + 4 + 8 + 8 + 8 + 1 + 8;

/// Under which name a row is kept.
pub(super) fn name(life: &Life, seq: Seq) -> String {
    format!("{LAYOUT}:{life}:{}", seq.0)
}

/// The value for a name.
pub(super) fn write(key: &MacKey, name: &str, row: &RawRow) -> Vec<u8> {
    let mut value = Vec::with_capacity(CODE_BYTES + COLUMN_BYTES + row.body.len());
    value.extend_from_slice(&[0; CODE_BYTES]);
    value.extend_from_slice(&row.tenant.0.to_be_bytes());
    value.extend_from_slice(&row.kind.0.to_be_bytes());
    value.extend_from_slice(&row.record.0);
    value.extend_from_slice(&row.version.0.to_be_bytes());
    value.extend_from_slice(&row.at.0.to_be_bytes());
    value.extend_from_slice(&row.born.0.to_be_bytes());
    value.extend_from_slice(&row.prev.map_or(0, |seq| seq.0).to_be_bytes());
    value.push(u8::from(row.deleted));
    value.extend_from_slice(&row.key.0.to_be_bytes());
    value.extend_from_slice(&row.body);
    let code = key.token(&[name.as_bytes(), &value[CODE_BYTES..]]);
    value[..CODE_BYTES].copy_from_slice(&code);
    value
}

/// The row that a value holds; `None` if it is not what was written under that name.
pub(super) fn read(key: &MacKey, name: &str, seq: Seq, value: &[u8]) -> Option<RawRow> {
    let (code, content) = value.split_first_chunk::<CODE_BYTES>()?;
    // No secret hangs on the time that this takes: whoever can write values can try as many as they like.
    if key.token(&[name.as_bytes(), content]) != *code {
        return None;
    }
    let (columns, body) = content.split_first_chunk::<COLUMN_BYTES>()?;
    let mut rest = &columns[..];
    let row = RawRow {
        seq,
        tenant: Tenant(u32::from_be_bytes(take(&mut rest)?)),
        kind: Kind(u16::from_be_bytes(take(&mut rest)?)),
        record: RecordId(take(&mut rest)?),
        version: Version(u32::from_be_bytes(take(&mut rest)?)),
        at: Timestamp(i64::from_be_bytes(take(&mut rest)?)),
        born: Seq(u64::from_be_bytes(take(&mut rest)?)),
        prev: Some(Seq(u64::from_be_bytes(take(&mut rest)?))).filter(|seq| seq.0 > 0),
        deleted: take::<1>(&mut rest)? != [0],
        key: KeyId(u64::from_be_bytes(take(&mut rest)?)),
        body: body.to_vec(),
    };
    Some(row)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;

    #[test]
    fn a_value_is_the_row_or_nothing() {
        let key = MacKey::new(&[3; 32]);
        let life: Life = "l".into();
        for mut row in [row(7, b"sealed"), row(8, b"")] {
            row.prev = row.prev.filter(|_| row.seq.0 == 7);
            let name = name(&life, row.seq);
            let value = write(&key, &name, &row);
            assert_eq!(read(&key, &name, row.seq, &value), Some(row.clone()));
            for at in 0..value.len() {
                let mut flipped = value.clone();
                flipped[at] ^= 1;
                assert_eq!(read(&key, &name, row.seq, &flipped), None, "byte {at}");
                assert_eq!(read(&key, &name, row.seq, &value[..at]), None, "cut at {at}");
            }
            assert_eq!(read(&key, "another", row.seq, &value), None);
            assert_eq!(read(&MacKey::new(&[4; 32]), &name, row.seq, &value), None);
        }
    }
}

//! Reading a request's body: bounded in bytes before and after decompression, and in time.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use iris_kernel::ErrorKind;
use iris_kernel::limits::BODY_BYTES_MAX;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Largest body, also after decompression, of an endpoint that asks for no token: sign-ins and refreshes are short, and whoever
/// sends more to them is a stranger.
pub const OPEN_BODY_BYTES_MAX: usize = 16 << 10;
/// Longest time in which a body must have arrived.
pub const BODY_SECONDS_MAX: u64 = 120;
/// Bytes of bodies held at the same time by all requests together, in KiB; further ones are told to come back.
pub const BODIES_KIB_MAX: usize = 512 << 10;
/// Bodies up to this size need no place in the common budget: the connection cap bounds them.
const BODY_FREE_BYTES: usize = 16 << 10;

/// The common budget for large bodies.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_KIB_MAX)))
    }
}

/// A body, and its place in the budget for as long as it lives.
#[derive(Debug)]
pub(crate) struct Held {
    /// The bytes, decompressed.
    pub bytes: Bytes,
    _places: Vec<OwnedSemaphorePermit>,
}

impl Budget {
    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let kib = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let place = self.0.clone().try_acquire_many_owned(kib);
        place.map_err(|_| Problem::new(ErrorKind::Unavailable, "too many large requests at once"))
    }
}

/// Reads the whole body.
///
/// # Errors
/// `TooLarge` beyond `bytes_max` before or after decompression, `MediaType` for an encoding that is not gzip, `Malformed`
/// for gzip that is none and for a body that ends early or comes too slowly, `Unavailable` when the common budget is used up.
pub(crate) async fn read(body: Body, headers: &HeaderMap, bytes_max: usize, budget: &Budget) -> Result<Held, Problem> {
    let gzip = match headers
        .get(CONTENT_ENCODING)
        .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase())
    {
        None => false,
        Some(name) if name == "identity" => false,
        Some(name) if name == "gzip" || name == "x-gzip" => true,
        Some(_) => {
            return Err(Problem::at(ErrorKind::MediaType, "Content-Encoding", "only gzip and identity are understood"));
        }
    };
    let length: Option<usize> = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    if length.is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let limit = Duration::from_secs(BODY_SECONDS_MAX);
    let read = tokio::time::timeout(limit, collect(body, length.unwrap_or(0), bytes_max, budget)).await;
    let mut held = read.map_err(|_| Problem::new(ErrorKind::Malformed, "the body did not arrive in time"))??;
    if gzip {
        held = unpack(held, bytes_max, budget.clone()).await?;
    }
    Ok(held)
}

async fn collect(mut body: Body, length: usize, bytes_max: usize, budget: &Budget) -> Result<Held, Problem> {
    let mut places = Vec::new();
    let mut covered = BODY_FREE_BYTES;
    let mut bytes = BytesMut::with_capacity(length.min(BODY_FREE_BYTES));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| Problem::caused(ErrorKind::Malformed, "the body ended early", cause))?;
        let Ok(chunk) = frame.into_data() else { continue };
        if bytes.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        cover(&mut places, &mut covered, bytes.len() + chunk.len(), budget)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(Held { bytes: bytes.freeze(), _places: places })
}

/// Takes places until `bytes` are covered: twice what is there, so that a long body asks few times.
fn cover(
    places: &mut Vec<OwnedSemaphorePermit>,
    covered: &mut usize,
    bytes: usize,
    budget: &Budget,
) -> Result<(), Problem> {
    if bytes > *covered {
        let more = (bytes - *covered).max(*covered).min(BODY_BYTES_MAX);
        places.push(budget.take(more)?);
        *covered += more;
    }
    Ok(())
}

async fn unpack(packed: Held, bytes_max: usize, budget: Budget) -> Result<Held, Problem> {
    let done = crate::blocking::blocking(move || inflate(&packed.bytes, bytes_max, &budget)).await;
    done.map_err(|cause| Problem::caused(ErrorKind::Internal, "decompression failed", cause))?
}

/// Decompresses step by step and stops at the limit, so that a bomb costs no more than the largest honest body.
fn inflate(packed: &[u8], bytes_max: usize, budget: &Budget) -> Result<Held, Problem> {
    let mut decoder = MultiGzDecoder::new(packed);
    let (mut places, mut covered) = (Vec::new(), BODY_FREE_BYTES);
    let mut bytes = Vec::new();
    let mut step = vec![0; 64 << 10];
    loop {
        let read = decoder.read(&mut step);
        let count =
            read.map_err(|cause| Problem::caused(ErrorKind::Malformed, "the body is not gzip, or cut", cause))?;
        if count == 0 {
            return Ok(Held { bytes: bytes.into(), _places: places });
        }
        if bytes.len() + count > bytes_max {
            return Err(too_large(bytes_max));
        }
        cover(&mut places, &mut covered, bytes.len() + count, budget)?;
        bytes.extend_from_slice(&step[..count]);
    }
}

fn too_large(bytes_max: usize) -> Problem {
    let what = format!("a body has at most {bytes_max} bytes here, also after decompression");
    Problem::new(ErrorKind::TooLarge, what)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn read_with(bytes: Vec<u8>, encoding: Option<&'static str>) -> Result<Held, Problem> {
        read_up_to(BODY_BYTES_MAX, bytes, encoding).await
    }

    async fn read_up_to(max: usize, bytes: Vec<u8>, encoding: Option<&'static str>) -> Result<Held, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        read(Body::from(bytes), &headers, max, &Budget::default()).await
    }

    #[tokio::test]
    async fn at_the_limit_and_one_past_it() {
        assert_eq!(read_with(vec![b' '; BODY_BYTES_MAX], None).await.unwrap().bytes.len(), BODY_BYTES_MAX);
        assert_eq!(read_with(vec![b' '; BODY_BYTES_MAX + 1], None).await.unwrap_err().kind, ErrorKind::TooLarge);
    }

    #[tokio::test]
    async fn a_bomb_is_refused_and_honest_gzip_is_read() {
        assert_eq!(read_with(gzip(b"{}"), Some("gzip")).await.unwrap().bytes, "{}");
        let bomb = gzip(&vec![0; BODY_BYTES_MAX + 1]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(read_with(bomb, Some("gzip")).await.unwrap_err().kind, ErrorKind::TooLarge);
        assert_eq!(read_with(b"not gzip".to_vec(), Some("gzip")).await.unwrap_err().kind, ErrorKind::Malformed);
        assert_eq!(read_with(b"{}".to_vec(), Some("br")).await.unwrap_err().kind, ErrorKind::MediaType);
    }

    #[tokio::test]
    async fn a_smaller_limit_holds_after_decompression_too() {
        let read = |bytes: usize| read_up_to(OPEN_BODY_BYTES_MAX, gzip(&vec![0; bytes]), Some("gzip"));
        assert_eq!(read(OPEN_BODY_BYTES_MAX).await.unwrap().bytes.len(), OPEN_BODY_BYTES_MAX);
        assert_eq!(read(OPEN_BODY_BYTES_MAX + 1).await.unwrap_err().kind, ErrorKind::TooLarge);
    }

    async fn whole(budget: &Budget) -> Result<Held, Problem> {
        read(Body::from(vec![b' '; BODY_BYTES_MAX]), &HeaderMap::new(), BODY_BYTES_MAX, budget).await
    }

    #[tokio::test]
    async fn the_common_budget_is_given_back() {
        let budget = Budget::default();
        let mut held = Vec::new();
        let refused = loop {
            match whole(&budget).await {
                Ok(body) => held.push(body),
                Err(problem) => break problem,
            }
        };
        assert_eq!(refused.kind, ErrorKind::Unavailable);
        assert!(held.len() >= 2);
        drop(held);
        assert!(whole(&budget).await.is_ok());
    }
}

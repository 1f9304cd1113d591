//! The network address of a caller, for the access log and for counting failures by source.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use crate::serve::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where the request comes from. Behind a proxy the connection is always the proxy's own, so there the last address of
/// `X-Forwarded-For` counts, which is the one that the proxy itself has seen; those before it anybody may have written.
pub(crate) fn of(parts: &Parts, behind_proxy: bool) -> Option<IpAddr> {
    let peer = || parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
    if behind_proxy { forwarded(&parts.headers).or_else(peer) } else { peer() }
}

fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all(X_FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    let last = line.rsplit(',').next()?.trim();
    let bare = last.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(last);
    bare.parse().ok().or_else(|| last.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_last_address_is_the_one_that_the_proxy_has_seen() {
        let cases: [(&[&str], Option<&str>); 10] = [
            (&[], None),
            (&["192.0.2.7"], Some("192.0.2.7")),
            (&["10.0.0.1, 192.0.2.7"], Some("192.0.2.7")),
            (&["10.0.0.1", "192.0.2.7"], Some("192.0.2.7")),
            (&["192.0.2.7:4711"], Some("192.0.2.7")),
            (&["2001:db8::7"], Some("2001:db8::7")),
            (&["[2001:db8::7]"], Some("2001:db8::7")),
            (&["[2001:db8::7]:4711"], Some("2001:db8::7")),
            (&["192.0.2.7, unknown"], None),
            (&["192.0.2.7,"], None),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
            }
            assert_eq!(forwarded(&headers), expected.map(|text| text.parse().unwrap()), "{lines:?}");
        }
    }
}

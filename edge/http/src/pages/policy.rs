//! What the browser may do for the pages: load from here, and nothing else. No inline script at all; inline style only with the
//! nonce of the response, which the style library puts on the elements that it makes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iris_kernel::Entropy;

/// What stands in `index.html` in the nonce's place.
pub(crate) const NONCE_MARK: &str = "__CSP_NONCE__";
/// Random bytes of a nonce.
const NONCE_BYTES: usize = 16;

/// No page of ours uses any of these, so a script that got in could not either. Passkeys are made and used by our own pages alone.
pub(crate) const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
publickey-credentials-create=(self), publickey-credentials-get=(self), screen-wake-lock=(), usb=(), xr-spatial-tracking=()";

/// A fresh nonce.
pub(crate) fn nonce(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; NONCE_BYTES];
    entropy.fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// The content security policy of a response with this nonce.
pub(crate) fn content(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

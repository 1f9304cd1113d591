//! Signing in: tokens, profiles, keys.

use iris_plain::{Field, Form};

use super::{Object, always, answer, change, input, text};
use crate::auth::{
    CHANGE_PASSWORD, LOGIN, MFA_DISABLE, MFA_VERIFY, NOTHING, PASSKEY_LOGIN, PASSKEY_NAME, PASSKEY_REGISTER,
    PATIENT_LOGIN, PROFILE_CHANGE, REFRESH, REGISTER, RESET_PASSWORD, STEP_UP, VERIFY_EMAIL, VERIFY_RESET,
};

const PROFILE: &[Field] = &[
    always("id", "Id of the user or client."),
    always("username", "Name of the user or client."),
    Field::always("kind", Form::Choice(&["user", "client", "system"]), "What sort of subject it is."),
    Field::always("tenant", Form::Integer, "Number of the tenant."),
    Field::always("roles", Form::Texts, "Roles."),
    Field::always("permissions", Form::Texts, "Permissions."),
    text("scope", "Scopes of a client."),
    text("patient_id", "The own patient record, for patients."),
    text("session_id", "The session."),
    text("display_name", "How colleagues call the person."),
    text("email", "Where messages about the account go."),
    Field::returned("email_verified", Form::Boolean, "Whether the person has proven that address."),
    text("phone", "Where codes go as text messages."),
    Field::returned("language", Form::Choice(&["en", "es"]), "The language of messages, if one was chosen."),
    Field::returned("factors", Form::Texts, "Which second factors the person has: totp, recovery_code, passkey."),
];

const OPEN_SESSIONS: &[Field] = &[Field::always("items", Form::ListOf("OpenSession"), "Newest first.")];

const OPEN_SESSION: &[Field] = &[
    always("id", "The session."),
    Field::always("created_at", Form::Time, "When it began."),
    Field::always("last_used_at", Form::Time, "When it was last used, as far as this node knows."),
    text("address", "The network address from which it began."),
    text("agent", "What the program called itself from which it began."),
    Field::always("factor", Form::Choice(&["password", "two", "passkey", "portal"]), "What was proven."),
    Field::always("current", Form::Boolean, "Whether it is the one that asks."),
    Field::always("ends_at", Form::Time, "When it ends if nobody goes on with it."),
];

/// What a sign-in gives, where it may also give something else.
const SIGNED_IN: [Field; 9] = [
    text("access_token", "The token to send as Authorization: Bearer."),
    text("refresh_token", "Good for one exchange at /api/v1/auth/refresh; absent where it is in the cookie."),
    text("token_type", "Bearer."),
    Field::returned("expires_in", Form::Integer, "Seconds until the access token, or the challenge, expires."),
    Field::returned("session", Form::Named("Session"), "The session."),
    text(
        "device_token",
        "Makes the device known at the next sign-in, in X-IRIS-Device; absent where it is in a cookie.",
    ),
    Field::returned(
        "passkey_offer",
        Form::Boolean,
        "That a passkey should be offered, so that the next sign-in needs no code.",
    ),
    Field::returned("must", Form::Texts, "What has to be done before anything else: mfa_setup or password_change."),
    Field::returned("user", Form::Named("Profile"), "Who signed in."),
];

/// What a sign-in gives, where it gives nothing else.
const TOKENS: &[Field] = &{
    let [_, refresh, _, _, _, device, offer, must, _] = SIGNED_IN;
    [
        always("access_token", "The token to send as Authorization: Bearer."),
        refresh,
        always("token_type", "Bearer."),
        Field::always("expires_in", Form::Integer, "Seconds until the access token expires."),
        Field::always("session", Form::Named("Session"), "The session."),
        device,
        offer,
        must,
        Field::always("user", Form::Named("Profile"), "Who signed in."),
    ]
};

/// What a sign-in gives, and what stands in the place of it.
const fn signed_in_or<const MORE: usize, const ALL: usize>(more: [Field; MORE]) -> [Field; ALL] {
    let mut all = [SIGNED_IN[0]; ALL];
    let mut at = 0;
    while at < ALL {
        all[at] = if at < SIGNED_IN.len() { SIGNED_IN[at] } else { more[at - SIGNED_IN.len()] };
        at += 1;
    }
    all
}

/// The answer to the first step of a sign-in: tokens, or what the second step needs.
const SIGN_IN: &[Field] = &signed_in_or::<3, 12>([
    Field::returned("mfa_required", Form::Boolean, "The first factor fits and is not enough; there are no tokens yet."),
    text("challenge", "What POST /api/v1/auth/mfa/verify takes beside a code; good once."),
    Field::returned("factors", Form::Texts, "With what to go on: totp, recovery_code, passkey."),
]);

/// The answer to a second step: tokens; or recovery codes, where a set-up was confirmed.
const MFA_VERIFIED: &[Field] = &signed_in_or::<1, 10>([Field::returned(
    "recovery_codes",
    Form::Texts,
    "Ten codes, each good once, shown this once.",
)]);

/// The answer to a passkey: what to ask of the authenticator, then tokens.
const PASSKEY_SIGN_IN: &[Field] = &signed_in_or::<2, 11>([
    text("ceremony", "What the end of the ceremony brings back; good once, for five minutes."),
    Field::returned(
        "public_key",
        Form::Open,
        "What the browser asks of the authenticator (WebAuthn level 3, as JSON).",
    ),
]);

const CEREMONY: &[Field] = &[
    always("ceremony", "What the end of the ceremony brings back; good once, for five minutes."),
    Field::always("public_key", Form::Open, "What the browser asks of the authenticator (WebAuthn level 3, as JSON)."),
];

const PASSKEY: &[Field] = &[
    always("id", "The passkey."),
    always("name", "How its owner calls it."),
    Field::always("created_at", Form::Time, "When it was made."),
    Field::returned("last_used_at", Form::Time, "When it was last shown."),
];

const NEW_PASSKEY: &[Field] = &[
    always("id", "The passkey."),
    always("name", "How its owner calls it."),
    Field::always("created_at", Form::Time, "When it was made."),
    Field::returned("recovery_codes", Form::Texts, "With the first factor of an account: ten codes, shown this once."),
];

const PASSKEYS: &[Field] = &[Field::always("items", Form::ListOf("Passkey"), "Oldest first.")];

const MFA: &[Field] = &[
    Field::always("totp", Form::Boolean, "Whether there is an authenticator app."),
    Field::always("recovery_codes_left", Form::Integer, "How many recovery codes are left."),
    Field::always("passkeys", Form::Integer, "How many passkeys there are."),
];

const MFA_SETUP: &[Field] = &[
    always("secret", "To be typed into an authenticator app; shown this once."),
    always("otpauth_uri", "The same for a picture that the app reads."),
];

const SESSION: &[Field] = &[
    always("id", "The session."),
    Field::always("idle_seconds", Form::Integer, "It is over after so many seconds without a refresh."),
    Field::always("expires_at", Form::Time, "When it ends, however often it is refreshed."),
];

const OAUTH_REQUEST: &[Field] = &[
    super::needed("grant_type", "client_credentials."),
    text("client_id", "The client, unless it stands in Authorization: Basic."),
    text("client_secret", "Its secret, unless it stands in Authorization: Basic."),
    text("scope", "Scopes that are wanted; all that the client has where nothing is said."),
];

const OAUTH_TOKEN: &[Field] = &[
    always("access_token", "The token to send as Authorization: Bearer."),
    always("token_type", "Bearer."),
    Field::always("expires_in", Form::Integer, "Seconds until it expires."),
    always("scope", "The scopes granted."),
];

const JWKS: &[Field] = &[Field::always("keys", Form::ListOf("Jwk"), "Public keys (RFC 7517).")];

const ACCEPTED: &[Field] =
    &[Field::always("accepted", Form::Boolean, "True, whatever comes of it: a message follows, or nothing.")];

const PATIENT_LOGIN_ASKED: &[Field] = &[
    always("challenge", "To be shown with the code, if one was sent."),
    Field::always("expires_in", Form::Integer, "Seconds for which a code is good."),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    input("Login", LOGIN),
    input("Refresh", REFRESH),
    input("Register", REGISTER),
    input("VerifyEmail", VERIFY_EMAIL),
    input("ResetPassword", RESET_PASSWORD),
    input("VerifyReset", VERIFY_RESET),
    input("PatientLogin", PATIENT_LOGIN),
    answer("PatientLoginAsked", PATIENT_LOGIN_ASKED),
    answer("Accepted", ACCEPTED),
    input("ChangePassword", CHANGE_PASSWORD),
    input("StepUp", STEP_UP),
    change("ProfileChange", PROFILE_CHANGE),
    answer("OpenSessions", OPEN_SESSIONS),
    answer("OpenSession", OPEN_SESSION),
    answer("Tokens", TOKENS),
    answer("SignIn", SIGN_IN),
    input("Nothing", NOTHING),
    input("MfaVerify", MFA_VERIFY),
    answer("MfaVerified", MFA_VERIFIED),
    input("MfaDisable", MFA_DISABLE),
    answer("Mfa", MFA),
    answer("MfaSetup", MFA_SETUP),
    input("PasskeyRegister", PASSKEY_REGISTER),
    input("PasskeyLogin", PASSKEY_LOGIN),
    input("PasskeyName", PASSKEY_NAME),
    answer("PasskeySignIn", PASSKEY_SIGN_IN),
    answer("Ceremony", CEREMONY),
    answer("NewPasskey", NEW_PASSKEY),
    answer("Passkey", PASSKEY),
    answer("Passkeys", PASSKEYS),
    answer("Session", SESSION),
    answer("Profile", PROFILE),
    input("OAuthTokenRequest", OAUTH_REQUEST),
    answer("OAuthToken", OAUTH_TOKEN),
    answer("Jwks", JWKS),
];

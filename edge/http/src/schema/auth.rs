//! Signing in: tokens, profiles, keys.

use iris_plain::{Field, Form};

use super::{Object, always, answer, input, text};
use crate::auth::{LOGIN, REFRESH};

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
];

const TOKENS: &[Field] = &[
    always("access_token", "The token to send as Authorization: Bearer."),
    text("refresh_token", "Good for one exchange at /api/v1/auth/refresh; absent where it is in the cookie."),
    always("token_type", "Bearer."),
    Field::always("expires_in", Form::Integer, "Seconds until the access token expires."),
    Field::always("session", Form::Named("Session"), "The session."),
    Field::always("user", Form::Named("Profile"), "Who signed in."),
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

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    input("Login", LOGIN),
    input("Refresh", REFRESH),
    answer("Tokens", TOKENS),
    answer("Session", SESSION),
    answer("Profile", PROFILE),
    input("OAuthTokenRequest", OAUTH_REQUEST),
    answer("OAuthToken", OAUTH_TOKEN),
    answer("Jwks", JWKS),
];

//! Signing in: `/api/v1/auth`, `/oauth2/token` and the keys that verify our tokens.

mod asked;
mod change_password;
mod cookie;
mod device;
mod login;
mod logout;
mod me;
mod mfa;
mod oauth_token;
mod passkeys;
mod patient_login;
mod permissions;
mod profile;
mod refresh;
mod register;
mod reset_password;
mod roles;
mod sessions;
mod step_up;
mod users;
mod verify_email;

pub(crate) use asked::language_of;
pub(crate) use change_password::CHANGE_PASSWORD;
pub(crate) use cookie::NAME as COOKIE;
pub(crate) use device::shown as device;
pub(crate) use login::LOGIN;
pub(crate) use mfa::{MFA_DISABLE, MFA_VERIFY, NOTHING};
#[cfg(test)]
pub(crate) use oauth_token::FORM_PAIRS_MAX;
pub(crate) use passkeys::{PASSKEY_LOGIN, PASSKEY_NAME, PASSKEY_REGISTER};
pub(crate) use patient_login::PATIENT_LOGIN;
pub(crate) use profile::PROFILE_CHANGE;
pub(crate) use refresh::REFRESH;
pub(crate) use register::REGISTER;
pub(crate) use reset_password::{RESET_PASSWORD, VERIFY_RESET};
pub(crate) use roles::NEW_ROLE;
pub(crate) use step_up::STEP_UP;
pub(crate) use users::{NEW_GRANT, TAKEN_GRANT};
pub(crate) use verify_email::VERIFY_EMAIL;

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;
use iris_identity::{Keeping, Profile, Tokens};

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        login::endpoint(),
        refresh::endpoint(),
        logout::endpoint(),
        me::endpoint(),
        profile::endpoint(),
        change_password::endpoint(),
        step_up::endpoint(),
        mfa::status_endpoint(),
        mfa::setup_endpoint(),
        mfa::verify_endpoint(),
        mfa::disable_endpoint(),
        passkeys::register_endpoint(),
        passkeys::login_endpoint(),
        passkeys::list_endpoint(),
        passkeys::rename_endpoint(),
        passkeys::remove_endpoint(),
        sessions::list_endpoint(),
        sessions::one_endpoint(),
        sessions::others_endpoint(),
        register::endpoint(),
        verify_email::endpoint(),
        reset_password::ask_endpoint(),
        reset_password::set_endpoint(),
        patient_login::endpoint(),
        permissions::endpoint(),
        roles::list_endpoint(),
        roles::create_endpoint(),
        roles::change_endpoint(),
        roles::delete_endpoint(),
        users::list_endpoint(),
        users::grant_endpoint(),
        users::take_endpoint(),
        oauth_token::endpoint(),
        Endpoint::new(Method::GET, "/.well-known/jwks.json", "Public keys that verify access tokens (RFC 7517)", jwks)
            .needs(Needs::Nothing)
            .gives(&[(200, Some("Jwks"))]),
    ]
}

async fn jwks(call: Call) -> Outcome {
    Ok(Answer::json(StatusCode::OK, call.app.identity.jwks()?.to_string()))
}

/// The answer to a sign-in or refresh. What a browser keeps in its cookie is not in the body, where its scripts could read it.
fn tokens(tokens: &Tokens, keeping: Keeping) -> Answer {
    let mut w = Writer::new();
    w.object().member("access_token", tokens.access.expose());
    if let (Some(refresh), Keeping::Program) = (&tokens.refresh, keeping) {
        w.member("refresh_token", refresh.expose());
    }
    w.member("token_type", "Bearer").key("expires_in").integer(i64::try_from(tokens.expires_in).unwrap_or(i64::MAX));
    if let Some(session) = &tokens.session {
        w.key("session").object().member("id", &session.id.to_string());
        w.key("idle_seconds").integer(i64::try_from(session.idle.as_secs()).unwrap_or(i64::MAX));
        w.member("expires_at", &session.ends.rfc3339()).end();
    }
    if let (Some(device), Keeping::Program) = (&tokens.device, keeping) {
        w.member("device_token", device.expose());
    }
    if tokens.offers_passkey {
        w.key("passkey_offer").bool(true);
    }
    if let Some(must) = tokens.must {
        w.key("must").array().string(must.name()).end();
    }
    w.key("user");
    write_profile(&tokens.profile, &mut w);
    w.end();
    Answer::json(StatusCode::OK, w.finish())
}

/// Who somebody is.
fn write_profile(profile: &Profile, w: &mut Writer) {
    w.object().member("id", &profile.id.to_string()).member("username", &profile.name).member("kind", profile.kind);
    w.key("tenant").integer(i64::from(profile.tenant)).key("roles").array();
    for role in &profile.roles {
        w.string(role);
    }
    w.end().key("permissions").array();
    for permission in &profile.permissions {
        w.string(permission);
    }
    w.end();
    if let Some(scope) = &profile.scope {
        w.member("scope", scope);
    }
    if let Some(patient) = &profile.patient_id {
        w.member("patient_id", patient);
    }
    if let Some(session) = &profile.session_id {
        w.member("session_id", &session.to_string());
    }
    for (name, text) in [("display_name", &profile.display_name), ("email", &profile.email), ("phone", &profile.phone)]
    {
        if let Some(text) = text {
            w.member(name, text);
        }
    }
    if let Some(language) = profile.language {
        w.member("language", language.name());
    }
    if let Some(verified) = profile.email_verified {
        w.key("email_verified").bool(verified);
    }
    if let Some(factors) = &profile.factors {
        w.key("factors").array();
        for factor in factors {
            w.string(factor);
        }
        w.end();
    }
    w.end();
}

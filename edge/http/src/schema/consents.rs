//! Consents, care teams, emergencies, and what a tenant has decided about access.

use iris_plain::{Field, Form};
use iris_records::care_team::CARE_TEAM;
use iris_records::consent::CONSENT;

use super::{NEXT, Object, TOTAL, always, answer, change, input};
use crate::glass::{GLASS_INPUT, GLASS_REVIEW, POLICY_CHANGE};
use crate::plain::REVOKE;

const CONSENT_LIST: &[Field] =
    &[Field::always("items", Form::ListOf("Consent"), "The consents, newest first."), NEXT, TOTAL];

const REVIEW: &[Field] = &[
    always("verdict", "justified or unjustified."),
    always("note", "Why."),
    always("reviewed_by", "Id of who reviewed it."),
    always("reviewed_by_name", "Their name."),
    Field::always("reviewed_at", Form::Time, "When."),
];
const GLASS: &[Field] = &[
    always("id", "Its id; answers under it carry it in X-IRIS-Break-Glass."),
    always("patient_id", "Whose record was opened."),
    always("user_id", "Who opened it."),
    always("username", "Their name."),
    always("reason", "Why."),
    Field::always("opened_at", Form::Time, "When it was opened."),
    Field::always("ends_at", Form::Time, "When it closes, or closed, by itself or by its review."),
    Field::always("open", Form::Boolean, "Whether it is open now."),
    Field::or_null("review", Form::Object(REVIEW), "What somebody else found; null before."),
];
const GLASS_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("BreakGlass"), "The newest first."),
    NEXT,
    Field::always("total", Form::Integer, "How many there are of the state that was asked for."),
];

const POLICY: &[Field] = &[
    always("consent", "opt_out or opt_in."),
    always("care_team", "open or required."),
    Field::always("break_glass_minutes", Form::Integer, "How long a record may stay open in an emergency."),
    Field::always("mfa_roles", Form::Texts, "Roles whose holders need a second factor."),
    Field::always("self_registration", Form::Boolean, "Whether people may make accounts by themselves."),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("Consent", CONSENT),
    input("ConsentInput", CONSENT),
    change("ConsentChange", CONSENT),
    input("ConsentRevoke", REVOKE),
    answer("ConsentList", CONSENT_LIST),
    answer("CareTeam", CARE_TEAM),
    input("CareTeamChange", CARE_TEAM),
    input("BreakGlassInput", GLASS_INPUT),
    input("BreakGlassReview", GLASS_REVIEW),
    answer("BreakGlass", GLASS),
    answer("BreakGlassList", GLASS_LIST),
    answer("AccessPolicy", POLICY),
    change("AccessPolicyChange", POLICY_CHANGE),
];

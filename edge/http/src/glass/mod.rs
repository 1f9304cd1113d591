//! Emergencies: `/api/v1/break-glass`, and what a tenant has decided about access: `/api/v1/admin/policy`.

mod list;
mod open;
mod policy;
mod review;

use iris_access::GlassRecord;
use iris_fhir::json::Writer;
use iris_kernel::Timestamp;

use crate::endpoint::Endpoint;

pub(crate) use open::GLASS_INPUT;
pub(crate) use policy::POLICY_CHANGE;
pub(crate) use review::GLASS_REVIEW;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        open::endpoint(),
        list::list_endpoint(),
        list::read_endpoint(),
        review::endpoint(),
        policy::read_endpoint(),
        policy::change_endpoint(),
    ]
}

/// Writes one; the object stays open.
fn show(glass: &GlassRecord, now: Timestamp, w: &mut Writer) {
    w.object().member("id", &glass.id.to_string()).member("patient_id", &glass.patient);
    w.member("user_id", &glass.user.to_string()).member("username", &glass.user_name);
    w.member("reason", &glass.reason);
    w.member("opened_at", &Timestamp(glass.opened).rfc3339()).member("ends_at", &Timestamp(glass.until).rfc3339());
    w.key("open").bool(glass.is_open(now));
    w.key("review");
    match &glass.review {
        None => {
            w.null();
        }
        Some(review) => {
            w.object().member("verdict", review.verdict.name()).member("note", &review.note);
            w.member("reviewed_by", &review.by.to_string()).member("reviewed_by_name", &review.by_name);
            w.member("reviewed_at", &Timestamp(review.at).rfc3339()).end();
        }
    }
}

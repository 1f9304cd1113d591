//! What must come of a request, worked out from what is promised and from what the route is about.

use iris_access::Role;

use super::promised::{May, Relation, is_bound, label_above, may};

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It was carried out.
    Done,
    /// It was carried out; what is closed to the caller is not in the answer.
    Part,
    /// Answered as if what it is about were not there.
    Hidden,
    /// Nobody does this to themselves.
    Refused,
    /// 403 with the missing permission.
    Denied,
    /// 401.
    Unproven,
}

impl Came {
    pub(super) const LEGEND: [(Self, &str); 6] = [
        (Self::Done, "carried out (or, where the request proves itself by a code or link, answered by that alone)"),
        (
            Self::Part,
            "carried out, and what is closed to them is not in the answer: lists, counts and searches leave it out",
        ),
        (Self::Hidden, "answered exactly as if it were not there"),
        (Self::Refused, "refused, because nobody does this to themselves"),
        (Self::Denied, "403, with the missing permission by name"),
        (Self::Unproven, "401"),
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Done => "yes",
            Self::Part => "part",
            Self::Hidden => "hidden",
            Self::Refused => "self",
            Self::Denied => "no",
            Self::Unproven => "401",
        }
    }
}

/// Whose a record is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A patient's.
    Patient,
    /// A patient's consent, which those who keep consents see whatever it says (ADR 0015).
    Consent,
    /// The same at the desk, where consents do not close the patient to them either.
    Desk,
    /// Nobody's: a directory, a definition.
    Nobody,
}

/// What is done with records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// One of them, or the list behind the path of one patient.
    One,
    /// A list or search that may find it.
    List,
    /// It is replaced by one that refers to the patient.
    Replace,
    /// A new one of the patient is made.
    Into,
    /// A new one of nobody is made.
    New,
}

/// What a route about something else than records is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The caller's tenant as a whole, or what all share.
    Whole,
    /// The installation, which belongs to the first tenant.
    Installation,
    /// A list of the tenant's.
    List,
    /// One thing of the tenant's.
    Thing,
    /// An account that is changed, or decided about.
    Account,
    /// Who has seen a patient's record.
    Disclosures,
    /// Opening a patient's record in an emergency.
    Opening,
    /// Saying what an emergency was.
    Review,
}

/// What a route asks of its caller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Nothing.
    Nothing,
    /// A proof in the body that ends with the session.
    Proof,
    /// A token that counts.
    Token,
    /// A token, and that what is meant is the caller's.
    Mine,
    /// A list of emergencies: all for reviewers, the own ones for others.
    Emergencies(Touch),
    /// This on records.
    Records(&'static str, Of, Touch),
    /// This on something else.
    Other(&'static str, About),
}

/// What must come of it.
pub(super) fn expected(asks: Asks, relation: Relation, role: Role) -> Came {
    if asks == Asks::Nothing {
        return Came::Done;
    }
    let role = match relation {
        Relation::RevokedToken | Relation::NoToken => return Came::Unproven,
        Relation::ExpiredGrant => Role::User,
        _ => role,
    };
    match asks {
        Asks::Nothing | Asks::Proof | Asks::Token => Came::Done,
        Asks::Mine => {
            if relation == Relation::Own {
                Came::Done
            } else {
                Came::Hidden
            }
        }
        Asks::Emergencies(touch) => emergencies(touch, relation, role),
        Asks::Records(what, of, touch) => records((what, of, touch), relation, role),
        Asks::Other(what, about) => other((what, about), relation, role),
    }
}

/// Whether the caller has an emergency of their own in this relation.
pub(super) fn has_emergency(relation: Relation, role: Role) -> bool {
    matches!(relation, Relation::Own | Relation::BreakGlass) && may("break-glass.open", role) == May::Yes
}

const fn unless_seen(touch: Touch, seen: bool) -> Came {
    match (seen, touch) {
        (true, _) => Came::Done,
        (false, Touch::List) => Came::Part,
        (false, _) => Came::Hidden,
    }
}

fn emergencies(touch: Touch, relation: Relation, role: Role) -> Came {
    let reviews = may("break-glass.review", role) == May::Yes && relation != Relation::OtherTenant;
    unless_seen(touch, reviews || has_emergency(relation, role))
}

fn records((what, of, touch): (&str, Of, Touch), relation: Relation, role: Role) -> Came {
    if granted(what, relation, role) == (false, false) {
        return Came::Denied;
    }
    // Whoever writes refers to the patient, whom they must see.
    let patient = || {
        let of = if of == Of::Consent { Of::Patient } else { of };
        of == Of::Nobody || sees("demographics.read", of, relation, role)
    };
    match touch {
        Touch::New => Came::Done,
        // Nobody adds to what is closed to them, though they see it by another rule.
        Touch::Into if patient() && !sees(what, of, relation, role) => Came::Denied,
        Touch::Into => unless_seen(touch, patient()),
        // Nor changes what they see by another rule only.
        Touch::Replace if relation == Relation::Own && !sees(what, of, relation, role) => Came::Denied,
        Touch::Replace => unless_seen(touch, sees(what, of, relation, role) && patient()),
        Touch::One | Touch::List => unless_seen(touch, sees(what, of, relation, role)),
    }
}

/// Whether somebody may on all records, and whether on the own one: in the relation `self` everybody is a patient beside their role.
fn granted(what: &str, relation: Relation, role: Role) -> (bool, bool) {
    let patient = if relation == Relation::Own { Role::Patient } else { role };
    (may(what, role) == May::Yes, may(what, role) == May::Own || may(what, patient) == May::Own)
}

/// Whether somebody who may, may with this record.
pub(super) fn sees(what: &str, of: Of, relation: Relation, role: Role) -> bool {
    let (all, own) = granted(what, relation, role);
    match relation {
        Relation::Own => own || (all && (of == Of::Nobody || !is_bound(what, role))),
        Relation::CareTeam => all,
        Relation::Stranger => all && (of == Of::Nobody || !is_bound(what, role)),
        Relation::ConsentDenied => {
            let keeps = matches!(of, Of::Consent | Of::Desk) && may("consents.keep", role) == May::Yes;
            all && (of == Of::Nobody || keeps)
        }
        // Nothing is above what the administrator sees.
        Relation::LabelDenied => all && role == Role::Admin && label_above(role) == "V",
        Relation::BreakGlass => all && (of == Of::Nobody || has_emergency(relation, role)),
        Relation::OtherTenant | Relation::ExpiredGrant | Relation::RevokedToken | Relation::NoToken => false,
    }
}

fn other((what, about): (&str, About), relation: Relation, role: Role) -> Came {
    let (all, own) = granted(what, relation, role);
    let elsewhere = relation == Relation::OtherTenant;
    if what == "colleagues" && !all {
        return Came::Hidden;
    }
    if !all && !own {
        return Came::Denied;
    }
    match about {
        About::Whole => Came::Done,
        About::Installation => {
            if elsewhere {
                Came::Denied
            } else {
                Came::Done
            }
        }
        About::List => {
            if elsewhere {
                Came::Part
            } else {
                Came::Done
            }
        }
        About::Thing | About::Opening => {
            if elsewhere {
                Came::Hidden
            } else {
                Came::Done
            }
        }
        About::Account => match relation {
            Relation::Own => Came::Refused,
            _ => {
                if elsewhere {
                    Came::Hidden
                } else {
                    Came::Done
                }
            }
        },
        About::Review => match relation {
            Relation::Own if has_emergency(relation, role) => Came::Refused,
            _ => {
                if elsewhere {
                    Came::Hidden
                } else {
                    Came::Done
                }
            }
        },
        // Of a patient of another tenant it shows what people of one's own have tried (`the_log_of_another_tenant_is_not_there`). The
        // log names nobody whom the label closes: it says who looked.
        About::Disclosures => match (all, relation) {
            (true, _) | (false, Relation::Own | Relation::LabelDenied) => Came::Done,
            (false, _) => Came::Hidden,
        },
    }
}

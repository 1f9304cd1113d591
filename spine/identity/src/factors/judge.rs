//! Whether a code fits, and what the record says afterwards. Pure: the callers write what comes of it before anybody hears it.

use std::time::Duration;

use iris_access::AccessError;
use iris_kernel::{Fault, Timestamp};
use uuid::Uuid;

use super::record::FactorsRecord;
use super::ticket::Ticket;
use super::{recovery, totp};

/// A code that somebody typed.
#[derive(Clone, Copy)]
pub enum Code<'a> {
    /// Of the authenticator app.
    App(&'a str),
    /// One of the recovery codes.
    Recovery(&'a str),
}

impl Code<'_> {
    /// What the log says of a proof by it.
    pub(super) const fn how(self) -> &'static str {
        match self {
            Self::App(_) => "by a code of the authenticator app",
            Self::Recovery(_) => "by a recovery code",
        }
    }

    /// What somebody who is signed in hears of a wrong one.
    pub(super) fn wrong(self) -> AccessError {
        let at = match self {
            Self::App(_) => "/code",
            Self::Recovery(_) => "/recovery_code",
        };
        AccessError::Invalid(vec![Fault::new(at, "is wrong, too old or used")])
    }
}

/// What comes of a code.
pub(super) enum Judged {
    /// It fits; this is to be stored before it counts.
    Fits(FactorsRecord),
    /// It does not, and why; this is to be stored before that is said.
    Refused(&'static str, FactorsRecord),
    /// It is not even looked at for so long.
    Wait(Duration),
}

impl FactorsRecord {
    /// Judges a code of `user`, given with this ticket if there is one.
    pub(super) fn judge(&self, user: Uuid, code: Code<'_>, ticket: Option<&Ticket>, now: Timestamp) -> Judged {
        if ticket.is_some_and(|ticket| !self.takes(ticket, now)) {
            return Judged::Refused("the challenge is used up", self.clone());
        }
        let mut next = self.clone();
        let refused = match code {
            // A recovery code cannot be guessed, so its owner need not wait because somebody else guesses the app's.
            Code::Recovery(typed) => match recovery::position(&self.recovery, user, typed) {
                Some(at) => {
                    next.recovery[at].spend(now.0);
                    None
                }
                None => Some("the recovery code is wrong or used"),
            },
            Code::App(typed) => match (&self.totp, self.wait(now)) {
                (_, Some(wait)) => return Judged::Wait(wait),
                (None, None) => Some("there is no authenticator app"),
                (Some(known), None) => match totp::accepted(&known.secret, typed, now, Some(known.last_step)) {
                    Some(step) => {
                        next.totp = Some(super::record::Totp { last_step: step, ..known.clone() });
                        None
                    }
                    None => Some("the code is wrong, too old or used"),
                },
            },
        };
        match refused {
            None => {
                next.proven(ticket, now);
                Judged::Fits(next)
            }
            Some(why) => {
                next.failed(ticket, now);
                Judged::Refused(why, next)
            }
        }
    }

    /// Judges the first code of an app that is being set up.
    pub(super) fn judge_first(&self, typed: &str, now: Timestamp) -> Judged {
        if let Some(wait) = self.wait(now) {
            return Judged::Wait(wait);
        }
        let mut next = self.clone();
        let pending = self.pending.as_ref().filter(|pending| now.0 < pending.until);
        let Some(pending) = pending else {
            return Judged::Refused("no set-up is waiting for a code", next);
        };
        match totp::accepted(&pending.secret, typed, now, None) {
            Some(step) => {
                let secret = pending.secret.clone();
                next.totp = Some(super::record::Totp { secret, last_step: step, created: now.0 });
                next.pending = None;
                next.proven(None, now);
                next.changed();
                Judged::Fits(next)
            }
            None => {
                next.failed(None, now);
                Judged::Refused("the code is wrong or too old", next)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use iris_kernel::Secret;
    use iris_testkit::SeededEntropy;

    use super::super::record::{CODE_FAILURES_FREE, Totp};
    use super::super::totp::tests::code;
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
    const USER: Uuid = Uuid::from_u128(5);

    fn with_app() -> (FactorsRecord, String) {
        let secret = totp::generate(&SeededEntropy::new(3));
        let shown = totp::base32(&secret).expose().clone();
        let totp = Some(Totp { secret, last_step: 0, created: 0 });
        (FactorsRecord { totp, ..FactorsRecord::default() }, shown)
    }

    fn fits(judged: Judged) -> FactorsRecord {
        match judged {
            Judged::Fits(next) => next,
            Judged::Refused(why, _) => panic!("{why}"),
            Judged::Wait(wait) => panic!("{wait:?}"),
        }
    }

    fn refused(judged: Judged) -> FactorsRecord {
        match judged {
            Judged::Refused(_, next) => next,
            _ => panic!("not refused"),
        }
    }

    #[test]
    fn attack_replay_a_code_opens_once() {
        let (record, secret) = with_app();
        let typed = code(&secret, NOW);
        let next = fits(record.judge(USER, Code::App(&typed), None, NOW));
        refused(next.judge(USER, Code::App(&typed), None, NOW));
        let later = NOW.plus(Duration::from_secs(30));
        refused(next.judge(USER, Code::App(&typed), None, later));
        fits(next.judge(USER, Code::App(&code(&secret, later)), None, later));
    }

    #[test]
    fn attack_guessing_stops_the_app_and_not_the_recovery_codes() {
        let (mut record, secret) = with_app();
        let (shown, stored) = recovery::generate(USER, &SeededEntropy::new(4));
        record.recovery = stored;
        for guess in 0..CODE_FAILURES_FREE {
            record = refused(record.judge(USER, Code::App(&format!("{guess:06}")), None, NOW));
        }
        let right = code(&secret, NOW);
        assert!(matches!(record.judge(USER, Code::App(&right), None, NOW), Judged::Wait(_)));
        let next = fits(record.judge(USER, Code::Recovery(shown[0].expose()), None, NOW));
        assert_eq!(next.recovery_left(), 9);
        refused(next.judge(USER, Code::Recovery(shown[0].expose()), None, NOW));
        fits(next.judge(USER, Code::App(&right), None, NOW));
    }

    #[test]
    fn attack_code_for_a_factor_that_is_not_there_or_not_confirmed() {
        let (record, secret) = with_app();
        let typed = code(&secret, NOW);
        refused(FactorsRecord::default().judge(USER, Code::App(&typed), None, NOW));
        refused(FactorsRecord::default().judge(USER, Code::Recovery("aaaaaa-aaaaaa-aaaaaa-aaaaaa"), None, NOW));
        let pending = super::super::record::Pending {
            secret: Secret::new(*record.totp.unwrap().secret.expose()),
            until: NOW.0 + 1,
        };
        let pending = FactorsRecord { pending: Some(pending), ..FactorsRecord::default() };
        refused(pending.judge(USER, Code::App(&typed), None, NOW));
        refused(pending.judge_first(&typed, Timestamp(NOW.0 + 1)));
        let confirmed = fits(pending.judge_first(&typed, NOW));
        assert!(confirmed.any() && confirmed.pending.is_none());
        refused(confirmed.judge(USER, Code::App(&typed), None, NOW));
        refused(confirmed.judge_first(&typed, NOW));
    }
}

//! A patient signs in to their own record: id, date of birth, and a one-time code that goes to the telephone or address in the record.
//!
//! In which order things are compared is chosen so that nobody learns anything by asking. The question is stored as it was typed
//! and answered alike for every id. Later, elsewhere, a code is sent only if the date of birth is that of the record: so a wrong one
//! costs a patient no message. At the sign-in the code is compared first, with the same work and the same writes whether there is
//! one or not; the record is looked at only after the code was right, and the date of birth is compared once more.

use std::time::Duration;

use iris_audit::{Action, Actor, Outcome};
use iris_fhir::definitions as names;
use iris_kernel::{Secret, Tenant, Timestamp};
use iris_store::{ClaimExpect, Row, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::beginning::Beginning;
use crate::identity::Identity;
use crate::kinds;
use crate::login::Login;
use crate::messages::{
    Birth, EmailAddress, Flood, Language, Message, PhoneNumber, Prepared, Question, Ready, To, What, code_text,
};
use crate::records::{self, Stamp, Stored, UserRecord};
use crate::sessions::Keeping;
use crate::views::Tokens;
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Factor, Origin, Role};

/// How long a code is good.
pub const CODE_LIFE: Duration = Duration::from_secs(600);
/// Digits of a code.
pub const CODE_DIGITS: usize = 8;
/// How often one code may be tried. With [`CODES_MAX`] codes at once and few messages an hour, a guesser has some thirty tries a day
/// at a hundred million codes.
pub const CODE_TRIES_MAX: u32 = 5;
/// Most codes of one patient that are good at the same time. A new one replaces none: who asks in a patient's name must not spoil
/// the code that the patient is about to type.
const CODES_MAX: usize = 3;
/// Longest id of a patient, in characters (R4 `id`).
const PATIENT_ID_CHARS_MAX: usize = 64;
/// How many records take the writes about patients that are not there.
const DECOYS: u8 = 64;

/// What the asker gets in answer, whoever they asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortalAsked {
    /// To be shown with the code.
    pub challenge: Uuid,
    /// How long a code is good.
    pub life: Duration,
}

/// What is shown to sign in.
#[derive(Debug)]
pub struct PortalProof {
    /// Id of the Patient.
    pub patient: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth: String,
    /// The code.
    pub code: Secret<String>,
    /// The answer to the question; the newest one's where absent.
    pub challenge: Option<Uuid>,
}

/// The codes of one patient that are good, as stored. The codes themselves are derived.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct PortalRecord {
    live: Vec<Live>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Live {
    challenge: Uuid,
    expires: i64,
    tries: u32,
}

impl PortalRecord {
    /// Whether no code of it is good any more.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.live.iter().all(|live| live.expires <= now.0)
    }
}

/// A code that is to be good from now on.
pub(crate) struct Opened {
    name: String,
    row: Option<Row>,
    next: PortalRecord,
}

impl Opened {
    /// Adds it to the write set.
    ///
    /// # Errors
    /// A defect of ours.
    pub(crate) fn put(&self, tx: &mut Tx, stamp: Stamp) -> Result<(), AccessError> {
        records::put_again(tx, stamp, (kinds::PORTAL, &self.name), self.row.as_ref(), &self.next)
    }
}

impl Identity {
    /// Takes in that somebody wants to see the record of a patient. Every id gets an answer of the same kind.
    ///
    /// # Errors
    /// [`AccessError::TooMany`]
    pub async fn portal_ask(
        &self,
        tenant: Option<Tenant>,
        (patient, birth): (&str, &str),
        language: Language,
        origin: &Origin,
    ) -> Result<PortalAsked, AccessError> {
        let patient: String = patient.chars().take(PATIENT_ID_CHARS_MAX + 1).collect();
        let asked = PortalAsked { challenge: self.entropy.uuid(), life: CODE_LIFE };
        let question = Question {
            tenant: self.asked_tenant(tenant),
            named: &[b"portal\0", patient.as_bytes()],
            action: Action::PortalAsk,
            typed: "",
            resource: Some(format!("Patient/{patient}")),
        };
        if self.question_counts(&question, origin)? {
            let birth = Birth(birth.chars().take(10).collect());
            let what = What::Portal { patient: patient.clone(), birth, challenge: asked.challenge };
            self.question_keep(&question, (self.entropy.uuid(), what), language, origin).await?;
        }
        Ok(asked)
    }

    /// The message with the code, if the date of birth is that of the record and the record says where it can go.
    pub(crate) fn portal_prepare(
        &self,
        tenant: Tenant,
        (patient, birth, challenge): (&str, &Birth, Uuid),
        message: &Message,
        now: Timestamp,
    ) -> Result<Prepared, AccessError> {
        let Some(person) = self.person(tenant, patient)? else { return Ok(Prepared::Drop("there is no such patient")) };
        if !person.born_on(&birth.0) {
            return Ok(Prepared::Drop("the date of birth is another one"));
        }
        let carriers = self.messages.carriers.read().clone();
        if carriers.mailer.is_none() && carriers.texter.is_none() {
            tracing::warn!("a code was asked for and none can be sent: neither IRIS_SMTP_URL nor IRIS_SMS_URL is set");
        }
        let phone = person.phone(now).filter(|_| carriers.texter.is_some()).map(To::Phone);
        let email = || person.email(now).filter(|_| carriers.mailer.is_some()).map(To::Email);
        let Some(to) = phone.or_else(email) else {
            return Ok(Prepared::Drop("the record names nowhere that a code could be sent to"));
        };
        let until = Timestamp(message.asked).plus(CODE_LIFE);
        let name = format!("p/{patient}");
        let row = self.store.current(tenant, kinds::PORTAL, &name)?;
        let mut next = records::read::<PortalRecord>(row.clone())?.map(|before| before.value).unwrap_or_default();
        next.live.retain(|live| now.0 < live.expires);
        if message.tries > 0 && !next.live.iter().any(|live| live.challenge == challenge) {
            return Ok(Prepared::Drop("the code was used already"));
        }
        if message.tries == 0 && next.live.len() >= CODES_MAX {
            return Ok(Prepared::Drop("the patient has codes enough"));
        }
        next.live.push(Live { challenge, expires: until.0, tries: 0 });
        let code = self.portal_code(tenant, patient, challenge);
        let language = person.language().unwrap_or(message.language);
        let (subject, text) = code_text(language, code.expose(), CODE_LIFE);
        let code = Some(Opened { name, row, next });
        let resource = Some(format!("Patient/{patient}"));
        Ok(Prepared::Ready(Box::new(Ready {
            to,
            subject,
            text,
            flood: Flood::Limited,
            token: None,
            code,
            resource,
            until,
        })))
    }

    /// The one code of this question.
    fn portal_code(&self, tenant: Tenant, patient: &str, challenge: Uuid) -> Secret<String> {
        let parts: [&[u8]; 4] =
            [b"iris/portal-code", &tenant.0.to_be_bytes(), challenge.as_bytes(), patient.as_bytes()];
        let mac = self.messages.codes.mac(&parts);
        let number = u64::from_be_bytes(*mac.first_chunk().unwrap_or(&[0; 8])) % 10_u64.pow(CODE_DIGITS as u32);
        Secret::new(format!("{number:0CODE_DIGITS$}"))
    }

    /// Signs a patient in to their own record. A code is spent by being right, and dead after [`CODE_TRIES_MAX`] tries. Where the
    /// patient's portal has a second factor, the code gives a challenge and nothing else, as a password does.
    ///
    /// # Errors
    /// [`AccessError::Portal`], the same for everything that is not right; [`AccessError::Refused`] after a right code where the patient
    /// has an account with a second factor, which must be used; [`AccessError::TooMany`].
    pub async fn portal_login(
        &self,
        tenant: Option<Tenant>,
        proof: &PortalProof,
        keeping: Keeping,
        origin: &Origin,
    ) -> Result<Login, AccessError> {
        let tenant = self.asked_tenant(tenant);
        let patient: String = proof.patient.chars().take(PATIENT_ID_CHARS_MAX + 1).collect();
        let attempt = self.attempt(tenant, &format!("portal\0{patient}"), origin);
        self.wait(&attempt)?;
        let challenge = self.portal_try(tenant, &patient, proof.challenge).await?;
        // A code is derived in any case; for a question that was never asked it fits nothing.
        let code = self.portal_code(tenant, &patient, challenge.unwrap_or(Uuid::nil()));
        let fits = bool::from(code.expose().as_bytes().ct_eq(proof.code.expose().as_bytes()));
        let open = self.tenant_admits(tenant, self.clock.now().0)?;
        let refused = match challenge.filter(|_| fits && open) {
            None => "the code is wrong, used, too old, or was never sent",
            Some(challenge) => match self.person(tenant, &patient)?.filter(|person| person.born_on(&proof.birth)) {
                None => "the date of birth is another one",
                Some(_) if self.portal_spend(tenant, &patient, challenge).await? => {
                    self.throttle.succeeded(&attempt);
                    return self.portal_enter(tenant, &patient, (keeping, origin)).await;
                }
                Some(_) => "the code was used at the same time",
            },
        };
        self.throttle.failed(&attempt, self.clock.now());
        let what =
            Happened::new(Action::PortalRefuse, Outcome::Denied, Some(format!("Patient/{patient}"))).because(refused);
        self.audit.record(self.event(tenant, Actor::unknown(""), what, origin)).await?;
        Err(AccessError::Portal)
    }

    /// Lets somebody in who has shown the code: as far as one factor goes.
    async fn portal_enter(
        &self,
        tenant: Tenant,
        patient: &str,
        (keeping, origin): (Keeping, &Origin),
    ) -> Result<Login, AccessError> {
        if self.is_guarded(tenant, patient)? {
            let what = Happened::new(Action::PortalRefuse, Outcome::Denied, Some(format!("Patient/{patient}")))
                .because("the patient has an account with a second factor");
            self.audit.record(self.event(tenant, Actor::unknown(""), what, origin)).await?;
            return Err(AccessError::Refused("this record has an account with a second factor: sign in with that one"));
        }
        let user = self.portal_account(tenant, patient, origin).await?;
        let beginning = Beginning { keeping, factor: Factor::Portal, origin };
        match self.first_factor_fits(tenant, user, beginning).await? {
            Login::Done(tokens) => Ok(Login::Done(Box::new(Tokens { offers_passkey: true, ..*tokens }))),
            asked @ Login::Challenge(_) => Ok(asked),
        }
    }

    /// Counts a try before anything is compared, so that many at once are not more than allowed. Gives the question whose code is
    /// meant, if it still has a try. Where there is none, a decoy is written in the same way.
    async fn portal_try(
        &self,
        tenant: Tenant,
        patient: &str,
        meant: Option<Uuid>,
    ) -> Result<Option<Uuid>, AccessError> {
        let mut draw = [0];
        self.entropy.fill(&mut draw);
        for _ in 0..TRIES_MAX {
            let now = self.clock.now();
            let real = format!("p/{patient}");
            let row = self.store.current(tenant, kinds::PORTAL, &real)?;
            let good = |live: &&mut Live| {
                now.0 < live.expires && live.tries < CODE_TRIES_MAX && meant.is_none_or(|meant| meant == live.challenge)
            };
            let mut next = records::read::<PortalRecord>(row.clone())?.map(|before| before.value).unwrap_or_default();
            let found = next.live.iter_mut().rfind(good).map(|live| {
                live.tries += 1;
                live.challenge
            });
            let (name, row, next) = match found {
                Some(_) => (real, row, next),
                None => {
                    let name = format!("d/{}", draw[0] % DECOYS);
                    let row = self.store.current(tenant, kinds::PORTAL, &name)?;
                    let live = Live { challenge: self.entropy.uuid(), expires: now.0, tries: 1 };
                    (name, row, PortalRecord { live: vec![live] })
                }
            };
            let mut tx = self.store.begin(tenant);
            records::put_again(&mut tx, self.stamp(Uuid::nil()), (kinds::PORTAL, &name), row.as_ref(), &next)?;
            if let Try::Done = commit(tx).await? {
                return Ok(found);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Spends a code; no if somebody else just did.
    async fn portal_spend(&self, tenant: Tenant, patient: &str, challenge: Uuid) -> Result<bool, AccessError> {
        let name = format!("p/{patient}");
        for _ in 0..TRIES_MAX {
            let row = self.store.current(tenant, kinds::PORTAL, &name)?;
            let Some(before) = records::read::<PortalRecord>(row)? else { return Ok(false) };
            let mut next = before.value.clone();
            next.live.retain(|live| live.challenge != challenge);
            if next.live.len() == before.value.live.len() {
                return Ok(false);
            }
            let mut tx = self.store.begin(tenant);
            records::change(&mut tx, self.stamp(Uuid::nil()), (kinds::PORTAL, &name), &before, &next)?;
            if let Try::Done = commit(tx).await? {
                return Ok(true);
            }
        }
        Err(AccessError::Conflict)
    }

    /// The account of a patient's portal: one for each patient, made at the first sign-in. It has the role patient and no password,
    /// whatever other accounts the same person has.
    async fn portal_account(
        &self,
        tenant: Tenant,
        patient: &str,
        origin: &Origin,
    ) -> Result<Stored<UserRecord>, AccessError> {
        for _ in 0..TRIES_MAX {
            if let Some(holder) = self.store.claim_holder(tenant, kinds::CLAIM_PORTAL, &[patient.as_bytes()])? {
                let row = self.store.current_by_record(tenant, kinds::USER, holder)?;
                let user = records::read::<UserRecord>(row)?.ok_or(AccessError::Portal)?;
                // An administrator may have locked it, or given it something that a portal does not reach.
                let own = |user: &UserRecord| {
                    user.enabled
                        && user.patient.as_deref() == Some(patient)
                        && user.grants.is_empty()
                        && user.roles.iter().map(String::as_str).eq([Role::Patient.name()])
                };
                return if own(&user.value) { Ok(user) } else { Err(AccessError::Portal) };
            }
            let id = self.entropy.uuid();
            let stamp = self.stamp(id);
            let name = format!("portal-{}", id.simple());
            let user = UserRecord {
                patient: Some(patient.to_owned()),
                ..UserRecord::fresh(id, &name, Role::Patient, stamp.at)
            };
            let mut tx = self.store.begin(tenant);
            let holder = self.store.record_id(tenant, kinds::USER, &id.to_string());
            tx.claim(kinds::CLAIM_PORTAL, &[patient.as_bytes()], ClaimExpect::Absent, holder);
            self.account_add(&mut tx, stamp, &user)?;
            let what =
                Happened::new(Action::UserCreate, Outcome::Success, Some(format!("User/{id}"))).because("patient");
            tx.audit(self.audit.row(&self.event(tenant, Actor::new(id.into_bytes(), &*name), what, origin))?);
            // Whether it was made here or by somebody faster, it is there at the next look.
            commit(tx).await.map(|_: Try| ())?;
        }
        Err(AccessError::Conflict)
    }

    /// What a patient's record says about where the patient is and when they were born; `None` for one that is not there, not in
    /// use, or of somebody who has died.
    pub(crate) fn person(&self, tenant: Tenant, patient: &str) -> Result<Option<Person>, AccessError> {
        let kind = names::kind_of("Patient").filter(|_| (1..=PATIENT_ID_CHARS_MAX).contains(&patient.chars().count()));
        let Some(kind) = kind else { return Ok(None) };
        let row = self.store.current(tenant, kind, patient)?.filter(|row| !row.deleted);
        let Some(row) = row else { return Ok(None) };
        let record: Value = serde_json::from_slice(&row.body).map_err(|error| AccessError::Damaged(Box::new(error)))?;
        let gone =
            record["active"] == false || record["deceasedBoolean"] == true || !record["deceasedDateTime"].is_null();
        Ok((!gone).then_some(Person(record)))
    }
}

/// What of a Patient matters here.
pub(crate) struct Person(Value);

impl Person {
    /// Whether the whole date is known and this one.
    fn born_on(&self, date: &str) -> bool {
        let known = self.0["birthDate"].as_str().unwrap_or_default();
        known.len() == 10 && bool::from(known.as_bytes().ct_eq(date.as_bytes()))
    }

    /// Where messages of a kind can go, the best first: what the record ranks, then what moves with the person, then the rest.
    fn contacts<'a>(&'a self, systems: &'a [&str], now: Timestamp) -> Vec<&'a str> {
        let today = now.rfc3339();
        let over = |point: &Value| {
            point["period"]["end"].as_str().is_some_and(|end| end < &today[..end.len().min(today.len())])
        };
        let mut found: Vec<(u64, bool, &str)> = self.0["telecom"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|point| systems.iter().any(|system| point["system"] == *system))
            .filter(|point| point["use"] != "old" && !over(point))
            .filter_map(|point| {
                Some((point["rank"].as_u64().unwrap_or(u64::MAX), point["use"] != "mobile", point["value"].as_str()?))
            })
            .collect();
        found.sort_by_key(|(rank, fixed, _)| (*rank, *fixed));
        found.into_iter().map(|(_, _, value)| value).collect()
    }

    pub(crate) fn phone(&self, now: Timestamp) -> Option<PhoneNumber> {
        self.contacts(&["sms", "phone"], now).into_iter().find_map(PhoneNumber::read)
    }

    pub(crate) fn email(&self, now: Timestamp) -> Option<EmailAddress> {
        self.contacts(&["email"], now).into_iter().find_map(|value| value.parse().ok())
    }

    pub(crate) fn language(&self) -> Option<Language> {
        let spoken = self.0["communication"].as_array()?;
        let best = spoken.iter().find(|one| one["preferred"] == true).or_else(|| spoken.first())?;
        best["language"]["coding"].as_array()?.iter().find_map(|coding| Language::first_of(coding["code"].as_str()?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    #[test]
    fn a_code_goes_to_where_the_record_says_the_person_is_now() {
        let person = Person(json!({"birthDate": "1985-05-15", "telecom": [
            {"system": "phone", "use": "home", "value": "(202) 555-0100"},
            {"system": "phone", "use": "old", "value": "(202) 555-0101"},
            {"system": "phone", "use": "mobile", "value": "(202) 555-0102", "period": {"end": "2026-12"}},
            {"system": "phone", "use": "mobile", "value": "(202) 555-0103"},
            {"system": "fax", "value": "(202) 555-0104"},
            {"system": "email", "value": "not an address"},
            {"system": "email", "value": "ann@example.org"},
        ], "communication": [{"language": {"coding": [{"code": "en"}]}},
            {"language": {"coding": [{"code": "es-US"}]}, "preferred": true}]}));
        assert_eq!(person.phone(NOW).unwrap().as_str(), "+12025550103");
        assert_eq!(person.email(NOW).unwrap().as_str(), "ann@example.org");
        assert_eq!(person.language(), Some(Language::Es));
        assert!(person.born_on("1985-05-15") && !person.born_on("1985-05-16") && !person.born_on("1985"));
        let vague =
            Person(json!({"birthDate": "1985", "telecom": [{"system": "email", "rank": 2, "value": "a@b.example"},
            {"system": "email", "rank": 1, "value": "c@d.example"}]}));
        assert!(!vague.born_on("1985") && !vague.born_on(""));
        assert_eq!(vague.email(NOW).unwrap().as_str(), "c@d.example");
        assert!(vague.phone(NOW).is_none() && vague.language().is_none());
        assert!(Person(json!({})).email(NOW).is_none());
    }
}

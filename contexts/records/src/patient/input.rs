//! Reading a patient object.

use iris_fhir::json::Value;
use iris_kernel::{Fault, Timestamp};
use iris_plain::{FhirTime, Given, Object};

use super::fields::{ADDRESS, CONTACT, PATIENT};
use super::{Address, Contact, Patient};

/// An address as given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressInput {
    /// `street`
    pub street: Given<String>,
    /// `city`
    pub city: Given<String>,
    /// `state`
    pub state: Given<String>,
    /// `zip_code`
    pub zip_code: Given<String>,
}

/// An emergency contact as given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactInput {
    /// `name`
    pub name: Given<String>,
    /// `relationship`
    pub relationship: Given<String>,
    /// `phone`
    pub phone: Given<String>,
}

/// A patient object as given: checked, and with aliases resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientInput {
    /// `first_name`
    pub first_name: Given<String>,
    /// `last_name`
    pub last_name: Given<String>,
    /// `date_of_birth`
    pub date_of_birth: Given<String>,
    /// `gender`
    pub gender: Given<&'static str>,
    /// `ssn`
    pub ssn: Given<String>,
    /// `phone`
    pub phone: Given<String>,
    /// `email`
    pub email: Given<String>,
    /// `medical_record_number`
    pub medical_record_number: Given<String>,
    /// `address`, or the flat form.
    pub address: Given<AddressInput>,
    /// `emergency_contact`
    pub emergency_contact: Given<ContactInput>,
    /// `patient_status`
    pub patient_status: Given<&'static str>,
}

/// For what an object is read.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// To make a record: needed fields must be there, the server's own must not.
    Create,
    /// To be compared with records: nothing is needed, the server's own must not be there.
    Compare,
    /// To change a record: absent fields stay, `null` takes away; the server's own must be what is shown now.
    Update {
        /// The record as the API shows it now.
        shown: Value<'a>,
    },
}

impl PatientInput {
    /// Reads and checks a patient object. `now` tells a birth in the future.
    ///
    /// # Errors
    /// Every fault, each with its JSON pointer.
    pub fn read(body: Value<'_>, purpose: Purpose<'_>, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut object = Object::read(body, PATIENT, "");
        if let Purpose::Create = purpose {
            object.need(PATIENT);
        }
        server_fields(&mut object, purpose);
        let input = Self {
            first_name: object.text("first_name"),
            last_name: object.text("last_name"),
            date_of_birth: object.date("date_of_birth"),
            gender: object.choice("gender"),
            ssn: ssn(&mut object),
            phone: unmasked(&mut object, "phone"),
            email: email(&mut object),
            medical_record_number: unmasked(&mut object, "medical_record_number"),
            address: address(&mut object),
            emergency_contact: contact(&mut object),
            patient_status: object.choice("patient_status"),
        };
        input.check(&mut object, purpose, now);
        let faults = object.finish();
        if faults.is_empty() { Ok(input) } else { Err(faults) }
    }

    fn check(&self, object: &mut Object<'_>, purpose: Purpose<'_>, now: Timestamp) {
        let born = self.date_of_birth.as_value().and_then(|date| FhirTime::parse(date).ok());
        if born.is_some_and(|born| born.after(now)) {
            object.fault("date_of_birth", "lies in the future");
        }
        if let Purpose::Update { .. } = purpose {
            for (name, null) in [
                ("first_name", self.first_name == Given::Null),
                ("last_name", self.last_name == Given::Null),
                ("date_of_birth", self.date_of_birth == Given::Null),
                ("medical_record_number", self.medical_record_number == Given::Null),
            ] {
                if null {
                    object.fault(name, "cannot be taken away");
                }
            }
        }
    }

    /// The patient after an update of what it was.
    #[must_use]
    pub fn over(&self, before: &Patient) -> Patient {
        let was = before.clone();
        Patient {
            first_name: self.first_name.over(was.first_name),
            last_name: self.last_name.over(was.last_name),
            date_of_birth: self.date_of_birth.over(was.date_of_birth),
            gender: self.gender.clone().map(str::to_owned).over(was.gender),
            ssn: self.ssn.over(was.ssn),
            phone: self.phone.over(was.phone),
            email: self.email.over(was.email),
            medical_record_number: self.medical_record_number.over(was.medical_record_number),
            address: match &self.address {
                Given::Absent => was.address,
                Given::Null => None,
                Given::Value(given) => Some(given.over(was.address.unwrap_or_default())),
            },
            emergency_contact: match &self.emergency_contact {
                Given::Absent => was.emergency_contact,
                Given::Null => None,
                Given::Value(given) => Some(given.over(was.emergency_contact.unwrap_or_default())),
            },
            patient_status: self.patient_status.clone().map(str::to_owned).over(was.patient_status),
        }
    }
}

impl AddressInput {
    fn over(&self, was: Address) -> Address {
        Address {
            street: self.street.over(was.street),
            city: self.city.over(was.city),
            state: self.state.over(was.state),
            zip_code: self.zip_code.over(was.zip_code),
        }
    }
}

impl ContactInput {
    fn over(&self, was: Contact) -> Contact {
        Contact {
            name: self.name.over(was.name),
            relationship: self.relationship.over(was.relationship),
            phone: self.phone.over(was.phone),
        }
    }
}

/// The server's own fields: refused on a create; on an update a caller may send back what it was shown.
fn server_fields(object: &mut Object<'_>, purpose: Purpose<'_>) {
    let given: Vec<_> = object.returned().collect();
    for (name, value) in given {
        let same = match purpose {
            Purpose::Create | Purpose::Compare => false,
            Purpose::Update { shown } => shown.get(name).is_none_or(|now| now.same_as(value)),
        };
        if !same {
            object.fault(name, "is set by the server");
        }
    }
}

/// A mask where a value should be would overwrite the real value.
fn is_masked(text: &str) -> bool {
    text.contains(['*', '•', '●']) || text.to_ascii_lowercase().contains("xxx")
}

fn unmasked(object: &mut Object<'_>, name: &str) -> Given<String> {
    let given = object.text(name);
    if given.as_value().is_some_and(|text| text.contains("***")) {
        object.fault(name, "is masked and would overwrite the real value; leave the field out to keep it");
    }
    given
}

fn ssn(object: &mut Object<'_>) -> Given<String> {
    object.with("ssn", |value| {
        let text = value.as_str().ok_or("must be a text")?;
        if is_masked(&text) {
            return Err("is masked and would overwrite the real number; leave the field out to keep it".to_owned());
        }
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        match shape.as_str() {
            "999-99-9999" | "999999999" => Ok(text.into_owned()),
            _ => Err("is no social security number; write 123-45-6789".to_owned()),
        }
    })
}

fn email(object: &mut Object<'_>) -> Given<String> {
    let given = unmasked(object, "email");
    let good = |text: &String| text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if given.as_value().is_some_and(|text| !good(text)) {
        object.fault("email", "is no e-mail address");
    }
    given
}

fn address(object: &mut Object<'_>) -> Given<AddressInput> {
    let flat = AddressInput {
        street: object.text("address_line1"),
        city: object.text("city"),
        state: object.text("state"),
        zip_code: object.text("zip_code"),
    };
    let nested = match object.raw("address") {
        Given::Absent => Given::Absent,
        Given::Null => Given::Null,
        Given::Value(value) => {
            let mut inner = Object::read(value, ADDRESS, &object.pointer("address"));
            let read = AddressInput {
                street: inner.text("street"),
                city: inner.text("city"),
                state: inner.text("state"),
                zip_code: inner.text("zip_code"),
            };
            object.absorb(inner);
            Given::Value(read)
        }
    };
    let flat_given = flat != AddressInput::default();
    match nested {
        Given::Absent if flat_given => Given::Value(flat),
        Given::Value(nested) if flat_given && nested != flat => {
            object.fault("address", "is given twice, also in its flat form, with other values");
            Given::Absent
        }
        Given::Null if flat_given => {
            object.fault("address", "is taken away and given in its flat form");
            Given::Absent
        }
        nested => nested,
    }
}

fn contact(object: &mut Object<'_>) -> Given<ContactInput> {
    match object.raw("emergency_contact") {
        Given::Absent => Given::Absent,
        Given::Null => Given::Null,
        Given::Value(value) => {
            let mut inner = Object::read(value, CONTACT, &object.pointer("emergency_contact"));
            let read = ContactInput {
                name: inner.text("name"),
                relationship: inner.text("relationship"),
                phone: inner.text("phone"),
            };
            object.absorb(inner);
            Given::Value(read)
        }
    }
}

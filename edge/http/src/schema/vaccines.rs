//! The vaccine table as it is looked up.

use iris_immunization::Status;
use iris_plain::{Field, Form};

use super::{Object, always, answer};

const STATUS: Field = Field::always(
    "status",
    Form::Choice(Status::WORDS),
    "active: current; inactive: right only for a dose given earlier or of an unknown formulation; non-us: given outside the \
     United States only; pending: not yet in use; never-active: never in use.",
);
const FOUND: Field = Field::always("total", Form::Integer, "How many there are; items holds the best of them.");
const EDITION: Field =
    Field::always("edition", Form::Date, "Edition of the vaccine table: the day of its newest change.");

const PRODUCT: &[Field] = &[
    always("trade_name", "What it is sold as."),
    Field::or_null("mvx", Form::Text(10), "MVX code of the manufacturer; null where it is not known."),
    Field::or_null("manufacturer", Form::Text(500), "Name of the manufacturer; null where it is not known."),
    Field::always("status", Form::Choice(Status::WORDS), "Whether the product is current."),
];
const VACCINE: &[Field] = &[
    Field::always("cvx", Form::Text(10), "CVX code; what `vaccine_code` of an immunization takes."),
    always("name", "Short name."),
    always("full_name", "Full name."),
    STATUS,
    Field::always("groups", Form::Texts, "Vaccine groups, such as FLU; a combination is in several."),
    Field::always("products", Form::ListOf("VaccineProduct"), "What it is sold as, current products first."),
];
const VACCINES: &[Field] =
    &[Field::always("items", Form::ListOf("Vaccine"), "The vaccines, best first."), FOUND, EDITION];

const MANUFACTURER: &[Field] = &[Field::always("mvx", Form::Text(10), "MVX code."), always("name", "Name."), STATUS];
const MANUFACTURERS: &[Field] =
    &[Field::always("items", Form::ListOf("Manufacturer"), "The manufacturers, best first."), FOUND, EDITION];

/// The objects of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("Vaccine", VACCINE),
    answer("VaccineProduct", PRODUCT),
    answer("VaccineList", VACCINES),
    answer("Manufacturer", MANUFACTURER),
    answer("ManufacturerList", MANUFACTURERS),
];

//! `GET /api/v1/iris/vaccines` and `/manufacturers`: looking up codes by typing. The table is the same for everybody and tells
//! nothing about anybody, so a browser may keep an answer for a while.

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method, StatusCode};
use iris_access::{ActionKind, Named};
use iris_fhir::json::Writer;
use iris_immunization::{Found, Manufacturer, Vaccine, Vaccines};
use iris_kernel::ErrorKind;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_plain::Form;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, Param, query};
use crate::problem::Problem;

/// Longest text that is looked up, in characters.
const TYPED_CHARS_MAX: usize = 100;
/// For how long a browser may keep an answer: the table changes a few times a year, and a load must be seen soon.
const KEPT: HeaderValue = HeaderValue::from_static("private, max-age=300");

const TYPED: Param = query(
    "q",
    "What was typed: words or their beginnings in any order, of code, name, trade name, group or manufacturer. All, the most \
     common first, where nothing is said.",
);
const LIMIT: Param = query("limit", "Most items, 20 where nothing is said, 100 at most.").of(Form::Integer);
const ACTIVE: Param = query("active", "`true` finds current ones only.").of(Form::Boolean);
const MAKERS_LIMIT: Param = query("limit", "Most items, 100 where nothing is said and at most.").of(Form::Integer);

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/iris/vaccines", "Look up vaccines (CVX) by typing", vaccines)
        .needs(Needs::Named(ActionKind::Search, Named::Registry))
        .params(&[TYPED, LIMIT, ACTIVE])
        .gives(&[(200, Some("VaccineList"))])
        .fails(&[ErrorKind::Invalid])
}

pub(super) fn manufacturers_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, "/api/v1/iris/manufacturers", "Look up vaccine manufacturers (MVX) by typing", makers)
        .needs(Needs::Named(ActionKind::Search, Named::Registry))
        .params(&[TYPED, MAKERS_LIMIT, ACTIVE])
        .gives(&[(200, Some("ManufacturerList"))])
        .fails(&[ErrorKind::Invalid])
}

async fn vaccines(call: Call) -> Outcome {
    let (typed, active) = (typed(&call)?, active(&call)?);
    let limit = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    let table = call.app.vaccines.now();
    let found = table.find(typed, active, limit);
    Ok(answer(&table, &found, |vaccine, w| show(&table, vaccine, w)))
}

async fn makers(call: Call) -> Outcome {
    let (typed, active) = (typed(&call)?, active(&call)?);
    let limit = call.query_number("limit", PAGE_MAX, 1, PAGE_MAX)?;
    let table = call.app.vaccines.now();
    let found = table.find_manufacturers(typed, active, limit);
    Ok(answer(&table, &found, show_maker))
}

fn typed(call: &Call) -> Result<&str, Problem> {
    let typed = call.query_value("q").unwrap_or_default();
    if typed.chars().count() > TYPED_CHARS_MAX {
        return Err(Problem::at(ErrorKind::Invalid, "q", format!("has at most {TYPED_CHARS_MAX} characters")));
    }
    Ok(typed)
}

fn active(call: &Call) -> Result<bool, Problem> {
    match call.query_value("active") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::at(ErrorKind::Invalid, "active", "must be true or false")),
    }
}

fn answer<T>(table: &Vaccines, found: &Found<'_, T>, show: impl Fn(&T, &mut Writer)) -> Answer {
    let mut w = Writer::new();
    w.object().key("items").array();
    for item in &found.items {
        show(item, &mut w);
    }
    w.end().key("total").integer(i64::try_from(found.total).unwrap_or(i64::MAX));
    w.member("edition", table.edition());
    Answer::json(StatusCode::OK, w.finish()).with(CACHE_CONTROL, KEPT)
}

fn show(table: &Vaccines, vaccine: &Vaccine, w: &mut Writer) {
    w.object().member("cvx", &vaccine.code).member("name", &vaccine.name).member("full_name", &vaccine.full_name);
    w.member("status", vaccine.status.word()).key("groups").array();
    for group in &vaccine.groups {
        w.string(group);
    }
    w.end().key("products").array();
    for product in &vaccine.products {
        let maker = product.mvx.as_deref().and_then(|mvx| table.maker(mvx));
        w.object().member("trade_name", &product.trade_name);
        or_null("mvx", maker.map(|maker| maker.code.as_str()), w);
        or_null("manufacturer", maker.map(|maker| maker.name.as_str()), w);
        w.member("status", product.status.word()).end();
    }
    w.end().end();
}

fn show_maker(maker: &Manufacturer, w: &mut Writer) {
    w.object().member("mvx", &maker.code).member("name", &maker.name).member("status", maker.status.word()).end();
}

fn or_null(name: &str, text: Option<&str>, w: &mut Writer) {
    w.key(name);
    match text {
        Some(text) => w.string(text),
        None => w.null(),
    };
}

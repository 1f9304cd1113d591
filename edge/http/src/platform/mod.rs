//! The state of health and the documents of the API.

mod docs;
pub(crate) mod health;
mod openapi;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [health::endpoints(), vec![openapi::endpoint(), docs::endpoint()]].concat()
}

//! The state of health and the documents of the API.

mod docs;
mod health;
mod openapi;

use crate::endpoint::Endpoint;

#[cfg(test)]
pub(crate) use openapi::document;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [health::endpoints(), vec![openapi::endpoint(), docs::endpoint()]].concat()
}

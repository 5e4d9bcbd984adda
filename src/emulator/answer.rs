//! An answer before it is put on the wire.

use bytes::Bytes;

use super::errors::Refusal;

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

impl Answer {
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into() }
    }
}

pub type Outcome = Result<Answer, Refusal>;

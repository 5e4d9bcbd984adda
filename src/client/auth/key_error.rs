//! Refusals of a client certificate and its key.

use teams_base::error::Error;

pub(super) fn refuse(why: &str) -> Error {
    Error::Configuration(format!("Option client_certificate: it {why}"))
}

pub(super) fn not_rsa(why: &aws_lc_rs::error::KeyRejected) -> Error {
    refuse(&format!("holds a key that is not an RSA key of 2048 to 4096 bits ({why})"))
}

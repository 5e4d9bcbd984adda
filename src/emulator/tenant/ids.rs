//! Ids and numbers: drawn from a generator, or derived from a text so that equal tenants have equal ones.

use rand::Rng;
use rand::rngs::StdRng;
use uuid::Builder;
use xxhash_rust::xxh3::xxh3_64;

pub fn guid(rng: &mut StdRng) -> String {
    Builder::from_random_bytes(rng.random()).into_uuid().to_string()
}

/// A number derived from a text: the same in every run.
pub fn draw(of: &str, salt: &str) -> u64 {
    xxh3_64(format!("{salt}|{of}").as_bytes())
}

/// A GUID derived from a text.
pub fn id_of(of: &str, salt: &str) -> String {
    let bits = u128::from(draw(of, salt)) << 64 | u128::from(draw(salt, of));
    Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
}

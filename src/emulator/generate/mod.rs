//! Makes the tenant that a seed stands for. Uses the tenant, and knows neither HTTP nor Graph's endpoints.

pub mod chats;
pub mod composer;
pub mod directory;
pub mod events;
pub mod from_seed;
pub mod images;
pub mod message;
pub mod ordinary;
pub mod setting;
pub mod variants;
pub mod words;

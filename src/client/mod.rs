pub mod endpoint;
pub mod link;
pub mod request;

//! Every endpoint of the Bot Connector: one row, one handler.

use crate::bot::{activities, conversations, roster};
use crate::graph::endpoint::{Endpoint, get, write};
use crate::graph::limit;
use crate::graph::permission::NONE;
use crate::http::method::Method::{Delete, Post, Put};

pub static CONNECTOR: &[Endpoint] = &[
    write(Post, "/v3/conversations", conversations::create, NONE, limit::CREATE_CONVERSATION),
    write(Post, "/v3/conversations/{id}/activities", activities::send, NONE, limit::SEND),
    write(Post, "/v3/conversations/{id}/activities/{id}", activities::reply, NONE, limit::SEND),
    write(Put, "/v3/conversations/{id}/activities/{id}", activities::update, NONE, limit::SEND),
    write(Delete, "/v3/conversations/{id}/activities/{id}", activities::delete, NONE, limit::SEND),
    get("/v3/conversations/{id}/pagedMembers", roster::paged_members, NONE, limit::ROSTER),
    get("/v3/conversations/{id}/members/{id}", roster::member, NONE, limit::ROSTER),
    get("/v3/teams/{id}", roster::details, NONE, limit::ROSTER),
    get("/v3/teams/{id}/conversations", roster::channels, NONE, limit::ROSTER),
];

//! The Bot Connector's errors, in both of the forms that its bodies have.

use serde_json::json;

use crate::http::error::GraphError;
use crate::http::response::Response;

/// A row of the table of status codes.
pub struct Row {
    pub code: &'static str,
    status: u16,
    message: &'static str,
}

const fn row(code: &'static str, status: u16, message: &'static str) -> Row {
    Row { code, status, message }
}

/// By code; a knob names them so.
pub const ROWS: &[Row] = &[
    row("Bad Argument", 400, "Invalid request payload provided."),
    row("BadSyntax", 400, "Invalid activity."),
    row("BotNotRegistered", 401, "No registration found for this bot."),
    row("BotDisabledByAdmin", 403, "The tenant admin disabled this bot"),
    row("BotNotInConversationRoster", 403, "The bot is not part of the conversation roster."),
    row("ConversationBlockedByUser", 403, "User blocked the conversation with the bot."),
    row("ForbiddenOperationException", 403, "Bot is not installed in user's personal scope"),
    row(
        "InvalidBotApiHost",
        403,
        "Invalid bot api host. For GCC tenants, please call https://smba.infra.gcc.teams.microsoft.com.",
    ),
    row("NotEnoughPermissions", 403, "Bot does not have permission to perform this operation."),
    row(WRITES_BLOCKED, 403, "Thread is blocked from message writes."),
    row("ConversationNotFound", 404, "Conversation not found."),
    row("ActivityNotFoundInConversation", 404, "The message ID provided could not be found in the conversation."),
    row("PreconditionFailed", 412, "Please retry: a concurrent operation on the conversation was under way."),
    row("MessageSizeTooBig", 413, "Message size too large."),
    row("Throttled", 429, "API calls quota exceeded."),
    row("ServiceError", 500, "Internal server error."),
    row("BadGateway", 502, "Service dependency issue."),
    row("ServiceUnavailable", 503, "Service is unavailable."),
    row("GatewayTimeout", 504, "Gateway timeout."),
];

/// A blocked personal chat is told in another form: a number, and JSON text as the message.
const WRITES_BLOCKED: &str = "MessageWritesBlocked";
const WRITES_BLOCKED_CODE: u32 = 209;

/// The error of a code of the table.
pub fn of(code: &str) -> GraphError {
    match ROWS.iter().find(|row| row.code == code) {
        Some(row) => GraphError::new(row.status, row.code, row.message),
        None => GraphError::new(500, "ServiceError", format!("no such row: {code}")),
    }
}

pub fn unauthenticated() -> GraphError {
    GraphError::new(401, "Unauthorized", "Authorization has been denied for this request.")
}

/// The error as the connector writes it.
pub fn render(error: &GraphError, request_id: &str) -> Response {
    let code = if error.status == 429 { "Throttled" } else { &error.code };
    let body = if code == WRITES_BLOCKED {
        let message = json!({"subCode": code, "details": error.message, "errorCode": null, "errorSubCode": null});
        json!({"errorCode": WRITES_BLOCKED_CODE, "message": message.to_string()})
    } else {
        json!({"error": {"code": code, "message": error.message}})
    };
    let mut headers = error.headers.clone();
    headers.push(("MS-CV", format!("{}.0", &request_id[..request_id.len().min(16)])));
    Response { status: error.status, headers, body: body.to_string().into() }
}

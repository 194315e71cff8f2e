//! Connections that close after a response: those over the limit, and all of a server that stops.

use actix_web::HttpResponse;
use actix_web::http::ConnectionType;

use super::context::RequestContext;

/// Announces the end of the connection in the response, if it ends.
pub(super) fn close_if_due<B>(context: &RequestContext, response: &mut HttpResponse<B>) {
    if context.is_over_limit || context.state.application.operations.is_ending() {
        // A request that arrives while the connection closes would get no response.
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
}

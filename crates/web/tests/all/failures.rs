//! What every failure looks like, whatever has failed.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::support::TestApp;

#[actix_web::test]
async fn unknown_routes_are_answered_in_the_envelope() {
    let app = TestApp::start().await;
    for path in ["/nothing", "//", "//api/v1", "//api/v3/users", "//livez/"] {
        app.get(path).await.refused(404, "NOT_FOUND");
    }
}

#[actix_web::test]
async fn wrong_methods_learn_the_right_ones() {
    let app = TestApp::start().await;
    let reply = app.call(Method::PUT, "//livez").await;
    reply.refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("Allow"), "GET, HEAD");
}

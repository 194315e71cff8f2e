//! `POST /invitations`: creates an invitation.

use actix_web::web::Data;
use foretell_application::NewInvitation;
use foretell_domain::registration::MAX_INVITATION_USES;
use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;
use garde::{Valid, Validate};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::invitation::InvitationView;
use crate::dto::money::{AmountText, is_amount};
use crate::dto::parsed::{Parsed, if_valid, optional, validated};
use crate::dto::time::{Time, in_future};
use crate::extract::{AdminInSession, Body, RequestContext, RequestDto};
use crate::openapi::names::RoleName;
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "maxUses": 20, "expiresAt": "2026-12-31T23:59:59Z" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct InvitationBody {
    /// Role of those who register with it; `USER` if there is none.
    #[garde(dive)]
    #[schema(value_type = Option<RoleName>)]
    role: Option<Parsed<Role>>,
    /// Sign-up grant in place of the usual one.
    #[garde(dive, custom(if_valid(is_amount)))]
    #[schema(value_type = Option<AmountText>)]
    grant: Option<Parsed<AmountText>>,
    /// Maximum number of registrations; 1 if there is none.
    #[garde(dive, range(min = 1, max = MAX_INVITATION_USES.into()))]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    max_uses: Option<Parsed<i64>>,
    /// Expiry time; in a week if there is none.
    #[garde(dive, custom(if_valid(in_future)))]
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Parsed<Timestamp>>,
}

impl RequestDto for InvitationBody {
    type Input = NewInvitation;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> NewInvitation {
        let Self { role, grant, max_uses, expires_at } = valid.into_inner();
        NewInvitation {
            role: optional(role).unwrap_or(Role::User),
            grant: optional(grant).map(|grant| grant.to_amount(context)),
            max_uses: validated(u32::try_from(optional(max_uses).unwrap_or(1)).ok()),
            expires_at: optional(expires_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct InvitationCreated<'a> {
    #[serde(flatten)]
    invitation: InvitationView,
    code: &'a str,
}

/// Creates an invitation; its code is returned only once. Who registers with it gets its role and
/// grant. Fails with `FORBIDDEN` for an API key.
#[utoipa::path(
    post,
    path = "/invitations",
    operation_id = "createInvitation",
    tag = "invitations",
    request_body = InvitationBody,
    responses((status = 201, description = "Made.", body = InvitationCreated<'static>)),
    security(("bearer" = ["admin_session"]), ("cookie" = [])),
)]
pub(super) async fn create(
    state: Data<WebState>,
    AdminInSession(caller): AdminInSession,
    body: Body<InvitationBody>,
) -> HandlerResult {
    let new = state.validate(body)?;
    let issued = state.application.identity.create_invitation(&caller, new).await?;
    let currency = &state.application.settings().currency;
    let data = InvitationCreated {
        invitation: InvitationView::new(currency, &issued.invitation),
        code: issued.code.expose_secret(),
    };
    reply::created(format_args!("/invitations/{}", issued.invitation.id), data)
}

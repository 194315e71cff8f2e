//! Users, their sessions and API keys: registration, signing in, and changes of accounts.

pub(crate) mod authenticate;
pub(crate) mod change_password;
mod change_profile;
pub(crate) mod confirm_password;
pub(crate) mod email_hasher;
mod erase_user;
pub(crate) mod key_uses;
pub(crate) mod log_in;
mod log_out;
pub(crate) mod login_limits;
pub(crate) mod manage_api_keys;
pub(crate) mod manage_invitations;
pub(crate) mod read_users;
pub(crate) mod register_user;
pub(crate) mod session_cache;
pub(crate) mod token_guard;
mod update_user;

use std::sync::Arc;
use std::time::Duration;

use foretell_domain::money::Amount;
use foretell_domain::quota::Quotas;
use foretell_domain::registration::RegistrationPolicy;
use foretell_ports::post::{PostFilter, PostQueries};
use foretell_ports::secret::{PasswordHasher, Tokens};
use foretell_ports::user::UserQueries;

use crate::context::Context;
use crate::ports::Ports;
use crate::settings::ApplicationSettings;
use crate::totals::Totals;
use email_hasher::EmailHasher;
use key_uses::KeyUses;
use login_limits::LoginGuard;
use token_guard::TokenGuard;

/// Users, and how they prove who they are.
pub struct Identity {
    context: Arc<Context>,
    users: Arc<dyn UserQueries>,
    posts: Arc<dyn PostQueries>,
    passwords: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn Tokens>,
    email_hasher: EmailHasher,
    token_guard: TokenGuard,
    logins: LoginGuard,
    key_uses: KeyUses,
    post_totals: Arc<Totals<PostFilter>>,
    session_lifetime: Duration,
    signup_grant: Option<Amount>,
    registration: RegistrationPolicy,
    quotas: Quotas,
}

impl Identity {
    pub(crate) fn new(
        context: &Arc<Context>,
        ports: &Ports,
        settings: &ApplicationSettings,
        post_totals: &Arc<Totals<PostFilter>>,
        email_hasher: EmailHasher,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            users: Arc::clone(&ports.users),
            posts: Arc::clone(&ports.posts),
            passwords: Arc::clone(&ports.passwords),
            tokens: Arc::clone(&ports.tokens),
            email_hasher,
            token_guard: TokenGuard::new(
                Arc::clone(&ports.limiter),
                settings.request_limits.invalid_tokens,
            ),
            logins: LoginGuard::new(
                settings.login_limits,
                Arc::clone(&ports.limiter),
                Arc::clone(&ports.users),
            ),
            key_uses: KeyUses::new(),
            post_totals: Arc::clone(post_totals),
            session_lifetime: settings.session_lifetime,
            signup_grant: settings.signup_grant,
            registration: settings.registration.clone(),
            quotas: settings.quotas,
        }
    }
}

//! Jobs in the background: leasing, running, retrying and discarding them.

pub(crate) mod lease_jobs;
mod manage_jobs;
pub(crate) mod retry;
pub(crate) mod run_job;

use std::sync::Arc;
use std::time::Duration;

use foretell_ports::job::JobQueries;
use foretell_ports::mail::Mailer;

use crate::context::Context;
use crate::markets::Markets;
use crate::notifications::Notifications;
use crate::ports::Ports;
use crate::search::Search;
use crate::settings::ApplicationSettings;
use retry::RetryPolicies;

/// Services that do the tasks of jobs.
pub(crate) struct JobServices {
    pub(crate) markets: Arc<Markets>,
    pub(crate) notifications: Arc<Notifications>,
    pub(crate) search: Arc<Search>,
}

/// Jobs, and the services that do their tasks.
pub struct Jobs {
    context: Arc<Context>,
    queries: Arc<dyn JobQueries>,
    mailer: Arc<dyn Mailer>,
    services: JobServices,
    retries: RetryPolicies,
    keep_outcomes: Duration,
}

impl Jobs {
    pub(crate) fn new(
        context: &Arc<Context>,
        ports: &Ports,
        settings: &ApplicationSettings,
        services: JobServices,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            queries: Arc::clone(&ports.jobs),
            mailer: Arc::clone(&ports.mailer),
            services,
            retries: settings.retries.clone(),
            keep_outcomes: settings.keep_outcomes,
        }
    }
}

//! Sends emails to users: after registration, and about the outcome of a market in which they held
//! shares.

use std::sync::atomic::Ordering;

use foretell_domain::id::{JobId, MarketId, UserId};
use foretell_domain::market::SettlementTerms;
use foretell_domain::text::OptionName;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::error::StoreError;
use foretell_ports::mail::{DecisionText, EmailContent, MailError, OutgoingEmail};
use foretell_ports::market::MarketDetails;

use super::Notifications;
use crate::jobs::run_job::JobFailure;

impl Notifications {
    /// Sends a welcome email to a user, unless they were erased.
    pub(crate) async fn send_welcome(&self, job: JobId, user: UserId) -> Result<(), JobFailure> {
        self.send_email(job, user, EmailContent::Welcome).await
    }

    /// Sends a user the outcome of a market, unless one of them was deleted.
    pub(crate) async fn send_decision(
        &self,
        job: JobId,
        market: MarketId,
        user: UserId,
    ) -> Result<(), JobFailure> {
        let Some(details) = self.markets.find_market(market).await? else { return Ok(()) };
        let Some(settlement) = self.markets.find_settlement(market).await? else { return Ok(()) };
        let decision = decision_text(&details, &settlement.terms);
        let content = EmailContent::Decision { market: details.texts.name.clone(), decision };
        self.send_email(job, user, content).await
    }

    async fn send_email(
        &self,
        job: JobId,
        user: UserId,
        content: EmailContent,
    ) -> Result<(), JobFailure> {
        let Some(user) = self.present_user(user).await? else { return Ok(()) };
        let email = OutgoingEmail { id: job.as_u128(), to: user.email, name: user.name, content };
        let sent = self.mailer.send(&email).await;
        self.is_mail_failing.store(matches!(sent, Err(MailError::Unsent(_))), Ordering::Relaxed);
        Ok(sent?)
    }

    async fn present_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let found = self.users.find_user(id).await?;
        Ok(found.filter(|user| user.status != UserStatus::Erased))
    }
}

/// Returns the outcome of a market: the options that pay.
fn decision_text(details: &MarketDetails, terms: &SettlementTerms) -> DecisionText {
    match terms {
        SettlementTerms::Refunds { .. } => DecisionText::Cancelled,
        SettlementTerms::Payouts { basis_points } => {
            let options = details.texts.options().iter().zip(basis_points);
            let paying: Vec<(OptionName, u16)> = options
                .filter(|(_, basis_points)| **basis_points > 0)
                .map(|(name, basis_points)| (name.clone(), *basis_points))
                .collect();
            DecisionText::Resolved(paying)
        }
    }
}

//! Format 1 of markets, their texts and their settlement terms.

use std::borrow::Cow;

use foretell_domain::id::{AccountId, MarketId, OptionId, UserId};
use foretell_domain::market::{MarketRecord, MarketTexts, OptionState, Phase, SettlementTerms};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::text::{Category, MarketDescription, MarketName, OptionName};
use foretell_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct MarketTextsV1<'a> {
    name: Cow<'a, str>,
    description: Cow<'a, str>,
    category: Cow<'a, str>,
    options: Vec<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MarketRecordV1 {
    id: MarketId,
    creator_id: UserId,
    creator_account_id: AccountId,
    ends_at: i64,
    phase: Cow<'static, str>,
    subsidy: i64,
    fee_bps: u16,
    options: Vec<OptionStateV1>,
    fees: i64,
    volume: i64,
    stakes: i64,
    bet_count: i64,
    /// Absent for 1, as in the outcomes of programs that had no revisions.
    #[serde(default = "first_revision", skip_serializing_if = "is_first_revision")]
    revision: i64,
    version: i64,
}

const fn first_revision() -> i64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_first_revision(revision: &i64) -> bool {
    *revision == first_revision()
}

#[derive(Serialize, Deserialize)]
struct OptionStateV1 {
    id: OptionId,
    initial: f64,
    outstanding: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) enum TermsV1 {
    Payouts { basis_points: Vec<u16> },
    Refunds { available: i64, stakes: i64 },
}

impl<'a> From<&'a MarketTexts> for MarketTextsV1<'a> {
    fn from(texts: &'a MarketTexts) -> Self {
        Self {
            name: texts.name.as_str().into(),
            description: texts.description.as_str().into(),
            category: texts.category.as_str().into(),
            options: texts.options().iter().map(|option| option.as_str().into()).collect(),
        }
    }
}

impl MarketTextsV1<'_> {
    /// Returns the texts; `None` if they are not valid.
    pub(super) fn into_texts(self) -> Option<MarketTexts> {
        let options = self.options.into_iter().map(|option| OptionName::new(option).ok());
        MarketTexts::new(
            MarketName::new(self.name).ok()?,
            MarketDescription::new(self.description).ok()?,
            Category::new(self.category).ok()?,
            options.collect::<Option<_>>()?,
        )
        .ok()
    }
}

impl From<&MarketRecord> for MarketRecordV1 {
    fn from(record: &MarketRecord) -> Self {
        let option = |option: &OptionState| OptionStateV1 {
            id: option.id,
            initial: option.initial.get(),
            outstanding: option.outstanding.units(),
        };
        Self {
            id: record.id,
            creator_id: record.creator_id,
            creator_account_id: record.creator_account_id,
            ends_at: record.ends_at.micros(),
            phase: record.phase.as_str().into(),
            subsidy: record.subsidy.minor(),
            fee_bps: record.fee_bps,
            options: record.options.iter().map(option).collect(),
            fees: record.fees.minor(),
            volume: record.volume.minor(),
            stakes: record.stakes.minor(),
            bet_count: record.bet_count,
            revision: record.revision,
            version: record.version,
        }
    }
}

impl MarketRecordV1 {
    /// Returns the record; `None` if they are not valid.
    pub(super) fn into_record(self) -> Option<MarketRecord> {
        let option = |option: OptionStateV1| {
            Some(OptionState {
                id: option.id,
                initial: Probability::new(option.initial).ok()?,
                outstanding: Shares::new(option.outstanding).ok()?,
            })
        };
        Some(MarketRecord {
            id: self.id,
            creator_id: self.creator_id,
            creator_account_id: self.creator_account_id,
            ends_at: Timestamp::from_micros(self.ends_at),
            phase: Phase::from_name(&self.phase)?,
            subsidy: Amount::new(self.subsidy).ok()?,
            fee_bps: self.fee_bps,
            options: self.options.into_iter().map(option).collect::<Option<_>>()?,
            fees: Balance::from_minor(self.fees),
            volume: Balance::from_minor(self.volume),
            stakes: Balance::from_minor(self.stakes),
            bet_count: self.bet_count,
            revision: self.revision,
            version: self.version,
        })
    }
}

impl From<&SettlementTerms> for TermsV1 {
    fn from(terms: &SettlementTerms) -> Self {
        match terms {
            SettlementTerms::Payouts { basis_points } => {
                Self::Payouts { basis_points: basis_points.clone() }
            }
            SettlementTerms::Refunds { available, stakes } => {
                Self::Refunds { available: available.minor(), stakes: stakes.minor() }
            }
        }
    }
}

impl From<TermsV1> for SettlementTerms {
    fn from(terms: TermsV1) -> Self {
        match terms {
            TermsV1::Payouts { basis_points } => Self::Payouts { basis_points },
            TermsV1::Refunds { available, stakes } => Self::Refunds {
                available: Balance::from_minor(available),
                stakes: Balance::from_minor(stakes),
            },
        }
    }
}

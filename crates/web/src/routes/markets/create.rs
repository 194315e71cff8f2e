//! `POST /markets`: creates a market.

use actix_web::web::Data;
use foretell_application::MarketOpening;
use foretell_domain::market::lmsr::{INITIAL_SUM_TOLERANCE, MAX_UNITS, MIN_INITIAL_PROBABILITY};
use foretell_domain::market::{MAX_OPTIONS, MIN_OPTIONS, MarketTexts};
use foretell_domain::probability::Probability;
use foretell_domain::text::{Appearance, Category, MarketDescription, MarketName, OptionName};
use foretell_domain::time::Timestamp;
use garde::rules::length::HasSimpleLength;
use garde::util::nested_path;
use garde::{Path, Report, Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::MarketView;
use crate::dto::money::{AmountText, Money, is_amount};
use crate::dto::parsed::{Parsed, if_valid, is_repeated, optional, required, validated};
use crate::dto::time::Time;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{Body, IdempotencyKey, Object, RequestContext, RequestDto, SignedIn, Trade};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, invalid};

/// A new market.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "name": "Rain tomorrow",
    "description": "Whether it rains tomorrow.",
    "category": "politics",
    "endDate": "2099-01-31T12:00:00Z",
    "options": [{ "name": "Yes" }, { "name": "No" }],
    "subsidy": "100.00"
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct OpeningBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 3, max_length = 100)]
    name: Option<Parsed<MarketName>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 10, max_length = 1000)]
    description: Option<Parsed<MarketDescription>>,
    #[garde(required, dive, custom(if_valid(is_known)))]
    #[schema(required = true, value_type = String)]
    category: Option<Parsed<Category>>,
    // The money writer compares it with the time, so that a repetition after the end date gets the
    // same response as the first request.
    #[garde(required, dive)]
    #[schema(required = true, value_type = Time)]
    end_date: Option<Parsed<Timestamp>>,
    #[garde(required, length(min = MIN_OPTIONS, max = MAX_OPTIONS), dive)]
    #[schema(required = true, value_type = Vec<OptionBody>, min_items = 2, max_items = 10)]
    options: Option<Options>,
    #[garde(required, dive, custom(if_valid(is_amount)), custom(if_valid(is_subsidy)))]
    #[schema(required = true, value_type = AmountText)]
    subsidy: Option<Parsed<AmountText>>,
}

/// An option of a new market.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
pub(super) struct OptionBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50)]
    name: Option<Parsed<OptionName>>,
    #[garde(dive, custom(if_valid(is_initial)))]
    #[schema(value_type = Option<f64>, exclusive_minimum = 0, exclusive_maximum = 1)]
    probability: Option<Parsed<Probability>>,
}

fn is_known(category: &Category, context: &RequestContext) -> garde::Result {
    let known = &context.settings().categories;
    if known.iter().any(|name| name == category.as_str()) {
        return Ok(());
    }
    Err(invalid(FieldErrorCode::Invalid, format_args!("must be one of {}", known.join(", "))))
}

fn is_subsidy(text: &AmountText, context: &RequestContext) -> garde::Result {
    let currency = context.currency();
    if currency.parse_amount(text.as_str()).is_ok_and(|subsidy| subsidy.minor() > MAX_UNITS) {
        let most = Money::new(currency, MAX_UNITS);
        return Err(invalid(FieldErrorCode::Range, format_args!("must be at most {most}")));
    }
    Ok(())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes values by reference")]
fn is_initial(probability: &Probability, _: &RequestContext) -> garde::Result {
    if (MIN_INITIAL_PROBABILITY..=1.0 - MIN_INITIAL_PROBABILITY).contains(&probability.get()) {
        return Ok(());
    }
    Err(invalid(FieldErrorCode::Range, "must be above 0 and below 1"))
}

/// Options with different names. All have a probability, and these sum to 1, or none has.
#[derive(Debug, Deserialize)]
struct Options(Vec<Object<OptionBody>>);

impl HasSimpleLength for Options {
    fn length(&self) -> usize {
        self.0.len()
    }
}

impl Validate for Options {
    type Context = RequestContext;

    fn validate_into(
        &self,
        context: &RequestContext,
        mut parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        self.0.validate_into(context, parent, report);
        for index in self.repeated_names() {
            let mut path = nested_path!(parent, index);
            report.append(path().join("name"), is_repeated());
        }
        let given = self.0.iter().map(|Object(option)| option.probability.as_ref());
        if given.clone().all(|probability| probability.is_none()) {
            return;
        }
        for (index, _) in given.clone().enumerate().filter(|(_, probability)| probability.is_none())
        {
            let mut path = nested_path!(parent, index);
            let error =
                invalid(FieldErrorCode::Required, "is required, since another option has one");
            report.append(path().join("probability"), error);
        }
        let sum: Option<f64> = given.map(|probability| Some(probability?.valid()?.get())).sum();
        if sum.is_some_and(|sum| (sum - 1.0).abs() > INITIAL_SUM_TOLERANCE) {
            report.append(
                parent(),
                invalid(FieldErrorCode::Invalid, "the probabilities must sum to 1"),
            );
        }
    }
}

impl Options {
    /// Returns the positions of names that look like the name of an earlier option. Names are
    /// compared in pairs, so only those of a valid number of options.
    fn repeated_names(&self) -> Vec<usize> {
        let names =
            self.0.iter().take(MAX_OPTIONS).map(|Object(option)| option.name.as_ref()?.valid());
        let looks: Vec<_> =
            names.map(|name| name.map(|name| Appearance::of(name.as_str()))).collect();
        let is_repeated = |(index, look): &(usize, &Option<Appearance>)| {
            let earlier = looks.iter().take(*index).flatten();
            look.as_ref().is_some_and(|look| earlier.clone().any(|other| other.is_like(look)))
        };
        looks.iter().enumerate().filter(is_repeated).map(|(index, _)| index).collect()
    }
}

impl RequestDto for OpeningBody {
    type Input = MarketOpening;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> MarketOpening {
        let Self { name, description, category, end_date, options, subsidy } = valid.into_inner();
        let Options(options) = validated(options);
        let (names, probabilities) = options
            .into_iter()
            .map(|Object(option)| (required(option.name), optional(option.probability)))
            .unzip();
        let texts =
            MarketTexts::new(required(name), required(description), required(category), names);
        MarketOpening {
            texts: validated(texts.ok()),
            probabilities,
            ends_at: required(end_date),
            subsidy: required(subsidy).to_amount(context),
        }
    }
}

/// Creates a market with a subsidy from the caller's account, once per idempotency key.
#[utoipa::path(
    post,
    path = "/markets",
    operation_id = "createMarket",
    tag = "markets",
    request_body = OpeningBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = MarketView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::InsufficientFunds, ErrorCode::QuotaExceeded]))),
)]
pub(super) async fn create(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Trade>,
    key: IdempotencyKey,
    body: Body<OpeningBody>,
) -> HandlerResult {
    let (key, opening) = state.validate((key, body))?;
    let receipt = state.application.markets.open_market(&caller, key, opening).await?;
    reply::receipt(receipt, |opened| {
        let market = opened.into_details();
        let market = market.ok_or_else(|| ApiError::internal("a record makes no market"))?;
        let body =
            MarketView::at(market.created_at, &market, &state.application.settings().currency);
        reply::created(format_args!("/markets/{}", market.market.id()), body)
    })
}

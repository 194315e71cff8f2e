//! `POST /markets`: creates a market.

use actix_web::web::Data;
use foretell_application::MarketOpening;
use foretell_domain::market::lmsr::{INITIAL_SUM_TOLERANCE, MAX_UNITS, MIN_INITIAL_PROBABILITY};
use foretell_domain::market::{MAX_OPTIONS, MIN_OPTIONS, MarketTexts, MarketTextsError};
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;
use foretell_domain::text::{Appearance, Category, MarketDescription, MarketName, OptionName};
use foretell_domain::time::Timestamp;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::market::MarketView;
use crate::dto::money::{AmountText, Money};
use crate::dto::time::Time;
use crate::dto::time::parse_time;
use crate::error::ApiError;
use crate::extract::{Body, IdempotencyKey, Object, ParseContext, ParseRequest, SignedIn, Trade};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// A new market.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
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
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 3, max_length = 100)]
    name: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 10, max_length = 1000)]
    description: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = String)]
    category: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = Time)]
    end_date: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = Vec<OptionBody>, min_items = 2, max_items = 10)]
    options: Option<Vec<Object<OptionBody>>>,
    #[garde(required)]
    #[schema(required = true, value_type = AmountText)]
    subsidy: Option<AmountText>,
}

/// An option of a new market.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(super) struct OptionBody {
    #[garde(skip)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50)]
    name: Option<String>,
    #[garde(skip)]
    #[schema(exclusive_minimum = 0, exclusive_maximum = 1)]
    probability: Option<f64>,
}

impl ParseRequest for OpeningBody {
    type Input = MarketOpening;

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<MarketOpening> {
        let name = errors.required("name", self.name, MarketName::new);
        let description = errors.required("description", self.description, MarketDescription::new);
        let category = self.category.and_then(|text| category_of(text, errors, context));
        let options = self.options.and_then(|options| Options::read(options, errors));
        let subsidy = self.subsidy.and_then(|text| subsidy_of(&text, errors, context));
        let ends_at = errors.required("endDate", self.end_date, |text| parse_time(&text));
        refuse_past_end(ends_at, errors, context.now);
        let Options { names, probabilities } = options?;
        let texts = MarketTexts::new(name?, description?, category?, names);
        let texts = texts.map_err(|error| add_texts_error(error, errors)).ok()?;
        Some(MarketOpening { texts, probabilities, ends_at: ends_at?, subsidy: subsidy? })
    }
}

/// Rejects a past end date, but only in a request with other errors: in a valid one, the money
/// writer compares the time, so that a repetition after the end date gets the same response as the
/// first request.
fn refuse_past_end(ends_at: Option<Timestamp>, errors: &mut ValidationErrors, now: Timestamp) {
    if !errors.is_empty() && ends_at.is_some_and(|ends_at| ends_at <= now) {
        errors.add("endDate", FieldErrorCode::Range, "must be in the future");
    }
}

fn category_of(text: String, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Category> {
    let known = &context.settings.categories;
    let category = errors.check("category", Category::new(text))?;
    if known.iter().any(|name| name == category.as_str()) {
        return Some(category);
    }
    errors.add("category", FieldErrorCode::Invalid, format!("must be one of {}", known.join(", ")));
    None
}

fn subsidy_of(
    text: &AmountText,
    errors: &mut ValidationErrors,
    context: &ParseContext<'_>,
) -> Option<Amount> {
    let subsidy = errors.check("subsidy", text.to_amount(context.currency()))?;
    if subsidy.minor() <= MAX_UNITS {
        return Some(subsidy);
    }
    let most = Money::new(context.currency(), MAX_UNITS);
    errors.add("subsidy", FieldErrorCode::Range, format!("must be at most {most}"));
    None
}

fn add_texts_error(error: MarketTextsError, errors: &mut ValidationErrors) {
    match error {
        MarketTextsError::OptionCount => errors.add("options", FieldErrorCode::Length, error.to_string()),
        MarketTextsError::SameName { index } => {
            errors.add(&format!("options[{index}].name"), FieldErrorCode::Repeated, error.to_string());
        }
    }
}

/// Options of a new market.
struct Options {
    names: Vec<OptionName>,
    probabilities: Vec<Option<Probability>>,
}

impl Options {
    fn read(options: Vec<Object<OptionBody>>, errors: &mut ValidationErrors) -> Option<Self> {
        if !(MIN_OPTIONS..=MAX_OPTIONS).contains(&options.len()) {
            add_texts_error(MarketTextsError::OptionCount, errors);
        }
        let given: Vec<_> = options.iter().map(|Object(option)| option.probability).collect();
        let probabilities = probabilities_of(&given, errors);
        let mut known = Vec::new();
        let names = options.into_iter().enumerate().map(|(index, Object(option))| {
            errors.within(format_args!("options[{index}]"), |errors| name_of(option.name, &mut known, errors))
        });
        // All names are parsed before the first missing one ends it, so that all errors are
        // reported.
        let names: Vec<_> = names.collect();
        Some(Self { names: names.into_iter().collect::<Option<_>>()?, probabilities: probabilities? })
    }
}

/// The name of an option, which no option before it has. The domain refuses the first repeated name; here
/// each of them is found.
fn name_of(
    text: Option<String>,
    known: &mut Vec<Appearance>,
    errors: &mut ValidationErrors,
) -> Option<OptionName> {
    let name = errors.required("name", text, OptionName::new)?;
    let appearance = Appearance::of(name.as_str());
    if known.iter().any(|other| other.is_like(&appearance)) {
        errors.add("name", FieldErrorCode::Repeated, "must differ from the other options' names");
    }
    known.push(appearance);
    Some(name)
}

/// All options have a probability, and these sum to 1, or none has.
fn probabilities_of(
    given: &[Option<f64>],
    errors: &mut ValidationErrors,
) -> Option<Vec<Option<Probability>>> {
    if given.iter().all(Option::is_none) {
        return Some(vec![None; given.len()]);
    }
    let each = given.iter().enumerate().map(|(index, value)| {
        let field = format!("options[{index}].probability");
        let Some(value) = value else {
            errors.add(&field, FieldErrorCode::Required, "is required, since another option has one");
            return None;
        };
        if (MIN_INITIAL_PROBABILITY..=1.0 - MIN_INITIAL_PROBABILITY).contains(value) {
            return Probability::new(*value).ok();
        }
        errors.add(&field, FieldErrorCode::Range, "must be above 0 and below 1");
        None
    });
    let each: Vec<_> = each.collect();
    let probabilities: Vec<Probability> = each.into_iter().collect::<Option<_>>()?;
    let sum: f64 = probabilities.iter().map(|probability| probability.get()).sum();
    if (sum - 1.0).abs() > INITIAL_SUM_TOLERANCE {
        errors.add("options", FieldErrorCode::Invalid, "the probabilities must sum to 1");
    }
    Some(probabilities.into_iter().map(Some).collect())
}

/// Creates a market with a subsidy from the caller's account, once per idempotency key. 201, 400
/// `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 409 `INSUFFICIENT_FUNDS` or
/// `QUOTA_EXCEEDED`, 422 `IDEMPOTENCY_MISMATCH`, 503 `UNAVAILABLE`.
#[utoipa::path(
    post,
    path = "/markets",
    operation_id = "createMarket",
    tag = "markets",
    request_body = OpeningBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, description = "Made.", body = MarketView<'static>)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
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
        let body = MarketView::at(market.created_at, &market, &state.application.settings().currency);
        reply::created(format_args!("/markets/{}", market.market.id()), body)
    })
}

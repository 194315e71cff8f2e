//! Commands of clients, their possible effects, and the comparison with responses.

use foretell_tests::{Answer, Client, market, money, new_id, new_key, text};
use serde_json::{Value, json};

/// A command that moves money, under its own key.
#[derive(Debug, Clone)]
pub(super) struct Command {
    /// Index of its user.
    pub(super) user: usize,
    pub(super) path: String,
    pub(super) key: String,
    pub(super) body: Value,
}

/// An effect of a command, by the name under which it can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// A payment, by its client id.
    Payment(String),
    /// A bet or sale, by its client id.
    Trade(String),
    /// A market, by its name, which no other market has.
    Market(String),
    /// The resolution of the market with this id.
    Resolution(String),
}

impl Command {
    fn new(user: usize, path: String, body: Value) -> Self {
        Self { user, path, key: new_key(), body }
    }

    pub(super) fn payment(user: usize, from: &Client, to: &Client, minor: i64) -> Self {
        Self::new(user, "/transfers".to_owned(), payment(from, to, minor))
    }

    /// Payments that are executed together or not at all.
    pub(super) fn batch(user: usize, from: &Client, to: &[(&Client, i64)]) -> Self {
        let payments: Vec<_> = to.iter().map(|(to, minor)| payment(from, to, *minor)).collect();
        let body = json!({"mode": "atomic", "transfers": payments});
        Self::new(user, "/transfers/batch".to_owned(), body)
    }

    pub(super) fn bet(user: usize, market: &Value, option: usize, minor: i64) -> Self {
        let option = &market["options"][option]["id"];
        let body = json!({"clientId": new_id(), "optionId": option, "amount": money(minor)});
        Self::new(user, format!("/markets/{}/bets", text(&market["id"])), body)
    }

    pub(super) fn sale(user: usize, market: &Value, option: usize, shares: &str) -> Self {
        let body = json!({"clientId": new_id(), "optionId": market["options"][option]["id"], "shares": shares});
        Self::new(user, format!("/markets/{}/sales", text(&market["id"])), body)
    }

    pub(super) fn opening(user: usize) -> Self {
        let mut body = market(&["Yes", "No"], "20.00");
        body["name"] = json!(format!("Does {} outlive the crash?", new_id()));
        Self::new(user, "/markets".to_owned(), body)
    }

    /// Resolution of a market by its creator: this option has won.
    pub(super) fn resolution(creator: usize, market: &Value, option: usize) -> Self {
        let body = json!({"optionId": market["options"][option]["id"]});
        Self::new(creator, format!("/markets/{}/resolution", text(&market["id"])), body)
    }

    /// Returns the request as sent.
    pub(super) fn to_bytes(&self, sender: &Client) -> Vec<u8> {
        let (path, key, host, body) =
            (&self.path, &self.key, sender.address(), self.body.to_string());
        let (token, length) = (sender.token.as_deref().unwrap(), body.len());
        let request = format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        request.into_bytes()
    }

    /// Returns all possible effects.
    pub(super) fn effects(&self) -> Vec<Effect> {
        let parts: Vec<_> = self.path.split('/').skip(1).collect();
        match parts[..] {
            ["transfers"] => vec![Effect::Payment(text(&self.body["clientId"]))],
            ["transfers", "batch"] => {
                let payments = self.body["transfers"].as_array().unwrap();
                payments.iter().map(|payment| Effect::Payment(text(&payment["clientId"]))).collect()
            }
            ["markets", _, "bets" | "sales"] => vec![Effect::Trade(text(&self.body["clientId"]))],
            ["markets"] => vec![Effect::Market(text(&self.body["name"]))],
            ["markets", id, "resolution"] => vec![Effect::Resolution(id.to_owned())],
            _ => panic!("a command to {}", self.path),
        }
    }

    /// Returns the result of each effect in a response; `None` for an error.
    pub(super) fn told(&self, answer: &Answer) -> Vec<(Effect, Option<Value>)> {
        let data = &answer.body["data"];
        let is_done = answer.body["success"] == true;
        let told = |(index, effect): (usize, Effect)| {
            let told = if self.path == "/transfers/batch" {
                data[index].get("transfer").cloned()
            } else {
                is_done.then(|| data.clone())
            };
            (effect, told)
        };
        self.effects().into_iter().enumerate().map(told).collect()
    }
}

impl Effect {
    /// Checks that stored data matches the response to its sender.
    pub(super) fn check_agrees(&self, found: &Value, told: &Value) {
        let fields: Vec<&str> = match self {
            // All fields are permanent, but other readers may see fewer than its creator.
            Self::Payment(_) | Self::Trade(_) => {
                found.as_object().unwrap().keys().map(String::as_str).collect()
            }
            Self::Market(_) => vec!["id", "name", "creatorId", "subsidy", "endDate", "createdAt"],
            Self::Resolution(_) => vec!["status", "terms"],
        };
        for field in fields {
            assert_eq!(
                found[field], told[field],
                "{field} of {self:?}: found {found:#}, told {told:#}"
            );
        }
    }
}

fn payment(from: &Client, to: &Client, minor: i64) -> Value {
    json!({
        "clientId": new_id(),
        "fromAccountId": from.account_id,
        "toAccountId": to.account_id,
        "amount": money(minor),
    })
}

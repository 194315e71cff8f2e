//! SQL statements that repair unreadable rows.

use foretell_domain::id::MarketId;

use crate::error::{FIRST_MICROS, LAST_MICROS};

/// Replacement of the name of a user, an API key or a market.
const UNREADABLE_NAME: &str = "Unreadable name";

/// Repair of a row.
enum Repair {
    /// This assignment.
    Set(String),
    /// Another statement.
    Other(String),
    /// Deletion: the row is useless without the column, and can be created again.
    Delete,
    /// None: the column is part of the record of money, and its value cannot be derived.
    ByHand,
}

/// Returns the statement that repairs a column of a row, for SQLite or Postgres; `None` if only a
/// backup can restore the value. `id` is the row's key, its columns separated by `", "`.
pub(crate) fn statement(is_postgres: bool, table: &str, column: &str, id: &str) -> Option<String> {
    let row = Row { is_postgres, table, id };
    let condition = row.condition();
    Some(match row.repair(column) {
        Repair::Set(assignment) => format!("UPDATE {table} SET {assignment} WHERE {condition};"),
        Repair::Other(statement) => statement,
        Repair::Delete => format!("DELETE FROM {table} WHERE {condition};"),
        Repair::ByHand => return None,
    })
}

struct Row<'a> {
    is_postgres: bool,
    table: &'a str,
    id: &'a str,
}

impl Row<'_> {
    fn keys(&self) -> &'static [&'static str] {
        match self.table {
            "market_states" | "settlements" => &["market_id"],
            "positions" => &["market_id", "account_id", "option_index"],
            "post_tags" => &["post_id", "tag"],
            "webhook_places" => &["webhook_id", "market_id"],
            "idempotency_keys" => &["user_id", "key"],
            "known_networks" => &["user_id", "network"],
            "secrets" => &["name"],
            _ => &["id"],
        }
    }

    /// Returns the condition that selects the row.
    fn condition(&self) -> String {
        let keys = self.keys();
        // Not split further: the last column may contain the separator.
        let values = self.id.splitn(keys.len(), ", ");
        let equal = keys
            .iter()
            .zip(values)
            .map(|(key, value)| format!("{key} = {}", self.literal(key, value)));
        equal.collect::<Vec<_>>().join(" AND ")
    }

    fn literal(&self, key: &str, value: &str) -> String {
        match key {
            "option_index" => value.to_owned(),
            "tag" | "key" | "name" | "network" => format!("'{}'", value.replace('\'', "''")),
            _ => self.id_literal(value),
        }
    }

    fn id_literal(&self, value: &str) -> String {
        match value.parse::<MarketId>() {
            // SQLite stores ids as 16 bytes, Postgres as `uuid`.
            Ok(id) if !self.is_postgres => format!("x'{:032x}'", id.as_u128()),
            _ => format!("'{value}'"),
        }
    }

    fn repair(&self, column: &str) -> Repair {
        if self.is_dispensable(column) {
            return Repair::Delete;
        }
        if column.ends_with("_us") {
            return Repair::Set(format!(
                "{column} = CASE WHEN {column} < {FIRST_MICROS} THEN {FIRST_MICROS} ELSE {LAST_MICROS} END"
            ));
        }
        match self.table {
            "users" | "api_keys" => self.repair_user(column),
            "accounts" | "transfers" => self.repair_ledger(column),
            "markets" | "market_states" | "market_options" | "bets" => self.repair_market(column),
            "posts" | "comments" => self.repair_content(column),
            "webhooks" | "jobs" => self.repair_background(column),
            _ => Repair::ByHand,
        }
    }

    /// Returns `true` if the row is useless without the column, and can be created again.
    fn is_dispensable(&self, column: &str) -> bool {
        matches!(
            (self.table, column),
            (
                "sessions"
                    | "known_networks"
                    | "idempotency_keys"
                    | "post_tags"
                    | "webhook_places"
                    | "invitations"
                    | "secrets",
                _,
            ) | ("api_keys", "secret_hash")
                | ("comments", "post_id")
                | ("webhooks", "secret")
        )
    }

    fn repair_user(&self, column: &str) -> Repair {
        match (self.table, column) {
            ("users", "email") => {
                set_text(column, &format!("unreadable-{}@example.invalid", self.id))
            }
            ("users", "avatar") => Repair::Set("avatar = NULL".to_owned()),
            // The least privilege: an operator can restore more by hand.
            ("users", "role") => set_text(column, "USER"),
            ("users", "status") => set_text(column, "suspended"),
            ("api_keys", "scopes") => set_text(column, "read"),
            (_, "name") => set_text(column, UNREADABLE_NAME),
            _ => Repair::ByHand,
        }
    }

    fn repair_ledger(&self, column: &str) -> Repair {
        match (self.table, column) {
            ("transfers", "memo") => Repair::Set("memo = NULL".to_owned()),
            ("accounts", "status") => set_text(column, "open"),
            ("accounts", "balance_minor") => Repair::Set(self.last_balance()),
            _ => Repair::ByHand,
        }
    }

    fn repair_market(&self, column: &str) -> Repair {
        let assignment = match (self.table, column) {
            ("markets", "name") => return set_text(column, UNREADABLE_NAME),
            ("markets", "description") => return set_text(column, "Unreadable description"),
            ("markets", "category") => return set_text(column, "unreadable"),
            ("markets", "fee_bps") => "fee_bps = 0",
            ("markets", "subsidy_minor") => {
                "subsidy_minor = (SELECT amount_minor FROM transfers \
                WHERE transfers.market_id = markets.id AND transfers.kind = 'subsidy')"
            }
            ("market_states", "phase") => {
                "phase = COALESCE((SELECT CASE kind WHEN 'payouts' THEN 'resolved' ELSE 'cancelled' END \
                FROM settlements WHERE settlements.market_id = market_states.market_id), 'closed')"
            }
            ("market_options", "name") => "name = 'Unreadable option ' || (option_index + 1)",
            ("market_options", "outstanding_units") => {
                "outstanding_units = (SELECT COALESCE(SUM(shares_units), 0) FROM positions \
                WHERE positions.market_id = market_options.market_id \
                AND positions.option_index = market_options.option_index)"
            }
            ("bets", "side") => {
                "side = (SELECT CASE kind WHEN 'bet' THEN 'buy' ELSE 'sell' END FROM transfers \
                WHERE transfers.id = bets.transfer_id)"
            }
            ("bets", "option_index") => {
                "option_index = (SELECT market_options.option_index FROM market_options \
                WHERE market_options.id = bets.option_id)"
            }
            _ => return Repair::ByHand,
        };
        Repair::Set(assignment.to_owned())
    }

    fn repair_content(&self, column: &str) -> Repair {
        let id = self.id_literal(self.id);
        match (self.table, column) {
            ("posts", "tags") => {
                Repair::Other(format!("DELETE FROM post_tags WHERE post_id = {id};"))
            }
            ("posts", "title") => set_text(column, "Unreadable title"),
            ("posts", "content") => set_text(column, "Unreadable content"),
            // The table of tags repeats the status.
            ("posts", "status") => Repair::Other(format!(
                "UPDATE posts SET status = 'draft' WHERE id = {id}; \
                 UPDATE post_tags SET status = 'draft' WHERE post_id = {id};"
            )),
            ("comments", "content") => set_text(column, "Unreadable comment"),
            _ => Repair::ByHand,
        }
    }

    fn repair_background(&self, column: &str) -> Repair {
        let assignment = match (self.table, column) {
            ("webhooks", "url") => "url = 'https://unreadable.invalid/', status = 'disabled'",
            ("webhooks", "events") => "events = 'market.trade market.status'",
            ("webhooks", "status") => "status = 'disabled'",
            ("webhooks", "replaced_secret") => "replaced_secret = NULL, replaced_until_us = NULL",
            ("jobs", "state") => "state = 'dead', due_at_us = NULL, finished_at_us = created_at_us",
            ("jobs", "failures") => "failures = 0",
            _ => return Repair::ByHand,
        };
        Repair::Set(assignment.to_owned())
    }

    /// Returns the assignment of the balance after the account's last transfer.
    fn last_balance(&self) -> String {
        let id = self.id_literal(self.id);
        format!(
            "balance_minor = COALESCE((SELECT balance_minor FROM ( \
            SELECT debit_version AS version, debit_balance_minor AS balance_minor FROM transfers \
            WHERE debit_account_id = {id} UNION ALL \
            SELECT credit_version, credit_balance_minor FROM transfers \
            WHERE credit_account_id = {id}) AS sides ORDER BY version DESC LIMIT 1), 0)"
        )
    }
}

/// Returns the assignment of a text that needs no quoting.
fn set_text(column: &str, text: &str) -> Repair {
    Repair::Set(format!("{column} = '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01900000-0000-7000-8000-000000000001";

    #[test]
    fn repair_selects_row_in_dialect() {
        let check = |is_postgres, table, column, id, expected| {
            assert_eq!(statement(is_postgres, table, column, id).as_deref(), expected);
        };
        let sqlite =
            "UPDATE users SET role = 'USER' WHERE id = x'01900000000070008000000000000001';";
        check(false, "users", "role", ID, Some(sqlite));
        let postgres = format!("UPDATE users SET role = 'USER' WHERE id = '{ID}';");
        check(true, "users", "role", ID, Some(&postgres));
        let tag = format!("DELETE FROM post_tags WHERE post_id = '{ID}' AND tag = 'it''s, a';");
        let key = format!("{ID}, it's, a");
        check(true, "post_tags", "tag", &key, Some(&tag));
        check(true, "transfers", "amount_minor", ID, None);
    }
}

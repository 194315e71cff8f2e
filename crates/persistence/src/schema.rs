//! The tables for Diesel: one schema for both databases, checked by a test.

#![allow(clippy::wildcard_imports, reason = "the columns' types, as Diesel's own tool writes them")]

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    users (id) {
        id -> Id,
        email -> Text,
        name -> Text,
        avatar -> Nullable<Text>,
        role -> Text,
        status -> Text,
        password_hash -> Text,
        created_at_us -> BigInt,
        version -> BigInt,
        erased_at_us -> Nullable<BigInt>,
        updated_at_us -> Nullable<BigInt>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    sessions (id) {
        id -> Id,
        user_id -> Id,
        token_hash -> Binary,
        created_at_us -> BigInt,
        expires_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    known_networks (user_id, network) {
        user_id -> Id,
        network -> Text,
        last_used_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;

    signup_grants (email_hash) {
        email_hash -> Binary,
        recorded_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    api_keys (id) {
        id -> Id,
        user_id -> Id,
        name -> Text,
        secret_hash -> Binary,
        scopes -> Text,
        created_at_us -> BigInt,
        expires_at_us -> Nullable<BigInt>,
        last_used_at_us -> Nullable<BigInt>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    invitations (id) {
        id -> Id,
        code_hash -> Binary,
        role -> Text,
        grant_minor -> Nullable<BigInt>,
        max_uses -> BigInt,
        uses -> BigInt,
        created_by -> Id,
        created_at_us -> BigInt,
        expires_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;

    secrets (name) {
        name -> Text,
        value -> Binary,
    }
}

table! {
    use diesel::sql_types::*;

    ledger (id) {
        id -> Integer,
        currency_code -> Text,
        currency_decimals -> Integer,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    accounts (id) {
        id -> Id,
        kind -> Text,
        owner_id -> Nullable<Id>,
        status -> Text,
        balance_minor -> BigInt,
        version -> BigInt,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    transfers (id) {
        id -> Id,
        client_id -> Nullable<Id>,
        kind -> Text,
        amount_minor -> BigInt,
        debit_account_id -> Id,
        debit_version -> BigInt,
        debit_balance_minor -> BigInt,
        credit_account_id -> Id,
        credit_version -> BigInt,
        credit_balance_minor -> BigInt,
        market_id -> Nullable<Id>,
        reversal_of -> Nullable<Id>,
        memo -> Nullable<Text>,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    markets (id) {
        id -> Id,
        creator_id -> Id,
        creator_account_id -> Id,
        name -> Text,
        description -> Text,
        category -> Text,
        ends_at_us -> BigInt,
        subsidy_minor -> BigInt,
        fee_bps -> Integer,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    market_states (market_id) {
        market_id -> Id,
        phase -> Text,
        fees_minor -> BigInt,
        volume_minor -> BigInt,
        stakes_minor -> BigInt,
        bet_count -> BigInt,
        version -> BigInt,
        updated_at_us -> BigInt,
        creator_id -> Nullable<Id>,
        revision -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    market_revisions (market_id, number) {
        market_id -> Id,
        number -> BigInt,
        author_id -> Id,
        name -> Text,
        description -> Text,
        ends_at_us -> BigInt,
        clarification -> Nullable<Text>,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    market_options (market_id, option_index) {
        market_id -> Id,
        option_index -> Integer,
        id -> Id,
        name -> Text,
        initial_probability -> Double,
        outstanding_units -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    bets (id) {
        id -> Id,
        client_id -> Nullable<Id>,
        market_id -> Id,
        sequence -> BigInt,
        market_version -> BigInt,
        user_id -> Id,
        account_id -> Id,
        transfer_id -> Id,
        option_id -> Id,
        option_index -> Integer,
        side -> Text,
        cash_minor -> BigInt,
        fee_minor -> BigInt,
        shares_units -> BigInt,
        prices_before -> Binary,
        prices_after -> Binary,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    positions (market_id, account_id, option_index) {
        market_id -> Id,
        account_id -> Id,
        option_index -> Integer,
        shares_units -> BigInt,
        spent_minor -> BigInt,
        received_minor -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    settlements (market_id) {
        market_id -> Id,
        kind -> Text,
        basis_points -> Nullable<Text>,
        available_minor -> Nullable<BigInt>,
        stakes_minor -> Nullable<BigInt>,
        decided_by -> Id,
        decided_at_us -> BigInt,
        cursor_account_id -> Nullable<Id>,
        holders_paid -> BigInt,
        paid_minor -> BigInt,
        completed_at_us -> Nullable<BigInt>,
        undo_cursor -> Nullable<BigInt>,
        undo_covered_minor -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    market_resolutions (market_id, number) {
        market_id -> Id,
        number -> BigInt,
        basis_points -> Nullable<Text>,
        evidence_text -> Nullable<Text>,
        evidence_url -> Nullable<Text>,
        proposed_by -> Id,
        proposed_at_us -> BigInt,
        takes_effect_at_us -> Nullable<BigInt>,
        status -> Text,
        dispute_count -> BigInt,
        closed_by -> Nullable<Id>,
        closed_at_us -> Nullable<BigInt>,
        undone_by -> Nullable<Id>,
        undo_reason -> Nullable<Text>,
        undone_at_us -> Nullable<BigInt>,
        undo_covered_minor -> Nullable<BigInt>,
        undo_completed_at_us -> Nullable<BigInt>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    market_disputes (market_id, number, user_id) {
        market_id -> Id,
        number -> BigInt,
        user_id -> Id,
        reason -> Text,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    market_debts (transfer_id) {
        transfer_id -> Id,
        account_id -> Id,
        market_id -> Id,
        amount_minor -> BigInt,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    payouts (market_id, account_id) {
        market_id -> Id,
        account_id -> Id,
        amount_minor -> BigInt,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    idempotency_keys (user_id, key) {
        user_id -> Id,
        key -> Text,
        request_hash -> Binary,
        outcome -> Text,
        created_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    posts (id) {
        id -> Id,
        author_id -> Id,
        title -> Text,
        content -> Text,
        status -> Text,
        version -> BigInt,
        created_at_us -> BigInt,
        updated_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    post_tags (post_id, tag) {
        post_id -> Id,
        tag -> Text,
        status -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    comments (id) {
        id -> Id,
        post_id -> Nullable<Id>,
        market_id -> Nullable<Id>,
        author_id -> Id,
        content -> Text,
        created_at_us -> BigInt,
        updated_at_us -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    webhooks (id) {
        id -> Id,
        url -> Text,
        events -> Text,
        status -> Text,
        secret -> Binary,
        replaced_secret -> Nullable<Binary>,
        replaced_until_us -> Nullable<BigInt>,
        created_at_us -> BigInt,
        failing_since_us -> Nullable<BigInt>,
        failure -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    webhook_places (webhook_id, market_id) {
        webhook_id -> Id,
        market_id -> Id,
        sequence -> BigInt,
        phase -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::id::Id;

    jobs (id) {
        id -> Id,
        kind -> Text,
        lane -> Text,
        about_id -> Nullable<Id>,
        concerned_id -> Nullable<Id>,
        state -> Text,
        due_at_us -> Nullable<BigInt>,
        leases -> BigInt,
        failures -> BigInt,
        error -> Nullable<Text>,
        once -> Nullable<Text>,
        created_at_us -> BigInt,
        finished_at_us -> Nullable<BigInt>,
    }
}

joinable!(sessions -> users (user_id));
joinable!(known_networks -> users (user_id));
joinable!(api_keys -> users (user_id));
joinable!(market_states -> markets (market_id));
joinable!(market_options -> markets (market_id));
joinable!(positions -> accounts (account_id));
joinable!(post_tags -> posts (post_id));

allow_tables_to_appear_in_same_query!(users, sessions, api_keys, accounts);
allow_tables_to_appear_in_same_query!(users, known_networks);
allow_tables_to_appear_in_same_query!(bets, transfers, accounts);
allow_tables_to_appear_in_same_query!(markets, market_states, market_options, accounts, positions);
allow_tables_to_appear_in_same_query!(posts, post_tags);

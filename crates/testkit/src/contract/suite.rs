//! List of the contract's tests, which generates the test file of an adapter.

/// Generates the contract's tests for the adapter that a [`Harness`](crate::contract::Harness)
/// opens.
///
/// The expression is evaluated once for each test. The crate that calls it needs `tokio` with its
/// macros.
#[macro_export]
macro_rules! contract_suite {
    ($harness:expr) => {
        $crate::contract_tests! { $harness;
            units:
                result_is_returned_after_commit,
                error_rolls_back_every_change,
                refusal_rolls_back_every_change,
                panic_rolls_back_every_change,
                store_is_usable_after_panic,
                unit_sees_its_own_changes,
                queries_do_not_see_running_unit,
                unit_of_dropped_future_is_committed,
                storage_responds_to_ping;
            interleaving:
                concurrent_units_on_account_lose_no_update,
                concurrent_units_on_market_lose_no_update,
                opposite_transfers_between_two_accounts_succeed,
                crosswise_locks_succeed_eventually,
                many_units_on_few_accounts_lose_nothing,
                concurrent_units_on_post_lose_no_update,
                post_is_not_deleted_during_comment,
                one_of_two_users_gets_email,
                mutual_demotion_leaves_one_admin,
                one_of_two_commands_gets_key,
                one_of_two_transfers_gets_id,
                one_of_two_units_inserts_account,
                first_of_two_currencies_is_stored,
                one_of_two_decisions_gets_settlement,
                concurrent_settlement_steps_pay_once;
            accounts:
                currency_is_recorded_once,
                accounts_are_inserted_once,
                accounts_are_locked_in_ascending_order,
                saved_accounts_keep_balance_version_and_status,
                full_batch_of_accounts_is_saved,
                accounts_of_user_are_listed_oldest_first,
                at_most_hundred_accounts_are_listed;
            transfers:
                transfers_are_returned_as_written,
                only_users_own_sides,
                absent_transfers_are_left_out,
                client_ids_of_transfers_are_per_payer,
                reversed_transfers_are_found,
                second_reversal_is_rejected,
                existing_transfer_id_is_rejected,
                existing_account_version_is_rejected,
                version_used_on_other_side_is_noticed,
                transfers_of_account_are_listed_newest_first,
                all_transfers_are_listed_in_pages,
                untouched_account_has_no_transfers,
                balance_is_known_for_every_time,
                last_transfer_of_time_decides_balance,
                full_batch_of_transfers_is_written;
            audit:
                empty_ledger_is_sound,
                ledger_in_use_is_sound,
                money_from_nowhere_is_found,
                sum_beyond_64_bits_is_found,
                version_without_transfer_is_found,
                transfer_without_effect_is_found,
                gap_between_versions_is_found,
                inconsistent_running_balance_is_found,
                uncovered_market_is_found,
                fees_missing_from_pot_are_found,
                shares_without_holder_are_found,
                stakes_without_trader_are_found,
                wrong_count_of_bets_is_found,
                positions_without_bets_are_found,
                uncounted_bet_is_found,
                remainder_in_settled_pot_is_found,
                money_of_deleted_market_is_found;
            values:
                accepted_texts_are_returned_as_written,
                longest_texts_are_returned_as_written,
                extreme_times_are_returned_as_written;
            users:
                users_are_returned_as_written,
                existing_email_inserts_no_user,
                absent_users_are_not_found,
                saved_user_keeps_every_change,
                existing_email_is_not_saved,
                admins_are_locked_with_user,
                users_are_listed_newest_first,
                several_users_are_found,
                session_has_user_and_oldest_account,
                session_is_deleted_by_its_user_only,
                sessions_are_ended_together,
                ended_sessions_are_purged,
                sessions_of_user_are_listed_newest_first,
                existing_token_is_rejected;
            credentials:
                credentials_have_state_of_their_users,
                unit_reads_role_it_has_changed,
                demotion_waits_for_unit_with_lock,
                unit_reads_role_after_awaited_demotion,
                session_ended_meanwhile_is_not_found,
                concurrent_webhook_inserts_count_each_other;
            known_networks:
                known_network_is_found_by_email,
                known_network_is_recorded_once,
                least_recently_used_networks_are_deleted,
                known_networks_are_deleted_together,
                unused_networks_are_purged;
            grants:
                grant_is_recorded_once,
                one_of_two_units_records_grant;
            invitations:
                invitations_are_returned_as_written,
                existing_code_is_rejected,
                saved_invitation_keeps_its_uses,
                concurrent_uses_of_invitation_are_counted,
                invitations_are_listed_and_deleted;
            secrets:
                secret_is_stored_once;
            api_keys:
                key_has_user_and_oldest_account,
                every_set_of_scopes_is_stored,
                existing_secret_is_rejected,
                key_is_deleted_by_its_user_only,
                keys_of_user_are_deleted_together,
                last_use_of_key_is_stored,
                keys_of_user_are_listed_newest_first;
            outcomes:
                outcomes_are_returned_as_written,
                existing_key_is_rejected,
                old_outcomes_are_purged,
                full_batch_of_outcomes_is_written;
            markets:
                markets_are_returned_as_written,
                existing_market_id_is_rejected,
                markets_are_inserted_together,
                markets_are_locked_in_ascending_order,
                saved_markets_keep_their_state,
                saved_listings_keep_edited_fields,
                markets_are_saved_together,
                market_details_follow_last_trade;
            market_changes:
                locked_market_has_previous_changes,
                deleted_market_deletes_its_comments,
                market_with_settlement_is_not_deleted,
                waiting_unit_does_not_find_deleted_market,
                market_is_not_deleted_during_comment;
            resolutions:
                resolutions_are_returned_as_written,
                user_disputes_once,
                undisputed_proposals_become_due,
                undone_settlement_makes_room_for_another,
                deleted_market_has_no_resolutions;
            revisions:
                revisions_are_returned_as_written,
                existing_revision_number_is_rejected,
                first_end_date_is_of_opening,
                deleted_market_has_no_revisions,
                stakes_count_sold_shares;
            market_lists:
                markets_are_listed_newest_first,
                markets_are_sorted_by_end_date,
                markets_are_sorted_by_volume,
                markets_are_filtered_by_category,
                markets_are_filtered_by_phase_at_time,
                markets_are_filtered_by_creator_and_combined,
                markets_are_paged,
                markets_are_paged_by_keys,
                key_of_removed_market_is_valid,
                listed_markets_are_complete;
            bets:
                bets_are_returned_as_written,
                absent_bets_are_left_out,
                client_ids_of_bets_are_per_trader,
                existing_bet_id_is_rejected,
                existing_sequence_number_is_rejected,
                bets_of_market_are_listed_newest_first,
                newest_bets_of_several_markets_are_returned,
                untouched_market_has_no_bets,
                full_batch_of_bets_is_written;
            portfolio:
                bets_of_user_are_listed_newest_first,
                positions_of_account_are_listed_by_market,
                several_markets_and_settlements_are_found,
                profits_are_sums_of_market_transfers,
                profits_are_those_of_active_users;
            prices:
                prices_before_time_follow_last_trade,
                price_window_includes_its_start_only,
                price_window_is_read_in_parts;
            holdings:
                positions_are_saved_one_by_one,
                existing_holdings_are_found,
                holdings_are_listed_set_by_set,
                positions_are_listed_by_option_and_size,
                full_batch_of_positions_is_saved;
            settlements:
                settlements_are_returned_as_written,
                undecided_market_has_no_settlement,
                second_settlement_is_rejected,
                saved_settlements_keep_their_progress,
                second_claim_is_rejected,
                unsettled_markets_are_listed;
            posts:
                posts_are_returned_as_written,
                existing_post_id_is_rejected,
                post_requires_existing_author,
                saved_posts_keep_their_text,
                deleted_post_deletes_comments,
                content_of_user_is_deleted;
            post_lists:
                posts_are_listed_by_status_author_and_tag,
                posts_are_listed_in_pages,
                tag_counts_its_published_posts,
                newest_posts_of_authors_are_listed,
                tags_are_listed_in_pages;
            comments:
                comments_are_returned_as_written,
                existing_comment_id_is_rejected,
                comment_requires_subject_and_author,
                locked_subject_has_its_visibility,
                saved_comments_keep_their_text,
                deleted_comment_deletes_nothing_else,
                comments_of_subject_are_listed_in_pages,
                comments_of_author_are_listed_in_pages,
                newest_comments_of_several_posts_are_returned;
            quotas:
                quotas_count_resources_of_user,
                oldest_sessions_end,
                concurrent_post_inserts_count_each_other,
                concurrent_market_openings_count_each_other,
                exclusive_lock_reads_ended_session;
            webhooks:
                webhooks_are_returned_as_written,
                saved_webhook_keeps_every_change,
                webhooks_are_listed_newest_first,
                enabled_webhook_is_noticed,
                change_creates_cursor_where_wanted,
                a_place_is_made_once,
                a_place_moves_and_goes,
                cursors_go_with_their_webhook;
            jobs:
                jobs_are_returned_as_added,
                named_job_is_added_once,
                due_jobs_are_leased_in_order,
                leased_job_runs,
                job_is_finished_once,
                expired_lease_passes_to_next_worker,
                job_is_rescheduled,
                dead_job_is_revived,
                deleted_job_is_absent,
                scheduled_job_is_moved,
                running_job_that_moves_is_kept,
                concurrent_units_schedule_one_job,
                named_jobs_are_deleted,
                old_jobs_are_purged,
                jobs_are_listed_by_kind_and_state,
                concurrent_workers_lease_different_jobs;
            searches:
                words_match_in_every_store,
                words_of_all_scripts_are_found,
                long_texts_and_queries_are_searched,
                substrings_are_found,
                best_matches_come_first,
                renamed_market_is_found_by_new_name,
                posts_are_found_within_their_filter;
            vectors:
                vectors_come_back_in_order,
                older_version_replaces_nothing,
                vectors_go_with_their_texts;
        }
    };
}

/// Generates the listed tests, as part of [`contract_suite!`](crate::contract_suite).
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($harness:expr; $($area:ident: $($test:ident),+;)+) => {$(
        mod $area {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "whatever the harness names")]
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    $crate::contract::$area::$test(&$harness).await;
                }
            )+
        }
    )+};
}

#[cfg(test)]
mod tests {
    /// Modules of the suite with their sources.
    const AREAS: [(&str, &str); 27] = [
        ("units", include_str!("units.rs")),
        ("interleaving", include_str!("interleaving.rs")),
        ("accounts", include_str!("accounts.rs")),
        ("transfers", include_str!("transfers.rs")),
        ("audit", include_str!("audit.rs")),
        ("users", include_str!("users.rs")),
        ("credentials", include_str!("credentials.rs")),
        ("known_networks", include_str!("known_networks.rs")),
        ("secrets", include_str!("secrets.rs")),
        ("api_keys", include_str!("api_keys.rs")),
        ("outcomes", include_str!("outcomes.rs")),
        ("markets", include_str!("markets.rs")),
        ("market_changes", include_str!("market_changes.rs")),
        ("market_lists", include_str!("market_lists.rs")),
        ("bets", include_str!("bets.rs")),
        ("portfolio", include_str!("portfolio.rs")),
        ("prices", include_str!("prices.rs")),
        ("holdings", include_str!("holdings.rs")),
        ("settlements", include_str!("settlements.rs")),
        ("posts", include_str!("posts.rs")),
        ("post_lists", include_str!("post_lists.rs")),
        ("comments", include_str!("comments.rs")),
        ("quotas", include_str!("quotas.rs")),
        ("webhooks", include_str!("webhooks.rs")),
        ("jobs", include_str!("jobs.rs")),
        ("searches", include_str!("searches.rs")),
        ("vectors", include_str!("vectors.rs")),
    ];

    #[test]
    fn suite_runs_every_test_of_its_modules() {
        let (_, suite) =
            include_str!("suite.rs").split_once("macro_rules! contract_suite").unwrap();
        let (suite, _) = suite.split_once("};").unwrap();
        let listed: Vec<_> =
            suite.split_whitespace().map(|word| word.trim_end_matches([',', ';'])).collect();
        for (area, source) in AREAS {
            let written = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            for test in written.filter_map(|line| line.split('(').next()) {
                assert!(listed.contains(&test), "{area}::{test} is missing from contract_suite!");
            }
            assert!(suite.contains(&format!("{area}:")), "{area}");
        }
    }
}

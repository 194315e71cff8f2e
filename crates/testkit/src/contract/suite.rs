//! The list of the contract's tests, from which a test file of an adapter is generated.

/// Generates the contract's tests for the adapter that a [`Harness`](crate::contract::Harness) opens.
///
/// The expression is evaluated once for each test. The crate that calls it needs `tokio` with its macros.
#[macro_export]
macro_rules! contract_suite {
    ($harness:expr) => {
        $crate::contract_tests! { $harness;
            units:
                results_come_back_after_the_commit,
                an_error_drops_every_change,
                a_panic_drops_every_change,
                a_store_is_usable_after_a_panic,
                a_unit_sees_its_own_changes,
                queries_see_nothing_of_a_running_unit,
                a_unit_whose_future_is_dropped_is_committed_wholly,
                storage_answers_a_ping;
            interleaving:
                two_units_on_one_account_lose_no_update,
                two_units_on_one_market_lose_no_update,
                two_units_on_two_accounts_in_opposite_directions_both_succeed,
                two_units_that_lock_crosswise_both_succeed_in_the_end,
                many_units_on_few_accounts_keep_every_transfer,
                two_units_on_one_post_lose_no_update,
                a_post_is_not_deleted_while_a_comment_is_written,
                one_of_two_users_gets_a_mail_address,
                of_two_admins_who_demote_each_other_one_is_left,
                one_of_two_commands_gets_a_key,
                one_of_two_transfers_gets_an_id,
                one_of_two_units_inserts_an_account,
                the_first_of_two_currencies_is_the_currency,
                one_of_two_decisions_gets_the_settlement,
                two_steps_of_a_settlement_pay_each_holder_once;
            accounts:
                the_currency_is_recorded_once,
                accounts_are_inserted_once,
                locked_accounts_come_in_ascending_order,
                saved_accounts_keep_balance_version_and_status,
                a_full_batch_of_accounts_is_locked_and_saved,
                accounts_of_a_user_come_oldest_first,
                at_most_a_hundred_accounts_are_listed;
            transfers:
                transfers_come_back_as_they_were_written,
                only_users_own_sides,
                absent_transfers_are_left_out,
                client_ids_of_transfers_belong_to_their_payer,
                reversed_transfers_are_found,
                a_second_reversal_is_rejected,
                a_known_transfer_id_is_rejected,
                a_taken_account_version_is_rejected,
                a_version_taken_on_the_other_side_does_not_go_unnoticed,
                transfers_of_an_account_come_newest_first,
                all_transfers_are_listed_in_stretches,
                an_untouched_account_has_no_transfers,
                a_balance_is_known_for_every_moment,
                the_last_transfer_of_a_moment_decides_its_balance,
                a_full_batch_of_transfers_is_written;
            audit:
                an_empty_ledger_is_sound,
                a_ledger_in_use_is_sound,
                money_from_nowhere_is_found,
                a_sum_beyond_64_bits_is_found,
                a_version_without_a_transfer_is_found,
                a_transfer_that_moved_nothing_is_found,
                a_gap_between_versions_is_found,
                a_running_balance_that_does_not_follow_is_found,
                an_uncovered_market_is_found,
                fees_that_the_pot_lacks_are_found,
                shares_that_nobody_holds_are_found,
                stakes_that_nobody_put_in_are_found,
                a_wrong_count_of_bets_is_found,
                positions_without_bets_are_found,
                a_bet_that_was_not_counted_is_found,
                a_remainder_in_a_settled_pot_is_found,
                money_in_the_pot_of_a_deleted_market_is_found;
            values:
                accepted_texts_come_back_as_written,
                longest_texts_come_back_as_written,
                extreme_times_come_back_as_written;
            users:
                users_come_back_as_they_were_written,
                a_taken_mail_address_inserts_nobody,
                absent_users_are_not_found,
                a_saved_user_keeps_every_change,
                a_taken_mail_address_is_not_saved,
                admins_are_locked_with_a_user,
                users_come_newest_first,
                several_users_are_found_at_once,
                a_session_comes_with_its_user_and_oldest_account,
                a_session_is_deleted_only_by_its_user,
                sessions_end_together,
                ended_sessions_are_purged,
                sessions_of_a_user_come_newest_first,
                a_known_token_is_rejected;
            credentials:
                credentials_come_with_the_state_of_their_users,
                a_unit_reads_the_role_that_it_has_changed,
                a_demotion_waits_for_the_unit_that_locked_the_role,
                a_unit_reads_the_role_after_the_demotion_it_waited_for,
                a_session_that_ends_meanwhile_is_not_found,
                two_units_that_insert_webhooks_count_each_other;
            known_networks:
                known_network_is_found_by_email,
                known_network_is_recorded_once,
                longest_unused_networks_are_deleted,
                known_networks_end_together,
                unused_networks_are_purged;
            secrets:
                a_secret_is_kept_once;
            api_keys:
                a_key_comes_with_its_user_and_oldest_account,
                every_set_of_scopes_is_kept,
                a_known_secret_is_rejected,
                a_key_is_deleted_only_by_its_user,
                keys_of_a_user_go_together,
                the_last_use_of_a_key_is_kept,
                keys_of_a_user_come_newest_first;
            outcomes:
                outcomes_come_back_as_they_were_written,
                a_known_key_is_rejected,
                old_outcomes_are_purged,
                a_full_batch_of_outcomes_is_written;
            markets:
                markets_come_back_as_they_were_written,
                a_known_market_id_is_rejected,
                markets_are_inserted_together,
                locked_markets_come_in_ascending_order,
                saved_markets_keep_their_state,
                saved_listings_keep_what_an_edit_changes,
                markets_are_saved_together,
                a_market_is_read_after_its_last_trade;
            market_changes:
                a_market_is_locked_as_the_unit_before_has_left_it,
                a_deleted_market_is_gone_with_the_comments_on_it,
                a_market_with_a_settlement_is_not_deleted,
                who_waits_for_a_market_that_is_deleted_finds_none,
                a_market_is_not_deleted_while_a_comment_is_written;
            market_lists:
                the_newest_markets_come_first,
                the_next_to_close_come_first,
                the_most_traded_come_first,
                markets_are_filtered_by_category,
                markets_are_filtered_by_their_phase_at_a_moment,
                markets_are_filtered_by_creator_and_by_all_at_once,
                markets_are_paged,
                markets_are_walked_by_keys,
                a_walk_goes_on_after_a_market_that_has_left_the_list,
                listed_markets_are_whole;
            bets:
                bets_come_back_as_they_were_written,
                absent_bets_are_left_out,
                client_ids_of_bets_belong_to_their_trader,
                a_known_bet_id_is_rejected,
                a_taken_sequence_number_is_rejected,
                bets_of_a_market_come_newest_first,
                the_newest_bets_of_several_markets_come_at_once,
                an_untouched_market_has_no_bets,
                a_full_batch_of_bets_is_written;
            portfolio:
                bets_of_a_user_come_newest_first,
                positions_of_an_account_come_by_market_and_option,
                several_markets_and_settlements_are_found_at_once,
                profits_are_summed_up_from_the_transfers_of_markets,
                profits_are_those_of_active_users;
            prices:
                prices_before_a_moment_are_those_of_the_last_trade,
                a_window_of_prices_includes_its_beginning_only,
                a_window_of_prices_is_read_in_parts;
            holdings:
                positions_are_saved_one_by_one,
                holdings_are_found_where_there_are_any,
                holdings_are_listed_set_by_set,
                positions_come_by_option_and_size,
                a_full_batch_of_positions_is_saved;
            settlements:
                settlements_come_back_as_they_were_written,
                an_undecided_market_has_no_settlement,
                a_second_settlement_is_rejected,
                saved_settlements_keep_their_progress,
                a_second_claim_is_rejected,
                unsettled_markets_are_listed;
            posts:
                posts_come_back_as_they_were_written,
                a_known_post_id_is_rejected,
                a_post_needs_an_author_who_is_there,
                saved_posts_keep_what_they_say,
                a_deleted_post_takes_its_comments_along,
                the_content_of_a_user_is_deleted;
            post_lists:
                posts_are_listed_by_status_author_and_tag,
                posts_are_listed_in_stretches,
                a_tag_counts_the_published_posts_that_have_it,
                newest_posts_of_authors_are_listed,
                tags_are_listed_in_stretches;
            comments:
                comments_come_back_as_they_were_written,
                a_known_comment_id_is_rejected,
                a_comment_needs_a_subject_and_an_author,
                a_held_subject_tells_who_may_see_it,
                saved_comments_keep_what_they_say,
                a_deleted_comment_is_gone_alone,
                comments_of_a_subject_are_listed_in_stretches,
                comments_of_an_author_are_listed_in_stretches,
                the_newest_comments_of_several_posts_come_at_once;
            quotas:
                quotas_count_what_a_user_has,
                oldest_sessions_end,
                two_units_that_insert_posts_count_each_other,
                two_units_that_open_markets_count_each_other,
                exclusive_lock_reads_the_session_that_ended;
            webhooks:
                webhooks_come_back_as_they_were_written,
                a_saved_webhook_keeps_every_change,
                webhooks_come_newest_first,
                an_enabled_webhook_is_noticed,
                news_makes_places_where_it_is_wanted,
                a_place_is_made_once,
                a_place_moves_and_goes,
                places_go_with_their_webhook;
            jobs:
                jobs_come_back_as_they_were_added,
                a_named_job_is_added_once,
                due_jobs_are_taken_up_in_their_order,
                a_job_that_was_taken_up_runs,
                a_job_is_done_once,
                a_lease_that_has_run_out_passes_on,
                a_job_is_put_off,
                a_job_is_given_up_and_revived,
                a_deleted_job_is_gone,
                a_scheduled_job_moves,
                a_running_job_that_moves_is_not_lost,
                two_units_schedule_one_job,
                named_jobs_are_deleted,
                old_jobs_are_purged,
                jobs_are_listed_by_kind_and_state,
                two_workers_share_no_job;
            searches:
                words_are_found_alike,
                words_of_all_scripts_are_found,
                long_texts_and_queries_are_searched,
                parts_of_words_are_found,
                the_best_hits_come_first,
                a_renamed_market_is_found_by_its_new_name,
                posts_are_found_within_their_filter;
            vectors:
                vectors_come_back_in_order,
                an_older_version_replaces_nothing,
                vectors_go_with_their_texts;
        }
    };
}

/// Generates the listed tests; a part of [`contract_suite!`](crate::contract_suite).
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
    /// The modules of the suite with their sources.
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
    fn the_suite_runs_every_test_of_its_modules() {
        let (_, suite) = include_str!("suite.rs").split_once("macro_rules! contract_suite").unwrap();
        let (suite, _) = suite.split_once("};").unwrap();
        let listed: Vec<_> = suite.split_whitespace().map(|word| word.trim_end_matches([',', ';'])).collect();
        for (area, source) in AREAS {
            let written = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            for test in written.filter_map(|line| line.split('(').next()) {
                assert!(listed.contains(&test), "{area}::{test} is missing from contract_suite!");
            }
            assert!(suite.contains(&format!("{area}:")), "{area}");
        }
    }
}

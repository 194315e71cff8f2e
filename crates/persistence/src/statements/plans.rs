//! Query plans of a database, and the indexes that they use.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use super::Either;

/// Name of a prepared statement, with NULL for each of its parameters.
pub(super) const KEPT: &str = "SELECT name || CASE WHEN cardinality(parameter_types) = 0 THEN '' ELSE '(' ||
    array_to_string(array_fill('NULL'::text, ARRAY[cardinality(parameter_types)]), ', ') || ')' END AS detail
    FROM pg_prepared_statements WHERE statement = $1";

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text)]
    #[diesel(column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct PlanDetail {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Returns the generic plan of a statement.
pub(super) fn plan(connection: &mut Either, sql: &str) -> String {
    match connection {
        Either::Sqlite(c) => {
            let plan =
                sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load::<PlanDetail>(c).unwrap();
            plan.into_iter().map(|row| row.detail).collect::<Vec<_>>().join("\n")
        }
        Either::Postgres(c) => {
            c.batch_execute(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_sort = off",
            )
            .unwrap();
            // The statement is still prepared, with the types of its parameters.
            let kept = sql_query(KEPT).bind::<Text, _>(sql).get_result::<PlanDetail>(c).unwrap();
            let plan =
                sql_query(format!("EXPLAIN EXECUTE {}", kept.detail)).load::<PlanLine>(c).unwrap();
            plan.into_iter().map(|row| row.line).collect::<Vec<_>>().join("\n")
        }
    }
}

/// A table with at most 20 rows.
const SMALL: &str = "webhooks";

/// Returns `true` if a plan scans a table that grows.
pub(super) fn reads_all(plan: &str) -> bool {
    let reads_all = |line: &str| {
        let line = line.trim();
        line.contains("Seq Scan")
            || line.contains("AUTOMATIC")
            || (line.starts_with("SCAN") && !line.contains("INDEX") && !line.contains("json_each"))
    };
    plan.lines().any(|line| reads_all(line) && !line.contains(SMALL))
}

/// Returns `true` if a plan sorts.
pub(super) fn sorts(plan: &str) -> bool {
    plan.contains("Sort") || plan.contains("TEMP B-TREE")
}

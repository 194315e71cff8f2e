//! Resolution of a market with a hundred thousand holders: its duration, and the duration of its
//! locks.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use foretell_tests::{Client, Database};
use serde_json::json;

use crate::report;
use crate::seed::{self, Kind, Size};
use crate::world::World;

/// A hundred thousand people who each hold one share of the first option of one market.
const SIZE: Size = Size { people: 100_000, markets: 1, bets: 100_000 };

/// Maximum duration of the settlement.
const PATIENCE: Duration = Duration::from_mins(5);

/// Progress of a settlement at a point in time.
struct Step {
    holders_paid: u64,
    at: Instant,
}

/// Resolves the market and watches its settlement.
pub(crate) async fn measure(database: Database) -> Result<()> {
    let world = World::make(database, SIZE, &[]).await?;
    let admin = world.admin().await;
    let market = seed::id(Kind::Market, 0);
    let body = json!({ "optionId": seed::id(Kind::FirstOption, 0) });
    let path = format!("/markets/{market}/resolution");
    let begun = Instant::now();
    let (client, asked) = (admin.clone(), path.clone());
    let resolution = tokio::spawn(async move { client.post(&asked, body).await.expect(200) });
    let steps = watch(&admin, &path, begun).await?;
    resolution.await?;
    let took = begun.elapsed();
    let mut waits: Vec<_> = steps.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    waits.sort();
    let wait_ms = |part: usize| {
        waits.get(waits.len() * part / 100).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    };
    report::remark(&format!(
        "{database:?}: {} holders paid in {:.1} s; between two looks that found more paid: {:.0} \
         ms in the middle, {:.0} ms for 90 of 100",
        steps.last().map_or(0, |step| step.holders_paid),
        took.as_secs_f64(),
        wait_ms(50),
        wait_ms(90)
    ));
    world.audit().await;
    Ok(())
}

/// Polls until all holders are paid. Each set of holders is paid in one transaction, which holds
/// its locks for less than the time between two polls that find progress.
async fn watch(client: &Client, path: &str, begun: Instant) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    loop {
        ensure!(begun.elapsed() < PATIENCE, "the settlement has not ended");
        let settlement = &client.get(path).await.body["data"];
        // There is no number before the decision.
        let Some(holders_paid) = settlement["holdersPaid"].as_u64() else { continue };
        if steps.last().is_none_or(|last| last.holders_paid != holders_paid) {
            steps.push(Step { holders_paid, at: Instant::now() });
        }
        if settlement["completed"] == true {
            return Ok(steps);
        }
    }
}

//! Instructions and allocations per request. They hardly depend on the machine, so that they can be
//! held against figures that are kept in the repository.

use crate::callgrind::Profile;
use crate::load::Exchange;
use crate::process::{self, Running, Under};
use crate::report::Line;
use crate::requests::{self, OPERATIONS, Operation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Requests before the counted ones: caches are full and connections are open after them.
const WARM_UP: u32 = 200;
/// Requests that are counted.
const COUNTED: u32 = 1000;
/// Time for the server to fall asleep after each request: waking it costs something, too, and whether
/// the next request finds it awake would depend on how busy the machine is.
const PAUSE: Duration = Duration::from_millis(2);
/// By how many percent a figure may rise above the one that is kept.
const MARGIN_PERCENT: u64 = 3;
/// The figures that are kept.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// What one request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Instructions besides SHA-256.
    instructions: u64,
    /// Allocations and reallocations.
    allocations: u64,
}

/// A cost by operation id.
type Costs = BTreeMap<String, Cost>;

/// Whether instructions can be counted here; says why not.
pub fn available() -> Result<(), String> {
    match std::process::Command::new("valgrind").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("valgrind is not installed: instructions and allocations cannot be counted".to_owned()),
    }
}

/// The table's lines, beside bare dropshot that is sent the same bytes.
pub async fn lines(server: &Path, data: &Path, authorization: &str) -> Result<Vec<Line>, Box<dyn Error>> {
    let argus = argus_costs(server, data).await?;
    let mut lines = Vec::new();
    for operation in &OPERATIONS {
        let bare = baseline_cost(operation, data, authorization).await?;
        let cost = argus.get(operation.id).ok_or("not counted")?;
        let line = |what: &str, own: u64, other: u64, goal| Line {
            what: format!("{}, {what} per request", operation.id),
            measured: own.to_string(),
            compared: format!("dropshot: {other}"),
            ratio: format!("{:.2}", own as f64 / other as f64),
            goal,
        };
        lines.push(line(
            "instructions besides SHA-256",
            cost.instructions,
            bare.instructions,
            operation.instructions_goal,
        ));
        lines.push(line("allocations", cost.allocations, bare.allocations, "-"));
    }
    Ok(lines)
}

/// Fails when a figure has risen above the kept one by more than the margin.
pub async fn gate(server: &Path, data: &Path) -> Result<(), Box<dyn Error>> {
    available()?;
    let text = std::fs::read(KEPT).map_err(|error| format!("{KEPT}: {error}"))?;
    let kept: Costs = serde_json::from_slice(&text)?;
    let measured = argus_costs(server, data).await?;
    for (operation, cost) in &measured {
        eprintln!("{operation}: {} instructions, {} allocations", cost.instructions, cost.allocations);
    }
    let risen = risen(&kept, &measured);
    if risen.is_empty() { Ok(()) } else { Err(risen.join("; ").into()) }
}

/// Writes the figures to be kept.
pub async fn record(server: &Path, data: &Path) -> Result<(), Box<dyn Error>> {
    available()?;
    let mut text = serde_json::to_string_pretty(&argus_costs(server, data).await?)?;
    text.push('\n');
    Ok(std::fs::write(KEPT, text)?)
}

/// What has risen too far, or was never measured before.
fn risen(kept: &Costs, measured: &Costs) -> Vec<String> {
    let mut risen = Vec::new();
    for (operation, cost) in measured {
        let Some(before) = kept.get(operation) else {
            risen.push(format!("{operation} has no kept figures; `cargo xtask bench --record` writes them"));
            continue;
        };
        let figures = [
            ("instructions", before.instructions, cost.instructions),
            ("allocations", before.allocations, cost.allocations),
        ];
        for (what, before, now) in figures {
            if now * 100 > before * (100 + MARGIN_PERCENT) {
                risen.push(format!("{operation} takes {now} {what} per request, up from {before}"));
            }
        }
    }
    risen
}

/// The cost of each operation on the server under test.
async fn argus_costs(server: &Path, data: &Path) -> Result<Costs, Box<dyn Error>> {
    let profile = Profile::new(data.join("argus.callgrind"));
    // Without workers: they look for jobs whether anybody asks for something or not.
    let variables = [("ARGUS_ROLE", "api".to_owned())];
    let (argus, ready, _) = process::argus_with(server, data, Under::Callgrind(&profile), &variables)?;
    let authorization = requests::sandbox_authorization(&ready).await?;
    let address = process::address(&ready.sandbox)?;
    let mut costs = Costs::new();
    for operation in &OPERATIONS {
        let exchange = (operation.exchange)(&authorization);
        costs.insert(operation.id.to_owned(), cost(&argus, &profile, &exchange, address).await?);
    }
    Ok(costs)
}

/// The cost of an operation on the bare server.
async fn baseline_cost(
    operation: &Operation,
    data: &Path,
    authorization: &str,
) -> Result<Cost, Box<dyn Error>> {
    let profile = Profile::new(data.join(format!("{}.callgrind", operation.baseline)));
    let under = Under::Callgrind(&profile);
    let (server, address) =
        process::baseline(operation.baseline, &operation.body(data), operation.status, under)?;
    cost(&server, &profile, &(operation.exchange)(authorization), address).await
}

async fn cost(
    server: &Running,
    profile: &Profile,
    exchange: &Exchange,
    address: SocketAddr,
) -> Result<Cost, Box<dyn Error>> {
    exchange.times(address, WARM_UP, PAUSE).await?;
    profile.begin(server)?;
    exchange.times(address, COUNTED, PAUSE).await?;
    let counted = profile.end(server)?;
    Ok(Cost {
        instructions: counted.instructions / u64::from(COUNTED),
        allocations: counted.allocations / u64::from(COUNTED),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(instructions: u64, allocations: u64) -> Costs {
        Costs::from([("job_create".to_owned(), Cost { instructions, allocations })])
    }

    #[test]
    fn a_figure_may_rise_by_three_percent_and_no_further() {
        let kept = costs(40_000, 100);
        assert_eq!(risen(&kept, &costs(41_200, 103)), Vec::<String>::new());
        assert_eq!(
            risen(&kept, &costs(41_201, 104)),
            [
                "job_create takes 41201 instructions per request, up from 40000",
                "job_create takes 104 allocations per request, up from 100"
            ]
        );
        assert_eq!(risen(&kept, &costs(10_000, 10)), Vec::<String>::new());
    }

    #[test]
    fn an_operation_without_kept_figures_is_told() {
        assert_eq!(risen(&Costs::new(), &costs(1, 1)).len(), 1);
    }
}

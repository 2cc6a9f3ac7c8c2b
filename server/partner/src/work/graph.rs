//! `graph.compute`: what the relations between profiles say. Profiles are nodes and relations edges; for
//! components and paths it does not matter in which direction a relation points.

use super::result::ResultWriter;
use super::{Workshop, unfinished};
use crate::error::Error;
use crate::store::profiles::{self, ProfileRow, Selection};
use argus_core::jobs::lease::StoredResult;
use argus_core::jobs::work::{Assignment, Unfinished, Work};
use argus_openapi::types::jobs::results::{Degree, GraphComputed, ResultForm, ShortestPath};
use argus_openapi::types::jobs::{GraphAlgorithm, GraphPayload, JobKind};
use argus_openapi::types::profiles::ProfileRelation;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::{EdgeRef, NodeIndexable};
use petgraph::{Direction, algo};
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// How many profiles are read at a time.
const BATCH: u32 = 1_000;
/// The largest graph that is held in memory.
const NODES_MAX: usize = 200_000;
const EDGES_MAX: usize = 2_000_000;
/// Share of a rank that is handed on along relations (Brin and Page, 1998).
const DAMPING: f64 = 0.85;
/// A rank is found when nothing changes by more than this, or after so many rounds.
const PRECISION: f64 = 1e-9;
const ROUNDS_MAX: u32 = 200;

/// Computes over the graph of profiles.
pub struct Graph(pub(super) Workshop);

type Relations = DiGraph<String, ()>;

impl Work for Graph {
    const KIND: &'static str = JobKind::GraphCompute.as_str();
    type Payload = GraphPayload;

    async fn run(&self, job: &Assignment, payload: GraphPayload) -> Result<Option<StoredResult>, Unfinished> {
        let mut result = ResultWriter::begin(&self.0.objects, job, ResultForm::Json)?;
        let ids = &payload.profile_ids;
        let only = (!ids.is_empty()).then(|| ids.iter().map(ToString::to_string).collect());
        let graph = self.load(job, only).await?;
        job.report(1, 2);
        let stop = job.stop.clone();
        let computed = spawn_blocking(move || compute(&graph, &payload, &stop)).await;
        let computed = computed.map_err(|panic| Unfinished::failed("internal", panic.to_string()))??;
        result.json(&computed)?;
        result.text("\n");
        result.finish().await
    }
}

impl Graph {
    /// The graph of what the job may see, or of these profiles alone.
    async fn load(&self, job: &Assignment, only: Option<HashSet<String>>) -> Result<Relations, Unfinished> {
        let mut building = Building::default();
        let mut behind = String::new();
        loop {
            job.go_on()?;
            let rows = self.page(job, behind).await?;
            for row in &rows {
                if only.as_ref().is_none_or(|only| only.contains(&row.id)) {
                    building.add(row)?;
                }
            }
            match rows.last() {
                Some(last) if rows.len() == BATCH as usize => behind = last.id.clone(),
                _ => return building.finish(),
            }
        }
    }

    async fn page(&self, job: &Assignment, behind: String) -> Result<Vec<ProfileRow>, Unfinished> {
        let clearance = job.context.principal.secrecy_level;
        let all = Selection { kinds: Vec::new(), min_risk_score: 0, updated_after: i64::MIN, clearance };
        let page = self.0.store.read(&job.context, move |reader| {
            Ok::<_, Error>(profiles::behind(reader, &all, &behind, BATCH)?)
        });
        page.await.map_err(unfinished)
    }
}

/// A graph to which profiles are added. A relation to a profile that is not there leads nowhere.
#[derive(Default)]
struct Building {
    graph: Relations,
    nodes: HashMap<String, NodeIndex>,
    relations: Vec<(NodeIndex, String)>,
}

impl Building {
    fn add(&mut self, row: &ProfileRow) -> Result<(), Unfinished> {
        let relations: Vec<ProfileRelation> = serde_json::from_str(&row.relations)
            .map_err(|error| Unfinished::failed("internal", format!("profile {}: {error}", row.id)))?;
        let node = self.graph.add_node(row.id.clone());
        self.nodes.insert(row.id.clone(), node);
        self.relations.extend(relations.iter().map(|relation| (node, relation.to.to_string())));
        if self.nodes.len() > NODES_MAX || self.relations.len() > EDGES_MAX {
            let message = format!(
                "the graph has more than {NODES_MAX} profiles or {EDGES_MAX} relations; name fewer `profile_ids`"
            );
            return Err(Unfinished::failed("graph_too_large", message));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Relations, Unfinished> {
        for (from, to) in self.relations {
            if let Some(to) = self.nodes.get(&to) {
                self.graph.add_edge(from, *to, ());
            }
        }
        Ok(self.graph)
    }
}

fn compute(
    graph: &Relations,
    payload: &GraphPayload,
    stop: &CancellationToken,
) -> Result<GraphComputed, Unfinished> {
    let is_asked = |algorithm| payload.algorithms.is_empty() || payload.algorithms.contains(&algorithm);
    let go_on = || if stop.is_cancelled() { Err(Unfinished::Stopped) } else { Ok(()) };
    let mut computed = GraphComputed {
        profiles: graph.node_count(),
        relations: graph.edge_count(),
        ..GraphComputed::default()
    };
    if is_asked(GraphAlgorithm::Components) {
        computed.components = Some(components(graph));
    }
    if is_asked(GraphAlgorithm::Pagerank) {
        computed.pagerank = Some(pagerank(graph, go_on)?);
    }
    if is_asked(GraphAlgorithm::Degree) {
        computed.degree =
            Some(graph.node_indices().map(|node| (graph[node].clone(), degree(graph, node))).collect());
    }
    let nodes: HashMap<&str, NodeIndex> = graph.node_indices().map(|node| (&*graph[node], node)).collect();
    for wanted in &payload.shortest_paths {
        go_on()?;
        let (from, to) = (wanted.from.as_str(), wanted.to.as_str());
        let ends = nodes.get(from).zip(nodes.get(to));
        let path = ends.and_then(|(from, to)| shortest_path(graph, *from, *to));
        computed.shortest_paths.push(ShortestPath { from: from.to_owned(), to: to.to_owned(), path });
    }
    Ok(computed)
}

/// Who is connected with whom: the largest group first, each in the order of identifiers.
fn components(graph: &Relations) -> Vec<Vec<String>> {
    let mut groups = UnionFind::new(graph.node_bound());
    for edge in graph.edge_references() {
        groups.union(edge.source().index(), edge.target().index());
    }
    let mut components: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for node in graph.node_indices() {
        components.entry(groups.find(node.index())).or_default().push(graph[node].clone());
    }
    let mut components: Vec<_> = components.into_values().collect();
    components.iter_mut().for_each(|component| component.sort_unstable());
    components.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    components
}

/// Ranks by power iteration. petgraph's own takes time with the square of the nodes.
fn pagerank(
    graph: &Relations,
    go_on: impl Fn() -> Result<(), Unfinished>,
) -> Result<BTreeMap<String, f64>, Unfinished> {
    let count = graph.node_count() as f64;
    let mut ranks = vec![1.0 / count; graph.node_count()];
    for _ in 0..ROUNDS_MAX {
        go_on()?;
        // Whoever points nowhere hands its rank on to all alike.
        let lost: f64 = graph.externals(Direction::Outgoing).map(|node| ranks[node.index()]).sum();
        let mut next = vec![(1.0 - DAMPING + DAMPING * lost) / count; ranks.len()];
        for node in graph.node_indices() {
            let targets = graph.edges(node).count();
            for edge in graph.edges(node) {
                next[edge.target().index()] += DAMPING * ranks[node.index()] / targets as f64;
            }
        }
        let change = ranks.iter().zip(&next).map(|(old, new)| (old - new).abs()).fold(0.0, f64::max);
        ranks = next;
        if change < PRECISION {
            break;
        }
    }
    Ok(graph.node_indices().map(|node| (graph[node].clone(), ranks[node.index()])).collect())
}

fn degree(graph: &Relations, node: NodeIndex) -> Degree {
    let count = |direction| graph.edges_directed(node, direction).count();
    Degree { incoming: count(Direction::Incoming), outgoing: count(Direction::Outgoing) }
}

fn shortest_path(graph: &Relations, from: NodeIndex, to: NodeIndex) -> Option<Vec<String>> {
    let either_way = petgraph::visit::UndirectedAdaptor(graph);
    let (_, path) = algo::astar(either_way, from, |node| node == to, |_| 1_u32, |_| 0)?;
    Some(path.into_iter().map(|node| graph[node].clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::profiles::IncidentColumns;

    fn graph(relations: &[(&str, &[&str])]) -> Relations {
        let mut building = Building::default();
        for (id, targets) in relations {
            let relations: Vec<_> =
                targets.iter().map(|to| serde_json::json!({"to": to, "label": "knows"})).collect();
            let row = ProfileRow {
                id: (*id).to_owned(),
                kind: "entity".to_owned(),
                display_name: "A name".to_owned(),
                secrecy_level: "standard".to_owned(),
                risk_score: 0,
                relations: serde_json::to_string(&relations).expect("JSON"),
                findings: "[]".to_owned(),
                incident: IncidentColumns::default(),
                created_at: 0,
                updated_at: 0,
            };
            building.add(&row).expect("a small graph");
        }
        building.finish().expect("a graph")
    }

    fn computed(relations: &[(&str, &[&str])], payload: &str) -> GraphComputed {
        let payload = serde_json::from_str(payload).expect("a payload");
        compute(&graph(relations), &payload, &CancellationToken::new()).expect("nobody stops it")
    }

    const TWO_GROUPS: &[(&str, &[&str])] =
        &[("a", &["b", "nobody"]), ("b", &["c"]), ("c", &[]), ("d", &["e"]), ("e", &["d"])];

    #[test]
    fn components_do_not_mind_directions_and_the_largest_comes_first() {
        let computed = computed(TWO_GROUPS, "{}");
        assert_eq!((computed.profiles, computed.relations), (5, 4));
        assert_eq!(computed.components.expect("asked for"), [vec!["a", "b", "c"], vec!["d", "e"]]);
    }

    #[test]
    fn a_path_is_the_shortest_and_none_leads_between_groups() {
        let paths =
            r#"{"shortest_paths":[{"from":"c","to":"a"},{"from":"a","to":"e"},{"from":"a","to":"nobody"}]}"#;
        let paths: Vec<_> =
            computed(TWO_GROUPS, paths).shortest_paths.into_iter().map(|path| path.path).collect();
        let there = ["c", "b", "a"].map(str::to_owned).to_vec();
        assert_eq!(paths, [Some(there), None, None]);
    }

    #[test]
    fn ranks_are_shares_of_one_and_higher_where_more_points_to() {
        let star: &[(&str, &[&str])] = &[("hub", &[]), ("x", &["hub"]), ("y", &["hub"]), ("z", &["hub"])];
        let computed = computed(star, r#"{"algorithms":["pagerank","degree"]}"#);
        let ranks = computed.pagerank.expect("asked for");
        assert!((ranks.values().sum::<f64>() - 1.0).abs() < 1e-6, "{ranks:?}");
        // By hand: each of the three has r = (1 - d + d h) / 4, the hub h = r + 3 d r, and 3 r + h = 1.
        let hub = (1.0 + 3.0 * DAMPING) / (4.0 + 3.0 * DAMPING);
        assert!((ranks["hub"] - hub).abs() < 1e-6 && (ranks["x"] - ranks["z"]).abs() < 1e-12, "{ranks:?}");
        assert_eq!(computed.degree.expect("asked for")["hub"], Degree { incoming: 3, outgoing: 0 });
        assert_eq!(computed.components, None, "not asked for");
    }

    #[test]
    fn an_empty_graph_has_nothing() {
        let computed = computed(&[], "{}");
        assert_eq!(computed.components, Some(Vec::new()));
        assert_eq!(computed.pagerank, Some(BTreeMap::new()));
    }
}

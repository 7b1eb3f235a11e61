//! How often a schema makes one value be checked. Refuses schemas that would do so without end
//! or all too often, and tells when looking for every fault of a value would take too long.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tarsify_domain::{Issue, Misfit};

use crate::document::{Document, Reach, children, extent};

/// How many schemas may be checked for one and the same value.
const MOST_CHECKS: f64 = 10_000.0;
/// How many checks one value may come to.
const MOST_CHECKS_OF_ALL: f64 = 1_000_000.0;
/// How many in-place rules and references may follow each other.
const LONGEST_CHAIN: usize = 128;
/// Deepest value that costs are known for.
const DEEPEST: usize = 64;

/// The costs of checking a value, by its depth.
#[derive(Debug)]
pub(crate) struct Costs {
    /// At index d: an upper bound of the checks for each part of a value of depth d.
    by_depth: Vec<f64>,
}

impl Costs {
    /// Weighs a schema.
    ///
    /// # Errors
    /// The first fault that makes it endless or too costly.
    pub(crate) fn of(document: &Document<'_>) -> Result<Self, Issue> {
        let graph = Graph::of(document);
        let order = graph.order()?;
        let mut weights = graph.level(&order, None);
        for &index in &order {
            if weights
                .get(index)
                .is_some_and(|weight| *weight > MOST_CHECKS)
            {
                return Err(too_often(graph.pointer(index)));
            }
        }
        let mut by_depth = vec![root_of(&weights)];
        for _ in 0..DEEPEST {
            let next = graph.level(&order, Some(&weights));
            let is_settled = next == weights;
            weights = next;
            by_depth.push(root_of(&weights));
            if is_settled {
                // No recursion: this is the most that any value can cost.
                if root_of(&weights) > MOST_CHECKS_OF_ALL {
                    return Err(too_often(String::new()));
                }
                break;
            }
        }
        Ok(Self { by_depth })
    }

    /// Whether every fault of `value` can be looked for in bearable time. Only whether it fits
    /// is always quick: then the library remembers what it checked before.
    pub(crate) fn can_tell_faults(&self, value: &Value) -> bool {
        let extent = extent(value);
        self.at(extent.depth) * f64::from(extent.values) <= MOST_CHECKS_OF_ALL
    }

    /// An upper bound of the checks for each part of a value of this depth.
    fn at(&self, depth: usize) -> f64 {
        let known = self.by_depth.get(depth).or(self.by_depth.last());
        known.copied().unwrap_or(f64::INFINITY)
    }
}

fn root_of(weights: &[f64]) -> f64 {
    weights.first().copied().unwrap_or_default()
}

fn too_often(pointer: String) -> Issue {
    let message = "repeats its parts too often: refer to each part fewer times";
    Misfit::new("maxChecks", message).at(pointer)
}

/// The schemas of a document and which of them are checked after which.
struct Graph {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    pointer: String,
    /// Checked for the same value.
    same: Vec<usize>,
    /// Checked for parts of the value, for each part at most one of a list.
    inner: Vec<Vec<usize>>,
}

impl Graph {
    fn of(document: &Document<'_>) -> Self {
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut nodes: Vec<Node> = Vec::new();
        let mut index_of = |pointer: String, nodes: &mut Vec<Node>| {
            *known.entry(pointer).or_insert_with_key(|pointer| {
                nodes.push(Node {
                    pointer: pointer.clone(),
                    ..Node::default()
                });
                nodes.len() - 1
            })
        };
        for part in document.parts() {
            index_of(part.pointer.clone(), &mut nodes);
        }
        let mut next = 0;
        // References may add nodes below keywords that JSON Schema does not know.
        while let Some(pointer) = nodes.get(next).map(|node| node.pointer.clone()) {
            let same = document.neighbours(&pointer, Reach::Possible);
            let same = same
                .into_iter()
                .map(|to| index_of(to, &mut nodes))
                .collect();
            let inner = inner_parts(document, &pointer)
                .into_iter()
                .map(|list| {
                    list.into_iter()
                        .map(|to| index_of(to, &mut nodes))
                        .collect()
                })
                .collect();
            if let Some(node) = nodes.get_mut(next) {
                node.same = same;
                node.inner = inner;
            }
            next += 1;
        }
        Self { nodes }
    }

    fn pointer(&self, index: usize) -> String {
        self.nodes
            .get(index)
            .map(|node| node.pointer.clone())
            .unwrap_or_default()
    }

    /// The nodes, each after those that are checked for the same value.
    fn order(&self) -> Result<Vec<usize>, Issue> {
        let mut walk = Walk {
            graph: self,
            chains: HashMap::new(),
            open: HashSet::new(),
            order: Vec::new(),
        };
        for index in 0..self.nodes.len() {
            walk.visit(index)?;
        }
        Ok(walk.order)
    }

    /// The weights for values one level deeper than those that `below` is for.
    fn level(&self, order: &[usize], below: Option<&[f64]>) -> Vec<f64> {
        let mut weights = vec![1.0; self.nodes.len()];
        let get = |weights: &[f64], index: &usize| weights.get(*index).copied().unwrap_or_default();
        for &index in order {
            let Some(node) = self.nodes.get(index) else {
                continue;
            };
            let mut weight = 1.0;
            for next in &node.same {
                weight += get(&weights, next);
            }
            for list in below
                .iter()
                .flat_map(|below| node.inner.iter().map(move |list| (below, list)))
            {
                let (below, list) = list;
                let heaviest = list.iter().map(|next| get(below, next));
                weight += heaviest.fold(0.0, f64::max);
            }
            if let Some(place) = weights.get_mut(index) {
                *place = weight;
            }
        }
        weights
    }
}

/// What is checked for the parts of a value: of the schemas under `properties` one for each
/// part, and one of those under `items` and `prefixItems`; all others each for itself.
fn inner_parts(document: &Document<'_>, pointer: &str) -> Vec<Vec<String>> {
    let mut properties = Vec::new();
    let mut items = Vec::new();
    let mut lists = Vec::new();
    let parts = document.at(pointer).map(|schema| children(schema, pointer));
    for part in parts.into_iter().flatten() {
        match part.keyword {
            "properties" => properties.push(part.pointer),
            "items" | "prefixItems" => items.push(part.pointer),
            "additionalProperties"
            | "contains"
            | "patternProperties"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties" => lists.push(vec![part.pointer]),
            _ => {}
        }
    }
    lists.extend([properties, items]);
    lists
}

struct Walk<'g> {
    graph: &'g Graph,
    /// The longest chain from each node that was visited.
    chains: HashMap<usize, usize>,
    open: HashSet<usize>,
    order: Vec<usize>,
}

impl Walk<'_> {
    /// Answers the longest chain from the node. Recursion ends at [`LONGEST_CHAIN`]: each step
    /// has one more node open.
    fn visit(&mut self, index: usize) -> Result<usize, Issue> {
        let known = self.chains.get(&index).copied();
        if self.open.len() + known.unwrap_or(1) > LONGEST_CHAIN {
            let message = format!("must not have more than {LONGEST_CHAIN} references in a row");
            return Err(Misfit::new("maxDepth", message).at(self.graph.pointer(index)));
        }
        if let Some(chain) = known {
            return Ok(chain);
        }
        if !self.open.insert(index) {
            let message = "contains itself for one and the same value: let recursion go through properties or items";
            return Err(Misfit::new("$ref", message).at(self.graph.pointer(index)));
        }
        let mut chain = 1;
        let graph = self.graph;
        for &next in graph
            .nodes
            .get(index)
            .into_iter()
            .flat_map(|node| &node.same)
        {
            chain = chain.max(self.visit(next)? + 1);
        }
        self.open.remove(&index);
        self.chains.insert(index, chain);
        self.order.push(index);
        Ok(chain)
    }
}

#[cfg(test)]
mod tests;

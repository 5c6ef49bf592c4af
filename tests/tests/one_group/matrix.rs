//! What was received, for each step, acting vendor and observing vendor, and how it compares with what the observing
//! vendor sends for a step of its own client.

use std::collections::BTreeMap;
use std::path::Path;

use conclave_tests::vendor::Vendor;
use serde::{Deserialize, Serialize};

use crate::steps::{STEPS, VENDORS};

/// One step by one vendor's client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cell {
    /// The vendor has no such operation, for this reason.
    Absent {
        /// Why.
        why: String,
    },
    Done {
        /// `client`, or `server` where only the server API has the operation.
        by: String,
        /// By the observing vendor's name.
        received: BTreeMap<String, Vec<String>>,
    },
}

impl Cell {
    pub(crate) fn received(&self, vendor: Vendor) -> &[String] {
        match self {
            Self::Absent { .. } => &[],
            Self::Done { received, .. } => received.get(vendor.name()).map_or(&[], Vec::as_slice),
        }
    }
}

/// How a step of another vendor's client is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As if this vendor's own client had done it.
    Exact,
    /// This vendor sends nothing for it; the next read shows it.
    Read,
    /// Otherwise, for this reason.
    Lossy(&'static str),
    /// This vendor's clients have no such operation; what is received instead is in the matrix.
    Translated,
    /// The acting vendor has no such operation.
    Absent,
    /// Otherwise, and nobody has said why.
    Undeclared,
}

/// A declared difference; `None` is any vendor.
struct Declared {
    step: &'static str,
    acting: Option<Vendor>,
    observing: Vendor,
    why: &'static str,
}

const DECLARED: &[Declared] = &[
    Declared { step: "create the group", acting: Some(Vendor::Tencent), observing: Vendor::Agora, why: GREETING },
    Declared { step: "create the group", acting: Some(Vendor::Tencent), observing: Vendor::Rong, why: GREETING },
    Declared { step: "create the group", acting: Some(Vendor::Agora), observing: Vendor::Tencent, why: NO_GREETING },
    Declared { step: "create the group", acting: Some(Vendor::Rong), observing: Vendor::Tencent, why: NO_GREETING },
    Declared { step: "send a place", acting: None, observing: Vendor::Agora, why: PLACE },
    Declared { step: "send a custom message", acting: None, observing: Vendor::Agora, why: CUSTOM },
    Declared { step: "send a custom message", acting: None, observing: Vendor::Tencent, why: CUSTOM },
    Declared { step: "send a custom message", acting: None, observing: Vendor::Rong, why: CUSTOM },
];

const GREETING: &str = "Tencent's SDK itself sends a custom message after it has created a group; it is received as any custom message \
    is: [messages](semantics.md#messages).";
const NO_GREETING: &str = "Only Tencent's own SDK sends a custom message of its own after it has created a group: \
    [messages](semantics.md#messages).";
const PLACE: &str = "A place has one text at Tencent and RongCloud, and a name and an address at Agora: [messages](semantics.md#messages).";
const CUSTOM: &str = "A custom message keeps its kind and its content, in the envelope that each vendor has for it: \
    [messages](semantics.md#messages).";

/// All declared losses.
pub(crate) fn losses() -> impl Iterator<Item = &'static str> {
    DECLARED.iter().map(|declared| declared.why)
}

/// All cells.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Matrix(BTreeMap<String, BTreeMap<String, Cell>>);

impl Matrix {
    /// The matrix recorded before; `None` when it is to be recorded again.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        if std::env::var_os("CONCLAVE_REFRESH").is_some() {
            return None;
        }
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    pub(crate) fn add(&mut self, step: &str, acting: Vendor, cell: Cell) {
        self.0.entry(step.to_owned()).or_default().insert(acting.name().to_owned(), cell);
    }

    pub(crate) fn cell(&self, step: &str, acting: Vendor) -> Option<&Cell> {
        self.0.get(step)?.get(acting.name())
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.0).expect("json") + "\n"
    }

    /// What differs from the recorded one, in lines.
    pub(crate) fn differences(&self, recorded: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (step, acting, observing) in every() {
            let (now, before) = (self.cell(step, acting), recorded.cell(step, acting));
            let (now, before) = (now.map(|cell| cell.received(observing)), before.map(|cell| cell.received(observing)));
            if now != before {
                lines.push(format!("{step}, by {acting}, at {observing}: {now:?}, recorded {before:?}"));
            }
        }
        lines
    }

    pub(crate) fn verdict(&self, step: &str, acting: Vendor, observing: Vendor) -> Verdict {
        let Some(Cell::Done { .. }) = self.cell(step, acting) else { return Verdict::Absent };
        let received = self.cell(step, acting).map_or(&[][..], |cell| cell.received(observing));
        let why = |declared: &&Declared| {
            declared.step == step
                && declared.observing == observing
                && acting != observing
                && declared.acting.is_none_or(|vendor| vendor == acting)
        };
        if let Some(declared) = DECLARED.iter().find(why) {
            return Verdict::Lossy(declared.why);
        }
        match self.cell(step, observing) {
            Some(own @ Cell::Done { .. })
                if self.is_same(step, [acting, observing], own.received(observing), received) =>
            {
                if received.is_empty() { Verdict::Read } else { Verdict::Exact }
            }
            Some(Cell::Done { .. }) => Verdict::Undeclared,
            _ => Verdict::Translated,
        }
    }

    /// Whether these lines say the same. Events of a call by an app's server name no user who acts.
    fn is_same(&self, step: &str, [acting, observing]: [Vendor; 2], own: &[String], received: &[String]) -> bool {
        let is_by_server = |acting| matches!(self.cell(step, acting), Some(Cell::Done { by, .. }) if by == "server");
        let by_server = is_by_server(acting) || is_by_server(observing);
        let without_actor = |line: &String| line.replace(" [actor]", "").replace("[actor, ", "[");
        own == received || by_server && own.iter().map(without_actor).eq(received.iter().map(without_actor))
    }

    /// Cells that differ without a declared reason, and declarations of cells that do not differ.
    pub(crate) fn undeclared(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (step, acting, observing) in every() {
            if self.verdict(step, acting, observing) == Verdict::Undeclared {
                let received =
                    |by| self.cell(step, by).map(|cell| cell.received(observing).to_vec()).unwrap_or_default();
                lines.push(format!(
                    "{step}, by {acting}, at {observing}:\n    {:?}\n    its own: {:?}",
                    received(acting),
                    received(observing)
                ));
            }
        }
        lines
    }
}

fn every() -> impl Iterator<Item = (&'static str, Vendor, Vendor)> {
    STEPS.iter().flat_map(|step| {
        VENDORS
            .into_iter()
            .flat_map(move |acting| VENDORS.into_iter().map(move |observing| (step.name, acting, observing)))
    })
}

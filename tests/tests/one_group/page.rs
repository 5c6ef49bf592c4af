//! The matrix as Markdown.

use std::fmt::Write as _;

use crate::matrix::{Cell, Matrix, Verdict};
use crate::steps::{STEPS, VENDORS, WITHOUT_STEP};

const HEAD: &str = "\
# One group, three client SDKs

Recorded from a run of `cargo test -p conclave-tests --test one_group`: clients of `agora-chat` 1.4.0, `@tencentcloud/chat` 3.6.6 and
`@rongcloud/imlib-next` 5.38.0, unmodified, are members of one group. Each step is done by a client of each vendor in turn, and observed by
clients of all three. After each step the three server APIs read the same group: name, introduction, owner, members with their roles, and their number.

- **exact**: the observer receives what its vendor sends when one of its own clients does this.
- **read**: the vendor sends nothing for this step; the next read shows the change.
- **translated**: the vendor's clients cannot do this themselves; they receive what the second table says.
- **lossy**: something else is received, for the reason below the table. [semantics.md](semantics.md) says what is lost between vendors.
- **—**: not representable, as the acting vendor has no such operation; the third table says why. An asterisk marks a step that only its server
  API has.

";

pub(crate) fn page(matrix: &Matrix) -> String {
    let mut page = HEAD.to_owned();
    let pairs = || {
        VENDORS
            .into_iter()
            .flat_map(|acting| VENDORS.into_iter().map(move |observing| (acting, observing)))
            .filter(|(acting, observing)| acting != observing)
    };
    page.push_str("| step | operation |");
    for (acting, observing) in pairs() {
        let _ = write!(page, " {acting} → {observing} |");
    }
    page.push_str("\n|---|---|");
    page.push_str(&"---|".repeat(pairs().count()));
    page.push('\n');
    let mut reasons: Vec<&str> = Vec::new();
    for step in STEPS {
        let _ = write!(page, "| {} | `{}` |", step.name, step.operation);
        for (acting, observing) in pairs() {
            let verdict = match matrix.verdict(step.name, acting, observing) {
                Verdict::Exact => "exact".to_owned(),
                Verdict::Read => "read".to_owned(),
                Verdict::Translated => "translated".to_owned(),
                Verdict::Absent => "—".to_owned(),
                Verdict::Undeclared => "undeclared".to_owned(),
                Verdict::Lossy(declared) => {
                    let why = declared;
                    let place = reasons.iter().position(|known| *known == why).unwrap_or_else(|| {
                        reasons.push(why);
                        reasons.len() - 1
                    });
                    format!("lossy ({})", place + 1)
                }
            };
            let server = matches!(matrix.cell(step.name, acting), Some(Cell::Done { by, .. }) if by == "server");
            let _ = write!(page, " {verdict}{} |", if server { "\\*" } else { "" });
        }
        page.push('\n');
    }
    page.push('\n');
    for (number, why) in reasons.iter().enumerate() {
        let _ = writeln!(page, "{}. {why}", number + 1);
    }
    page.push_str("\n## What a vendor does not have\n\n| step | vendor | why |\n|---|---|---|\n");
    for step in STEPS {
        for acting in VENDORS {
            if let Some(Cell::Absent { why }) = matrix.cell(step.name, acting) {
                let _ = writeln!(page, "| {} | {} | {why} |", step.name, acting.name());
            }
        }
    }
    page.push_str("\n## Operations without a step\n\n| operation | why |\n|---|---|\n");
    for (operation, why) in WITHOUT_STEP {
        let _ = writeln!(page, "| `{operation}` | {why} |");
    }
    page.push_str(
        "\n## What is received\n\nOne line for each event, with the users it names; `actor` is the user who acts.\n",
    );
    for step in STEPS {
        let _ =
            write!(page, "\n### {}\n\n| by | at Agora | at Tencent | at RongCloud |\n|---|---|---|---|\n", step.name);
        for acting in VENDORS {
            let Some(cell @ Cell::Done { .. }) = matrix.cell(step.name, acting) else { continue };
            let _ = write!(page, "| {acting} |");
            for observing in VENDORS {
                let lines: Vec<String> =
                    cell.received(observing).iter().map(|line| format!("`{}`", line.replace('|', "\\|"))).collect();
                let _ = write!(page, " {} |", if lines.is_empty() { "nothing".to_owned() } else { lines.join("<br>") });
            }
            page.push('\n');
        }
    }
    page
}

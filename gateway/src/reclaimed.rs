//! A layer around a realm's groups that lets the bytes of shared files go once nothing leads to them any more,
//! whichever surface ended the file, its group or its owner.

use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::Actor;
use conclave_core::model::Millis;
use conclave_core::operation::{Operation, Reply};
use conclave_core::ports::Groups;
use conclave_core::query::{Answer, Query};
use conclave_core::refusal::Refusal;
use conclave_kit::Blobs;

/// A realm's groups, and where the bytes of their files are.
pub(crate) struct Reclaimed {
    groups: Arc<dyn Groups>,
    blobs: Arc<dyn Blobs>,
}

impl Reclaimed {
    /// Lets go of these bytes what these groups let go of.
    pub(crate) fn new(groups: Arc<dyn Groups>, blobs: Arc<dyn Blobs>) -> Self {
        Self { groups, blobs }
    }
}

#[async_trait]
impl Groups for Reclaimed {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        let reply = self.groups.perform(actor, operation).await?;
        let loose = match &reply {
            Reply::FileGone(gone) => vec![gone.0.blob.clone()],
            Reply::Ended(ended) => ended.blobs.clone(),
            _ => Vec::new(),
        };
        if !loose.is_empty() {
            // beside the answer: the files are gone already, only their bytes are not
            tokio::spawn(forget(Arc::clone(&self.blobs), loose));
        }
        Ok(reply)
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        self.groups.read(actor, query).await
    }

    fn now(&self) -> Millis {
        self.groups.now()
    }
}

async fn forget(blobs: Arc<dyn Blobs>, loose: Vec<String>) {
    for blob in loose {
        if let Err(error) = blobs.delete(&blob).await {
            tracing::warn!(%error, blob, "a deleted file's bytes stay until the next start");
        }
    }
}

//! Effects of one vendor's calls are read through the others.

use conclave_tests::effects::Story;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::vendor::Sections as _;

#[tokio::test(flavor = "multi_thread")]
async fn effects_of_one_vendors_calls_are_read_through_the_others() {
    let mut untrue = Vec::new();
    for story in Story::all() {
        let name = story.name.clone();
        // run separately, so that one run lists all failures
        if tokio::spawn(run(story)).await.is_err() {
            untrue.push(name);
        }
    }
    assert!(untrue.is_empty(), "{untrue:#?}");
}

async fn run(story: Story) {
    let served = Served::start(|config| {
        config.realms[0].agora().settings.custom_group_ids = true;
    })
    .await;
    story.run(&served).await;
}

//! One node after the other is restarted, as an update does it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use iris_testkit::load::{Load, summary};
use iris_testkit::wait;

use crate::mix::Mix;
use crate::truth::Truth;
use crate::{proof, soak};

const NODES: usize = 3;

#[test]
fn a_rolling_restart_fails_no_request() {
    let Some(truth) = Truth::start() else { return };
    let Some(mut nodes) = truth.nodes(NODES) else { return };
    let mix = Mix::over(&nodes, "rolling");
    let (rate, rounds) = if soak() { (500, 5) } else { (150, 1) };
    let (base, bearer) = (nodes.balancer.base.clone(), nodes.bearer.clone());
    let load = Load { name: mix.name, base: &base, bearer: Some(&bearer), rate, seconds: 600, connections: 48 };
    let going = AtomicBool::new(true);
    let outcomes = std::thread::scope(|scope| {
        let clock = wait::Clock::start();
        let running = scope.spawn(|| load.run_while(&going, &|number| mix.request(number)));
        clock.until(Duration::from_secs(3));
        for at in (0..rounds).flat_map(|_| 0..NODES) {
            let began = clock.now();
            let code = nodes.terminate(at);
            let ended = clock.now();
            nodes.start_node(at);
            println!("node {at} ended in {:.1?} and was back in {:.1?}", ended - began, clock.now() - ended);
            assert_eq!(code, Some(0));
        }
        clock.until(clock.now() + Duration::from_secs(3));
        going.store(false, Ordering::Relaxed);
        running.join().unwrap()
    });
    println!("{}", summary(&outcomes));
    if let Some(failed) = outcomes.iter().find(|outcome| !outcome.succeeded()) {
        panic!("{} at {:.1?} after {:.1?}: {:?}", failed.what, failed.at, failed.took, failed.answer);
    }
    proof::every_acknowledged_write_is_there(&nodes, &mix, &outcomes);
    proof::every_answer_has_its_entry(&nodes, &mix, &outcomes);
}

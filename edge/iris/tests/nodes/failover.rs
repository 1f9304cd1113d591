//! A node dies, then the database's primary.

use std::time::Duration;

use iris_testkit::load::{Load, summary};
use iris_testkit::{FaultProxy, wait};

use crate::mix::Mix;
use crate::truth::Truth;
use crate::{proof, soak};

/// Longest time of errors after a failure.
const ERRORS_MAX: Duration = Duration::from_secs(15);

#[test]
fn a_dead_node_and_a_dead_primary_lose_nothing_that_was_acknowledged() {
    let Some(mut truth) = Truth::start() else { return };
    let Some(mut nodes) = truth.nodes(3) else { return };
    let mix = Mix::over(&nodes, "failover");
    let (rate, seconds) = if soak() { (500, 300) } else { (150, 60) };
    let (base, bearer) = (nodes.balancer.base.clone(), nodes.bearer.clone());
    let load = Load { name: mix.name, base: &base, bearer: Some(&bearer), rate, seconds, connections: 48 };
    let mut faults = Vec::new();
    let outcomes = std::thread::scope(|scope| {
        let clock = wait::Clock::start();
        let running = scope.spawn(|| load.run(&|number| mix.request(number)));
        clock.until(Duration::from_secs(seconds / 4));
        faults.push(clock.now());
        nodes.kill(2);
        clock.until(Duration::from_secs(seconds / 2));
        faults.push(clock.now());
        truth.primary.kill();
        truth.standby.promote();
        println!("promoted {:.1?} after the primary died", clock.now() - faults[1]);
        clock.until(Duration::from_secs(seconds * 4 / 5));
        nodes.start_node(2);
        running.join().unwrap()
    });
    println!("{}", summary(&outcomes));
    proof::failures_are_503_and_short(&outcomes, &faults, ERRORS_MAX);
    proof::every_acknowledged_write_is_there(&nodes, &mix, &outcomes);
    proof::every_answer_has_its_entry(&nodes, &mix, &outcomes);
    proof::every_node_is_sound(&mut nodes);
}

/// Longest time of errors when the primary says nothing any more, instead of being known to be dead.
const SILENT_ERRORS_MAX: Duration = Duration::from_secs(30);

#[test]
#[ignore = "waits for time-outs"]
fn a_primary_that_falls_silent_is_left_for_the_standby() {
    let Some(truth) = Truth::start() else { return };
    let proxy = FaultProxy::to(truth.primary.endpoint().port);
    let Some(mut nodes) = truth.nodes_by(3, proxy.port()) else { return };
    let mix = Mix::over(&nodes, "silent");
    let (base, bearer) = (nodes.balancer.base.clone(), nodes.bearer.clone());
    let load = Load { name: mix.name, base: &base, bearer: Some(&bearer), rate: 100, seconds: 60, connections: 48 };
    let mut faults = Vec::new();
    let outcomes = std::thread::scope(|scope| {
        let clock = wait::Clock::start();
        let running = scope.spawn(|| load.run(&|number| mix.request(number)));
        clock.until(Duration::from_secs(10));
        faults.push(clock.now());
        // The standby is cut off as well, as when the primary's host loses its network: what the primary still takes in is
        // acknowledged to nobody.
        proxy.stall();
        truth.standby.promote();
        running.join().unwrap()
    });
    println!("{}", summary(&outcomes));
    proof::failures_are_503_and_short(&outcomes, &faults, SILENT_ERRORS_MAX);
    proof::every_acknowledged_write_is_there(&nodes, &mix, &outcomes);
    proof::every_answer_has_its_entry(&nodes, &mix, &outcomes);
    proof::every_node_is_sound(&mut nodes);
}

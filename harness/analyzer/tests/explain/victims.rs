// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bad pointers, divisors and checks: what the expression is, whatever the compiler made of it.

use crate::support::{OPTIMISATIONS, Victims};
use analyzer::diagnosis::{Diagnosis, What};
use analyzer::fault::{condition, divisor, examine};
use analyzer::report::{Confidence, CrashKind};

fn expression(diagnosis: &Diagnosis) -> Option<String> {
    diagnosis.expression().map(ToString::to_string)
}

fn explained(victims: &Victims, name: &str) -> Diagnosis {
    let crash = victims.crash(name);
    let scene = victims.scene(&crash);
    let diagnosis = examine(&scene, &scene.walked(), Some(crash.address)).expect("a diagnosis");
    let pc = diagnosis.pc.expect("a place").for_lookup();
    let marked = victims.marked(name);
    assert_eq!(scene.line(pc), Some(marked.line), "{name}: {diagnosis:#?}");
    assert_eq!(expression(&diagnosis), Some(marked.expression), "{name}: {diagnosis:#?}");
    assert_eq!(diagnosis.confidence(), Confidence::Proven, "{name}: {diagnosis:#?}");
    diagnosis
}

fn each(name: &str, kind: CrashKind) {
    for optimisation in OPTIMISATIONS {
        let victims = Victims::compile(optimisation);
        assert_eq!(explained(&victims, name).kind(), kind, "{name} {optimisation}");
    }
}

#[test]
fn a_call_through_a_member_behind_a_global_pointer() {
    each("member_of_global", CrashKind::NullCall);
}

#[test]
fn a_call_through_a_member_of_a_global_structure() {
    each("member_of_global_structure", CrashKind::NullCall);
}

#[test]
fn a_call_through_a_member_behind_a_parameter_in_an_inlined_function() {
    each("member_of_parameter", CrashKind::NullCall);
}

#[test]
fn a_call_through_a_parameter() {
    each("function_pointer", CrashKind::NullCall);
}

#[test]
fn a_read_behind_a_null_member() {
    each("read_behind_member", CrashKind::NullRead);
}

#[test]
fn a_read_three_pointers_deep() {
    each("read_deep", CrashKind::NullRead);
}

#[test]
fn a_write_behind_an_element_of_an_array() {
    each("write_behind_array", CrashKind::NullWrite);
}

#[test]
fn a_read_behind_the_result_of_a_call() {
    each("result_of_call", CrashKind::NullRead);
}

#[test]
fn a_parameter_that_is_null_itself() {
    each("parameter_itself", CrashKind::NullRead);
}

#[test]
fn a_parameter_that_is_passed_on_the_stack() {
    each("many_arguments", CrashKind::NullRead);
}

#[test]
fn a_pointer_that_was_kept_on_the_stack() {
    each("on_the_stack", CrashKind::NullRead);
}

#[test]
fn of_two_ways_the_one_that_gives_the_bad_value() {
    each("one_of_two", CrashKind::NullRead);
}

#[test]
fn a_list_followed_to_its_end() {
    each("walked_to_its_end", CrashKind::NullRead);
}

#[test]
fn a_pointer_with_flags_in_its_low_bits() {
    each("pointer_with_flags", CrashKind::NullRead);
}

#[test]
fn a_local_variable_that_nothing_sets() {
    each("never_set", CrashKind::Uninitialized);
}

#[test]
fn a_division_by_a_member_that_is_zero() {
    for optimisation in OPTIMISATIONS {
        let victims = Victims::compile(optimisation);
        let crash = victims.crash("divided");
        let scene = victims.scene(&crash);
        let diagnosis = divisor(&scene, &scene.walked()).expect("a division");
        let marked = victims.marked("divided");
        assert_eq!(expression(&diagnosis), Some(marked.expression), "{optimisation}");
        let What::Division(division) = &diagnosis.what else { panic!("{diagnosis:#?}") };
        assert_eq!(division.divisor, Some(0), "{optimisation}");
        assert_eq!(diagnosis.confidence(), Confidence::Proven, "{optimisation}");
        let pc = diagnosis.pc.expect("a place").for_lookup();
        assert_eq!(scene.line(pc), Some(marked.line), "{optimisation}");
    }
}

#[test]
fn a_failed_check_and_the_value_it_looked_at() {
    for optimisation in OPTIMISATIONS {
        let victims = Victims::compile(optimisation);
        let crash = victims.crash("checked");
        let scene = victims.scene(&crash);
        let (_, expression) = condition(&scene, &scene.walked());
        let marked = victims.marked("checked");
        let expression = expression.map(|it| it.to_string());
        assert_eq!(expression, Some(marked.expression), "{optimisation}");
    }
}

/// Where the dump cannot show the parameter any more, the code's word is all there is: likely, and
/// never proven. Where it is still in a register, it is proven.
#[test]
fn a_parameter_given_up_before_the_fault_is_not_proven() {
    let mut seen = Vec::new();
    for optimisation in OPTIMISATIONS {
        let victims = Victims::compile(optimisation);
        let crash = victims.crash("parameter_given_up");
        let scene = victims.scene(&crash);
        // Without the stack, nobody else can tell.
        let frames = &scene.walked()[..1];
        let diagnosis = examine(&scene, frames, Some(crash.address)).expect("a diagnosis");
        assert_eq!(expression(&diagnosis).as_deref(), Some("device->queue"), "{optimisation}");
        seen.push(diagnosis.confidence());
    }
    assert!(seen.contains(&Confidence::Likely), "{seen:?}");
    assert!(!seen.contains(&Confidence::Unknown), "{seen:?}");
}

/// A pointer that walks along a list has no one expression: the parameter at first, a member
/// later. Naming either would be wrong half of the time.
#[test]
fn a_pointer_that_changes_in_a_loop_is_never_named_as_the_parameter() {
    for optimisation in OPTIMISATIONS {
        let victims = Victims::compile(optimisation);
        let crash = victims.crash("in_a_loop");
        let scene = victims.scene(&crash);
        let diagnosis = examine(&scene, &scene.walked(), Some(crash.address)).expect("a diagnosis");
        let claims_parameter = expression(&diagnosis).as_deref() == Some("queue")
            && diagnosis
                .evidence
                .iter()
                .any(|claim| format!("{claim:?}").contains("argument `queue` is"));
        assert!(!claims_parameter, "{optimisation}: {diagnosis:#?}");
    }
}

/// What is in the bad register is known from the debug information alone, and nothing was
/// evaluated again on memory: that is likely and never proven.
#[test]
fn a_variable_that_only_the_debug_information_places_is_never_proven() {
    for optimisation in OPTIMISATIONS {
        let victims = Victims::compile(optimisation);
        let crash = victims.crash("in_a_loop");
        let scene = victims.scene(&crash);
        // The caller could tell what the loop began with.
        let frames = &scene.walked()[..1];
        let diagnosis = examine(&scene, frames, Some(crash.address)).expect("a diagnosis");
        assert_ne!(diagnosis.confidence(), Confidence::Proven, "{optimisation}: {diagnosis:#?}");
    }
}

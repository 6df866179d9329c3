// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose memory a bad pointer leads to, where that is not plain: real crashes of compiled C.

use crate::judge::{Source, nature};
use analyzer::diagnosis::{Doubt, Elsewhere, Grounds, Nature};
use analyzer::report::{Confidence, CrashKind};

const SOURCE: Source = Source("owners.c");

/// What was freed, and allocated again by somebody who has not written there yet, is filled, too.
#[test]
fn the_filling_of_an_object_in_use_is_what_nobody_wrote_if_the_allocator_noted_no_earlier_owner() {
    SOURCE.proven("mod_noted", CrashKind::Uninitialized);
}

#[test]
fn a_pointer_that_leads_to_something_else_is_named_before_what_is_read_through_it() {
    let diagnosis = SOURCE.judged("mod_taken_for_a_job", "mod_taken_for_a_job");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    let mistaken = diagnosis.pointer().and_then(|it| it.mistaken.clone()).expect("a pointer");
    assert_eq!(mistaken.pointer.to_string(), "taken");
    assert_eq!(mistaken.structure, "job");
    let Elsewhere::Variable { name } = mistaken.leads else { panic!("{mistaken:?}") };
    assert_eq!(name.to_string(), "spare");
    // One that is around is what is meant.
    let diagnosis = SOURCE.proven("mod_inside_of_another", CrashKind::NullRead);
    assert_eq!(diagnosis.pointer().and_then(|it| it.mistaken.as_ref()), None);
}

#[test]
fn a_misaligned_pointer_leads_to_no_structure() {
    let diagnosis = SOURCE.judged("mod_marked_pointer", "mod_marked_pointer");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    let mistaken = diagnosis.pointer().and_then(|it| it.mistaken.as_ref()).expect("a pointer");
    assert_eq!(mistaken.leads, Elsewhere::Misaligned);
}

#[test]
fn a_number_that_leads_out_of_what_is_no_array_may_have_been_meant_for_another() {
    let diagnosis = SOURCE.judged("mod_ring_behind_its_end", "mod_ring_behind_its_end");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    assert_eq!(diagnosis.pointer().expect("a pointer").past, None);
}

#[test]
fn of_two_values_that_were_added_the_types_tell_the_pointer() {
    SOURCE.judged("mod_ring_that_is_gone", "mod_ring_that_is_gone");
    let diagnosis = SOURCE.judged("mod_sum_of_numbers", "mod_sum_of_numbers");
    assert_eq!(diagnosis.grounds, Grounds::Inferred, "{diagnosis:#?}");
}

#[test]
fn a_null_pointer_to_per_cpu_memory_is_what_is_wrong() {
    let diagnosis = SOURCE.proven("mod_no_counters", CrashKind::NullRead);
    assert_eq!(nature(&diagnosis), Some(&Nature::PerCpuNull), "{diagnosis:#?}");
}

#[test]
fn the_mark_of_a_list_in_memory_that_is_not_cleared_may_be_that_of_who_had_it_before() {
    let diagnosis = SOURCE.judged("mod_left_mark", "mod_left_mark");
    assert_eq!(diagnosis.kind(), CrashKind::ListCorruption, "{diagnosis:#?}");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    let why = diagnosis.why_not_proven().expect("a reason");
    assert!(why.contains("what had its memory before"), "{why}");
    SOURCE.proven("mod_left_mark_in_cleared", CrashKind::ListCorruption);
}

/// A cursor that went past the end of a ring leads into the neighbour, which may be free.
#[test]
fn what_a_pointer_that_goes_by_elements_met_behind_the_end_need_not_have_been_its_own() {
    let diagnosis = SOURCE.doubted("mod_next_slot", CrashKind::UseAfterFree, Doubt::Mistake);
    assert!(matches!(nature(&diagnosis), Some(Nature::FreedOrPast { .. })), "{diagnosis:#?}");
}

/// `hook->once` was no NULL when it was called: what it led to cleared it, and jumped to NULL itself.
#[test]
fn what_is_null_by_now_may_have_led_to_a_function_that_cleared_it_and_went_on_with_a_jump() {
    let diagnosis = SOURCE.judged("mod_runs", "mod_runs");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    let why = diagnosis.why_not_proven().expect("a reason");
    assert!(why.contains("`mod_finish`"), "{why}");
}

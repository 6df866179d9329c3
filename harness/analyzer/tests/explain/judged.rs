// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules of proof, each with what meets it and what does not: real crashes of compiled C.
//!
//! What has to be named is the marker comment at the line to blame; docs/verdicts.md has the rules.

use crate::judge::{Source, nature};
use analyzer::diagnosis::{Doubt, Nature, TextPlace};
use analyzer::identify::FreedMemory;
use analyzer::report::{Confidence, CrashKind};

const SOURCE: Source = Source("judged.c");

#[test]
fn a_function_that_went_on_with_a_jump_is_the_one_to_blame() {
    let diagnosis = SOURCE.judged("mod_jumps", "mod_name_length");
    assert_eq!(diagnosis.confidence(), Confidence::Proven, "{diagnosis:#?}");
    assert_eq!(diagnosis.helper.as_deref(), Some("length_of"));
}

#[test]
fn of_two_jumps_on_two_lines_none_is_proven() {
    let diagnosis = SOURCE.judged("mod_jumps_from_one_of_two", "mod_either_length");
    assert_ne!(diagnosis.confidence(), Confidence::Proven, "{diagnosis:#?}");
}

#[test]
fn of_two_functions_that_jumped_there_none_is_proven() {
    let diagnosis = SOURCE.judged("mod_jumps_by_two_functions", "mod_some_length");
    assert_ne!(diagnosis.confidence(), Confidence::Proven, "{diagnosis:#?}");
}

#[test]
fn what_the_kernel_had_from_elsewhere_is_not_the_callers_fault() {
    SOURCE.doubted("mod_asks", CrashKind::NullRead, Doubt::Flow);
}

#[test]
fn what_is_read_from_a_freed_object_is_used_after_free() {
    let diagnosis = SOURCE.proven("mod_read_after_release", CrashKind::UseAfterFree);
    assert!(matches!(nature(&diagnosis), Some(Nature::Freed { is_certain: true, .. })));
}

#[test]
fn what_was_read_before_the_object_was_freed_is_what_it_was() {
    SOURCE.proven("mod_read_before_release", CrashKind::NullRead);
}

/// Most of all where the allocator clears what is freed: NULL is what it left.
#[test]
fn what_is_read_from_freed_pages_is_used_after_free() {
    let diagnosis = SOURCE.proven("mod_read_after_its_pages_went", CrashKind::UseAfterFree);
    let pages = Nature::Freed { what: FreedMemory::Pages, is_certain: true };
    assert_eq!(nature(&diagnosis), Some(&pages));
}

#[test]
fn what_was_read_before_the_pages_were_freed_is_what_it_was() {
    SOURCE.proven("mod_read_before_its_pages_went", CrashKind::NullRead);
}

#[test]
fn what_was_left_out_of_the_dump_is_not_read_again_and_who_has_it_is_said() {
    let diagnosis = SOURCE.judged("mod_left_out", "mod_left_out");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    let why = diagnosis.why_not_proven().expect("a reason");
    assert!(why.contains("of level 31: one of level 1 has it"), "{why}");
}

#[test]
fn whether_an_object_was_free_when_it_was_read_is_not_known_if_something_ran_since() {
    SOURCE.doubted("mod_read_before_something", CrashKind::UseAfterFree, Doubt::Mistake);
}

/// What was freed, and allocated again by somebody who has not written there yet, is filled, too.
#[test]
fn the_filling_of_an_object_in_use_is_what_nobody_wrote_or_somebody_elses() {
    SOURCE.doubted("mod_never_written", CrashKind::Uninitialized, Doubt::Mistake);
}

#[test]
fn the_filling_of_an_unknown_object_tells_no_mistake() {
    SOURCE.doubted("mod_poison_from_elsewhere", CrashKind::UseAfterFree, Doubt::Mistake);
}

#[test]
fn what_a_module_fills_an_object_with_is_not_the_allocators() {
    SOURCE.doubted("mod_own_filling", CrashKind::UseAfterFree, Doubt::Mistake);
}

/// NULL, or whatever the neighbour holds: what is wrong is where it was read.
#[test]
fn what_is_read_by_a_number_outside_of_an_object_is_none_of_its_elements() {
    let diagnosis = SOURCE.doubted("mod_slot", CrashKind::OutOfBounds, Doubt::Mistake);
    let outside =
        matches!(nature(&diagnosis), Some(Nature::Outside { at: 12000, size: Some(8192), .. }));
    assert!(outside, "{diagnosis:#?}");
    let constant = SOURCE.doubted("mod_last_slot", CrashKind::OutOfBounds, Doubt::Mistake);
    assert!(matches!(nature(&constant), Some(Nature::Outside { at: 12000, .. })));
    SOURCE.proven("mod_empty_slot", CrashKind::NullRead);
}

/// `slots + (group - first)`, which a compiler computes before the loop, may lead to a neighbour.
#[test]
fn of_a_sum_of_pointer_and_numbers_only_its_pointer_leads_into_the_object() {
    let diagnosis = SOURCE.judged("mod_slot_of_group", "mod_slot_of_group");
    assert_eq!(diagnosis.kind(), CrashKind::NullRead, "{diagnosis:#?}");
}

/// One number is left of both, which is larger than a row has elements.
#[test]
fn an_element_of_an_array_of_arrays_is_not_past_the_end_of_one() {
    let diagnosis = SOURCE.judged("mod_grid", "mod_grid");
    assert_eq!(diagnosis.kind(), CrashKind::NullRead, "{diagnosis:#?}");
    assert_eq!(diagnosis.pointer().expect("a pointer").past, None);
}

#[test]
fn what_is_read_of_the_head_of_an_empty_list_as_of_an_entry_proves_nothing_of_the_entry() {
    let diagnosis = SOURCE.judged("mod_first_job", "mod_first_job");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    let why = diagnosis.why_not_proven().expect("a reason");
    assert!(why.contains("head was taken for an entry"), "{why}");
}

#[test]
fn the_distance_of_two_pointers_is_no_index() {
    let diagnosis = SOURCE.judged("mod_moved", "mod_moved");
    assert_eq!(diagnosis.kind(), CrashKind::NullRead, "{diagnosis:#?}");
}

/// What is wrong with the slot is that its number was read from a freed object.
#[test]
fn a_number_out_of_a_freed_object_is_used_after_free_wherever_it_leads() {
    let diagnosis = SOURCE.judged("mod_slot_by_a_freed_number", "mod_slot_by_a_freed_number");
    assert_eq!(diagnosis.kind(), CrashKind::UseAfterFree, "{diagnosis:#?}");
}

#[test]
fn a_number_that_leads_out_of_an_object_is_an_index() {
    let diagnosis = SOURCE.proven("mod_cell", CrashKind::OutOfBounds);
    assert!(matches!(nature(&diagnosis), Some(Nature::Beyond { size: 64, .. })), "{diagnosis:#?}");
}

#[test]
fn the_number_of_a_bit_leads_to_its_word() {
    SOURCE.proven("mod_mark", CrashKind::OutOfBounds);
}

#[test]
fn null_with_a_large_offset_is_null() {
    let diagnosis = SOURCE.proven("mod_tail", CrashKind::NullRead);
    assert_eq!(nature(&diagnosis), Some(&Nature::NullPlus { distance: 0x152b0 }));
}

#[test]
fn the_structure_around_a_null_link_is_no_error_code() {
    SOURCE.proven("mod_first_state", CrashKind::NullRead);
}

#[test]
fn an_error_code_that_was_loaded_is_one() {
    SOURCE.proven("mod_error_in_memory", CrashKind::ErrPtr);
}

#[test]
fn a_small_number_that_was_loaded_is_not_null() {
    let diagnosis = SOURCE.proven("mod_small_in_memory", CrashKind::BadRead);
    assert_eq!(nature(&diagnosis), Some(&Nature::Small { value: 3 }), "{diagnosis:#?}");
}

#[test]
fn a_small_negative_argument_is_either() {
    let diagnosis = SOURCE.judged("mod_small_argument", "mod_small_argument");
    let Some(Nature::BelowNull { distance: 16, member, .. }) = nature(&diagnosis) else {
        panic!("{diagnosis:#?}")
    };
    assert_eq!(member.as_deref(), Some("link"));
    assert_ne!(diagnosis.confidence(), Confidence::Proven, "{diagnosis:#?}");
}

#[test]
fn the_argument_is_judged_that_the_kernel_computed_an_address_from() {
    SOURCE.proven("mod_gives_an_error", CrashKind::ErrPtr);
}

#[test]
fn what_others_set_a_local_variable_to_is_what_it_is() {
    SOURCE.proven("mod_set_by_others", CrashKind::BadRead);
}

#[test]
fn what_others_put_in_an_arguments_place_is_not_the_argument() {
    SOURCE.proven("mod_argument_replaced_by_others", CrashKind::BadRead);
}

#[test]
fn an_element_may_have_been_set_by_its_number() {
    SOURCE.proven("mod_element_set_by_its_number", CrashKind::NullRead);
    let diagnosis = SOURCE.proven("mod_only_set_by_its_number", CrashKind::BadRead);
    assert_eq!(nature(&diagnosis), Some(&Nature::Small { value: 0x30 }), "{diagnosis:#?}");
}

#[test]
fn a_parameter_is_named_by_where_it_is_and_not_by_its_number() {
    SOURCE.proven("mod_after_a_structure", CrashKind::NullRead);
}

#[test]
fn text_in_a_pointers_place_proves_no_mistake() {
    let diagnosis = SOURCE.doubted("mod_text", CrashKind::UseAfterFree, Doubt::Mistake);
    let Some(Nature::Text { place, .. }) = nature(&diagnosis) else { panic!("{diagnosis:#?}") };
    assert!(matches!(place, TextPlace::Owner(_)), "{place:?}");
}

#[test]
fn a_callback_of_another_signature_is_not_proven_by_its_parameter() {
    SOURCE.doubted("mod_callback", CrashKind::NullRead, Doubt::Declaration);
}

#[test]
fn who_asks_the_allocator_is_not_to_blame_for_its_list() {
    let diagnosis = SOURCE.judged("mod_allocates", "mod_allocates");
    assert_eq!(nature(&diagnosis), Some(&Nature::FreeList), "{diagnosis:#?}");
    assert_ne!(diagnosis.confidence(), Confidence::Proven, "{diagnosis:#?}");
}

#[test]
fn a_structure_that_does_not_fit_where_its_pointer_leads_is_none() {
    let diagnosis = SOURCE.proven("mod_wrong_member", CrashKind::NullRead);
    let Some(Nature::Misplaced { structure, .. }) = nature(&diagnosis) else {
        panic!("{diagnosis:#?}")
    };
    assert_eq!(structure, "outer");
}

#[test]
fn an_element_that_the_array_does_not_have_is_out_of_bounds() {
    let diagnosis = SOURCE.proven("mod_past_the_end", CrashKind::OutOfBounds);
    let past = diagnosis.pointer().and_then(|pointer| pointer.past.as_ref());
    let past = past.map(|(index, array)| (index.to_string(), array.to_string()));
    assert_eq!(past, Some(("command".to_owned(), "commands.known".to_owned())));
}

#[test]
fn a_pointer_without_a_type_has_the_name_of_the_variable_it_was_put_into() {
    SOURCE.proven("mod_named_by_its_declaration", CrashKind::NullRead);
    let diagnosis = SOURCE.proven("mod_passes_a_member", CrashKind::NullRead);
    assert_eq!(diagnosis.helper.as_deref(), Some("length_behind"));
}

#[test]
fn a_variable_does_not_name_what_its_declaration_reads_on_the_way() {
    let diagnosis = SOURCE.proven("mod_reads_on_where_it_declares", CrashKind::NullRead);
    let expression = diagnosis.expression().expect("an expression").to_string();
    assert!(!expression.contains("job"), "{expression}");
}

#[test]
fn the_head_of_a_list_is_not_around_its_entries() {
    let diagnosis = SOURCE.proven("mod_first_entry", CrashKind::NullRead);
    let expression = diagnosis.expression().expect("an expression").to_string();
    assert!(!expression.contains("container_of"), "{expression}");
}

#[test]
fn the_link_that_a_round_before_read_is_what_is_null() {
    SOURCE.proven("mod_walks", CrashKind::NullRead);
}

#[test]
fn an_error_code_that_is_a_members_distance_is_either() {
    let diagnosis = SOURCE.doubted("mod_around_null", CrashKind::BadRead, Doubt::Mistake);
    let Some(Nature::BelowNull { member, .. }) = nature(&diagnosis) else {
        panic!("{diagnosis:#?}")
    };
    assert_eq!(member.as_deref(), Some("link"));
}

#[test]
fn minus_one_is_a_mark_as_often_as_an_error_code() {
    SOURCE.doubted("mod_marked", CrashKind::ErrPtr, Doubt::Mistake);
}

#[test]
fn an_array_at_the_end_may_have_been_allocated_longer() {
    let diagnosis = SOURCE.judged("mod_longer", "mod_longer");
    assert_eq!(diagnosis.confidence(), Confidence::Likely, "{diagnosis:#?}");
    let pointer = diagnosis.pointer().expect("a pointer");
    assert_eq!(pointer.past, None);
    assert_eq!(pointer.kind(), CrashKind::NullRead);
    SOURCE.proven("mod_beyond_the_longest", CrashKind::OutOfBounds);
}

#[test]
fn a_pointer_that_was_kept_may_have_been_good_before_its_object_was_freed() {
    SOURCE.doubted("mod_kept", CrashKind::NullRead, Doubt::Mistake);
}

#[test]
fn a_member_of_some_bits_is_what_it_holds_and_not_its_byte() {
    let diagnosis = SOURCE.proven("mod_kind", CrashKind::NullRead);
    let holds =
        |claim: &analyzer::claim::Claim| format!("{claim:?}").contains("the 3 bits from bit 0 on");
    assert!(diagnosis.evidence.iter().any(holds), "{diagnosis:#?}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where to look next, of crashes whose root is elsewhere in the code: leads.c has the places, as markers.

use crate::support::Victims;
use analyzer::diagnosis::{Diagnosis, Lead, Nature, Site};
use analyzer::fault::examine;
use analyzer::leads;

/// The crash of a function, with what the code was searched for, and the line that its marker is on.
fn led(name: &str) -> (Diagnosis, String) {
    let victims = Victims::compile_file("leads.c", &["-O2"], "mod_");
    let crash = victims.crash(name);
    let scene = victims.scene(&crash);
    let address = Some(crash.address).filter(|address| *address != 0);
    let mut diagnosis = examine(&scene, &scene.walked(), address).expect("a diagnosis");
    leads::find(&scene, &mut diagnosis);
    (diagnosis, format!("leads.c:{}", victims.root(name)))
}

fn functions(sites: &[Site]) -> Vec<&str> {
    sites.iter().map(|site| site.function.as_str()).collect()
}

#[test]
fn a_queue_that_no_code_initialises_is_told_with_where_it_is_allocated() {
    let (diagnosis, root) = led("mod_wakes");
    let unset = diagnosis.pointer().and_then(|it| it.unset.clone());
    assert_eq!(unset.map(|it| it.to_string()).as_deref(), Some("job->wait"), "{diagnosis:#?}");
    let [Lead::Uninitialised { object, by, done, made, .. }] = diagnosis.leads.as_slice() else {
        panic!("{diagnosis:#?}");
    };
    assert_eq!((object.to_string().as_str(), *by), ("job->wait", "init_waitqueue_head"));
    assert!(done.is_empty(), "{done:?}");
    let made = made.as_ref().expect("an allocation");
    assert!(made.is_allocated);
    assert_eq!((made.site.function.as_str(), made.site.line.numbered()), ("mod_new", root));
}

#[test]
fn of_a_freed_object_the_link_is_told_that_no_code_takes_out() {
    let (diagnosis, root) = led("mod_finds");
    let Some(Lead::Linked { structure, link, by, put }) = diagnosis.leads.first() else {
        panic!("{diagnosis:#?}");
    };
    assert_eq!((structure.as_str(), link.to_string().as_str(), *by), ("job", "link", "list_del"));
    assert_eq!(functions(put), ["mod_put_in"]);
    assert_eq!(put.first().map(|site| site.line.numbered()), Some(root));
    let freed = diagnosis.leads.iter().find_map(|lead| match lead {
        Lead::Freed { by, .. } => Some(functions(by)),
        _ => None,
    });
    assert_eq!(freed, Some(vec!["mod_drop"]), "{diagnosis:#?}");
}

#[test]
fn a_pointer_that_was_cleared_is_told_by_who_sets_and_who_clears_it() {
    let (diagnosis, root) = led("mod_asks");
    let [Lead::Set { object, set, cleared, .. }] = diagnosis.leads.as_slice() else {
        panic!("{diagnosis:#?}");
    };
    assert_eq!(object.to_string(), "job->device");
    assert_eq!((functions(set), functions(cleared)), (vec!["mod_bind"], vec!["mod_unbind"]));
    assert_eq!(set.first().map(|site| site.line.numbered()), Some(root));
}

#[test]
fn an_object_that_is_too_small_is_told_by_its_allocation() {
    let (diagnosis, root) = led("mod_lists");
    let nature = diagnosis.pointer().and_then(|it| it.nature.clone());
    let Some(Nature::Short { size: 8, structure, needs: 16, .. }) = nature else {
        panic!("{diagnosis:#?}");
    };
    assert_eq!(structure, "device");
    let [Lead::Small { structure, needs: 16, gets: 8, site, .. }] = diagnosis.leads.as_slice()
    else {
        panic!("{diagnosis:#?}");
    };
    assert_eq!((structure.as_str(), site.line.numbered()), ("device", root));
}

/// Of a pointer that is NULL the compiler leaves the number 0: what is NULL stands in the test before.
#[test]
fn a_pointer_that_the_code_knows_to_be_null_is_told_by_its_test() {
    for (function, pointer) in [("mod_marks", "mode"), ("mod_counts", "job->device")] {
        let (diagnosis, root) = led(function);
        let expression = diagnosis.expression().map(ToString::to_string);
        assert_eq!(expression.as_deref(), Some(pointer), "{diagnosis:#?}");
        let tested = diagnosis.leads.iter().find_map(|lead| match lead {
            Lead::Tested { pointer, site, is_certain: true } => Some((pointer.to_string(), site)),
            _ => None,
        });
        let (named, site) = tested.expect("a test");
        assert_eq!((named.as_str(), site.function.as_str()), (pointer, function));
        assert_eq!(site.line.numbered(), root);
    }
}

/// The index is nowhere, and the pointer that took its place has been moved on before the call.
#[test]
fn an_element_is_named_by_its_number_where_the_loop_has_only_a_pointer() {
    let (diagnosis, _) = led("mod_sums");
    let expression = diagnosis.expression().map(ToString::to_string);
    assert_eq!(expression.as_deref(), Some("parts[2].device"), "{diagnosis:#?}");
}

/// What is bad is the number, as memory has it after it was stored there again.
#[test]
fn a_number_that_was_added_to_a_good_pointer_is_told_as_an_index() {
    let (diagnosis, root) = led("mod_steps");
    let pointer = diagnosis.pointer().expect("a pointer");
    assert!(pointer.is_index(), "{diagnosis:#?}");
    let past = pointer.past.as_ref().map(|(index, array)| (index.to_string(), array.to_string()));
    assert_eq!(past, Some(("cells->cursor".to_owned(), "cells->array".to_owned())));
    let set = diagnosis.leads.iter().find_map(|lead| match lead {
        Lead::Set { object, set, .. } => Some((object.to_string(), set)),
        _ => None,
    });
    let (object, set) = set.expect("where it is set");
    assert_eq!(
        (object.as_str(), set.first().map(|it| it.line.numbered())),
        ("cells->cursor", Some(root))
    );
}

#[test]
fn a_parameter_is_told_by_what_the_caller_calls_it() {
    let (diagnosis, root) = led("mod_reads");
    assert_eq!(diagnosis.expression().map(ToString::to_string).as_deref(), Some("it"));
    let Some(Lead::Passed { pointer, passed, site }) = diagnosis.leads.first() else {
        panic!("{diagnosis:#?}");
    };
    let words = (pointer.to_string(), passed.to_string());
    assert_eq!(words, ("it".to_owned(), "job->device".to_owned()));
    assert_eq!((site.function.as_str(), site.line.numbered()), ("mod_hands", root));
}

#[test]
fn a_node_that_is_taken_out_of_no_list_is_named_and_not_its_link() {
    let (diagnosis, _) = led("mod_leaves");
    let node = diagnosis.pointer().and_then(|it| it.unlinked.clone());
    assert_eq!(node.map(|it| it.to_string()).as_deref(), Some("owner->node"), "{diagnosis:#?}");
}

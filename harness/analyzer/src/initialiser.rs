// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel's own structures are initialised by.

/// How objects of a type are initialised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Initialiser {
    /// Tag of the structure, or the name of the type.
    ty: &'static str,
    /// What the source calls.
    pub(crate) by: &'static str,
    /// What of that is a function; inline code stores instead.
    pub(crate) functions: &'static [&'static str],
    /// Whether any store is one, else only one of the object's own address.
    pub(crate) by_store: bool,
    /// Whether it has a list whose links are never NULL once it is initialised.
    pub(crate) has_list: bool,
}

const fn of(
    ty: &'static str,
    by: &'static str,
    functions: &'static [&'static str],
    by_store: bool,
) -> Initialiser {
    Initialiser { ty, by, functions, by_store, has_list: false }
}

/// The same of what has a list in it.
const fn listed(
    ty: &'static str,
    by: &'static str,
    functions: &'static [&'static str],
) -> Initialiser {
    Initialiser { has_list: true, ..of(ty, by, functions, false) }
}

/// The kernel's headers (`include/linux/`: wait.h, swait.h, completion.h, list.h, mutex.h, rwsem.h, spinlock.h,
/// semaphore.h, workqueue.h, timer.h, hrtimer.h, interrupt.h, kref.h, refcount.h, idr.h, xarray.h, kobject.h,
/// skbuff.h, srcu.h, rhashtable.h, percpu_counter.h, percpu-refcount.h), 3.10 to 6.12.
const INITIALISERS: [Initialiser; 25] = [
    listed("wait_queue_head", "init_waitqueue_head", &["__init_waitqueue_head"]),
    listed("__wait_queue_head", "init_waitqueue_head", &["__init_waitqueue_head"]),
    listed("swait_queue_head", "init_swait_queue_head", &["__init_swait_queue_head"]),
    listed("completion", "init_completion", &["__init_swait_queue_head", "__init_waitqueue_head"]),
    listed("list_head", "INIT_LIST_HEAD", &[]),
    listed("mutex", "mutex_init", &["__mutex_init", "__mutex_rt_init"]),
    listed("rw_semaphore", "init_rwsem", &["__init_rwsem"]),
    of("spinlock", "spin_lock_init", &["__raw_spin_lock_init", "__rt_spin_lock_init"], true),
    of("raw_spinlock", "raw_spin_lock_init", &["__raw_spin_lock_init"], true),
    of("rwlock_t", "rwlock_init", &["__rwlock_init"], true),
    listed("semaphore", "sema_init", &[]),
    listed("work_struct", "INIT_WORK", &["__init_work"]),
    of("delayed_work", "INIT_DELAYED_WORK", &["init_timer_key"], false),
    of("timer_list", "timer_setup", &["init_timer_key", "timer_init_key"], false),
    of("hrtimer", "hrtimer_init", &["hrtimer_init", "hrtimer_setup"], false),
    of("tasklet_struct", "tasklet_setup", &["tasklet_setup", "tasklet_init"], false),
    of("kref", "kref_init", &[], true),
    of("idr", "idr_init", &[], true),
    of("xarray", "xa_init", &[], true),
    of("kobject", "kobject_init", &["kobject_init", "kobject_init_and_add"], false),
    listed("sk_buff_head", "skb_queue_head_init", &[]),
    of("srcu_struct", "init_srcu_struct", &["init_srcu_struct", "__init_srcu_struct"], false),
    of("rhashtable", "rhashtable_init", &["rhashtable_init", "rhashtable_init_noprof"], false),
    of(
        "percpu_counter",
        "percpu_counter_init",
        &["__percpu_counter_init", "__percpu_counter_init_many"],
        false,
    ),
    of("percpu_ref", "percpu_ref_init", &["percpu_ref_init"], false),
];

/// How objects of the type are initialised, if the kernel asks for that.
pub(crate) fn initialiser(ty: &str) -> Option<Initialiser> {
    INITIALISERS.into_iter().find(|known| known.ty == ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_stands_in_the_table_once() {
        let mut types: Vec<&str> = INITIALISERS.iter().map(|it| it.ty).collect();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), INITIALISERS.len());
        assert_eq!(initialiser("completion").map(|it| it.by), Some("init_completion"));
        assert!(initialiser("task_struct").is_none());
    }
}

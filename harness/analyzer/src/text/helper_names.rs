// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of the kernel's functions that only help, for texts that do not have their files.

/// Files of the kernel's tree, and of their functions those that only help. `*` stands for anything.
pub(super) const NAMES: [(&str, &str); 88] = [
    (
        "lib/dump_stack.c, arch/x86/kernel/dumpstack.c",
        "dump_stack* __dump_stack show_stack* show_trace* show_regs* __show_regs",
    ),
    (
        "kernel/panic.c, lib/bug.c",
        "panic vpanic nmi_panic check_panic_on_warn *__warn warn_slowpath_* __warn_printk \
         *report_bug oops_* add_taint",
    ),
    (
        "arch/x86/kernel/traps.c, dumpstack.c, arch/x86/mm/fault.c, extable.c",
        "die __die* die_addr *fixup_bug fixup_exception handle_bug do_trap* do_error_trap \
         do_invalid_op *exc_* do_general_protection do_divide_error do_int3 no_context \
         bad_area* __bad_area* page_fault* do_page_fault __do_page_fault do_user_addr_fault \
         do_kern_addr_fault *spurious_kernel_fault do_double_fault do_stack_segment \
         kernelmode_fixup_or_oops handle_stack_overflow pgtable_bad do_debug \
         do_async_page_fault",
    ),
    (
        "arch/x86/entry/entry_64.S",
        "error_entry error_exit error_sti error_code *general_protection invalid_op \
         divide_error double_fault int3 async_page_fault paranoid_entry restore_args retint_* \
         common_interrupt apic_timer_interrupt *sysvec_* smp_*_interrupt do_softirq_own_stack \
         call_softirq irq_entries_start ret_from_fork* interrupt_entry swapgs* invoke_softirq \
         irq_exit* __irq_exit_rcu do_softirq* __do_softirq handle_softirqs run_ksoftirqd",
    ),
    (
        "arch/x86/kernel/nmi.c, apic/hw_nmi.c, lib/nmi_backtrace.c",
        "nmi do_nmi default_do_nmi nmi_handle end_repeat_nmi nmi_cpu_backtrace* nmi_trigger_* \
         arch_trigger_* trigger_*cpu*_backtrace",
    ),
    (
        "mm/kasan, mm/kmsan, mm/kfence, kernel/kcsan",
        "kasan_* __kasan_* __asan_* __hwasan_* kmsan_* __msan_* kfence_* __kfence_* kcsan_* \
         __tsan_* check_memory_region* check_region_inline print_address_description* \
         print_report print_error_description describe_address end_report report_invalid_* \
         memory_is_poisoned* print_unreferenced internal_report",
    ),
    ("lib/ubsan.c, kernel/cfi.c", "__ubsan_* ubsan_* handle_overflow val_to_string *cfi_*"),
    ("kernel/kcov.c", "__sanitizer_cov_* kcov_* write_comp_data"),
    (
        "lib/list_debug.c, include/linux/list.h",
        "*list_add*_valid* *list_del_entry_valid* __list_add* __list_del* list_del list_add \
        ",
    ),
    ("lib/refcount.c, include/linux/kref.h", "*refcount_* kref_get kref_put* *_kref_*"),
    ("lib/kobject.c", "kobject_* kset_*"),
    (
        "lib/debugobjects.c",
        "debug_object_* *_is_static_object ref_tracker_* __debug_object_* debug_print_object \
         debug_check_no_obj_freed *__debug_check_no_obj_freed",
    ),
    (
        "lib/string.c, arch/x86/lib",
        "memcpy* __memcpy* memmove* __memmove* memset* __memset* memcmp memchr* memscan strlen \
         strnlen strcpy strncpy strscpy* sized_strscpy strlcpy strlcat strcmp strncmp \
         strcasecmp strstr strchr* strnstr hex_dump_* print_hex_dump* bin2hex hex2bin strnchr \
         strsep strim rep_movs* clear_page* copy_page* fortify_panic __fortify_* crc32* \
         csum_partial* delay_* __delay __const_udelay __udelay __ndelay",
    ),
    (
        "lib/vsprintf.c",
        "vsnprintf snprintf sprintf vsprintf scnprintf vscnprintf string* hex_string pointer \
         format_decode number vsscanf sscanf kvasprintf* kasprintf kstrto*",
    ),
    (
        "lib/usercopy.c, mm/usercopy.c, mm/maccess.c, arch/x86/lib/copy_user_64.S",
        "*copy_from_user* *copy_to_user* copy_user_* *copy_in_user __get_user* __put_user* \
         get_user* strncpy_from_user strnlen_user __clear_user clear_user* *usercopy* \
         __check_object_size check_heap_object *check_bogus_address probe_kernel_* *_nofault \
         __might_fault copy_struct_from_user",
    ),
    (
        "lib/iov_iter.c",
        "*copy_to_iter* *copy_from_iter* copy_page_to_iter* copy_page_from_iter* iov_iter_* \
         iterate_* import_*iovec*",
    ),
    (
        "lib/rbtree.c, radix-tree.c, xarray.c, idr.c, bitmap.c, find_bit.c, rhashtable.c, klist.c, maple_tree.c",
        "rb_* __rb_* radix_tree_* __radix_tree_* xa_* xas_* __xa_* idr_* ida_* bitmap_* \
         __bitmap_* find_next_* find_first_* _find_* rhashtable_* __rhashtable_* klist_* mas_* \
         mt_find mt_next mt_prev mt_slot* mt_free_* mt_destroy_walk mt_validate mtree_* llist_* sg_alloc_table* sg_free_table* sg_copy_* sg_miter_* sg_next \
         __sg_* percpu_counter_* *list_lru_init* __percpu_counter_* percpu_ref_*",
    ),
    (
        "include/linux/atomic",
        "atomic* _atomic_dec_and_* folio_unlock folio_lock* unlock_page arch_atomic* \
         raw_atomic* set_bit clear_bit* test_bit test_and_* __read_once* instrument_* \
         constant_test_bit variable_test_bit arch_test_bit",
    ),
    (
        "mm/slub.c, slab.c, slab_common.c, util.c",
        "kfree* kvfree* kzfree kmalloc kmalloc_trace* kmalloc_order* kmalloc_large* kmalloc_slab kmalloc_node* __kmalloc* __do_kmalloc* ___kmalloc* kmalloc_array* kmalloc_noprof* kzalloc* kcalloc krealloc* *kmem_cache_* *slab_alloc* \
         *slab_free* slab_* *___cache_free __cache_free* cache_alloc_* cache_free_* cache_grow* cache_flusharray cache_reap *object_err *check_object \
         check_bytes_and_report alloc_debug_processing free_debug_processing *check_slab \
         on_freelist free_block qlist_* quarantine_* kstrdup* kvmalloc* __kvmalloc* sock_kmalloc sk_alloc \
         sk_prot_alloc kmemleak_* create_object* __create_object* kmemdup* *memdup_user* \
         kvmemdup* new_slab allocate_slab *__slab_* setup_object* init_object print_trailer \
         print_section drain_*cache* should_fail* __should_failslab slab_pre_alloc_hook \
         should_failslab fail_dump *memcg_*slab* set_freepointer discard_slab __free_slab",
    ),
    (
        "mm/page_alloc.c, mempolicy.c",
        "*alloc_pages* *alloc_frozen_pages* alloc_page_* get_page_from_freelist *free_pages* \
         __free_page* free_unref_* free_pcp* free_the_page bad_page* *check_new_page* \
         *prep_new_page rmqueue* get_free_page* __get_free_pages get_zeroed_page free_one_page \
         free_hot_cold_page* *folio_alloc* vma_alloc_folio* warn_alloc* folio_put* __folio_put* \
         put_page* free_frozen_* dump_page*",
    ),
    (
        "mm/vmalloc.c, mm/percpu.c, mm/mempool.c, mm/dmapool.c",
        "vmalloc* __vmalloc* vzalloc* vfree* __vfree* __vunmap* vunmap* remove_vm_area \
         free_vmap_area* pcpu_* free_percpu __alloc_percpu* mempool_* dma_pool_* vmap*",
    ),
    (
        "kernel/locking",
        "*_raw_spin_* *_raw_read_* *_raw_write_* do_raw_* spin_* *queued_spin_* queued_*lock* \
         __pv_queued_* pv_* mutex_* __mutex_* *rwsem_* down down_* up up_* __down_* __up_* \
         ww_mutex_* rt_mutex_* __rt_mutex_* rtmutex_* percpu_down_* percpu_up_* osq_* \
         *lock_acquire* lock_acquired *lock_release* __lock_* lock_set_* lock_is_held* \
         lock_downgrade register_lock_class assign_lock_key lockdep_* debug_lockdep_* \
         __lockdep_* check_prev* check_noncircular check_deadlock check_irq_usage check_usage* \
         check_flags validate_chain* mark_lock* mark_held_locks mark_usage print_circular_bug* \
         print_deadlock_bug print_usage_bug* print_bad_irq_dependency \
         print_unlock_imbalance_bug* print_irq_inversion_bug* print_lock* valid_state \
         debug_check_no_locks_* debug_mutex_* debug_spin_* spin_bug perf_trace_lock* \
         trace_lock_* trace_event_raw_event_lock* spin_dump rwlock_bug *add_lock_to_list \
         reacquire_held_locks match_held_lock find_held_lock is_dynamic_key lock_sock_nested \
         lock_sock release_sock release_sock_nested trace_hardirqs_* trace_softirqs_* \
         *local_bh_enable* *local_bh_disable* __local_bh_* print_kernel_ident debug_locks_off* \
         look_up_lock_class static_obj *trace_irq* add_chain_* lookup_chain_cache* \
         check_wait_context *hlock_class downgrade_write",
    ),
    (
        "kernel/sched, kernel/time",
        "schedule* __schedule* *__schedule_bug preempt_schedule* _cond_resched __cond_resched \
         *might_sleep* *might_resched io_schedule* wait_for_*completion* __wait_for_common \
         do_wait_for_common wait_for_common* complete complete_all swake_up_* prepare_to_wait* \
         finish_wait* __wait_on_* wait_on_bit* out_of_line_wait_* bit_wait* wait_woken wake_up* \
         __wake_up* try_to_wake_up ttwu_* default_wake_function autoremove_wake_function \
         context_switch finish_task_switch* *check_preemption_disabled debug_smp_processor_id \
         __this_cpu_preempt_check smp_processor_id preempt_count_* update_process_times tick_sched_* tick_periodic tick_handle_* tick_nohz_* tick_do_* tick_program_event \
         *hrtimer_* scheduler_tick sched_tick sched_show_task del_timer* mod_timer* __mod_timer \
         add_timer* try_to_del_timer_sync timer_delete* __timer_delete* timer_fixup* \
         detach_timer* detach_if_pending msleep* usleep_* schedule_timeout* enqueue_task* dequeue_task* \
         internal_add_timer init_timer_key timer_shutdown*",
    ),
    (
        "kernel/rcu, kernel/notifier",
        "rcu_* __rcu_* *call_rcu* synchronize_*rcu* synchronize_net synchronize_srcu* \
         __synchronize_srcu print_cpu_stall* print_other_cpu_stall* check_cpu_stall* srcu_* \
         __srcu_* kvfree_call_rcu dump_cpu_task __wait_rcu_gp _rcu_barrier* cleanup_srcu_struct",
    ),
    (
        "kernel/watchdog.c",
        "watchdog watchdog_timer_fn watchdog_overflow_callback watchdog_*lockup* softlockup_* lockup_* hung_task* check_hung_* \
         check_hung_uninterruptible_tasks __run_hrtimer __hrtimer_run_queues",
    ),
    (
        "kernel/workqueue.c",
        "flush_work* __flush_work* flush_delayed_work cancel_work* __cancel_work* \
         cancel_delayed_work* queue_work* __queue_work* queue_delayed_work* mod_delayed_work* \
         drain_workqueue destroy_workqueue start_flush_work __flush_workqueue \
         touch_work_lockdep_map insert_work delayed_work_timer_fn",
    ),
    (
        "kernel/softirq.c, kernel/smp.c",
        "smp_call_function* on_each_cpu* generic_exec_single flush_smp_call_* tasklet_* csd_* \
         stop_one_cpu stop_machine* __do_tasklet* generic_smp_call_function*",
    ),
    ("kernel/kthread.c", "kthread_stop* kthread_flush_* kthread_park kthread_unpark kthread_bind*"),
    (
        "kernel/printk",
        "printk* _printk* vprintk* console_* __dev_printk dev_printk* _dev_* dev_vprintk* \
         printk_* call_console_drivers* serial8250_* univ8250_* wait_for_xmitr* \
         uart_console_write io_serial_*",
    ),
    (
        "arch/x86/kernel/unwind_orc.c, kernel/stacktrace.c, lib/stackdepot.c",
        "unwind_* *__unwind_* arch_stack_walk stack_trace_* save_stack* __save_stack* \
         stack_depot_* *depot_* save_trace set_track* orc_* __orc_find deref_stack_reg \
         update_stack_state in_gate_area* is_bpf_text_address kernel_text_address \
         __kernel_text_address",
    ),
    (
        "arch/x86/lib/retpoline.S, paravirt",
        "__x86_* native_write_msr* native_read_msr* native_*save_fl* native_*restore_fl* \
         native_irq_* native_*halt native_queued_* native_sched_clock pv_native_* arch_local_* \
         kvm_wait kvm_*steal* default_idle* arch_cpu_idle mwait_idle* acpi_idle_* \
         acpi_safe_halt cpuidle_* do_idle cpu_idle_* cpu_startup_entry csd_lock_wait \
         arch_safe_halt safe_halt sched_clock* ktime_get* read_hpet read_tsc rdtsc* pvclock_* \
         kvm_clock_*",
    ),
    (
        "net/core/skbuff.c",
        "kfree_skb* __kfree_skb consume_skb skb_release_* skb_panic skb_put skb_push skb_pull \
         skb_over_panic skb_under_panic __alloc_skb alloc_skb* __skb_*unlink skb_free_head \
         *skb_unref sk_skb_reason_drop kfree_skbmem skb_queue_purge* skb_dequeue* \
         skb_copy_*bits skb_clone pskb_* __pskb_* skb_set_owner_w",
    ),
    (
        "fs/dcache.c, fs/inode.c",
        "dput* drop_nlink inc_nlink clear_nlink set_nlink iput* iget_* __dentry_kill \
         dentry_*kill* shrink_dentry_list ihold",
    ),
    (
        "drivers/base",
        "get_device put_device device_release device_add* device_del device_register \
         device_unregister device_create* device_destroy devres_* dpm_sysfs_* usb_submit_urb \
         devm_* device_initialize",
    ),
    (
        "fs/sysfs, fs/kernfs",
        "sysfs_* proc_register proc_create* proc_mkdir* remove_proc_* *register_netdev* \
         rollback_registered* kernfs_* internal_create_group*",
    ),
    ("block", "submit_bio_wait blk_mq_free_request"),
    (
        "arch/x86/include/asm/io.h",
        "inb* inw* inl* outb* outw* outl* readb* readw* readl* readq* writeb* writew* writel* \
         writeq* ioread* iowrite* pci_user_* vga_*",
    ),
    ("arch/x86/mm/tlb.c", "flush_tlb_* native_flush_tlb_* switch_mm* __flush_tlb_*"),
    ("arch/x86/kernel/kprobes", "kprobe_* ftrace_* optimized_callback *_ftrace_*"),
    (
        "kernel/jump_label.c, arch/x86/kernel/alternative.c",
        "static_key_* __static_key_* jump_label_* arch_jump_label_* text_poke* __text_poke",
    ),
    (
        "arch/x86/include/asm/bug.h",
        "__bug_at* rust_helper_* *rust_begin_unwind* *panic_fmt* *panicking* __phys_addr*",
    ),
    ("kernel/bpf", "___bpf_prog_run __bpf_prog_run*"),
    (
        "init",
        "rest_init arch_call_rest_init common_startup_64 cpu_startup_entry start_kernel x86_64_start_* secondary_startup_64* start_secondary \
         kernel_init",
    ),
    (
        "mm/filemap.c, mm/swap.c",
        "__page_cache_alloc __add_to_page_cache_locked add_to_page_cache* pagecache_get_page \
         filemap_add_folio __filemap_add_folio folios_put_refs folio_batch_move_lru \
         folio_add_lru* release_pages",
    ),
    (
        "mm/slab.c, mm/kmemleak.c, mm/memory.c, mm/oom_kill.c",
        "____cache_alloc_node ___slab_alloc kmemleak_* might_fault __might_fault \
         check_panic_on_oom out_of_memory",
    ),
    (
        "net/core/skbuff.c, net/sctp/sm_make_chunk.c",
        "__build_skb build_skb* __netdev_alloc_skb* napi_alloc_skb* _sctp_make_chunk \
         sctp_make_*",
    ),
    ("kernel/fork.c", "vm_area_alloc vm_area_dup free_thread_stack put_task_stack free_task"),
    ("lib/fault-inject.c", "should_fail*"),
    (
        "arch/x86/entry, kernel/entry/common.c",
        "irqentry_* ___preempt_schedule* preempt_schedule_thunk*",
    ),
    (
        "arch/x86/kernel/doublefault.c, kernel/panic.c",
        "df_debug __panic panic_saved_regs warn_slowpath_common check_panic_on_warn",
    ),
    ("kernel/printk/printk.c", "msg_print_text record_print_text devkmsg_*"),
    (
        "kernel/events/core.c, arch/x86/events",
        "__perf_event_overflow perf_event_overflow perf_swevent_* intel_pmu_* \
         perf_event_nmi_handler x86_pmu_* perf_ibs_*",
    ),
    ("kernel/trace/trace_preemptirq.c", "trace_hardirqs_* trace_preempt_*"),
    (
        "kernel/rcu/update.c, lib/smp_processor_id.c",
        "debug_lockdep_rcu_enabled rcu_lock_* __this_cpu_preempt_check",
    ),
    ("fs/reiserfs/lock.c", "reiserfs_write_lock* reiserfs_write_unlock*"),
    ("kernel/time/timer.c", "lock_timer_base* __mod_timer*"),
    ("kernel/sched/psi.c", "psi_*"),
    (
        "kernel/workqueue.c, kernel/kthread.c",
        "process_one_work worker_thread process_scheduled_works kthread kthreadd",
    ),
    (
        "drivers/tty/tty_io.c, drivers/i2c/i2c-core-base.c",
        "tty_unregister_device tty_register_device* i2c_del_adapter",
    ),
    ("mm/kmsan", "msan_get_shadow_origin_ptr __msan_metadata_*"),
    ("lib/list_debug.c", "__list_del_entry*"),
    ("fs/inode.c", "iput*"),
    ("mm/usercopy.c, mm/slab.c", "__check_heap_object"),
    ("kernel/panic.c, kernel/locking/semaphore.c", "__stack_chk_fail __down __down_common"),
    (
        "kernel/sched/core.c",
        "_sched_show_task task_rq_lock __task_rq_lock *task_rq_unlock rq_lock* rq_unlock* \
         raw_spin_rq_* _raw_spin_rq_* double_rq_lock double_lock_balance activate_task \
         deactivate_task check_preempt_curr",
    ),
    (
        "arch/x86/kernel/apic/apic.c, arch/x86/entry",
        "*apic_timer_interrupt* *_after_kaiser_bti smp_*_interrupt_entry* asm_call_irq_on_stack \
         asm_call_on_stack entering_ack_irq restore_regs_and_* smp_trace_* trace_*_interrupt",
    ),
    (
        "arch/x86/kernel/dumpstack.c (to 4.13), kernel/trace/ftrace.c",
        "print_context_stack* dump_trace is_ftrace_trampoline",
    ),
    (
        "kernel/time/timer.c, net/core/sock.c",
        "__try_to_del_timer_sync sk_stop_timer* sk_reset_timer",
    ),
    (
        "kernel/workqueue.c, kernel/kthread.c",
        "try_to_grab_pending work_grab_pending __queue_delayed_work clear_pending_if_disabled \
         insert_wq_barrier kthread_should_* __kthread_should_* kthread_freezable_should_stop",
    ),
    (
        "kernel/smp.c, kernel/jump_label.c",
        "smp_call_on_cpu __jump_label_* __arch_jump_label_* smp_text_poke_*",
    ),
    (
        "mm/vmalloc.c, arch/x86/mm/physaddr.c",
        "__purge_vmap_area_lazy purge_vmap_area_lazy try_purge_vmap_area_lazy \
         purge_fragmented_* _vm_unmap_aliases vm_unmap_aliases drain_vmap_area_work \
         free_unmap_vmap_area* __virt_addr_valid",
    ),
    (
        "include/asm-generic/rwonce.h, include/linux/jhash.h, include/linux/rhashtable.h",
        "read_word_at_a_time load_unaligned_zeropad jhash jhash2 jhash_* __jhash_* rht_*",
    ),
    (
        "lib/lockref.c, lib/random32.c, drivers/char/random.c",
        "lockref_* prandom_* get_random_u* get_random_int get_random_long get_random_bytes* \
         _get_random_bytes",
    ),
    (
        "lib/crc16.c and its like, lib/xxhash.c",
        "crc16* crc_itu_t* crc_ccitt* crc_t10dif* crc64* crc4 crc7* crc8* xxh32* xxh64*",
    ),
    (
        "lib/crypto/aes.c, crypto/aes_ti.c, crypto/skcipher.c, crypto/cipher.c, crypto/ecb.c, crypto/xts.c",
        "aes_encrypt* aes_decrypt* aesti_* aes_expandkey crypto_aes_* crypto_skcipher_* \
         crypto_ecb_* crypto_cbc_* crypto_lskcipher_* xts_encrypt xts_decrypt xts_xor_tweak* \
         cipher_crypt_one crypto_cipher_*",
    ),
    (
        "lib/vsprintf.c",
        "va_format widen_string err_ptr check_pointer* pointer_string ptr_to_id \
         *default_pointer restricted_pointer symbol_string bitmap_*string ip6_string \
         ip6_compressed_string ip_addr_string escaped_string uuid_string put_dec* \
         special_hex_number",
    ),
    (
        "lib/kobject_uevent.c, net/core/dev.c",
        "add_uevent_var __netdev_printk netdev_printk netdev_info netdev_warn netdev_err",
    ),
    (
        "drivers/base/core.c, drivers/base/bus.c",
        "device_remove_file* device_for_each_child* device_*_bin_file device_remove_groups \
         bus_for_each_*",
    ),
    ("drivers/i2c/i2c-core-base.c", "__unregister_client __unregister_dummy i2c_unregister_device"),
    (
        "drivers/usb/core/urb.c, drivers/usb/core/message.c",
        "usb_kill_urb usb_kill_anchored_urbs usb_poison_urb usb_unlink_urb usb_free_urb \
         usb_get_urb usb_poison_anchored_urbs usb_unlink_anchored_urbs \
         usb_scuttle_anchored_urbs usb_anchor_urb usb_unanchor_urb usb_get_from_anchor \
         usb_wait_anchor_empty_timeout usb_start_wait_urb usb_control_msg* \
         usb_internal_control_msg usb_bulk_msg usb_interrupt_msg usb_sg_wait usb_sg_cancel",
    ),
    (
        "drivers/tty/tty_ldsem.c, drivers/tty/tty_ldisc.c",
        "ldsem_* __ldsem_* tty_ldisc_lock* __tty_ldisc_lock* tty_ldisc_unlock* \
         tty_ldisc_ref_wait",
    ),
    (
        "mm/filemap.c",
        "find_lock_entr* find_get_entr* find_get_page* find_lock_page* filemap_get_entry \
         filemap_get_folios* __filemap_get_folio* *wait_on_page_bit_common wait_on_page_bit* \
         wait_on_page_writeback* wait_on_page_locked* folio_wait_* __lock_page* filemap_fault \
         *filemap_fdatawait* filemap_fdatawrite* filemap_write_and_wait* \
         file_write_and_wait_range filemap_check_errors",
    ),
    (
        "mm/truncate.c, mm/swap.c, mm/oom_kill.c",
        "truncate_inode_pages* truncate_pagecache* truncate_setsize truncate_cleanup_* \
         truncate_folio_* truncate_inode_partial_folio truncate_inode_folio \
         invalidate_inode_page* invalidate_mapping_page* invalidate_complete_* pagevec_* \
         folio_batch_* dump_header* oom_kill_process __oom_kill_process",
    ),
    (
        "fs/inode.c, fs/debugfs/inode.c",
        "alloc_inode new_inode* inode_init_always* debugfs_get_inode __debugfs_create_file \
         debugfs_create_* debugfs_remove*",
    ),
    (
        "fs/dcache.c",
        "fast_dput retain_dentry lock_for_kill shrink_kill dentry_free dentry_unlink_inode \
         __d_drop d_drop",
    ),
    (
        "fs/buffer.c",
        "mark_buffer_dirty* brelse __brelse bforget __bforget __find_get_block *sb_bread* \
         __bread* *sb_getblk* __getblk* lock_buffer unlock_buffer wait_on_buffer \
         sync_dirty_buffer __sync_dirty_buffer mark_buffer_write_io_error",
    ),
    (
        "fs/reiserfs/prints.c, fs/btrfs/messages.c, fs/xfs/xfs_message.c",
        "__reiserfs_panic reiserfs_panic reiserfs_error __reiserfs_error assertfail \
         btrfs_assertfail assfail asswarn",
    ),
    ("net/sctp/sm_make_chunk.c, net/ipv6/ndisc.c", "sctp_chunkify ndisc_alloc_skb"),
];

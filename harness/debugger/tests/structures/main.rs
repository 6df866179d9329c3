// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel view on synthetic kernels, whose structures have the layouts of several versions.

mod around;
mod commands;
mod cpus;
mod damage;
#[path = "../../fuzz/exercise.rs"]
mod exercise;
mod find_info;
mod identify;
mod identity;
mod lists;
mod located;
mod locks;
mod lockups;
mod mappings;
mod module_folders;
mod modules;
mod old_stacks;
mod old_tasks;
mod overruns;
mod own_pages;
mod phys_base;
mod searches;
mod slabs;
mod stacks;
mod stopped;
mod task_walks;
mod tasks;
mod trees;
mod unknown_modules;
mod vmas;
mod without_vmlinux;
mod world;

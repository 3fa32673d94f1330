/* SPDX-License-Identifier: MIT */
/* The switch for aarch64: x19 to x30, d8 to d15 and the floating-point control register. The last is written only when it
 * differs, which is rare, since writing it is slow. What switch.c lays out for a new context must agree with this. */
#if defined(__aarch64__) && !defined(__ILP32__) && !defined(EFF_UCONTEXT)
	.text
	.globl eff__switch
	.hidden eff__switch
	.type eff__switch, %function
	.p2align 4
eff__switch:
	.cfi_startproc
	hint #34		/* bti c */
	sub sp, sp, #176
	.cfi_adjust_cfa_offset 176
	stp x19, x20, [sp, #0]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	.cfi_rel_offset x19, 0
	.cfi_rel_offset x20, 8
	.cfi_rel_offset x21, 16
	.cfi_rel_offset x22, 24
	.cfi_rel_offset x23, 32
	.cfi_rel_offset x24, 40
	.cfi_rel_offset x25, 48
	.cfi_rel_offset x26, 56
	.cfi_rel_offset x27, 64
	.cfi_rel_offset x28, 72
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mrs x9, fpcr
	str x9, [sp, #160]
	mov x10, sp
	str x10, [x0]
	ldr x10, [x1]
	mov sp, x10
	ldr x11, [sp, #160]
	cmp x9, x11
	b.eq 1f
	msr fpcr, x11
1:	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	ldp x19, x20, [sp, #0]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	add sp, sp, #176
	.cfi_adjust_cfa_offset -176
	.cfi_restore x19
	.cfi_restore x20
	.cfi_restore x21
	.cfi_restore x22
	.cfi_restore x23
	.cfi_restore x24
	.cfi_restore x25
	.cfi_restore x26
	.cfi_restore x27
	.cfi_restore x28
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size eff__switch, .-eff__switch

/* Where a new context begins: x19 is its entry, which never returns. Unwinding ends at what it would return to. */
	.globl eff__switch_begin
	.hidden eff__switch_begin
	.type eff__switch_begin, %function
	.p2align 4
eff__switch_begin:
	.cfi_startproc
	.cfi_undefined x30
	hint #36		/* bti j */
	mov x29, #0
	adr x30, 1f
	br x19
1:	brk #1
	.cfi_endproc
	.size eff__switch_begin, .-eff__switch_begin
#endif
	.section .note.GNU-stack, "", %progbits

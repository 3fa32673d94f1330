/* SPDX-License-Identifier: MIT */
/* The switch for x86-64: the callee-saved registers and the control words of both floating-point units go on the stack
 * that is left, and come from the stack that is entered. fiber.c calls it from one place only: so everybody returns to
 * where the processor expects a return, and the returns after it stay predicted. What switch.c lays out for a new context
 * must agree with the order here. */
#if defined(__x86_64__) && !defined(__ILP32__) && !defined(EFF_UCONTEXT)
	.text
	.globl eff__switch
	.hidden eff__switch
	.type eff__switch, @function
	.p2align 4
eff__switch:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq %r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq %r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	movq %rsp, (%rdi)
	movq (%rsi), %rsp
	ldmxcsr (%rsp)
	fldcw 4(%rsp)
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	popq %r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq %r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size eff__switch, .-eff__switch

/* Where the entry of a context would return to. It never does; unwinding ends here. */
	.globl eff__switch_bottom
	.hidden eff__switch_bottom
	.type eff__switch_bottom, @function
	.p2align 4
	.cfi_startproc
	.cfi_undefined %rip
	nop
eff__switch_bottom:
	ud2
	.cfi_endproc
	.size eff__switch_bottom, .-eff__switch_bottom
#endif
	.section .note.GNU-stack, "", %progbits

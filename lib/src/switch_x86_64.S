/* SPDX-License-Identifier: MIT */
/* The switch for x86-64: the callee-saved registers and the control words of both floating-point units go on the stack
 * that is left, and come from the stack that is entered; the control words only when they differ, which is rare, since
 * loading them is slow. fiber.c calls it from one place only: so everybody returns to where the processor expects a return,
 * and the returns after it stay predicted.
 *
 * A context that has never run is known by the lowest bit of its stack pointer, below which switch.c has put its entry: that
 * is jumped to, for a return nobody was called from would be predicted wrongly. So the last switch of a context is jumped
 * to as well, and leaves nothing behind. */
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
	movl (%rsp), %eax
	movzwl 4(%rsp), %edx
	movq %rsp, (%rdi)
	movq (%rsi), %rcx
	testb $1, %cl
	jnz .Lbegin
.Lenter:
	movq %rcx, %rsp
	cmpl (%rsp), %eax
	jne 2f
	cmpw 4(%rsp), %dx
	jne 2f
1:	addq $8, %rsp
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
	.cfi_adjust_cfa_offset 56
	.cfi_rel_offset %rbp, 48
	.cfi_rel_offset %rbx, 40
	.cfi_rel_offset %r12, 32
	.cfi_rel_offset %r13, 24
	.cfi_rel_offset %r14, 16
	.cfi_rel_offset %r15, 8
2:	ldmxcsr (%rsp)
	fldcw 4(%rsp)
	jmp 1b
	.cfi_endproc
	.size eff__switch, .-eff__switch

	.globl eff__switch_last
	.hidden eff__switch_last
	.type eff__switch_last, @function
	.p2align 4
eff__switch_last:
	.cfi_startproc
	stmxcsr -8(%rsp)
	fnstcw -4(%rsp)
	movl -8(%rsp), %eax
	movzwl -4(%rsp), %edx
	movq (%rsi), %rcx
	testb $1, %cl
	jz .Lenter
	.cfi_endproc
	.size eff__switch_last, .-eff__switch_last

/* It begins with the modes that the ABI gives a process. */
	.type eff__switch_begin, @function
eff__switch_begin:
	.cfi_startproc
	.cfi_undefined %rip
.Lbegin:
	leaq -1(%rcx), %rsp
	popq %rcx
	xorl %ebp, %ebp
	cmpl $0x1f80, %eax
	jne 1f
	cmpl $0x37f, %edx
	jne 1f
	jmp *%rcx
1:	movl $0x1f80, -8(%rsp)
	movw $0x37f, -4(%rsp)
	ldmxcsr -8(%rsp)
	fldcw -4(%rsp)
	jmp *%rcx
	.cfi_endproc
	.size eff__switch_begin, .-eff__switch_begin

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

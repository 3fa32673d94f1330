/* SPDX-License-Identifier: MIT */
/* The switch for x86-64: the callee-saved registers and the control words of both floating-point units go on the stack
 * that is left, and come from the stack that is entered; the control words only when they differ, which is rare, since
 * loading them is slow. What exceptions there have been, which is in one of them as well, is nobody's.
 *
 * The processor expects a return to whoever called last, which is the one that is left. Where the one that is entered called
 * from the same place, as one of many of a kind, it is right, and so are the returns after it. Else a jump is predicted by
 * where it went before, and a return would be predicted wrongly.
 *
 * Who has just ended is buried on the way, once its stack is left.
 *
 * A context that has never run is known by the lowest bit of its stack pointer, below which switch.c has put its entry: that
 * is jumped to, for a return nobody was called from would be predicted wrongly. So the last switch of a context is jumped
 * to as well, and leaves nothing behind. */
#if defined(__x86_64__) && !defined(__ILP32__) && !defined(EFF_UCONTEXT)
	.text
	.globl eff__switch
	.hidden eff__switch
	.type eff__switch, @function
	.globl eff__jump
	.hidden eff__jump
	.type eff__jump, @function
	.p2align 4
eff__switch:
	.cfi_startproc
	leaq .Lnobody(%rip), %rdx
eff__jump:
	movq (%rsp), %r8
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
	movzwl 4(%rsp), %r9d
	movq %rsp, (%rdi)
	movq (%rsi), %rcx
	testb $1, %cl
	jnz .Lbegin
	movq %rcx, %rsp
.Lenter:
	xorl (%rsp), %eax
	testl $0xffc0, %eax
	jne 2f
	cmpw 4(%rsp), %r9w
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
	cmpq $0, (%rdx)
	jne 4f
	xorl %eax, %eax
	cmpq %r8, (%rsp)
	jne 3f
	ret
3:	popq %rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	jmp *%rcx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rip, 0
4:	movq %rdx, %rdi
	jmp eff__bury
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
	.size eff__jump, .-eff__jump

/* What began by a jump and ends by one leaves the last call as it found it: as a rule, that of who is entered now. */
	.globl eff__switch_last
	.hidden eff__switch_last
	.type eff__switch_last, @function
	.globl eff__jump_last
	.hidden eff__jump_last
	.type eff__jump_last, @function
	.p2align 4
eff__switch_last:
	.cfi_startproc
	leaq .Lnobody(%rip), %rdx
eff__jump_last:
	stmxcsr -8(%rsp)
	fnstcw -4(%rsp)
	movl -8(%rsp), %eax
	movzwl -4(%rsp), %r9d
	movq (%rsi), %rcx
	testb $1, %cl
	jnz .Lbegin
	movq %rcx, %rsp
	movq 56(%rsp), %r8
	jmp .Lenter
	.cfi_endproc
	.size eff__switch_last, .-eff__switch_last
	.size eff__jump_last, .-eff__jump_last

/* It begins with the modes that the ABI gives a process. */
	.type eff__switch_begin, @function
eff__switch_begin:
	.cfi_startproc
	.cfi_undefined %rip
.Lbegin:
	leaq -1(%rcx), %rsp
	popq %rcx
	xorl %ebp, %ebp
	andl $0xffc0, %eax
	cmpl $0x1f80, %eax
	jne 1f
	cmpl $0x37f, %r9d
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

	.section .rodata
	.p2align 3
.Lnobody:
	.quad 0
#endif
	.section .note.GNU-stack, "", %progbits

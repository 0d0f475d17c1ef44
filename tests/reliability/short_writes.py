"""Runs a program each of whose writes takes half of the bytes it is given, which a kernel may do at any time.

strace can only pretend that a write was short. Here the process is stopped on entering write(), and goes on with
another count.
"""

import ctypes
import os
import platform
import signal
from collections.abc import Sequence

from harness import require

PTRACE_TRACEME, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_SYSCALL, PTRACE_SETOPTIONS = 0, 12, 13, 24, 0x4200
PTRACE_O_TRACESYSGOOD, PTRACE_O_EXITKILL = 1, 0x100000
SYSCALL_STOP = signal.SIGTRAP | 0x80  # what PTRACE_O_TRACESYSGOOD makes of it
WRITE = 1

REGISTERS = """
r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs
"""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Registers(ctypes.Structure):
    """struct user_regs_struct of x86-64."""

    _fields_ = [(name, ctypes.c_ulong) for name in REGISTERS.split()]


def ptrace(request: int, process: int, data: object = None) -> None:
    if _libc.ptrace(request, process, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def run_with_short_writes(command: Sequence[str]) -> tuple[int, int]:
    """Runs it, with its output to /dev/null. Gives its exit code and how many writes of its main thread were short."""
    require(platform.machine() == "x86_64", "writes can be made short on x86-64 only")
    process = os.fork()
    if process == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        _libc.ptrace(PTRACE_TRACEME, 0, None, None)
        os.execv(command[0], list(command))
    os.waitpid(process, 0)
    ptrace(PTRACE_SETOPTIONS, process, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
    registers = Registers()
    is_inside = False  # a call
    asked = short = deliver = 0
    while True:
        ptrace(PTRACE_SYSCALL, process, deliver)
        status = os.waitpid(process, 0)[1]
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status), short
        deliver = 0
        if os.WSTOPSIG(status) != SYSCALL_STOP:
            deliver = os.WSTOPSIG(status)
            continue
        is_inside = not is_inside
        ptrace(PTRACE_GETREGS, process, ctypes.byref(registers))
        if registers.orig_rax == WRITE:
            if is_inside:
                asked = registers.rdx
                registers.rdx = (asked + 1) // 2
                short += asked > 1
            else:
                registers.rdx = asked  # a call leaves its arguments as they were
            ptrace(PTRACE_SETREGS, process, ctypes.byref(registers))

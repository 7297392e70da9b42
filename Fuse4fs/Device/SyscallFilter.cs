using System.Runtime.InteropServices;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>
/// A seccomp(2) filter over all threads, now and later, that takes away the system calls with which a process reaches anything it does not hold
/// already: files, sockets, other processes, mounts. Memory, threads and what is open stay usable; the runtime needs them.
/// </summary>
internal static unsafe class SyscallFilter
{
    // include/uapi/linux/bpf_common.h, seccomp.h, audit.h
    private const ushort LoadWord = 0x20, JumpIfEqual = 0x15, JumpIfSet = 0x45, JumpIfNotLess = 0x35, Return = 0x06;
    private const uint Allow = 0x7fff0000, Error = 0x00050000, KillProcess = 0x80000000;
    private const uint NumberOffset = 0, ArchitectureOffset = 4, FirstArgumentOffset = 16;
    private const uint X64 = 0xc000003e, X32Bit = 0x40000000;
    private const uint ThreadFlag = 0x00010000; // CLONE_THREAD
    private const uint Clone = 56, Clone3 = 435;
    private const nint SeccompNumber = 317;
    private const nint SetModeFilter = 1, SynchronizeThreads = 1;

    // By their numbers on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
    private static readonly uint[] Forbidden =
    [
        2, 85, 257, 437, 304, // open, creat, openat, openat2, open_by_handle_at
        41, 42, 43, 288, 49, 50, 53, // socket, connect, accept, accept4, bind, listen, socketpair
        57, 58, 59, 322, // fork, vfork, execve, execveat
        62, 129, 101, 310, 311, 434, 438, 424, // kill, rt_sigqueueinfo, ptrace, process_vm_readv, process_vm_writev, pidfd_open, pidfd_getfd, pidfd_send_signal
        165, 166, 155, 161, 272, 308, 428, 429, 430, 431, 432, 433, 442, // mount, umount2, pivot_root, chroot, unshare, setns, the new mount calls
        82, 264, 316, 83, 258, 84, 87, 263, 86, 265, 88, 266, // rename, renameat, renameat2, mkdir, mkdirat, rmdir, unlink, unlinkat, link, linkat, symlink, symlinkat
        90, 91, 268, 92, 93, 94, 260, 133, 259, 76, // chmod, fchmod, fchmodat, chown, fchown, lchown, fchownat, mknod, mknodat, truncate
        105, 106, 113, 114, 117, 119, 116, 122, 123, 126, // setuid, setgid, setreuid, setregid, setresuid, setresgid, setgroups, setfsuid, setfsgid, capset
        175, 313, 176, 246, 320, 169, 321, 298, 250, 248, 249, 323, // modules, kexec, reboot, bpf, perf_event_open, keys, userfaultfd
        425, 426, 427, // io_uring
    ];

    [StructLayout(LayoutKind.Sequential)]
    private struct Instruction
    {
        public ushort Code;
        public byte IfTrue;
        public byte IfFalse;
        public uint Operand;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public Instruction* First;
    }

    /// <summary>Sets the filter. It cannot be taken back. False, and why, where this kernel or machine has none.</summary>
    public static bool TrySet(out string problem)
    {
        problem = "only the numbers of x86-64 are known here";
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return false;
        Instruction[] program = Build();
        fixed (Instruction* first = program)
        {
            var filter = new FilterProgram { Length = (ushort)program.Length, First = first };
            if (Libc.SystemCall(SeccompNumber, SetModeFilter, SynchronizeThreads, &filter) == 0)
                return true;
            problem = SystemCall.Describe(SystemCall.LastError);
            return false;
        }
    }

    private static Instruction[] Build()
    {
        Instruction[] first =
        [
            new() { Code = LoadWord, Operand = ArchitectureOffset },
            new() { Code = JumpIfEqual, Operand = X64, IfTrue = 1 },
            new() { Code = Return, Operand = KillProcess }, // a 32-bit call: nothing here makes one
            new() { Code = LoadWord, Operand = NumberOffset },
            new() { Code = JumpIfNotLess, Operand = X32Bit, IfFalse = 1 },
            new() { Code = Return, Operand = Error | (uint)Errno.ENOSYS },
        ];
        Instruction[] last =
        [
            // The flags of clone3 lie in memory, where a filter cannot look: libc then takes clone, whose flags it can.
            new() { Code = JumpIfEqual, Operand = Clone3, IfFalse = 1 },
            new() { Code = Return, Operand = Error | (uint)Errno.ENOSYS },
            new() { Code = JumpIfEqual, Operand = Clone, IfFalse = 3 },
            new() { Code = LoadWord, Operand = FirstArgumentOffset },
            new() { Code = JumpIfSet, Operand = ThreadFlag, IfTrue = 1 },
            new() { Code = Return, Operand = Error | (uint)Errno.EPERM },
            new() { Code = Return, Operand = Allow },
        ];
        // An array, for a list of a type of ours would have to be compiled at every start.
        var program = new Instruction[first.Length + (Forbidden.Length * 2) + last.Length];
        first.CopyTo(program, 0);
        int next = first.Length;
        foreach (uint number in Forbidden)
        {
            program[next++] = new() { Code = JumpIfEqual, Operand = number, IfFalse = 1 };
            program[next++] = new() { Code = Return, Operand = Error | (uint)Errno.EPERM };
        }
        last.CopyTo(program, next);
        return program;
    }
}

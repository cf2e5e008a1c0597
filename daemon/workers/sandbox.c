#include "workers/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* Computing, and passing bytes over what is open already. */
static const int compute_calls[] = {
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(tgkill),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
};

/* A program that tries these has been taken over. */
static const int never_calls[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(bpf),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(io_uring_setup),
};

static const int network_calls[] = {
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind),
	SCMP_SYS(listen), SCMP_SYS(accept4), SCMP_SYS(accept),
};

static const int process_calls[] = {
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
};

static int add_rules(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int rc = seccomp_rule_add(filter, action, calls[i], 0);

		if (rc < 0 && rc != -EDOM) /* unknown to this architecture */
			return rc;
	}
	return 0;
}

static int load(scmp_filter_ctx filter, int rc, struct error *err)
{
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc < 0)
		return error_set(err, ERROR_PERMANENT, "entering the sandbox: %s", strerror(-rc));
	return 0;
}

int sandbox_limits(size_t address_space, size_t descriptors, struct error *err)
{
	struct rlimit none = { 0, 0 };
	struct rlimit files = { descriptors, descriptors };
	struct rlimit space = { address_space, address_space };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
		return error_set(err, ERROR_PERMANENT, "setrlimit: %s", strerror(errno));
	if (address_space > 0 && !SANITIZED && setrlimit(RLIMIT_AS, &space) < 0)
		return error_set(err, ERROR_PERMANENT, "setrlimit: %s", strerror(errno));
	return 0;
}

int sandbox_compute(struct error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EACCES));
	int rc;

	if (filter == NULL)
		return error_set(err, ERROR_PERMANENT, "no seccomp filter");
	rc = add_rules(filter, SCMP_ACT_ALLOW, compute_calls, COUNT_OF(compute_calls));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 0);
	if (rc == 0)
		rc = add_rules(filter, SCMP_ACT_KILL_PROCESS, never_calls, COUNT_OF(never_calls));
	if (rc == 0)
		rc = add_rules(filter, SCMP_ACT_KILL_PROCESS, network_calls,
			       COUNT_OF(network_calls));
	if (rc == 0 && !SANITIZED) /* a report of theirs forks a symbolizer */
		rc = add_rules(filter, SCMP_ACT_KILL_PROCESS, process_calls,
			       COUNT_OF(process_calls));
	return load(filter, rc, err);
}

static int deny(bool network, struct error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (filter == NULL)
		return error_set(err, ERROR_PERMANENT, "no seccomp filter");
	rc = add_rules(filter, SCMP_ACT_KILL_PROCESS, never_calls, COUNT_OF(never_calls));
	if (rc == 0 && network)
		rc = add_rules(filter, SCMP_ACT_KILL_PROCESS, network_calls,
			       COUNT_OF(network_calls));
	return load(filter, rc, err);
}

/* 0 also where the kernel has no Landlock: it is a second line of defence. */
static int confine(int dir_fd, struct error *err)
{
	struct landlock_ruleset_attr handled = {
		/* every right of its first version; more are added by newer kernels */
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	struct landlock_path_beneath_attr beneath = {
		.parent_fd = dir_fd,
		.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG,
	};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	int rc = 0;

	if (ruleset < 0)
		return 0;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		rc = error_set(err, ERROR_PERMANENT, "landlock: %s", strerror(errno));
	close(ruleset);
	return rc;
}

int sandbox_files(int dir_fd, struct error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, ERROR_PERMANENT, "no_new_privs: %s", strerror(errno));
	if (confine(dir_fd, err) < 0)
		return -1;
	return deny(true, err);
}

int sandbox_network(struct error *err)
{
	return deny(false, err);
}

// Stands between a process and the calls that change files: writes them down, fails one, or kills the process at one.
//
// Preloaded by tests/it/faults.rs. What it does is said in the environment, once, at the start:
//
//   FAULT_UNDER  folder (absolute, links followed) whose files count; calls on others pass
//   FAULT_LOG    file that gets a line for every call that counts: its number from 1, its name, its path
//   FAULT_AT     number of the call at which the fault happens
//   FAULT_FROM   number of the call from which on every call fails, as on a disk that is full
//   FAULT_ON     end of a path: every call on it that opens, looks or writes fails, as for one who may not
//   FAULT_HOW    `kill` before the call; `half` in the middle of a write; `after` the call; or an errno
//   FAULT_SENDS  where set, what is sent through sockets counts too, and nothing else
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { NONE, KILL, HALF, AFTER, FAIL };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *under, *on;
static long at, from;
static enum how how;
static int error, out = -1, sends;
static atomic_long calls;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static void settle(void) {
    under = getenv("FAULT_UNDER");
    on = getenv("FAULT_ON");
    at = number("FAULT_AT");
    from = number("FAULT_FROM");
    sends = getenv("FAULT_SENDS") != NULL;
    const char *text = getenv("FAULT_HOW");
    if (text) {
        how = !strcmp(text, "kill") ? KILL : !strcmp(text, "half") ? HALF : !strcmp(text, "after") ? AFTER : FAIL;
        error = atoi(text);
    }
    const char *log = getenv("FAULT_LOG");
    if (log) out = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void die(void) {
    for (;;) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

// The path that a descriptor was opened with; of a file without a name, what it had, and a remark.
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return length > 0;
}

static void absolute(int folder, const char *name, char *path) {
    path[0] = 0;
    if (name[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(path, PATH_MAX)) path[0] = 0;
        } else {
            path_of(folder, path);
        }
        strncat(path, "/", PATH_MAX - strlen(path) - 1);
    }
    strncat(path, name, PATH_MAX - strlen(path) - 1);
}

static int counts(const char *path) {
    size_t length = under ? strlen(under) : 0;
    return under && !strncmp(path, under, length) && (!path[length] || path[length] == '/');
}

// A call is about to happen: what becomes of it. `HALF` and `AFTER` are for the call itself to obey.
static enum how met(const char *name, const char *path, int look) {
    pthread_once(&once, settle);
    if (!counts(path)) return NONE;
    if (on) {
        size_t length = strlen(path), end = strlen(on);
        if (length >= end && !strcmp(path + length - end, on)) return FAIL;
    }
    if (look || (sends && path != under)) return NONE;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (out >= 0) {
        char line[PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%ld %s %s\n", call, name, path);
        syscall(SYS_write, out, line, length);
    }
    if (from && call >= from) {
        int frees = !strncmp(name, "unlink", 6) || !strcmp(name, "rmdir");
        return frees && error == ENOSPC ? NONE : FAIL;
    }
    if (call != at) return NONE;
    if (how == KILL) die();
    return how;
}

static enum how met_fd(const char *name, int fd, int look) {
    char path[PATH_MAX];
    int before = errno;
    enum how fate = fd > 2 && path_of(fd, path) ? met(name, path, look) : NONE;
    errno = before;
    return fate;
}

static enum how met_at(const char *name, int folder, const char *file, int look) {
    char path[PATH_MAX];
    int before = errno;
    absolute(folder, file, path);
    enum how fate = met(name, path, look);
    errno = before;
    return fate;
}

#define REAL(name) \
    static typeof(&name) real; \
    if (!real) real = (typeof(&name))dlsym(RTLD_NEXT, #name)

#define OBEY(fate, call) \
    do { \
        enum how is = (fate); \
        if (is == FAIL) { errno = error; return -1; } \
        typeof(call) ended = (call); \
        if (is == AFTER) die(); \
        return ended; \
    } while (0)

static int makes(int flags) { return flags & (O_CREAT | O_TRUNC); }

#define OPEN(name) \
    int name(const char *file, int flags, ...) { \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        REAL(name); \
        OBEY(met_at("open", AT_FDCWD, file, !makes(flags)), real(file, flags, mode)); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *file, int flags, ...) { \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        REAL(name); \
        OBEY(met_at("open", folder, file, !makes(flags)), real(folder, file, flags, mode)); \
    }
OPENAT(openat)
OPENAT(openat64)

// What is sent counts as a call on the folder that is watched, so that it is met like the others.
static enum how met_send(int fd, const char *name) {
    char path[PATH_MAX];
    int before = errno;
    enum how fate = path_of(fd, path) && !strncmp(path, "socket:", 7) ? met(name, under, 0) : NONE;
    errno = before;
    return fate;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    REAL(write);
    pthread_once(&once, settle);
    enum how fate = sends ? met_send(fd, "send") : met_fd("write", fd, 0);
    if (fate == HALF) {
        real(fd, bytes, length / 2);
        die();
    }
    OBEY(fate, real(fd, bytes, length));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    pthread_once(&once, settle);
    enum how fate = sends ? met_send(fd, "send") : met_fd("write", fd, 0);
    if (fate == HALF) {
        real(fd, parts, (count + 1) / 2);
        die();
    }
    OBEY(fate, real(fd, parts, count));
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    REAL(send);
    pthread_once(&once, settle);
    enum how fate = sends ? met_send(fd, "send") : NONE;
    if (fate == HALF) {
        real(fd, bytes, length / 2, flags);
        die();
    }
    OBEY(fate, real(fd, bytes, length, flags));
}

ssize_t read(int fd, void *bytes, size_t length) {
    REAL(read);
    OBEY(met_fd("read", fd, 1), real(fd, bytes, length));
}

#define ON_FD(type, name, arguments, ...) \
    type name arguments { \
        REAL(name); \
        OBEY(met_fd(#name, fd, 0), real(__VA_ARGS__)); \
    }
ON_FD(int, fsync, (int fd), fd)
ON_FD(int, fdatasync, (int fd), fd)
ON_FD(int, ftruncate, (int fd, off_t length), fd, length)
ON_FD(int, ftruncate64, (int fd, off64_t length), fd, length)
ON_FD(ssize_t, pwrite64, (int fd, const void *bytes, size_t length, off64_t begin), fd, bytes, length, begin)

#define ON_NAME(name, folder, file, arguments, ...) \
    int name arguments { \
        REAL(name); \
        OBEY(met_at(#name, folder, file, 0), real(__VA_ARGS__)); \
    }
ON_NAME(rename, AT_FDCWD, to, (const char *old, const char *to), old, to)
ON_NAME(symlink, AT_FDCWD, file, (const char *to, const char *file), to, file)
ON_NAME(unlink, AT_FDCWD, file, (const char *file), file)
ON_NAME(unlinkat, folder, file, (int folder, const char *file, int flags), folder, file, flags)
ON_NAME(rmdir, AT_FDCWD, file, (const char *file), file)
ON_NAME(mkdir, AT_FDCWD, file, (const char *file, mode_t mode), file, mode)

int statx(int folder, const char *restrict file, int flags, unsigned mask, struct statx *restrict about) {
    REAL(statx);
    OBEY(*file ? met_at("statx", folder, file, 1) : NONE, real(folder, file, flags, mask, about));
}

// To be preloaded (LD_PRELOAD): makes calls of main() fail, as on a machine that runs out of memory,
// disk or threads, or slow, as on a slow machine.
//
//   FAIL_CALL=malloc:7     the 7th allocation fails; write, fsync, rename and pthread_create likewise
//   FAIL_CALL=malloc:7+    and all that follow it
//   SLOW_RENAMES=100       each rename takes so many milliseconds more
//   FAIL_COUNT=FILE        calls of the same kind are counted, and the count written there at the end
//   FAIL_TRACE=FILE        where main() does not return: the stack is written there, innermost first
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static atomic_int armed;
static atomic_long calls;
static long fails_at, fails_on, slow_renames;
static char kind[32];

// Whether this call is one to fail.
static int fails(const char* name) {
  if (!atomic_load(&armed) || strcmp(kind, name) != 0) return 0;
  const long call = atomic_fetch_add(&calls, 1) + 1;
  return fails_at > 0 && (call == fails_at || (fails_on && call > fails_at));
}

static void* no_memory(void) {
  errno = ENOMEM;
  return NULL;
}

void* malloc(size_t size) { return fails("malloc") ? no_memory() : __libc_malloc(size); }
void* calloc(size_t count, size_t size) {
  return fails("malloc") ? no_memory() : __libc_calloc(count, size);
}
void* realloc(void* at, size_t size) {
  return fails("malloc") ? no_memory() : __libc_realloc(at, size);
}
void* aligned_alloc(size_t step, size_t size) {
  return fails("malloc") ? no_memory() : __libc_memalign(step, size);
}
int posix_memalign(void** at, size_t step, size_t size) {
  if (fails("malloc")) return ENOMEM;
  *at = __libc_memalign(step, size);
  return *at ? 0 : ENOMEM;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void* bytes, size_t count) {
  if (file > 2 && fails("write")) {
    errno = ENOSPC;
    return -1;
  }
  return REAL(write)(file, bytes, count);
}

int fsync(int file) {
  if (fails("fsync")) {
    errno = EIO;
    return -1;
  }
  return REAL(fsync)(file);
}

int rename(const char* from, const char* to) {
  if (fails("rename")) {
    errno = ENOSPC;
    return -1;
  }
  if (slow_renames > 0) usleep((useconds_t)slow_renames * 1000);
  return REAL(rename)(from, to);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  if (fails("pthread_create")) return EAGAIN;
  return REAL(pthread_create)(thread, attributes, start, argument);
}

static void write_trace(void) {
  const char* name = getenv("FAIL_TRACE");
  const int file = name ? open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
  if (file < 0) return;
  void* frames[64];
  backtrace_symbols_fd(frames, backtrace(frames, 64), file);
  close(file);
}

static void on_signal(int number) {
  atomic_store(&armed, 0);
  write_trace();
  raise(number);  // SA_RESETHAND: now for real
}

void exit(int status) {
  if (atomic_exchange(&armed, 0)) write_trace();
  REAL(exit)(status);
  __builtin_unreachable();
}

static void trace_ends(void) {
  void* frame;
  backtrace(&frame, 1);  // loads what it needs while there is memory
  static char stack[1 << 16];  // the usual one may have run out
  const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&other, NULL);
  const struct sigaction action = {
      .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGABRT, &action, NULL);
}

static int (*real_main)(int, char**, char**);

static int armed_main(int argc, char** argv, char** environment) {
  const char* slow = getenv("SLOW_RENAMES");
  slow_renames = slow ? atol(slow) : 0;
  const char* call = getenv("FAIL_CALL");
  const char* colon = call ? strchr(call, ':') : NULL;
  if (colon && (size_t)(colon - call) < sizeof kind) {
    memcpy(kind, call, (size_t)(colon - call));
    fails_at = atol(colon + 1);
    fails_on = strchr(colon, '+') != NULL;
    trace_ends();
    atomic_store(&armed, 1);
  }
  const int result = real_main(argc, argv, environment);
  atomic_store(&armed, 0);
  const char* count = getenv("FAIL_COUNT");
  FILE* file = count ? fopen(count, "w") : NULL;
  if (file) {
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
  }
  return result;
}

int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(void),
                      void (*fini)(void), void (*end)(void), void* stack) {
  real_main = main;
  int (*real)(int (*)(int, char**, char**), int, char**, void (*)(void), void (*)(void),
              void (*)(void), void*) = dlsym(RTLD_NEXT, "__libc_start_main");
  return real(armed_main, argc, argv, init, fini, end, stack);
}

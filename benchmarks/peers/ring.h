/* The queues of io_uring(7), by raw system calls, for one thread that asks and waits.
 *
 * What was asked for is submitted by the next `enter`.  Whoever includes this has `fail`, `not_here` and `checked`.
 */
#if !__has_include(<linux/io_uring.h>)
#error "no <linux/io_uring.h>: install the kernel's headers (linux-libc-dev, kernel-headers)"
#endif
#include <linux/io_uring.h>
#ifndef IORING_RECV_MULTISHOT
#error "<linux/io_uring.h> is older than Linux 6.0"
#endif

enum {
    RING_ENTRIES = 512, /* that may be asked for at once */
    WAITID = 50         /* IORING_OP_WAITID, which the header has since 6.7 */
};

static struct {
    int fd;
    unsigned pending, *tail, *order, mask, *completed_head, *completed_tail, completed_mask;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *completions;
} ring;

static void make_ring(void) {
    static const unsigned ways[] = { /* since Linux 6.1, 5.19, and before */
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_COOP_TASKRUN, 0};
    struct io_uring_params given;
    ring.fd = -1;
    for (size_t way = 0; ring.fd < 0 && way < sizeof ways / sizeof *ways; way++) {
        given = (struct io_uring_params){.flags = ways[way] | IORING_SETUP_CQSIZE, .cq_entries = 4 * RING_ENTRIES};
        ring.fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &given);
        if (ring.fd < 0 && errno != EINVAL) break;
    }
    if (ring.fd < 0) not_here("no io_uring", strerror(errno));
    size_t first = given.sq_off.array + given.sq_entries * sizeof(unsigned);
    size_t second = given.cq_off.cqes + given.cq_entries * sizeof(struct io_uring_cqe);
    size_t third = given.sq_entries * sizeof(struct io_uring_sqe);
    int access = PROT_READ | PROT_WRITE, how = MAP_SHARED | MAP_POPULATE;
    char *map = mmap(NULL, first > second ? first : second, access, how, ring.fd, IORING_OFF_SQ_RING);
    ring.entries = mmap(NULL, third, access, how, ring.fd, IORING_OFF_SQES);
    if (map == MAP_FAILED || (void *)ring.entries == MAP_FAILED) fail("mmap");
    ring.tail = (unsigned *)(map + given.sq_off.tail);
    ring.order = (unsigned *)(map + given.sq_off.array);
    ring.mask = *(unsigned *)(map + given.sq_off.ring_mask);
    ring.completed_head = (unsigned *)(map + given.cq_off.head);
    ring.completed_tail = (unsigned *)(map + given.cq_off.tail);
    ring.completed_mask = *(unsigned *)(map + given.cq_off.ring_mask);
    ring.completions = (struct io_uring_cqe *)(map + given.cq_off.cqes);
}

/* Write one entry down. */
static void ask(struct io_uring_sqe entry) {
    unsigned tail = *ring.tail, index = tail & ring.mask;
    ring.pending++;
    ring.order[index] = index;
    ring.entries[index] = entry;
    __atomic_store_n(ring.tail, tail + 1, __ATOMIC_RELEASE);
}

/* Submit, and wait until so many operations are completed. */
static void enter(unsigned completions) {
    long taken = syscall(SYS_io_uring_enter, ring.fd, ring.pending, completions, IORING_ENTER_GETEVENTS, NULL, 0);
    ring.pending -= (unsigned)checked(taken, "io_uring_enter");
}

/* The next completion, which is no error's; 0 when there is none any more.  A kernel that does not know what was asked
   for, the operation or a flag of it, answers EINVAL; *since* says which one does. */
static int completed(struct io_uring_cqe *next, const char *what, const char *since) {
    unsigned head = *ring.completed_head;
    if (head == __atomic_load_n(ring.completed_tail, __ATOMIC_ACQUIRE)) return 0;
    *next = ring.completions[head & ring.completed_mask];
    __atomic_store_n(ring.completed_head, head + 1, __ATOMIC_RELEASE);
    if (next->res == -EINVAL) not_here(what, since);
    if (next->res < 0) errno = -next->res;
    checked(next->res, what);
    return 1;
}

static __u64 at(const void *memory) { return (__u64)(unsigned long)memory; }

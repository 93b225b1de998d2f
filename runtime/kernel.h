/* What the core asks of Linux itself: reads that do not wait, and the queues of io_uring(7), without a library.

   The layouts and numbers are the system's (<linux/io_uring.h>), written down here, so that the core can be built where
   the headers are older than the system that it runs on.  Elsewhere there are no queues. */

#ifndef UNSTALL_KERNEL_H
#define UNSTALL_KERNEL_H

#include <Python.h>
#include <errno.h>

#if defined(__linux__) && !defined(__alpha__)

#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { /* system calls, setup flags, features, register codes */
    UNSTALL_SETUP = 425,
    UNSTALL_ENTER = 426,
    UNSTALL_REGISTER = 427,
    UNSTALL_CQSIZE = 1 << 3,
    UNSTALL_SUBMIT_ALL = 1 << 7,
    UNSTALL_COOP_TASKRUN = 1 << 8,
    UNSTALL_TASKRUN_FLAG = 1 << 9,
    UNSTALL_SINGLE_ISSUER = 1 << 12,
    UNSTALL_DEFER_TASKRUN = 1 << 13,
    UNSTALL_SINGLE_MMAP = 1 << 0,
    UNSTALL_NODROP = 1 << 1,
    UNSTALL_GETEVENTS = 1 << 0,
    UNSTALL_REGISTER_EVENTFD = 4,
    UNSTALL_REGISTER_PROBE = 8,
    UNSTALL_CQ_OVERFLOW = 1 << 1, /* of the submission queue's flags, as the next */
    UNSTALL_TASKRUN = 1 << 2,
    UNSTALL_ASYNC_CANCEL = 14,
    UNSTALL_FILES_OF_ENTRIES = 0x10000000, /* where to map the entries */
    UNSTALL_OPCODES = 64 /* those that are asked about */
};

struct unstall_entry { /* one submission */
    uint8_t opcode, flags;
    uint16_t priority;
    int32_t fd;
    uint64_t offset, address; /* the former also a second address */
    uint32_t length, operation_flags;
    uint64_t user_data;
    uint64_t rest[3];
};

struct unstall_completion {
    uint64_t user_data;
    int32_t result;
    uint32_t flags;
};

struct unstall_offsets { /* of the fields of either queue */
    uint32_t head, tail, mask, entries, fifth, sixth, seventh, reserved;
    uint64_t address;
};

struct unstall_parameters {
    uint32_t submissions, completions, flags, cpu, idle, features, workers, reserved[3];
    struct unstall_offsets submission, completion;
};

struct unstall_probe {
    uint8_t last, count;
    uint16_t reserved;
    uint32_t more[3];
    struct { uint8_t opcode, reserved; uint16_t flags; uint32_t more; } operations[UNSTALL_OPCODES];
};

/* The queues that one OS thread shares with the kernel.  Only that thread may use them; `unstall_end` any. */
typedef struct {
    int fd, bell;
    uint32_t pending;             /* written and not submitted */
    uint32_t submissions;         /* how many there is room for */
    long result;                  /* of what `unstall_completed` returned last */
    uint64_t known;               /* a bit for each operation */
    size_t size, entries_size;    /* of the maps */
    char *map;
    struct unstall_entry *entries;
    uint32_t *head, *tail, *flags, *order, mask;
    uint32_t *completed_head, *completed_tail, completed_mask;
    struct unstall_completion *completions;
} unstall_queues;

static inline void unstall_end(unstall_queues *queues)
{
    if (queues->entries != NULL)
        munmap(queues->entries, queues->entries_size);
    if (queues->map != NULL)
        munmap(queues->map, queues->size);
    if (queues->bell >= 0)
        close(queues->bell);
    if (queues->fd >= 0)
        close(queues->fd);
    PyMem_RawFree(queues);
}

static inline int unstall_setup(unsigned submissions, unsigned completions, struct unstall_parameters *parameters)
{
    /* Work that completions cause is done when this thread asks for it (since 6.1), or with its next system call. */
    static const uint32_t ways[] = {UNSTALL_SINGLE_ISSUER | UNSTALL_DEFER_TASKRUN, UNSTALL_COOP_TASKRUN};
    int fd = -1;
    for (size_t way = 0; fd < 0 && way < sizeof ways / sizeof *ways; way++) {
        memset(parameters, 0, sizeof *parameters);
        parameters->flags = ways[way] | UNSTALL_CQSIZE | UNSTALL_SUBMIT_ALL | UNSTALL_TASKRUN_FLAG;
        parameters->completions = completions;
        fd = (int)syscall(UNSTALL_SETUP, submissions, parameters);
        if (fd < 0 && errno != EINVAL)
            break;
    }
    return fd;
}

static inline int unstall_map(unstall_queues *queues, const struct unstall_parameters *parameters)
{
    const struct unstall_offsets *in = &parameters->submission, *out = &parameters->completion;
    size_t first = in->seventh + parameters->submissions * sizeof(uint32_t);
    size_t second = out->sixth + parameters->completions * sizeof(struct unstall_completion);
    int protection = PROT_READ | PROT_WRITE, how = MAP_SHARED | MAP_POPULATE;
    void *map;
    queues->size = first > second ? first : second;
    map = mmap(NULL, queues->size, protection, how, queues->fd, 0);
    if (map == MAP_FAILED)
        return -1;
    queues->map = map;
    queues->entries_size = parameters->submissions * sizeof(struct unstall_entry);
    map = mmap(NULL, queues->entries_size, protection, how, queues->fd, UNSTALL_FILES_OF_ENTRIES);
    if (map == MAP_FAILED)
        return -1;
    queues->entries = map;
    queues->head = (uint32_t *)(queues->map + in->head);
    queues->tail = (uint32_t *)(queues->map + in->tail);
    queues->flags = (uint32_t *)(queues->map + in->fifth);
    queues->order = (uint32_t *)(queues->map + in->seventh);
    queues->mask = *(uint32_t *)(queues->map + in->mask);
    queues->completed_head = (uint32_t *)(queues->map + out->head);
    queues->completed_tail = (uint32_t *)(queues->map + out->tail);
    queues->completed_mask = *(uint32_t *)(queues->map + out->mask);
    queues->completions = (struct unstall_completion *)(queues->map + out->sixth);
    return 0;
}

static inline int unstall_ask_what_is_known(unstall_queues *queues)
{
    struct unstall_probe probe;
    memset(&probe, 0, sizeof probe);
    if (syscall(UNSTALL_REGISTER, queues->fd, UNSTALL_REGISTER_PROBE, &probe, UNSTALL_OPCODES) < 0)
        return -1;
    for (int i = 0; i < probe.count && i < UNSTALL_OPCODES; i++)
        if (probe.operations[i].flags & 1)
            queues->known |= (uint64_t)1 << probe.operations[i].opcode;
    return 0;
}

/* Make queues with room for that many submissions and completions; NULL and OSError where there are none. */
static inline unstall_queues *unstall_make(unsigned submissions, unsigned completions)
{
    struct unstall_parameters parameters;
    unstall_queues *queues = PyMem_RawCalloc(1, sizeof *queues);
    if (queues == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    queues->bell = -1;
    queues->fd = unstall_setup(submissions, completions, &parameters);
    if (queues->fd >= 0) {
        uint32_t needed = UNSTALL_SINGLE_MMAP | UNSTALL_NODROP;
        queues->submissions = parameters.submissions;
        queues->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if ((parameters.features & needed) != needed)
            errno = ENOSYS;
        else if (queues->bell >= 0 && unstall_map(queues, &parameters) == 0
                 && syscall(UNSTALL_REGISTER, queues->fd, UNSTALL_REGISTER_EVENTFD, &queues->bell, 1) == 0
                 && unstall_ask_what_is_known(queues) == 0)
            return queues;
    }
    PyErr_SetFromErrno(PyExc_OSError);
    unstall_end(queues);
    return NULL;
}

/* The descriptor that becomes readable when something has been completed. */
static inline int unstall_bell(unstall_queues *queues) { return queues->bell; }

static inline int unstall_knows(unstall_queues *queues, int opcode) { return queues->known >> opcode & 1; }

static inline uint32_t unstall_pending(unstall_queues *queues) { return queues->pending; }

static inline struct unstall_entry *unstall_next_entry(unstall_queues *queues)
{
    if (queues->pending >= queues->submissions)
        return NULL;
    uint32_t tail = *queues->tail, index = tail & queues->mask;
    if (tail - __atomic_load_n(queues->head, __ATOMIC_ACQUIRE) >= queues->submissions)
        return NULL;
    queues->order[index] = index;
    queues->pending++;
    memset(&queues->entries[index], 0, sizeof(struct unstall_entry));
    return &queues->entries[index];
}

static inline void unstall_publish(unstall_queues *queues)
{
    __atomic_store_n(queues->tail, *queues->tail + 1, __ATOMIC_RELEASE);
}

/* Write one submission down.  The kernel's reference to *operation* keeps alive what the addresses point into, which
   *operation* holds; `unstall_completed` or `unstall_take_back` returns it.

   *first* and *second* are bytes, or None for no address.  False when there is no room: submit first. */
static inline int unstall_write_down(unstall_queues *queues, PyObject *operation, int opcode, int fd, PyObject *first,
                               Py_ssize_t start, unsigned length, PyObject *second, long long offset, unsigned flags)
{
    struct unstall_entry *entry = unstall_next_entry(queues);
    if (entry == NULL)
        return 0;
    entry->opcode = (uint8_t)opcode;
    entry->fd = fd;
    entry->address = first == Py_None ? 0 : (uint64_t)(uintptr_t)(PyBytes_AS_STRING(first) + start);
    entry->length = length;
    entry->offset = second == Py_None ? (uint64_t)offset : (uint64_t)(uintptr_t)PyBytes_AS_STRING(second);
    entry->operation_flags = flags;
    entry->user_data = (uint64_t)(uintptr_t)Py_NewRef(operation);
    unstall_publish(queues);
    return 1;
}

/* Ask for the end of *operation*, which has been pushed; its completion comes in any case.  False as above. */
static inline int unstall_cancel(unstall_queues *queues, PyObject *operation)
{
    struct unstall_entry *entry = unstall_next_entry(queues);
    if (entry == NULL)
        return 0;
    entry->opcode = UNSTALL_ASYNC_CANCEL;
    entry->fd = -1;
    entry->address = (uint64_t)(uintptr_t)operation;
    unstall_publish(queues);
    return 1;
}

/* Whether there is anything to `unstall_submit` for. */
static inline int unstall_due(unstall_queues *queues)
{
    return queues->pending
           || (__atomic_load_n(queues->flags, __ATOMIC_RELAXED) & (UNSTALL_CQ_OVERFLOW | UNSTALL_TASKRUN));
}

/* Submit what is pending, and have the kernel do what completions wait for; 0, or an error number. */
static inline int unstall_submit(unstall_queues *queues)
{
    int error = 0;
    Py_BEGIN_ALLOW_THREADS
    do {
        long taken = syscall(UNSTALL_ENTER, queues->fd, queues->pending, 0, UNSTALL_GETEVENTS, NULL, 0);
        if (taken < 0)
            error = errno == EINTR ? 0 : errno;
        else if (taken == 0 && queues->pending)
            error = EAGAIN;
        else
            queues->pending -= (uint32_t)taken;
    } while (!error && queues->pending);
    Py_END_ALLOW_THREADS
    return error;
}

static inline PyObject *unstall_owner(uint64_t user_data)
{
    return user_data ? (PyObject *)(uintptr_t)user_data : Py_NewRef(Py_None);
}

/* The next operation that has been completed, and its result by `unstall_result`; None at the end. */
static inline PyObject *unstall_completed(unstall_queues *queues)
{
    uint64_t whose = 0;
    uint32_t head = *queues->completed_head;
    while (!whose && head != __atomic_load_n(queues->completed_tail, __ATOMIC_ACQUIRE)) {
        struct unstall_completion *completion = &queues->completions[head & queues->completed_mask];
        whose = completion->user_data; /* 0: a cancellation's */
        queues->result = completion->result;
        head++;
    }
    __atomic_store_n(queues->completed_head, head, __ATOMIC_RELEASE);
    return unstall_owner(whose);
}

static inline long unstall_result(unstall_queues *queues) { return queues->result; }

/* Take the last entry back that is not submitted: its operation, or None for a cancellation and where there is none. */
static inline PyObject *unstall_take_back(unstall_queues *queues)
{
    if (!queues->pending)
        return Py_NewRef(Py_None);
    uint32_t tail = *queues->tail - 1;
    queues->pending--;
    __atomic_store_n(queues->tail, tail, __ATOMIC_RELEASE);
    return unstall_owner(queues->entries[tail & queues->mask].user_data);
}

/* Let other threads in for as long as *length* bytes are copied, if one would come in that time. */
static inline PyThreadState *unstall_let_in(Py_ssize_t length) { return length > 16384 ? PyEval_SaveThread() : NULL; }

static inline void unstall_go_on(PyThreadState *let_in)
{
    if (let_in)
        PyEval_RestoreThread(let_in);
}

/* Read up to *length* bytes at *offset*, as far as that is possible without waiting; an error number if it is not. */
static inline PyObject *unstall_read(int fd, Py_ssize_t length, long long offset)
{
#if defined(RWF_NOWAIT)
    PyObject *octets = PyBytes_FromStringAndSize(NULL, length);
    ssize_t count;
    if (octets == NULL)
        return NULL;
    struct iovec part = {PyBytes_AS_STRING(octets), (size_t)length};
    int error;
    PyThreadState *let_in = unstall_let_in(length);
    count = preadv2(fd, &part, 1, offset, RWF_NOWAIT);
    error = errno;
    unstall_go_on(let_in);
    if (count == length)
        return octets;
    if (count >= 0) {
        _PyBytes_Resize(&octets, count);
        return octets;
    }
    Py_DECREF(octets);
    return PyLong_FromLong(error);
#else
    return PyLong_FromLong(EOPNOTSUPP);
#endif
}

/* Fill *buffer* at the position of *fd*, or as far as the file goes, without waiting; a negative error number, and the
   position as it was, if that is not possible. */
static inline Py_ssize_t unstall_fill(int fd, PyObject *buffer)
{
#if defined(RWF_NOWAIT)
    Py_buffer view;
    Py_ssize_t got = 0, count;
    int error = 0;
    PyThreadState *let_in;
    if (PyObject_GetBuffer(buffer, &view, PyBUF_WRITABLE) < 0) {
        PyErr_Clear(); /* the plain call will say it */
        return -EINVAL;
    }
    let_in = unstall_let_in(view.len);
    do {
        struct iovec part = {(char *)view.buf + got, (size_t)(view.len - got)};
        count = preadv2(fd, &part, 1, -1, RWF_NOWAIT);
        if (count > 0)
            got += count;
    } while (count > 0 && got < view.len);
    if (count < 0) {
        error = errno;
        if (got > 0)
            lseek(fd, -(off_t)got, SEEK_CUR);
    }
    unstall_go_on(let_in);
    PyBuffer_Release(&view);
    return error ? -error : got;
#else
    return -EOPNOTSUPP;
#endif
}

#else

typedef struct { int none; } unstall_queues;

static inline unstall_queues *unstall_make(unsigned submissions, unsigned completions)
{
    errno = ENOSYS;
    PyErr_SetFromErrno(PyExc_OSError);
    return NULL;
}
static inline void unstall_end(unstall_queues *queues) {}
static inline int unstall_bell(unstall_queues *queues) { return -1; }
static inline int unstall_knows(unstall_queues *queues, int opcode) { return 0; }
static inline unsigned unstall_pending(unstall_queues *queues) { return 0; }
static inline int unstall_write_down(unstall_queues *queues, PyObject *operation, int opcode, int fd, PyObject *first,
                        Py_ssize_t start, unsigned length, PyObject *second, long long offset, unsigned flags)
{
    return 0;
}
static inline int unstall_cancel(unstall_queues *queues, PyObject *operation) { return 0; }
static inline int unstall_due(unstall_queues *queues) { return 0; }
static inline int unstall_submit(unstall_queues *queues) { return ENOSYS; }
static inline PyObject *unstall_completed(unstall_queues *queues) { return Py_NewRef(Py_None); }
static inline long unstall_result(unstall_queues *queues) { return -ENOSYS; }
static inline PyObject *unstall_take_back(unstall_queues *queues) { return Py_NewRef(Py_None); }
static inline PyObject *unstall_read(int fd, Py_ssize_t length, long long offset) { return PyLong_FromLong(EOPNOTSUPP); }
static inline Py_ssize_t unstall_fill(int fd, PyObject *buffer) { return -EOPNOTSUPP; }

#endif

/* Bytes to be written to by the kernel. */
static inline PyObject *unstall_room(Py_ssize_t length) { return PyBytes_FromStringAndSize(NULL, length); }

/* What an epoll set reports, in a bytearray of the hub's; or what another backend reports, as a list of pairs. */
typedef struct { int descriptor, bits; } unstall_event;
enum { UNSTALL_EVENTS = 256 };

static PyObject *unstall_events(void)
{
    return PyByteArray_FromStringAndSize(NULL, UNSTALL_EVENTS * sizeof(unstall_event));
}

static inline unstall_event *unstall_event_at(PyObject *events, int index)
{
    return (unstall_event *)PyByteArray_AS_STRING(events) + index;
}

static inline int unstall_event_descriptor(PyObject *events, int index)
{
    return unstall_event_at(events, index)->descriptor;
}

static inline int unstall_event_bits(PyObject *events, int index) { return unstall_event_at(events, index)->bits; }

static int unstall_wait_otherwise(PyObject *events, PyObject *otherwise, PyObject *timeout)
{
    PyObject *reported = PyObject_CallOneArg(otherwise, timeout);
    PyObject *pairs = reported ? PySequence_Fast(reported, "a backend reports a list") : NULL;
    Py_XDECREF(reported);
    if (!pairs)
        return -1;
    int count = (int)PySequence_Fast_GET_SIZE(pairs);
    if (count > UNSTALL_EVENTS && PyByteArray_Resize(events, count * (Py_ssize_t)sizeof(unstall_event)) < 0)
        count = -1;
    for (int i = 0; i < count; i++) {
        unstall_event *event = unstall_event_at(events, i);
        if (!PyArg_ParseTuple(PySequence_Fast_GET_ITEM(pairs, i), "ii", &event->descriptor, &event->bits))
            count = -1;
    }
    Py_DECREF(pairs);
    return count;
}

/* A look does not wait, and keeps the GIL: other threads ask for it and get it; to let it go for a microsecond wakes them
   for nothing and puts off when they insist (docs/design.md).  So where the last wait found the system *busy*, look first. */
static int unstall_wait(PyObject *events, int descriptor, PyObject *otherwise, PyObject *timeout, int busy)
{
#if defined(__linux__)
    if (descriptor >= 0) {
        struct epoll_event found[UNSTALL_EVENTS];
        int count = 0, milliseconds = -1;
        if (timeout != Py_None) {
            double wanted = PyFloat_AsDouble(timeout) * 1000;
            if (PyErr_Occurred())
                return -1;
            milliseconds = (int)wanted;
            if (milliseconds < wanted) /* rounded down it would spin for the last one */
                milliseconds++;
        }
        if (milliseconds && PyErr_CheckSignals() < 0) /* no line of Python may have run since the last one came */
            return -1;
        if (busy || !milliseconds)
            count = epoll_wait(descriptor, found, UNSTALL_EVENTS, 0);
        if (!count && milliseconds) {
            Py_BEGIN_ALLOW_THREADS
            count = epoll_wait(descriptor, found, UNSTALL_EVENTS, milliseconds);
            Py_END_ALLOW_THREADS
        }
        if (count < 0 && errno == EINTR)
            return PyErr_CheckSignals() ? -1 : 0; /* the hub looks what there is to do now, and comes again */
        if (count < 0)
            PyErr_SetFromErrno(PyExc_OSError);
        for (int i = 0; i < count; i++) {
            unstall_event *event = unstall_event_at(events, i);
            event->descriptor = found[i].data.fd;
            event->bits = (int)found[i].events;
        }
        return count;
    }
#endif
    return unstall_wait_otherwise(events, otherwise, timeout);
}

#endif

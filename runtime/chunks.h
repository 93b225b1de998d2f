/* Where the Python frames of tasklets are, for the compiled core.

   The interpreter keeps the frames of a thread in chunks of 16 KiB, and greenlet has it begin with none for each greenlet:
   a mapping is made for each that begins, and unmapped as it ends, which is most of what a greenlet costs.  Here a
   greenlet gets its first chunk from a slab of them and gives it back; a slab goes back to the system when none of its
   chunks is in use and enough others are there.  One that ends otherwise, since its thread has ended before it, has its chunk
   freed by greenlet, and its slab stays.  All of it is guarded by the GIL. */

#ifndef UNSTALL_CHUNKS_H
#define UNSTALL_CHUNKS_H

#include "primitives.h"
#include <stddef.h>

#if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)

enum {
    UNSTALL_CHUNK = 16384, /* bytes, as the interpreter has it */
#if defined(MS_WINDOWS)
    UNSTALL_CHUNKS = 1, /* of a slab: what was allocated at once cannot be freed in pieces there */
#else
    UNSTALL_CHUNKS = 64,
#endif
    UNSTALL_IDLE = 256 /* chunks that are kept for later */
};

typedef struct unstall_slab {
    struct unstall_slab *before, *after; /* among those that have a chunk which is not in use */
    char *memory;
    _PyStackChunk *idle; /* chunks that have been used */
    int begun, used;
} unstall_slab_t;

static unstall_slab_t *unstall_slabs; /* those that have a chunk which is not in use */
static long unstall_idle;             /* chunks that are not in use */

static void unstall_open_slab(unstall_slab_t *slab)
{
    slab->before = NULL;
    slab->after = unstall_slabs;
    if (slab->after)
        slab->after->before = slab;
    unstall_slabs = slab;
}

static void unstall_close_slab(unstall_slab_t *slab)
{
    if (slab->after)
        slab->after->before = slab->before;
    if (slab->before)
        slab->before->after = slab->after;
    else
        unstall_slabs = slab->after;
}

static UNSTALL_NOT_INLINE int unstall_make_slab(void)
{
    PyObjectArenaAllocator allocator;
    PyObject_GetArenaAllocator(&allocator); /* by which the interpreter and greenlet free a chunk */
    unstall_slab_t *slab = PyMem_RawCalloc(1, sizeof(*slab));
    if (slab)
        slab->memory = allocator.alloc(allocator.ctx, UNSTALL_CHUNK * UNSTALL_CHUNKS);
    if (!slab || !slab->memory) {
        PyMem_RawFree(slab);
        return -1;
    }
    unstall_idle += UNSTALL_CHUNKS;
    unstall_open_slab(slab);
    return 0;
}

static UNSTALL_NOT_INLINE void unstall_free_slab(unstall_slab_t *slab)
{
    PyObjectArenaAllocator allocator;
    PyObject_GetArenaAllocator(&allocator);
    unstall_idle -= UNSTALL_CHUNKS;
    unstall_close_slab(slab);
    allocator.free(allocator.ctx, slab->memory, UNSTALL_CHUNK * UNSTALL_CHUNKS);
    PyMem_RawFree(slab);
}

/* NULL where there is no memory: the interpreter then says so. */
static _PyStackChunk *unstall_take_chunk(void)
{
    if (!unstall_slabs && unstall_make_slab() < 0)
        return NULL;
    unstall_slab_t *slab = unstall_slabs;
    _PyStackChunk *chunk = slab->idle;
    if (chunk)
        slab->idle = chunk->previous;
    else
        chunk = (_PyStackChunk *)(slab->memory + UNSTALL_CHUNK * (size_t)slab->begun++);
    chunk->previous = NULL;
    chunk->size = UNSTALL_CHUNK;
    chunk->top = 0;
    chunk->data[0] = (PyObject *)slab; /* the interpreter leaves this place free in the first chunk of a thread */
    unstall_idle--;
    if (++slab->used == UNSTALL_CHUNKS)
        unstall_close_slab(slab);
    return chunk;
}

static void unstall_give_chunk(_PyStackChunk *chunk)
{
    unstall_slab_t *slab = (unstall_slab_t *)chunk->data[0];
    chunk->previous = slab->idle;
    slab->idle = chunk;
    unstall_idle++;
    if (slab->used-- == UNSTALL_CHUNKS)
        unstall_open_slab(slab);
    if (!slab->used && unstall_idle - UNSTALL_CHUNKS >= UNSTALL_IDLE)
        unstall_free_slab(slab);
}

/* What a fresh greenlet runs: a function, with its frames in a chunk of ours.  A type of its own, since what is on the C
   stack below a tasklet is copied at each switch: so it is one frame. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *work;
} unstall_worker_t;

static PyObject *unstall_work(PyObject *self, PyObject *const *arguments, size_t count, PyObject *names)
{
    PyObject *work = ((unstall_worker_t *)self)->work;
    PyThreadState *state = PyThreadState_Get();
    _PyStackChunk *chunk = state->datastack_chunk ? NULL : unstall_take_chunk();
    if (chunk) {
        state->datastack_chunk = chunk;
        state->datastack_top = &chunk->data[1];
        state->datastack_limit = (PyObject **)((char *)chunk + UNSTALL_CHUNK);
    }
    PyObject *result = PyVectorcall_Function(work)(work, arguments, count, names);
    if (chunk && state->datastack_chunk == chunk) {
        state->datastack_chunk = NULL;
        state->datastack_top = state->datastack_limit = NULL;
        unstall_give_chunk(chunk);
    }
    return result;
}

static void unstall_free_worker(PyObject *self)
{
    Py_DECREF(((unstall_worker_t *)self)->work);
    PyObject_Free(self);
}

static PyTypeObject unstall_worker_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "runtime.worker",
    .tp_basicsize = sizeof(unstall_worker_t),
    .tp_dealloc = unstall_free_worker,
    .tp_vectorcall_offset = offsetof(unstall_worker_t, call),
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

static inline PyObject *unstall_worker(PyObject *work)
{
    if (PyType_Ready(&unstall_worker_type) < 0)
        return NULL;
    if (!PyVectorcall_Function(work)) {
        PyErr_SetString(PyExc_TypeError, "what greenlets run must be a function");
        return NULL;
    }
    unstall_worker_t *self = PyObject_New(unstall_worker_t, &unstall_worker_type);
    if (self) {
        self->call = unstall_work;
        self->work = Py_NewRef(work);
    }
    return (PyObject *)self;
}
#else
static inline PyObject *unstall_worker(PyObject *work) { return Py_NewRef(work); }
#endif

#endif

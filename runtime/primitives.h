/* The operations of primitives.py in C, for the compiled core.  Every module of the core has its own copy. */

#ifndef UNSTALL_PRIMITIVES_H
#define UNSTALL_PRIMITIVES_H

#include <Python.h>
#include <greenlet/greenlet.h>
#include <limits.h>
#include <time.h>

#if defined(_MSC_VER)
#include <windows.h>
#define UNSTALL_THREAD_LOCAL __declspec(thread)
#define UNSTALL_YIELD() SwitchToThread()
#define UNSTALL_NOT_INLINE __declspec(noinline)
#else
#include <sched.h>
#define UNSTALL_THREAD_LOCAL __thread
#define UNSTALL_YIELD() sched_yield()
#define UNSTALL_NOT_INLINE __attribute__((noinline))
#endif

static PyObject *unstall_append, *unstall_popleft, *unstall_monotonic;

/* Look up, once, what is called below. */
static int unstall_begin(void)
{
    PyGreenlet_Import();
    if (!_PyGreenlet_API)
        return -1;
    PyObject *collections = PyImport_ImportModule("collections");
    PyObject *deque = collections ? PyObject_GetAttrString(collections, "deque") : NULL;
    PyObject *time_module = PyImport_ImportModule("time");
    if (deque && time_module) {
        unstall_monotonic = PyObject_GetAttrString(time_module, "monotonic");
        unstall_popleft = PyObject_GetAttrString(deque, "popleft");
        unstall_append = PyObject_GetAttrString(deque, "append"); /* last: says that all are there */
    }
    Py_XDECREF(time_module);
    Py_XDECREF(deque);
    Py_XDECREF(collections);
    return unstall_append && unstall_popleft && unstall_monotonic ? 0 : -1;
}

#define UNSTALL_READY() (unstall_append != NULL || unstall_begin() == 0)

static inline PyObject *unstall_switch(PyObject *target)
{
    if (!UNSTALL_READY())
        return NULL;
    if (!PyGreenlet_Check(target)) {
        PyErr_SetString(PyExc_TypeError, "only a greenlet can be switched to");
        return NULL;
    }
    return PyGreenlet_Switch((PyGreenlet *)target, NULL, NULL);
}

/* A stack that begins below where another one ends as it waits is not copied away when that one runs. */
static UNSTALL_NOT_INLINE PyObject *unstall_begin_below(PyObject *target)
{
    volatile char apart[2048];
    apart[0] = 0;
    PyObject *result = unstall_switch(target);
    apart[0] = 1; /* after the switch, so that the room is there during it */
    return result;
}

static inline PyObject *unstall_begin_greenlet(PyObject *target, int below)
{
    return below ? unstall_begin_below(target) : unstall_switch(target);
}

static inline PyObject *unstall_getcurrent(void)
{
    return UNSTALL_READY() ? (PyObject *)PyGreenlet_GetCurrent() : NULL;
}

static inline PyObject *unstall_push(PyObject *queue, PyObject *item)
{
    PyObject *arguments[] = {queue, item};
    return UNSTALL_READY() ? PyObject_Vectorcall(unstall_append, arguments, 2, NULL) : NULL;
}

static inline PyObject *unstall_pop(PyObject *queue)
{
    return UNSTALL_READY() ? PyObject_Vectorcall(unstall_popleft, &queue, 1, NULL) : NULL;
}

/* The places of a list, of which *i* is one. */
static inline PyObject *unstall_lift(PyObject *list, Py_ssize_t i)
{
    PyObject *item = PyList_GET_ITEM(list, i);
    PyList_SET_ITEM(list, i, Py_NewRef(Py_None));
    return item;
}

static inline int unstall_lay(PyObject *list, Py_ssize_t i, PyObject *item)
{
    PyObject *before = PyList_GET_ITEM(list, i);
    PyList_SET_ITEM(list, i, Py_NewRef(item));
    Py_DECREF(before);
    return 0;
}

static inline PyObject *unstall_contents(PyObject *thing) { return PyObject_GenericGetDict(thing, NULL); }

/* The interpreter's own number for a class as it is, by which it finds methods without looking: a class that is changed
   gets another one.  One that has none yet (0) gets one when an attribute is looked up; until then it is always another. */
static inline unsigned long long unstall_version(PyObject *kind)
{
    static unsigned long long none = (unsigned long long)UINT_MAX;
    unsigned version = ((PyTypeObject *)kind)->tp_version_tag;
    return version ? version : ++none;
}

/* What `time.monotonic` returns; -1 with an exception. */
static inline double unstall_clock(void)
{
#if defined(__linux__)
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) == 0)
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#endif
    if (!UNSTALL_READY())
        return -1.0;
    PyObject *seconds = PyObject_CallNoArgs(unstall_monotonic);
    double result = seconds ? PyFloat_AsDouble(seconds) : -1.0;
    Py_XDECREF(seconds);
    return result;
}

/* The hub of the calling OS thread, borrowed: runtime/here.py holds it and says `forget` in time.  The thread state is
   compared too, since one OS thread may run several interpreters. */
static UNSTALL_THREAD_LOCAL struct { PyThreadState *state; PyObject *hub; } unstall_here;

static inline PyObject *unstall_remembered(void)
{
    PyObject *hub = unstall_here.hub;
    return Py_NewRef(hub != NULL && unstall_here.state == PyThreadState_Get() ? hub : Py_None);
}

static inline void unstall_remember(PyObject *hub)
{
    unstall_here.state = PyThreadState_Get();
    unstall_here.hub = hub;
}

static inline void unstall_forget(PyObject *hub)
{
    if (unstall_here.hub == hub)
        unstall_here.hub = NULL;
}

/* A latch: an object that is held or not.  The GIL makes each of these atomic. */
typedef struct {
    PyObject_HEAD
    char held;
} unstall_latch_t;

#define UNSTALL_HELD(latch) (((unstall_latch_t *)(latch))->held)

static PyTypeObject unstall_latch_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "runtime.latch",
    .tp_basicsize = sizeof(unstall_latch_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

static inline PyObject *unstall_latch(void)
{
    if (!unstall_latch_type.tp_dealloc && PyType_Ready(&unstall_latch_type) < 0)
        return NULL;
    PyObject *latch = (PyObject *)PyObject_New(unstall_latch_t, &unstall_latch_type);
    if (latch)
        UNSTALL_HELD(latch) = 0;
    return latch;
}

static inline int unstall_taken(PyObject *latch) { return UNSTALL_HELD(latch); }

static inline int unstall_take(PyObject *latch) { return UNSTALL_HELD(latch) ? 0 : (UNSTALL_HELD(latch) = 1); }

/* Only another OS thread can have it, and it goes on when it gets the GIL. */
static inline int unstall_hold(PyObject *latch)
{
    while (!unstall_take(latch)) {
        Py_BEGIN_ALLOW_THREADS
        UNSTALL_YIELD();
        Py_END_ALLOW_THREADS
    }
    return 0;
}

static inline void unstall_free(PyObject *latch) { UNSTALL_HELD(latch) = 0; }

#endif

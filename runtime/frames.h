/* The Python frames of a tasklet that waits, for the compiled core.

   The frames of a greenlet that is switched away from have to be safe to walk: a frame that was called from C is linked
   through a place on the C stack, which is copied away.  greenlet (since CPython 3.12) makes a frame object for each,
   links them all past those places, and goes through all of them again as it comes back: memory that nobody else
   needs, and which has left the processor's caches meanwhile.  Here only the links through the C stack are mended, no
   object is made until somebody asks for one, and greenlet is told that there are no frames. */

#ifndef UNSTALL_FRAMES_H
#define UNSTALL_FRAMES_H

#include "primitives.h"

#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)
#define UNSTALL_FRAMES 1
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#else
#include <internal/pycore_frame.h>
#endif
#endif

#ifdef UNSTALL_FRAMES

#if PY_VERSION_HEX >= 0x030D0000
#define UNSTALL_INNERMOST(state) ((state)->current_frame)
#else
#define UNSTALL_INNERMOST(state) ((state)->cframe->current_frame)
#endif

enum { UNSTALL_LINKS = 3 }; /* through the C stack, of one tasklet: where there are more, greenlet does as it always does */

typedef struct _PyInterpreterFrame unstall_frame_t;

static inline unstall_frame_t *unstall_complete(unstall_frame_t *frame)
{
    while (frame && _PyFrame_IsIncomplete(frame))
        frame = frame->previous;
    return frame;
}

/* Run *target* until somebody switches back; *place* says meanwhile which the innermost frame is, 0 where greenlet does. */
static PyObject *unstall_leave_frames(size_t *place, PyObject *target)
{
    PyThreadState *state = PyThreadState_Get();
    unstall_frame_t *innermost = UNSTALL_INNERMOST(state);
    struct { unstall_frame_t *from, *to; } links[UNSTALL_LINKS];
    int mended = 0, hidden = 1;
    unstall_frame_t *first = unstall_complete(innermost);
    for (unstall_frame_t *frame = first, *next; frame; frame = next) {
        next = unstall_complete(frame->previous);
        if (next == frame->previous)
            continue;
        if (mended == UNSTALL_LINKS) {
            hidden = 0;
            break;
        }
        links[mended].from = frame;
        links[mended++].to = frame->previous;
        frame->previous = next;
    }
    if (hidden) {
        *place = (size_t)first;
        UNSTALL_INNERMOST(state) = NULL;
    } else {
        while (mended)
            mended--, links[mended].from->previous = links[mended].to;
    }
    PyObject *result = unstall_switch(target);
    if (hidden) {
        UNSTALL_INNERMOST(state) = innermost;
        *place = 0;
        while (mended)
            mended--, links[mended].from->previous = links[mended].to;
    }
    return result;
}
#define unstall_leave(me, target) unstall_leave_frames(&(me)->place, target)

/* The innermost frame of who waits and left it at *place*. */
static inline PyObject *unstall_frame(size_t place)
{
    if (!place)
        Py_RETURN_NONE;
    PyThreadState *state = PyThreadState_Get();
    unstall_frame_t *innermost = UNSTALL_INNERMOST(state);
    UNSTALL_INNERMOST(state) = (unstall_frame_t *)place;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(state);
    UNSTALL_INNERMOST(state) = innermost;
    return frame ? frame : Py_NewRef(Py_None);
}
#else
#define unstall_leave(me, target) unstall_switch(target)
static inline PyObject *unstall_frame(size_t place) { Py_RETURN_NONE; }
#endif

#endif

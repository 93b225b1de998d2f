cimport cython
from runtime cimport here, kernel, primitives
from runtime.circular_queue cimport CircularQueue
from runtime.strand cimport Inbox, Strand
from runtime.timer cimport Timer, Timers
from runtime.watch cimport Watch

cdef int _LEAST, _MOST
cdef double _TURN, _LONGEST, _GLANCE
cdef Py_ssize_t _SPARE

cdef class Hub(Inbox):
    cdef object __weakref__
    cdef public object thread, greenlet, work, _worker
    cdef public Timers timers
    cdef public dict watches
    cdef public Strand main, current
    cdef public bint ended, overdue, _below, _lull, _busy
    cdef public object ring
    cdef public long long ticks, waits
    cdef public Py_ssize_t unborn
    cdef public int _budget, _next_budget
    cdef public list _spare
    cdef object _events

    @cython.locals(me=Strand, next_=Strand, ready=CircularQueue)
    cpdef park(self)
    @cython.locals(me=Strand)
    cpdef schedule(self)
    @cython.locals(timer=Timer)
    cpdef park_until(self, deadline)
    @cython.locals(timer=Timer)
    cpdef sleep(self, double deadline)
    @cython.locals(timer=Timer)
    cpdef bint wait(self, Watch watch, int mask, deadline=*) except -1
    @cython.locals(watch=Watch, count=cython.int, index=cython.int, fd=cython.int, bits=cython.int)
    cpdef serve(self, timeout=*)
    @cython.locals(began=double, now=double, budget=int, next_=Strand, ready=CircularQueue)
    cdef _turn(self)
    @cython.locals(next_=Strand, ready=CircularQueue)
    cpdef bint go_on(self, me) except -1
    cdef _begin(self)
    cdef _poll(self)
    @cython.locals(watch=Watch)
    cdef bint _expects(self) except -1

@cython.locals(hub=Hub)
cpdef schedule()
@cython.locals(hub=Hub)
cpdef current()
@cython.locals(hub=Hub)
cpdef sleep(seconds)

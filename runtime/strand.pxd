cimport cython
from runtime cimport here, primitives
from runtime.circular_queue cimport CircularQueue

cdef class Inbox:
    cdef public object backend
    cdef public CircularQueue ready
    cdef public bint polling
    cdef public set tasklets

cdef class Strand:
    cdef object __weakref__
    cdef public object _args, _callbacks, _context, _error, _function, _kwargs, _name, _report, _value
    cdef public object greenlet, interrupts, locals, thread_state
    cdef public size_t ident
    cdef readonly size_t place
    cdef public long long _number
    cdef public Inbox hub
    cdef public bint daemon, done, handling, scheduled
    @cython.locals(hub=Inbox)
    cdef rouse(self)
    @cython.locals(hub=Inbox)
    cpdef start(self)
    cpdef finish(self)

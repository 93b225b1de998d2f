cimport cython
from runtime cimport primitives

cdef class Inbox:
    cdef public object backend, ready
    cdef public bint polling

cdef class Strand:
    cdef object __weakref__
    cdef public object _args, _callbacks, _context, _error, _function, _kwargs, _report, _value
    cdef public object greenlet, interrupts, locals, name, thread_state
    cdef public size_t ident
    cdef public Inbox hub
    cdef public bint daemon, done, handling, scheduled
    @cython.locals(hub=Inbox)
    cdef rouse(self)
    cpdef finish(self)

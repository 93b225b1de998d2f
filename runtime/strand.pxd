from runtime cimport primitives

cdef class Strand:
    cdef object __weakref__
    cdef public object _args, _callbacks, _context, _error, _function, _kwargs, _report, _value
    cdef public object greenlet, hub, ident, interrupts, locals, name, thread_state
    cdef public bint daemon, done, handling, scheduled
    cdef rouse(self)
    cpdef finish(self)

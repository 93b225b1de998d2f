cimport cython
from runtime.strand cimport Strand

cdef class Timer:
    cdef public double when
    cdef public object action
    cdef public bint fired

cdef class Timers:
    cdef readonly list _heap
    cdef object _order
    cdef Py_ssize_t _cancelled
    @cython.locals(timer=Timer)
    cpdef Timer at(self, double when, action)
    cpdef cancel(self, Timer timer)
    @cython.locals(timer=Timer)
    cpdef next(self)
    @cython.locals(timer=Timer, tasklet=Strand)
    cpdef fire(self, double now)
